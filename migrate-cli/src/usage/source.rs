//! Reads usage documents from a running shim, a file, or standard input.

use std::{
    io::{self, Read as _},
    path::Path,
    time::Duration,
};

use anyhow::{Context as _, bail};
use migrate_audit::plain_file;
use recording::usage::{Usage, day_name};
use time::Date;
use url::Url;

use crate::http;

/// Timeout of a request; a large ledger takes seconds.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Maximum size of a document, in bytes.
const MAX_DOCUMENT: u64 = 256 << 20;

/// Consumers per page.
const LIMIT: &str = "1000";

/// Maximum number of pages; no ledger has as many.
const MAX_PAGES: usize = 10_000;

/// Reads the usage since a day from the operations address of a shim, a file, or `-`. Files may
/// hold several documents.
///
/// # Errors
///
/// The source cannot be read or is not a usage document.
pub(crate) fn read(source: &str, since: Option<Date>) -> anyhow::Result<Vec<Usage>> {
    if source.starts_with("http://") || source.starts_with("https://") {
        return Ok(vec![from_shim(source, since)?]);
    }
    if since.is_some() {
        bail!(
            "--since needs the operations address of a shim instead of {source}; or give \
             `shim usage --since DAY` to standard input, without --since here"
        );
    }
    if source.starts_with("postgres") && source.contains("://") {
        bail!("`shim usage {source} | migrate usage -` reads the ledger itself");
    }
    let text = if source == "-" {
        let mut text = Vec::new();
        io::stdin()
            .lock()
            .take(MAX_DOCUMENT)
            .read_to_end(&mut text)?;
        text
    } else {
        plain_file::read(Path::new(source), MAX_DOCUMENT).with_context(|| {
            format!("{source} cannot be read; give a file, or the operations address of a shim")
        })?
    };
    if text.starts_with(b"SQLite format 3") {
        bail!(
            "{source} is the ledger itself; read it with `shim usage {source} | migrate usage -`, or \
             from the shim that writes it: migrate usage http://127.0.0.1:9090"
        );
    }
    let documents = Usage::read_all(&text).with_context(|| source.to_owned())?;
    if documents.iter().any(|usage| usage.next.is_some()) {
        bail!(
            "{source} has only the first page of a ledger; read it from the shim itself, or with `shim usage`"
        );
    }
    Ok(documents)
}

/// Reads all pages from a shim.
fn from_shim(source: &str, since: Option<Date>) -> anyhow::Result<Usage> {
    let url = http::endpoint(source, "/usage")?;
    let client = http::client(&url, TIMEOUT)?;
    let mut whole = page(&client, &url, since, None)?;
    for _ in 0..MAX_PAGES {
        let Some(after) = whole.next else {
            return Ok(whole);
        };
        let more = page(&client, &url, since, Some(after))?;
        whole.consumers.extend(more.consumers);
        whole.next = more.next;
    }
    bail!("{url} does not come to an end");
}

fn page(
    client: &reqwest::blocking::Client,
    url: &Url,
    since: Option<Date>,
    after: Option<i64>,
) -> anyhow::Result<Usage> {
    let mut url = url.clone();
    url.query_pairs_mut().append_pair("limit", LIMIT);
    if let Some(since) = since {
        url.query_pairs_mut().append_pair("since", &day_name(since));
    }
    if let Some(after) = after {
        url.query_pairs_mut()
            .append_pair("after", &after.to_string());
    }
    let text = http::get(client, &url, MAX_DOCUMENT)?;
    Usage::read(&text).with_context(|| url.to_string())
}
