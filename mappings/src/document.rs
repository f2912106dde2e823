//! v2's documents: JSON that is read once and copied nowhere.
//!
//! A list of hundreds of users is most of what a document is, and little of it is shown. So a
//! document keeps its text as it came, and beside it one flat list of what stands where.

mod plain;

use std::{fmt, ops::Range, sync::Arc};

use bytes::Bytes;
use memchr::memchr2;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::scalar::Scalar;

/// A JSON document, or a part of one. Clones are the same one.
#[derive(Clone, Default)]
pub struct Document {
    source: Arc<Source>,
    at: usize,
}

/// A value in a document.
#[derive(Clone, Copy)]
pub struct Json<'d> {
    source: &'d Source,
    at: usize,
}

/// A text and what stands where in it. Without nodes it is `null`.
#[derive(Default)]
struct Source {
    text: String,
    /// The texts that have escapes, without them.
    unescaped: String,
    /// Every value, an array or object before what is in it; the name of a member is a text
    /// before its value.
    nodes: Vec<Node>,
}

/// The text of a source, for those who share it.
struct Text(Arc<Source>);

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        self.0.text.as_bytes()
    }
}

/// 16 bytes, so that four share a cache line.
#[derive(Clone, Copy)]
enum Node {
    Null,
    Bool(bool),
    Int(i64),
    /// Above all signed ones.
    Large(u64),
    Float(f64),
    /// In the text, between its quotes.
    Text(Span),
    /// In the unescaped texts.
    Unescaped(Span),
    /// Ends before this node.
    Array {
        end: u32,
    },
    Object {
        end: u32,
    },
}

#[derive(Clone, Copy)]
struct Span {
    start: u32,
    length: u32,
}

impl Span {
    fn range(self) -> Range<usize> {
        let start = self.start as usize;
        start..start + self.length as usize
    }
}

impl Source {
    fn text_of(&self, node: Node) -> Option<&str> {
        match node {
            Node::Text(span) => self.text.get(span.range()),
            Node::Unescaped(span) => self.unescaped.get(span.range()),
            _ => None,
        }
    }

    /// As [`Self::text_of`], for those who only compare it.
    #[inline]
    fn bytes_of(&self, node: Node) -> Option<&[u8]> {
        match node {
            Node::Text(span) => self.text.as_bytes().get(span.range()),
            Node::Unescaped(span) => self.unescaped.as_bytes().get(span.range()),
            _ => None,
        }
    }
}

impl Document {
    /// Reads a JSON text.
    ///
    /// # Errors
    ///
    /// If it is not JSON in UTF-8, nested deeper than 128, or larger than 4 GiB.
    pub fn read(text: Vec<u8>) -> Result<Self, serde_json::Error> {
        let text = String::from_utf8(text).map_err(serde_json::Error::custom)?;
        offset(text.len())?;
        if let Some(nodes) = plain::nodes(&text) {
            return Ok(Source {
                text,
                unescaped: String::new(),
                nodes,
            }
            .into());
        }
        let mut builder = Builder {
            text: text.as_bytes().as_ptr().addr(),
            unescaped: String::new(),
            nodes: Vec::with_capacity(text.len() / BYTES_PER_NODE),
        };
        let mut deserializer = serde_json::Deserializer::from_str(&text);
        builder.deserialize(&mut deserializer)?;
        deserializer.end()?;
        let Builder {
            unescaped, nodes, ..
        } = builder;
        Ok(Source {
            text,
            unescaped,
            nodes,
        }
        .into())
    }

    /// The value that the document is.
    pub fn json(&self) -> Json<'_> {
        Json {
            source: &self.source,
            at: self.at,
        }
    }

    /// The JSON text; of a whole document the one that was read, not copied.
    pub fn text(&self) -> Bytes {
        if self.at == 0 && !self.source.nodes.is_empty() {
            return Bytes::from_owner(Text(Arc::clone(&self.source)));
        }
        self.to_string().into()
    }

    /// What it keeps in memory, in bytes, roughly: the whole of which it may be a part.
    pub fn weight(&self) -> usize {
        let Source {
            text,
            unescaped,
            nodes,
        } = self.source.as_ref();
        text.len() + unescaped.len() + size_of_val(nodes.as_slice())
    }

    /// The JSON text, if it is a whole document on one line and its texts stand in it as they
    /// read, without escapes.
    pub(crate) fn verbatim(&self) -> Option<&str> {
        let Source {
            text,
            unescaped,
            nodes,
        } = self.source.as_ref();
        let is_whole = self.at == 0 && !nodes.is_empty();
        let is_plain = unescaped.is_empty() && memchr2(b'\n', b'\r', text.as_bytes()).is_none();
        (is_whole && is_plain).then_some(text)
    }

    /// The value at a JSON pointer without escapes, as a document of its own.
    pub(crate) fn part(&self, pointer: &str) -> Option<Self> {
        let found = self.json().at(pointer)?;
        Some(self.at(found))
    }

    /// The elements of an array, each as a document of its own; none if it is something else.
    pub(crate) fn elements(&self) -> impl Iterator<Item = Self> {
        self.json().elements().map(|element| self.at(element))
    }

    fn at(&self, part: Json<'_>) -> Self {
        Self {
            source: Arc::clone(&self.source),
            at: part.at,
        }
    }
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

impl From<Source> for Document {
    fn from(source: Source) -> Self {
        Self {
            source: Arc::new(source),
            at: 0,
        }
    }
}

impl From<Value> for Document {
    /// Deeper than [`Document::read`] goes there is nothing.
    fn from(value: Value) -> Self {
        Self::read(value.to_string().into_bytes()).unwrap_or_default()
    }
}

impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        self.json().to_value() == other.json().to_value()
    }
}

/// The text, for whoever keeps it.
impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.at == 0 && !self.source.nodes.is_empty() {
            return f.write_str(&self.source.text);
        }
        self.json().to_value().fmt(f)
    }
}

/// What v2 says of a user is in it: nothing of that is shown.
impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Document(…)")
    }
}

/// A guess for the first allocation: half a member of a user.
const BYTES_PER_NODE: usize = 12;

/// Notes what a deserializer comes upon.
struct Builder {
    /// Where in memory the text begins: what is borrowed from it has its place by that.
    text: usize,
    unescaped: String,
    nodes: Vec<Node>,
}

impl Builder {
    /// Notes an array or object with what `inside` notes.
    fn nest<E>(
        &mut self,
        node: impl FnOnce(u32) -> Node,
        inside: impl FnOnce(&mut Self) -> Result<(), E>,
    ) -> Result<(), E>
    where
        E: serde::de::Error,
    {
        let at = self.nodes.len();
        self.nodes.push(Node::Null);
        inside(self)?;
        let end = offset(self.nodes.len())?;
        if let Some(begun) = self.nodes.get_mut(at) {
            *begun = node(end);
        }
        Ok(())
    }
}

fn offset<E: serde::de::Error>(at: usize) -> Result<u32, E> {
    u32::try_from(at).map_err(|_| E::custom("the document is larger than 4 GiB"))
}

impl<'de> DeserializeSeed<'de> for &mut Builder {
    type Value = ();

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Builder {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.nodes.push(Node::Null);
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.nodes.push(Node::Bool(value));
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.nodes.push(Node::Int(number));
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        let signed = i64::try_from(number);
        self.nodes
            .push(signed.map_or(Node::Large(number), Node::Int));
        Ok(())
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.nodes.push(Node::Float(number));
        Ok(())
    }

    #[inline]
    fn visit_borrowed_str<E: serde::de::Error>(self, text: &'de str) -> Result<(), E> {
        let start = text.as_bytes().as_ptr().addr() - self.text;
        self.nodes.push(Node::Text(Span {
            start: offset(start)?,
            length: offset(text.len())?,
        }));
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        self.nodes.push(Node::Unescaped(Span {
            start: offset(self.unescaped.len())?,
            length: offset(text.len())?,
        }));
        self.unescaped.push_str(text);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        self.nest(
            |end| Node::Array { end },
            |inside| {
                while elements.next_element_seed(&mut *inside)?.is_some() {}
                Ok(())
            },
        )
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        self.nest(
            |end| Node::Object { end },
            |inside| {
                while members.next_key_seed(Name(&mut *inside))?.is_some() {
                    members.next_value_seed(&mut *inside)?;
                }
                Ok(())
            },
        )
    }
}

/// Notes the name of a member. Half of what is read are names: what can only be a text takes fewer
/// steps than what may be anything.
struct Name<'b>(&'b mut Builder);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = ();

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    #[inline]
    fn visit_borrowed_str<E: serde::de::Error>(self, text: &'de str) -> Result<(), E> {
        self.0.visit_borrowed_str(text)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        self.0.visit_str(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Option<Value> {
        let document = Document::read(text.as_bytes().to_vec()).ok()?;
        Some(document.json().to_value())
    }

    #[test]
    fn members_and_elements_are_found() {
        let value = json!({ "a": { "b": [1, { "c": null }] } });
        let document = Document::from(value.clone());
        for pointer in [
            "", "/a", "/a/b", "/a/b/0", "/a/b/1", "/a/b/1/c", "/a/x", "/a/b/7", "/a/b/00",
            "/a/b/0/c", "/a/b/x",
        ] {
            let found = document.json().at(pointer).map(Json::to_value);
            assert_eq!(found.as_ref(), value.pointer(pointer), "{pointer}");
        }
    }

    #[test]
    fn of_a_name_that_is_there_twice_the_last_counts() {
        let document = Document::read(br#"{"a":1,"b":2,"a":3}"#.to_vec()).unwrap();
        assert_eq!(document.json().get("a").unwrap().as_i64(), Some(3));
        assert_eq!(document.json().to_value(), json!({ "a": 3, "b": 2 }));
    }

    #[test]
    fn parts_are_documents() {
        let document = Document::from(json!({ "users": [{ "id": "a" }, { "id": "b\n" }] }));
        let users = document.part("/users").unwrap();
        let shown: Vec<_> = users.elements().map(|user| user.to_string()).collect();
        assert_eq!(shown, [r#"{"id":"a"}"#, r#"{"id":"b\n"}"#]);
        assert_eq!(document.elements().count(), 0);
    }

    #[test]
    fn what_serde_reads_is_read_and_nothing_else() {
        let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        let texts = [
            "",
            " ",
            "nul",
            "null",
            " true ",
            "truefalse",
            "0",
            "-0",
            "01",
            "1.5e3",
            "1e999",
            "18446744073709551615",
            "18446744073709551616",
            "-9223372036854775808",
            "\"a",
            r#""\ud83d\ude00 \u00e9 \/""#,
            r#""\ud83d""#,
            "\"\u{1}\"",
            "\"\u{7f}é\"",
            "{\"a\"}",
            "{\"a\":1,}",
            "[1,]",
            "[1 2]",
            "{1:2}",
            "\u{feff}{}",
            "{} x",
            &deep(127),
            &deep(128),
        ];
        for text in texts {
            assert_eq!(read(text), serde_json::from_str(text).ok(), "{text}");
        }
        assert!(Document::read(b"\"\xff\"".to_vec()).is_err());
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[a\"\\\\\n\\PC]{0,5}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            let members = proptest::collection::vec(("[a-c\"]{0,2}", inner.clone()), 0..5);
            prop_oneof![
                proptest::collection::vec(inner, 0..5).prop_map(Value::from),
                members.prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_document_is_the_value_that_it_came_from(value in value()) {
            let texts = [value.to_string(), serde_json::to_string_pretty(&value).unwrap()];
            for text in texts {
                prop_assert_eq!(read(&text), serde_json::from_str(&text).ok());
            }
        }

        #[test]
        fn pointers_mean_what_they_mean_to_serde(pointer in "(/[a-c0-2]{1,2}){0,3}") {
            let value = json!({ "a": { "b": { "c": 1 }, "0": 2 }, "b": [[3], { "a": 4 }], "aa": 5 });
            let document = Document::from(value.clone());
            let found = document.json().at(&pointer).map(Json::to_value);
            prop_assert_eq!(found.as_ref(), value.pointer(&pointer));
        }
    }
}
