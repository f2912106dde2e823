//! Decoding of forms, query strings and JSON objects.

use bytes::Bytes;
use mappings::{Argument, Arguments, File};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// Decoded `name=value` pair of a form.
pub(super) struct Pair {
    pub(super) name: String,
    /// Bytes, because it may be a file.
    pub(super) value: Vec<u8>,
    /// True if the pair had a `=`.
    pub(super) has_value: bool,
    /// True if the value had a `+`, decoded as a space.
    pub(super) had_plus: bool,
}

/// Decodes a form.
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

/// Members of a flat JSON object; an error for nested values.
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
                    "the JSON body: {} is not a single value",
                    printable(&name)
                ));
            }
        };
        pairs.push((name, text));
    }
    Ok(pairs)
}

/// Adds a parameter, as a file if it is not UTF-8.
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

/// Escapes invisible characters.
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

/// True for characters that move the cursor, change the text direction or have no width.
pub(super) fn is_invisible(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}
