//! A flat JSON object as parameters: v1 never documented it, a few programs sent it.

use serde_json::{Map, Value};

use super::{DecodeError, Parameters};

/// Reads the members of an object; numbers and booleans become the text that a form would carry.
pub(super) fn decode(body: &[u8], parameters: &mut Parameters<'_>) -> Result<(), DecodeError> {
    let members: Map<String, Value> = serde_json::from_slice(body)
        .map_err(|_| DecodeError::Unreadable("the JSON body is not an object"))?;
    members.into_iter().try_for_each(|(name, value)| {
        let text = match value {
            Value::Null => return Ok(()),
            Value::Bool(value) => value.to_string(),
            Value::Number(number) => number.to_string(),
            Value::String(text) => text,
            Value::Array(_) | Value::Object(_) => {
                return parameters.add_unreadable(&name);
            }
        };
        parameters.add(&name, text.into_bytes())
    })
}
