//! General parser: all of JSON, by `serde_json`.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use super::{
    BYTES_PER_NODE,
    node::{Array, Node, Object, Span},
    shape::{Names, ShapeBuilder, Shapes},
    texts::Texts,
};

/// The values of a text, the shapes of its objects, and the texts that cannot be borrowed:
/// unescaped strings, and all numbers, because `serde_json` does not report their spelling.
pub(super) fn nodes(text: &str) -> Result<(Vec<Node>, Shapes, String), serde_json::Error> {
    let mut builder = Builder {
        text,
        rewritten: String::new(),
        nodes: Vec::with_capacity(text.len() / BYTES_PER_NODE),
        names: ShapeBuilder::new(),
        depth: 0,
    };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    builder.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok((builder.nodes, builder.names.finish(), builder.rewritten))
}

/// Stores the values that a deserializer visits.
struct Builder<'t> {
    text: &'t str,
    rewritten: String,
    nodes: Vec<Node>,
    names: ShapeBuilder,
    depth: usize,
}

impl Builder<'_> {
    fn number<E: serde::de::Error>(&mut self, number: &Number) -> Result<(), E> {
        let span = self.rewrite(&number.to_string())?;
        self.nodes.push(Node::RewrittenNumber(span));
        Ok(())
    }

    /// String that is a slice of the text.
    fn borrowed<E: serde::de::Error>(&self, text: &str) -> Result<Node, E> {
        // The offset of a borrowed string is the distance of the two pointers.
        let start = text.as_ptr().addr() - self.text.as_ptr().addr();
        let span = Span::new(start..start + text.len());
        span.map(Node::Text).ok_or_else(too_large)
    }

    fn unescaped<E: serde::de::Error>(&mut self, text: &str) -> Result<Node, E> {
        self.rewrite(text).map(Node::RewrittenText)
    }

    fn rewrite<E: serde::de::Error>(&mut self, text: &str) -> Result<Span, E> {
        let start = self.rewritten.len();
        self.rewritten.push_str(text);
        Span::new(start..self.rewritten.len()).ok_or_else(too_large)
    }

    /// Stores an array or object, then the values that `inside` stores.
    fn nest<E: serde::de::Error>(
        &mut self,
        inside: impl FnOnce(&mut Self) -> Result<Option<Node>, E>,
    ) -> Result<(), E> {
        let at = self.nodes.len();
        self.nodes.push(Node::Null);
        self.depth += 1;
        let node = inside(self)?.ok_or_else(too_large)?;
        self.depth -= 1;
        if let Some(begun) = self.nodes.get_mut(at) {
            *begun = node;
        }
        Ok(())
    }
}

fn too_large<E: serde::de::Error>() -> E {
    E::custom("the document, or a text in it, is too large")
}

impl<'de> DeserializeSeed<'de> for &mut Builder<'_> {
    type Value = ();

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Builder<'_> {
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

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<(), E> {
        self.number(&number.into())
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<(), E> {
        self.number(&number.into())
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<(), E> {
        let number = Number::from_f64(number);
        self.number(&number.ok_or_else(|| E::custom("no number"))?)
    }

    #[inline]
    fn visit_borrowed_str<E: serde::de::Error>(self, text: &'de str) -> Result<(), E> {
        let text = self.borrowed(text)?;
        self.nodes.push(text);
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        let text = self.unescaped(text)?;
        self.nodes.push(text);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        self.nest(|inside| {
            while elements.next_element_seed(&mut *inside)?.is_some() {}
            Ok(Array::new(inside.nodes.len()).map(Node::Array))
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        self.nest(|inside| {
            let mut names = inside.names.begin(inside.depth);
            while members
                .next_key_seed(Name {
                    names: &mut names,
                    builder: &mut *inside,
                })?
                .is_some()
            {
                members.next_value_seed(&mut *inside)?;
            }
            let texts = Texts {
                text: inside.text,
                rewritten: &inside.rewritten,
            };
            let shape = inside.names.end(names, inside.depth, texts);
            let object = shape.and_then(|shape| Object::new(shape, inside.nodes.len()));
            Ok(object.map(Node::Object))
        })
    }
}

/// Deserializes the name of a member.
struct Name<'b, 't> {
    names: &'b mut Names,
    builder: &'b mut Builder<'t>,
}

impl<'de> DeserializeSeed<'de> for Name<'_, '_> {
    type Value = ();

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    #[inline]
    fn visit_borrowed_str<E: serde::de::Error>(self, text: &'de str) -> Result<(), E> {
        let name = self.builder.borrowed(text)?;
        self.builder.names.add(self.names, name);
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        let name = self.builder.unescaped(text)?;
        self.builder.names.add(self.names, name);
        Ok(())
    }
}
