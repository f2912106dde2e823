//! JSON values as text in paths, queries and sentences, and at pointers in a body.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::document::Json;

/// All but the unreserved characters of RFC 3986.
pub(crate) const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A JSON value in the form for a URL or a sentence.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// A value of a document in the form for a URL or a sentence.
pub(super) fn text_of(value: Json<'_>) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_value().to_string(), str::to_owned)
}

/// One percent-encoded path segment; `None` for what a path would not keep as one.
pub fn segment(text: &str) -> Option<String> {
    match text {
        "" | "." | ".." => None,
        text => Some(utf8_percent_encode(text, SEGMENT).to_string()),
    }
}

/// A value in the form for a URL or a text.
pub(super) fn in_text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => plain(&other),
    }
}

/// The id that a value is; `None` for null and other types.
pub(super) fn name(value: Json<'_>) -> Option<Cow<'_, str>> {
    match value.as_str() {
        Some(text) => Some(text.into()),
        None => value.as_number().map(|_| text_of(value).into()),
    }
}

/// Puts a value where a pointer is, and objects on the way there.
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
