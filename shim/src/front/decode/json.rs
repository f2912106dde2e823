//! A JSON object as parameters. v1 never documented it, but a few programs send it.
//!
//! Values stay unparsed text: a tree of small arrays would take twelve times the size of the body, before
//! the client is authenticated.

use std::fmt;

use encoding_rs::{Encoding, UTF_8};
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{error::Category, value::RawValue};

use super::{DecodeError, MAX_PARAMETERS, Parameters};

/// Decodes the members of an object to the texts that a form would contain. Objects and arrays are
/// accepted only for parameters that forms send as JSON or as several values.
pub(super) fn decode(
    body: &[u8],
    charset: Option<&'static Encoding>,
    parameters: &mut Parameters<'_>,
) -> Result<(), DecodeError> {
    let (text, _) = charset.unwrap_or(UTF_8).decode_without_bom_handling(body);
    let mut reader = serde_json::Deserializer::from_str(&text);
    let members = reader
        .deserialize_map(Members)
        .map_err(|error| unreadable(&error))?;
    reader.end().map_err(|error| unreadable(&error))?;
    for (name, value) in members {
        let value = value.get();
        let text = match value.as_bytes().first() {
            Some(b'n') => continue,
            Some(b'"') => serde_json::from_str(value).map_err(|error| unreadable(&error))?,
            Some(b'{' | b'[') if !parameters.names.nested.contains(&name.trim()) => {
                parameters.add_unreadable(&name)?;
                continue;
            }
            _ => value.to_owned(),
        };
        parameters.add_in(&name, text.into_bytes(), Some(UTF_8))?;
    }
    Ok(())
}

fn unreadable(error: &serde_json::Error) -> DecodeError {
    DecodeError::Unreadable(match error.classify() {
        Category::Data => "the JSON body is not an object",
        Category::Io | Category::Syntax | Category::Eof => "the body is not JSON",
    })
}

/// Reads the members of an object, at most one more than a request may have parameters.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = map.next_key()? {
            if members.len() > MAX_PARAMETERS {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            members.push((name, map.next_value()?));
        }
        Ok(members)
    }
}
