//! Lines of JSON: recordings of the shim, or an object with `url`, `request` and `response` a line.

use anyhow::{Context as _, bail};
use recording::Exchange;
use serde_json::Value;

use super::{Pair, plain, text_at};

/// What a line is.
pub(super) enum Line {
    /// A recording has it already.
    Exchange(Box<Exchange>),
    /// It is to become one.
    Pair(Pair),
}

/// Reads a line.
///
/// # Errors
///
/// It is neither, so that the file cannot be imported.
pub(super) fn read(line: &str) -> anyhow::Result<Line> {
    if let Ok(exchange) = Exchange::read(line) {
        return Ok(Line::Exchange(Box::new(exchange)));
    }
    let value: Value = serde_json::from_str(line)
        .context("neither a HAR file, a Postman collection nor JSON lines")?;
    let url = text_at(&value, "/url");
    if url.is_empty() {
        bail!("no url; a line has url, request and response");
    }
    Ok(Line::Pair(Pair {
        url,
        body: plain(value.get("request")),
        answer: plain(value.get("response")),
        at: text_at(&value, "/at"),
        ..Pair::default()
    }))
}
