//! v2's JSON responses, parsed once and borrowed from where possible.
//!
//! v1 shows few members of each entry of a long list. A [`Document`] therefore keeps the received
//! text and a flat list of nodes that point into it; [`Json`] is a cursor on one of them. Member
//! names are stored separately, as shapes that similar objects share.
//!
//! | module | contents |
//! |---|---|
//! | `fast` | parser for text without escapes |
//! | `general` | parser for everything else, by `serde_json` |
//! | `node`, `shape`, `texts` | the parsed form: values, names, strings and numbers |
//! | `json` | the cursor that reads it |

mod fast;
mod general;
mod json;
mod node;
mod shape;
mod texts;

use std::{fmt, sync::Arc};

use bytes::Bytes;
use serde::de::Error as _;
use serde_json::Value;

pub use json::Json;
pub(crate) use json::Shape;
use node::Node;
use shape::Shapes;
use texts::Texts;

/// JSON document, or a part of one. Clones share their memory.
#[derive(Clone, Default)]
pub struct Document {
    source: Arc<Source>,
    at: usize,
}

/// Text and its parsed form. Without nodes it is `null`.
#[derive(Default)]
struct Source {
    text: String,
    /// Unescaped strings and normalised numbers, for nodes that cannot point into the text.
    rewritten: String,
    /// All values in document order: an array or object precedes its contents.
    nodes: Vec<Node>,
    /// Member names of the objects.
    shapes: Shapes,
}

/// Owner of the text for [`Bytes`].
struct Text(Arc<Source>);

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        self.0.text.as_bytes()
    }
}

/// Estimate for the first allocation: size of a member of a user.
const BYTES_PER_NODE: usize = 24;

impl Source {
    #[inline]
    fn texts(&self) -> Texts<'_> {
        Texts {
            text: &self.text,
            rewritten: &self.rewritten,
        }
    }
}

impl Document {
    /// Parses a JSON text.
    ///
    /// # Errors
    ///
    /// If it is not JSON in UTF-8, nested deeper than 128 levels, or larger than 4 GiB, if a string
    /// is longer than 16 MiB, or if the objects have more than 16 million distinct names.
    pub fn read(text: Vec<u8>) -> Result<Self, serde_json::Error> {
        let text = String::from_utf8(text).map_err(serde_json::Error::custom)?;
        let (nodes, shapes, rewritten) = match fast::nodes(&text) {
            Some((nodes, shapes)) => (nodes, shapes, String::new()),
            None => general::nodes(&text)?,
        };
        Ok(Source {
            text,
            rewritten,
            nodes,
            shapes,
        }
        .into())
    }

    /// The root value.
    pub fn json(&self) -> Json<'_> {
        Json {
            source: &self.source,
            at: self.at,
        }
    }

    /// The JSON text; of a whole document the received one, without a copy.
    pub fn text(&self) -> Bytes {
        if self.at == 0 && !self.source.nodes.is_empty() {
            return Bytes::from_owner(Text(Arc::clone(&self.source)));
        }
        self.to_string().into()
    }

    /// Approximate memory in bytes, always of the whole document.
    pub fn weight(&self) -> usize {
        let Source {
            text,
            rewritten,
            nodes,
            shapes,
        } = self.source.as_ref();
        text.len() + rewritten.len() + size_of_val(nodes.as_slice()) + shapes.weight()
    }

    /// The value at a JSON pointer without escapes, as a document.
    pub(crate) fn part(&self, pointer: &str) -> Option<Self> {
        let found = self.json().at(pointer)?;
        Some(self.at(found))
    }

    /// The elements of an array as documents; empty for other values.
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

impl From<Source> for Document {
    fn from(source: Source) -> Self {
        Self {
            source: Arc::new(source),
            at: 0,
        }
    }
}

impl From<Value> for Document {
    /// A value that [`Document::read`] would refuse, such as one nested too deep, becomes `null`.
    fn from(value: Value) -> Self {
        Self::read(value.to_string().into_bytes()).unwrap_or_default()
    }
}

impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        self.json().to_value() == other.json().to_value()
    }
}

/// The JSON text.
impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.at == 0 && !self.source.nodes.is_empty() {
            return f.write_str(&self.source.text);
        }
        self.json().to_value().fmt(f)
    }
}

/// Hides the content, which is personal data.
impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Document(…)")
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
    fn finds_members_and_elements() {
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
    fn last_duplicate_member_wins() {
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
    fn accepts_exactly_what_serde_json_accepts() {
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
        fn documents_round_trip(value in value()) {
            let texts = [value.to_string(), serde_json::to_string_pretty(&value).unwrap()];
            for text in texts {
                prop_assert_eq!(read(&text), serde_json::from_str(&text).ok());
            }
        }

        #[test]
        fn pointers_agree_with_serde_json(pointer in "(/[a-c0-2]{1,2}){0,3}") {
            let value = json!({ "a": { "b": { "c": 1 }, "0": 2 }, "b": [[3], { "a": 4 }], "aa": 5 });
            let document = Document::from(value.clone());
            let found = document.json().at(&pointer).map(Json::to_value);
            prop_assert_eq!(found.as_ref(), value.pointer(&pointer));
        }
    }
}
