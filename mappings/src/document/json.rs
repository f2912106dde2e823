//! Cursor on the values of a document.

use std::ops::Range;

use serde_json::{Map, Number, Value};

use super::{Source, node::Node, texts::is_whole};
use crate::scalar::Scalar;

/// A value in a document.
#[derive(Clone, Copy)]
pub struct Json<'d> {
    pub(super) source: &'d Source,
    pub(super) at: usize,
}

/// Member names shared by objects of a document.
#[derive(Clone, Copy)]
pub(crate) struct Shape<'d> {
    source: &'d Source,
    number: usize,
}

impl<'d> Json<'d> {
    /// The string, if it is one.
    pub fn as_str(self) -> Option<&'d str> {
        self.source.texts().text_of(self.node())
    }

    /// The string with its quotes as received, if it has no escapes.
    #[inline]
    pub(crate) fn quoted(self) -> Option<&'d [u8]> {
        let Node::Text(span) = self.node() else {
            return None;
        };
        let Range { start, end } = span.range();
        self.source.text.as_bytes().get(start.checked_sub(1)?..=end)
    }

    /// The digits as received, if the integer is in canonical form.
    #[inline]
    pub(crate) fn digits(self) -> Option<&'d [u8]> {
        let Node::Number(span) = self.node() else {
            return None;
        };
        let digits = self.source.text.as_bytes().get(span.range())?;
        let is_plain = is_whole(digits.len(), *digits.first()?);
        (is_plain && digits.iter().all(u8::is_ascii_digit)).then_some(digits)
    }

    /// The value for a conversion.
    #[inline]
    pub(crate) fn scalar(self) -> Scalar<'d> {
        match self.node() {
            Node::Null => Scalar::Null,
            Node::Bool(value) => Scalar::Bool(value),
            Node::Number(_) | Node::RewrittenNumber(_) => match self.as_i64() {
                Some(number) => Scalar::Int(number),
                None => self.as_number().map_or(Scalar::Null, Scalar::Number),
            },
            Node::Text(span) => {
                let text = self.source.text.get(span.range());
                text.map_or(Scalar::Null, Scalar::Verbatim)
            }
            node @ Node::RewrittenText(_) => {
                let text = self.source.texts().text_of(node);
                text.map_or(Scalar::Null, |text| Scalar::Text(text.into()))
            }
            Node::Array(_) | Node::Object(_) => Scalar::Composite,
        }
    }

    /// The number, if it is an integer of 64 bits.
    pub fn as_i64(self) -> Option<i64> {
        self.source.texts().whole_number_of(self.node())
    }

    /// The number, if it is one.
    pub(crate) fn as_number(self) -> Option<Number> {
        self.source.texts().number_of(self.node())
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

    /// True for an object.
    pub fn is_object(self) -> bool {
        matches!(self.node(), Node::Object(_))
    }

    /// True for an array.
    pub fn is_array(self) -> bool {
        matches!(self.node(), Node::Array(_))
    }

    /// The member of an object; the last one if several have the name.
    pub fn get(self, name: &str) -> Option<Self> {
        let texts = self.source.texts();
        let is_it = |known: &Node| texts.bytes_of(*known) == Some(name.as_bytes());
        let number = self.names().iter().rposition(is_it)?;
        self.values().nth(number)
    }

    /// The value at a JSON pointer without escapes, as those of the catalog are; array
    /// elements count from 0.
    pub fn at(self, pointer: &str) -> Option<Self> {
        let mut tokens = pointer.split('/').skip(1);
        tokens.try_fold(self, |value, token| match value.node() {
            Node::Object(_) => value.get(token),
            Node::Array(_) => value.elements().nth(index(token)?),
            _ => None,
        })
    }

    /// The elements of an array; none if it is something else.
    pub fn elements(self) -> impl Iterator<Item = Self> {
        let end = match self.node() {
            Node::Array(array) => array.end(),
            _ => 0,
        };
        self.siblings(end)
    }

    /// The members of an object, in order, repeated names included; none if it is something else.
    pub fn members(self) -> impl Iterator<Item = (&'d str, Self)> {
        let texts = self.source.texts();
        let names = self.names().iter();
        let names = names.map_while(move |name| texts.text_of(*name));
        names.zip(self.values())
    }

    /// The values of the members of an object, in the order of its [shape](Self::shape).
    #[inline]
    pub(crate) fn values(self) -> impl Iterator<Item = Self> {
        let end = match self.node() {
            Node::Object(object) => object.end(),
            _ => 0,
        };
        self.siblings(end)
    }

    /// The shape of an object.
    #[inline]
    pub(crate) fn shape(self) -> Option<Shape<'d>> {
        match self.node() {
            Node::Object(object) => Some(Shape {
                source: self.source,
                number: object.shape(),
            }),
            _ => None,
        }
    }

    /// A copy; of members with the same name, the last one.
    pub fn to_value(self) -> Value {
        match self.node() {
            Node::Null => Value::Null,
            Node::Bool(value) => value.into(),
            Node::Number(_) | Node::RewrittenNumber(_) => {
                self.as_number().map_or(Value::Null, Value::Number)
            }
            Node::Text(_) | Node::RewrittenText(_) => {
                self.as_str().map_or(Value::Null, Value::from)
            }
            Node::Array(_) => self.elements().map(Self::to_value).collect(),
            Node::Object(_) => {
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

    fn names(self) -> &'d [Node] {
        match self.node() {
            Node::Object(object) => self.source.shapes.names(object.shape()),
            _ => &[],
        }
    }

    /// The values inside of this one, up to the node `end`.
    #[inline]
    fn siblings(self, end: usize) -> impl Iterator<Item = Self> {
        let mut next = Self {
            at: self.at + 1,
            ..self
        };
        std::iter::from_fn(move || {
            let value = next;
            (value.at < end).then(|| {
                next.at = value.next();
                value
            })
        })
    }

    /// The index of the value after this one.
    fn next(self) -> usize {
        match self.node() {
            Node::Array(array) => array.end(),
            Node::Object(object) => object.end(),
            _ => self.at + 1,
        }
    }
}

impl<'d> Shape<'d> {
    /// The names as bytes, without the check for UTF-8 boundaries.
    pub(crate) fn names(self) -> impl Iterator<Item = &'d [u8]> {
        let texts = self.source.texts();
        let names = self.source.shapes.names(self.number).iter();
        names.map_while(move |name| texts.bytes_of(*name))
    }
}

/// Unequal shapes may have the same names.
impl PartialEq for Shape<'_> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number && std::ptr::eq(self.source, other.source)
    }
}

/// An element's number as RFC 6901 writes it: digits without a leading zero.
fn index(token: &str) -> Option<usize> {
    let plain = token == "0" || token.starts_with(|first: char| matches!(first, '1'..='9'));
    token.parse().ok().filter(|_| plain)
}
