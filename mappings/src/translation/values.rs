//! Conversions between JSON values, text and URL segments, and insertion at pointers.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::document::Json;

/// All characters but the unreserved ones of RFC 3986.
pub(crate) const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// JSON value as text for a URL or a message; arrays are joined with commas.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// Document value as text for a URL or a message.
pub(super) fn text_of(value: Json<'_>) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_value().to_string(), str::to_owned)
}

/// Percent-encodes one path segment; `None` for texts that would not remain one.
pub fn segment(text: &str) -> Option<String> {
    match text {
        "" | "." | ".." => None,
        text => Some(utf8_percent_encode(text, SEGMENT).to_string()),
    }
}

/// JSON value as text for a URL or a message.
pub(super) fn in_text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => plain(&other),
    }
}

/// Id as text; `None` for null and types other than string and number.
pub(super) fn name(value: Json<'_>) -> Option<Cow<'_, str>> {
    match value.as_str() {
        Some(text) => Some(text.into()),
        None => value.as_number().map(|_| text_of(value).into()),
    }
}

/// Inserts a value at a pointer, creating objects on the way.
pub(crate) fn insert<'p>(
    into: &mut Value,
    mut pointer: impl Iterator<Item = &'p str>,
    value: Value,
) {
    let Some(name) = pointer.next() else {
        *into = value;
        return;
    };
    if !into.is_object() {
        *into = Value::Object(Map::new());
    }
    if let Value::Object(members) = into {
        insert(members.entry(name).or_insert(Value::Null), pointer, value);
    }
}
