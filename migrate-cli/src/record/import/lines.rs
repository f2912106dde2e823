//! JSON lines: shim recordings, or objects with `url`, `request` and `response`.

use anyhow::{Context as _, bail};
use recording::Exchange;
use serde_json::Value;

use super::{Pair, plain, text_at};

/// Content of a line.
pub(super) enum Line {
    /// An exchange of a shim recording.
    Exchange(Box<Exchange>),
    /// A request and its response.
    Pair(Pair),
}

/// Parses a line.
///
/// # Errors
///
/// The line is neither.
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
