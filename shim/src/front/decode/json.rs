//! A JSON object as parameters: v1 never documented it, a few programs sent it.

use encoding_rs::{Encoding, UTF_8};
use serde_json::Value;

use super::{DecodeError, Parameters};

/// Reads the members of an object; all values become the text that a form would carry. Only
/// parameters that forms carry as JSON, or as several values, may be objects and arrays.
pub(super) fn decode(
    body: &[u8],
    charset: Option<&'static Encoding>,
    parameters: &mut Parameters<'_>,
) -> Result<(), DecodeError> {
    let (text, _) = charset.unwrap_or(UTF_8).decode_without_bom_handling(body);
    let members = match serde_json::from_str(&text) {
        Ok(Value::Object(members)) => members,
        Ok(_) => return Err(DecodeError::Unreadable("the JSON body is not an object")),
        Err(_) => return Err(DecodeError::Unreadable("the body is not JSON")),
    };
    members.into_iter().try_for_each(|(name, value)| {
        let text = match value {
            Value::Null => return Ok(()),
            Value::Bool(value) => value.to_string(),
            Value::Number(number) => number.to_string(),
            Value::String(text) => text,
            Value::Array(_) | Value::Object(_) => {
                if !parameters.names.nested.contains(&name.trim()) {
                    return parameters.add_unreadable(&name);
                }
                value.to_string()
            }
        };
        parameters.add_in(&name, text.into_bytes(), Some(UTF_8))
    })
}
