//! Exchanges as lines of a recording: redacted and written in one pass.
//!
//! A line says what [`Redactor::exchange`] would leave of the exchange, without its documents ever
//! being held as values: they are copied as they stand (`copied`), or written anew where that cannot
//! be (`anew`). What one pass cannot do is to take a secret out of a text that comes before the
//! member that tells it is one; so the line is searched for all that was found, and made again the
//! thorough way if any of it is there. That is rare: errors quote what they refuse.

mod anew;
mod copied;
mod lookup;
mod pen;

use std::{borrow::Cow, fmt, sync::Arc};

use mappings::Catalog;
use memchr::memmem;
use serde_json::Value;

use crate::{RecordedSite, Redactor, Unredacted, names::Meaning, redaction::worth_finding, scrub};
use lookup::Lookup;
use pen::Pen;

/// Makes lines of exchanges, and remembers what makes the next one cheaper.
pub struct LineWriter {
    redactor: Redactor,
    names: Lookup,
    /// The last one, and what is written of it: it is the same for all requests of a tenant.
    site: Option<(Arc<RecordedSite>, String)>,
    /// Secrets of the exchange at hand.
    secrets: Vec<String>,
    /// Names of persons in it.
    people: Vec<String>,
    /// Texts of it as they were before something was taken out of them, and paths as they read.
    originals: Vec<u8>,
}

impl LineWriter {
    /// Writes what the redactor leaves.
    pub fn new(redactor: Redactor) -> Self {
        Self {
            redactor,
            names: Lookup::default(),
            site: None,
            secrets: Vec::new(),
            people: Vec::new(),
            originals: Vec::new(),
        }
    }

    /// Adds the line of an exchange, its end included. `others` are secrets that were used for it
    /// and may be quoted in it: the access token.
    ///
    /// # Errors
    ///
    /// None that are known; nothing was added then.
    pub fn write(
        &mut self,
        catalog: &Catalog,
        exchange: &Unredacted,
        others: &[&str],
        lines: &mut Vec<u8>,
    ) -> Result<(), serde_json::Error> {
        self.secrets.clear();
        self.people.clear();
        self.originals.clear();
        self.secrets
            .extend(others.iter().map(|secret| (*secret).to_owned()));
        let start = lines.len();
        let written = match catalog.find(&exchange.operation) {
            Some(operation) => self
                .pen(lines)
                .exchange(catalog.protocol(), operation, exchange),
            // Even the operation's name may be anything then.
            None => Ok(false),
        };
        let line = lines.get(start..).unwrap_or_default();
        if !matches!(written, Ok(true)) || self.is_quoted_in(line) {
            lines.truncate(start);
            let mut thorough = exchange.exchange();
            // Also what a member said that is there a second time, of which only the last is left.
            let secrets: Vec<_> = self.secrets.iter().map(String::as_str).collect();
            self.redactor.exchange(catalog, &mut thorough, &secrets);
            lines.extend_from_slice(thorough.write()?.as_bytes());
        }
        lines.push(b'\n');
        Ok(())
    }

    fn pen<'p>(&'p mut self, out: &'p mut Vec<u8>) -> Pen<'p> {
        let Self {
            redactor,
            names,
            site,
            secrets,
            people,
            originals,
        } = self;
        Pen {
            out,
            redactor,
            names,
            site,
            secrets,
            people,
            originals,
        }
    }

    /// True if something that was found to be secret, or a person's name, may stand in a text.
    fn is_quoted_in(&mut self, line: &[u8]) -> bool {
        for found in [&mut self.secrets, &mut self.people] {
            found.sort_unstable();
            found.dedup();
        }
        let has = |text: &str| {
            let finder = memmem::Finder::new(text);
            finder.find(line).is_some() || finder.find(&self.originals).is_some()
        };
        let is_secret_there = |secret: &String| {
            let Some(secret) = worth_finding(secret) else {
                return false;
            };
            // Whatever a secret is encoded as, its letters and digits stay; that is looked for
            // first, because it is cheap.
            let stays = secret.split(|char: char| !char.is_ascii_alphanumeric());
            let stays = stays.max_by_key(|run| run.len()).unwrap_or_default();
            has(stays)
                && scrub::written_forms(secret)
                    .iter()
                    .any(|form| has(&escaped(form)))
        };
        self.secrets.iter().any(is_secret_there)
            || self.people.iter().any(|name| has(&escaped(name)))
    }
}

impl fmt::Debug for LineWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LineWriter")
            .field("redactor", &self.redactor)
            .finish_non_exhaustive()
    }
}

/// A text as it stands inside a JSON string.
fn escaped(text: &str) -> Cow<'_, str> {
    if text
        .bytes()
        .any(|byte| byte < 0x20 || matches!(byte, b'"' | b'\\'))
    {
        let json = Value::from(text).to_string();
        let inner = json.get(1..json.len().saturating_sub(1));
        inner.unwrap_or_default().to_owned().into()
    } else {
        text.into()
    }
}
