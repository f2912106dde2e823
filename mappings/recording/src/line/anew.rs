//! Documents read and written anew, redacted on the way.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Meaning, pen::Pen};

impl Pen<'_> {
    /// Writes what a deserializer reads.
    pub(super) fn anew<'de, D: Deserializer<'de>>(&mut self, reader: D) -> Result<(), D::Error> {
        Anew(self, Meaning::Plain).deserialize(reader)
    }
}

/// Reads a JSON value and writes it, redacted. What a member's name tells holds for all that is
/// inside.
struct Anew<'a, 'p>(&'a mut Pen<'p>, Meaning);

impl<'de> DeserializeSeed<'de> for Anew<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Anew<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.0.raw("null");
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.0.raw(if value { "true" } else { "false" });
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.0.number(self.1, &value).map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.0.number(self.1, &value).map_err(E::custom)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.0.number(self.1, &value).map_err(E::custom)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.0.string(self.1, value).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Self(pen, meaning) = self;
        let start = pen.out.len();
        pen.raw("[");
        while items.next_element_seed(Anew(pen, meaning))?.is_some() {
            pen.raw(",");
        }
        pen.close(start, "]");
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Self(pen, outside) = self;
        let start = pen.out.len();
        pen.raw("{");
        while let Some(meaning) = members.next_key_seed(Name(pen))? {
            members.next_value_seed(Anew(pen, outside.inside(meaning)))?;
            pen.raw(",");
        }
        pen.close(start, "}");
        Ok(())
    }
}

/// Reads the name of a member and writes it with its colon; tells what it means.
struct Name<'a, 'p>(&'a mut Pen<'p>);

impl<'de> DeserializeSeed<'de> for Name<'_, '_> {
    type Value = Meaning;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Meaning, D::Error> {
        reader.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_, '_> {
    type Value = Meaning;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Meaning, E> {
        self.0.text(name).map_err(E::custom)?;
        self.0.raw(":");
        Ok(self.0.named(name).meaning)
    }
}
