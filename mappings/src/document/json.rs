//! The values of a document, read where they stand.

use std::ops::Range;

use serde_json::{Map, Number, Value};

use super::{Node, Source};
use crate::scalar::Scalar;

/// A value in a document.
#[derive(Clone, Copy)]
pub struct Json<'d> {
    pub(super) source: &'d Source,
    pub(super) at: usize,
}

impl<'d> Json<'d> {
    /// The text, if it is one.
    pub fn as_str(self) -> Option<&'d str> {
        self.source.text_of(self.node())
    }

    /// Where the text is between its quotes, counted from the beginning of a document that is
    /// [verbatim](Document::verbatim).
    pub(crate) fn place(self) -> Option<Range<usize>> {
        match self.node() {
            Node::Text(span) => Some(span.range()),
            _ => None,
        }
    }

    /// A text as it stands in JSON, with its quotes, if nothing in it is escaped.
    #[inline]
    pub(crate) fn quoted(self) -> Option<&'d [u8]> {
        let Node::Text(span) = self.node() else {
            return None;
        };
        let Range { start, end } = span.range();
        self.source.text.as_bytes().get(start.checked_sub(1)?..=end)
    }

    /// The value for a conversion.
    #[inline]
    pub(crate) fn scalar(self) -> Scalar<'d> {
        match self.node() {
            Node::Null => Scalar::Null,
            Node::Bool(value) => Scalar::Bool(value),
            Node::Int(number) => Scalar::Int(number),
            Node::Large(_) | Node::Float(_) => {
                self.as_number().map_or(Scalar::Null, Scalar::Number)
            }
            Node::Text(span) => {
                let text = self.source.text.get(span.range());
                text.map_or(Scalar::Null, Scalar::Verbatim)
            }
            node @ Node::Unescaped(_) => {
                let text = self.source.text_of(node);
                text.map_or(Scalar::Null, |text| Scalar::Text(text.into()))
            }
            Node::Array { .. } | Node::Object { .. } => Scalar::Composite,
        }
    }

    /// The number, if it is a whole one of 64 bits.
    pub fn as_i64(self) -> Option<i64> {
        match self.node() {
            Node::Int(number) => Some(number),
            _ => None,
        }
    }

    /// The number, if it is one.
    pub(crate) fn as_number(self) -> Option<Number> {
        match self.node() {
            Node::Int(number) => Some(number.into()),
            Node::Large(number) => Some(number.into()),
            Node::Float(number) => Number::from_f64(number),
            _ => None,
        }
    }

    /// True or false, if it is one of them.
    pub fn as_bool(self) -> Option<bool> {
        match self.node() {
            Node::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// True for `null`.
    pub fn is_null(self) -> bool {
        matches!(self.node(), Node::Null)
    }

    /// True for a number.
    pub(crate) fn is_number(self) -> bool {
        matches!(self.node(), Node::Int(_) | Node::Large(_) | Node::Float(_))
    }

    /// True for an object.
    pub fn is_object(self) -> bool {
        matches!(self.node(), Node::Object { .. })
    }

    /// True for an array.
    pub fn is_array(self) -> bool {
        matches!(self.node(), Node::Array { .. })
    }

    /// The member of an object; of several with the name the last.
    pub fn get(self, name: &str) -> Option<Self> {
        let named = self.named().filter(|(known, _)| *known == name.as_bytes());
        named.last().map(|(_, value)| value)
    }

    /// The value at a JSON pointer without escapes, which are all that a catalog has; array
    /// elements count from 0.
    pub fn at(self, pointer: &str) -> Option<Self> {
        let mut tokens = pointer.split('/').skip(1);
        tokens.try_fold(self, |value, token| match value.node() {
            Node::Object { .. } => value.get(token),
            Node::Array { .. } => value.elements().nth(index(token)?),
            _ => None,
        })
    }

    /// The elements of an array; none if it is something else.
    pub fn elements(self) -> impl Iterator<Item = Self> {
        let end = match self.node() {
            Node::Array { end } => end as usize,
            _ => 0,
        };
        let mut at = self.at + 1;
        std::iter::from_fn(move || {
            let element = self.sibling(at, end)?;
            at = element.next();
            Some(element)
        })
    }

    /// The members of an object, in order; none if it is something else.
    pub(crate) fn members(self) -> impl Iterator<Item = (&'d str, Self)> {
        let members = self.entries();
        members.map_while(|(name, value)| Some((self.source.text_of(name)?, value)))
    }

    /// As [`Self::members`], with the names as bytes, for those who only compare them.
    #[inline]
    pub(crate) fn named(self) -> impl Iterator<Item = (&'d [u8], Self)> {
        let members = self.entries();
        members.map_while(|(name, value)| Some((self.source.bytes_of(name)?, value)))
    }

    #[inline]
    fn entries(self) -> impl Iterator<Item = (Node, Self)> {
        let end = match self.node() {
            Node::Object { end } => end as usize,
            _ => 0,
        };
        let source = self.source;
        let mut rest = source.nodes.get(self.at + 1..end).unwrap_or_default();
        std::iter::from_fn(move || {
            let [name, value, after @ ..] = rest else {
                return None;
            };
            let at = end - after.len() - 1;
            rest = match *value {
                Node::Array { end: next } | Node::Object { end: next } => {
                    source.nodes.get(next as usize..end)?
                }
                _ => after,
            };
            Some((*name, Self { source, at }))
        })
    }

    /// A copy.
    pub fn to_value(self) -> Value {
        match self.node() {
            Node::Null => Value::Null,
            Node::Bool(value) => value.into(),
            Node::Int(_) | Node::Large(_) | Node::Float(_) => {
                self.as_number().map_or(Value::Null, Value::Number)
            }
            Node::Text(_) | Node::Unescaped(_) => self.as_str().map_or(Value::Null, Value::from),
            Node::Array { .. } => self.elements().map(Self::to_value).collect(),
            Node::Object { .. } => {
                let members = self.members();
                let members = members.map(|(name, value)| (name.to_owned(), value.to_value()));
                Value::Object(members.collect::<Map<_, _>>())
            }
        }
    }

    #[inline]
    fn node(self) -> Node {
        let node = self.source.nodes.get(self.at);
        node.copied().unwrap_or(Node::Null)
    }

    fn sibling(self, at: usize, end: usize) -> Option<Self> {
        (at < end).then_some(Self { at, ..self })
    }

    /// Where the value after this one is.
    fn next(self) -> usize {
        match self.node() {
            Node::Array { end } | Node::Object { end } => end as usize,
            _ => self.at + 1,
        }
    }
}

/// An element's number as RFC 6901 writes it: digits without a leading zero.
fn index(token: &str) -> Option<usize> {
    let plain = token == "0" || token.starts_with(|first: char| matches!(first, '1'..='9'));
    token.parse().ok().filter(|_| plain)
}
