//! The long way to read a document: all of JSON, by way of `serde_json`.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{BYTES_PER_NODE, Node, Span};

/// What stands where in a text, and the texts that have escapes, without them.
pub(super) fn nodes(text: &str) -> Result<(Vec<Node>, String), serde_json::Error> {
    let mut builder = Builder {
        text: text.as_bytes().as_ptr().addr(),
        unescaped: String::new(),
        nodes: Vec::with_capacity(text.len() / BYTES_PER_NODE),
    };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    builder.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok((builder.nodes, builder.unescaped))
}

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
