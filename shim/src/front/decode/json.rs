//! A JSON object as parameters: v1 never documented it, a few programs sent it.
//!
//! No tree is built: a body of small arrays would take twelve times its size, before anybody has shown
//! a key.

use std::fmt::{self, Write as _};

use encoding_rs::{Encoding, UTF_8};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, error::Category};

use super::{DecodeError, MAX_PARAMETERS, Parameters};

/// Reads the members of an object; all values become the text that a form would carry. Only
/// parameters that forms carry as JSON, or as several values, may be objects and arrays.
pub(super) fn decode(
    body: &[u8],
    charset: Option<&'static Encoding>,
    parameters: &mut Parameters<'_>,
) -> Result<(), DecodeError> {
    let (text, _) = charset.unwrap_or(UTF_8).decode_without_bom_handling(body);
    let mut reader = serde_json::Deserializer::from_str(&text);
    let object = Object {
        nested: &parameters.names.nested,
    };
    let members = reader.deserialize_any(object);
    let members = members.and_then(|members| reader.end().map(|()| members));
    let members = members.map_err(|error| {
        DecodeError::Unreadable(match error.classify() {
            Category::Data => "the JSON body is not an object",
            Category::Io | Category::Syntax | Category::Eof => "the body is not JSON",
        })
    })?;
    members
        .into_iter()
        .try_for_each(|(name, value)| match value {
            Value::Null => Ok(()),
            Value::Text(text) => parameters.add_in(&name, text.into_bytes(), Some(UTF_8)),
            Value::Unreadable => parameters.add_unreadable(&name),
        })
}

/// The value of a member.
enum Value {
    Null,
    Text(String),
    /// An object or array where a form has a text.
    Unreadable,
}

/// Reads an object; of one with too many members, one more than a request may have.
struct Object<'n> {
    /// The members that may be objects and arrays.
    nested: &'n [&'n str],
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = Vec<(String, Value)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            if members.len() > MAX_PARAMETERS {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let is_nested = self.nested.contains(&name.trim());
            members.push((name, map.next_value_seed(Member { is_nested })?));
        }
        Ok(members)
    }
}

/// Reads the value of a member.
struct Member {
    is_nested: bool,
}

impl Member {
    fn scalar(value: &(impl ToString + ?Sized)) -> Value {
        Value::Text(value.to_string())
    }
}

impl<'de> DeserializeSeed<'de> for Member {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Member {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Self::scalar(&value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Self::scalar(&value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Self::scalar(&value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Self::scalar(&number(value)?))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Self::scalar(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        if !self.is_nested {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Value::Unreadable);
        }
        let mut text = String::new();
        Writer(&mut text).visit_seq(seq)?;
        Ok(Value::Text(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        if !self.is_nested {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(Value::Unreadable);
        }
        let mut text = String::new();
        Writer(&mut text).visit_map(map)?;
        Ok(Value::Text(text))
    }
}

/// Writes what it reads, without blanks.
struct Writer<'t>(&'t mut String);

impl Writer<'_> {
    fn write<E: Error>(self, value: impl fmt::Display) -> Result<(), E> {
        write!(self.0, "{value}").map_err(E::custom)
    }

    fn string<E: Error>(self, value: &str) -> Result<(), E> {
        let text = serde_json::to_string(value).map_err(E::custom)?;
        self.write(text)
    }
}

impl<'de> DeserializeSeed<'de> for Writer<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Writer<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.write("null")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.write(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.write(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.write(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        let number = number(value)?;
        self.write(number)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.string(value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        self.0.push('[');
        let mut end = self.0.len();
        while seq.next_element_seed(Writer(self.0))?.is_some() {
            end = self.0.len();
            self.0.push(',');
        }
        self.0.truncate(end);
        self.0.push(']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.0.push('{');
        let mut end = self.0.len();
        while let Some(name) = map.next_key::<String>()? {
            Writer(self.0).string(&name)?;
            self.0.push(':');
            map.next_value_seed(Writer(self.0))?;
            end = self.0.len();
            self.0.push(',');
        }
        self.0.truncate(end);
        self.0.push('}');
        Ok(())
    }
}

fn number<E: Error>(value: f64) -> Result<Number, E> {
    Number::from_f64(value).ok_or_else(|| E::custom("a number without an end"))
}
