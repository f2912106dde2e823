//! Parameters as forms, query strings and JSON objects carry them.

use bytes::Bytes;
use mappings::{Argument, Arguments, File};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// One `name=value` of a form, decoded.
pub(super) struct Pair {
    pub(super) name: String,
    /// Bytes, because a file may come this way.
    pub(super) value: Vec<u8>,
    /// True if there was a `=`.
    pub(super) has_value: bool,
    /// True if a `+` became a blank.
    pub(super) had_plus: bool,
}

/// The pairs of a form, in order.
pub(super) fn pairs(encoded: &str) -> Vec<Pair> {
    let pairs = encoded.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Pair {
                name: String::from_utf8_lossy(&decode(name)).into_owned(),
                value: decode(value),
                has_value: pair.contains('='),
                had_plus: value.contains('+'),
            }
        })
        .collect()
}

/// The members of a flat JSON object; the name of the one that is no single value otherwise.
pub(super) fn json(body: &str) -> Result<Vec<(String, String)>, String> {
    let members: Map<String, Value> =
        serde_json::from_str(body).map_err(|error| format!("the JSON body: {error}"))?;
    let mut pairs = Vec::new();
    for (name, value) in members {
        let text = match value {
            Value::Null => continue,
            Value::String(text) => text,
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            Value::Array(_) | Value::Object(_) => {
                return Err(format!(
                    "the JSON body: {} is no single value",
                    printable(&name)
                ));
            }
        };
        pairs.push((name, text));
    }
    Ok(pairs)
}

/// Adds a parameter: as text, or as a file if it is no text.
pub(super) fn add(arguments: &mut Arguments, name: String, value: Vec<u8>) {
    let value = match String::from_utf8(value) {
        Ok(text) => Argument::Text(text),
        Err(error) => Argument::File(File {
            name: None,
            bytes: Bytes::from(error.into_bytes()),
        }),
    };
    arguments.add(name, value);
}

fn decode(text: &str) -> Vec<u8> {
    percent_decode_str(&text.replace('+', " ")).collect()
}

/// A text from outside as a line may show it: without control characters.
pub(super) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_invisible(letter) {
            shown.extend(letter.escape_unicode());
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// True for characters that move the cursor, reverse the direction of writing or show nothing.
pub(super) fn is_invisible(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}
