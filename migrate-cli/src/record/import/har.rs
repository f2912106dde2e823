//! HAR files, as saved by browsers, mitmproxy (`hardump`) and other proxies.

use base64::Engine as _;
use serde_json::Value;

use super::{Pair, form, text_at};

/// Exchanges of a file; `None` if it is not HAR.
pub(super) fn pairs(file: &Value) -> Option<Vec<Pair>> {
    let entries = file.pointer("/log/entries")?.as_array()?;
    Some(entries.iter().map(pair).collect())
}

/// Converts an entry.
pub(super) fn pair(entry: &Value) -> Pair {
    let body = match entry
        .pointer("/request/postData/text")
        .and_then(Value::as_str)
    {
        Some(text) => text.to_owned(),
        None => form(entry.pointer("/request/postData/params"), "name"),
    };
    let mut answer = text_at(entry, "/response/content/text");
    if text_at(entry, "/response/content/encoding") == "base64" {
        let bytes = base64::engine::general_purpose::STANDARD.decode(&answer);
        answer = String::from_utf8(bytes.unwrap_or_default()).unwrap_or_default();
    }
    Pair {
        url: text_at(entry, "/request/url"),
        method: text_at(entry, "/request/method"),
        content_type: text_at(entry, "/request/postData/mimeType"),
        body,
        answer,
        at: text_at(entry, "/startedDateTime"),
        millis: entry
            .get("time")
            .and_then(Value::as_f64)
            .unwrap_or_default(),
    }
}
