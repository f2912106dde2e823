//! Note of one request: names, never values.

use std::{borrow::Cow, collections::BTreeSet, net::IpAddr, sync::Arc};

use hyper::{
    HeaderMap,
    header::{HeaderValue, USER_AGENT},
};
use mappings::{Arguments, WarningKind, catalog::operation::Operation};
use percent_encoding::percent_decode_str;
use recording::{REDACTED, Redactor, usage::OTHERS};

use crate::observe::observer::{Ending, RequestRecord};

/// Maximum length of a stored user agent, in bytes.
const MAX_AGENT: usize = 160;

/// Note of a request in progress.
#[derive(Debug)]
pub(crate) struct Note {
    address: Option<IpAddr>,
    /// User agent; `None` if it contains the secret.
    agent: Option<HeaderValue>,
    /// Key, once authenticated.
    key: Option<Arc<str>>,
    given: Vec<String>,
}

/// Note of a served request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FinishedNote {
    /// `None` if refused before authentication.
    pub(super) key: Option<Arc<str>>,
    pub(super) address: Option<IpAddr>,
    pub(super) agent: String,
    pub(super) operation: Option<String>,
    pub(super) ending: Ending,
    /// In seconds since 1970.
    pub(super) at: i64,
    pub(super) given: Vec<String>,
    pub(super) lossy: Vec<String>,
    pub(super) unknown: Vec<String>,
}

impl Note {
    /// Starts the note of a request.
    pub(crate) fn begin(headers: &HeaderMap, address: IpAddr) -> Self {
        let agent = headers.get(USER_AGENT).cloned();
        Self {
            address: Some(address),
            agent: Some(agent.unwrap_or_else(|| HeaderValue::from_static(""))),
            key: None,
            given: Vec::new(),
        }
    }

    /// Adds key and parameters of an authenticated request. `arguments` must not contain
    /// credentials.
    pub(crate) fn authenticated(
        &mut self,
        key: &Arc<str>,
        secret: &str,
        operation: &Operation,
        arguments: &Arguments,
    ) {
        self.key = Some(Arc::clone(key));
        self.agent = self.agent.take().filter(|agent| !quotes(agent, secret));
        for parameter in &operation.parameters {
            if arguments.get(&parameter.name).is_some() {
                self.given.push(parameter.name.clone());
            }
        }
    }

    pub(super) fn finish(self, record: &RequestRecord<'_>, at: i64) -> FinishedNote {
        let Self {
            address,
            agent,
            key,
            given,
        } = self;
        let (mut lossy, mut unknown) = (Vec::new(), Vec::new());
        // Only the address of a refused request is recorded; the rest is not authenticated.
        let is_known = key.is_some();
        if is_known {
            let warnings = record.warnings.iter();
            let losses = warnings.filter(|warning| warning.kind == WarningKind::NotHonoured);
            let fields: BTreeSet<_> = losses.flat_map(|loss| loss.field.split(", ")).collect();
            lossy.extend(fields.into_iter().map(str::to_owned));
            unknown.extend(record.misplaced.iter().map(ToString::to_string));
            if record.unknown > record.misplaced.len() {
                unknown.push(OTHERS.to_owned());
            }
        }
        FinishedNote {
            key,
            address,
            agent: match agent {
                _ if !is_known => String::new(),
                Some(agent) => printable(agent.as_bytes()),
                None => REDACTED.to_owned(),
            },
            operation: record.operation.map(str::to_owned),
            ending: record.ending,
            at,
            given,
            lossy,
            unknown,
        }
    }
}

impl FinishedNote {
    /// Redacts secrets in the user agent.
    pub(super) fn scrub(&mut self, redactor: &Redactor) {
        self.agent = redactor.plain_text(&self.agent);
    }
}

/// Replaces everything except printable ASCII, in particular terminal escapes.
fn printable(text: &[u8]) -> String {
    let bytes = text.iter().take(MAX_AGENT).map(|byte| match byte {
        b' '..=b'~' => char::from(*byte),
        _ => '?',
    });
    let text: String = bytes.collect();
    text.trim().to_owned()
}

/// Finds a secret in a header, literally or percent-encoded. Searches the whole header, because
/// truncation could leave a part of the secret.
fn quotes(header: &HeaderValue, secret: &str) -> bool {
    let text = String::from_utf8_lossy(header.as_bytes());
    if text.contains(secret) {
        return true;
    }
    let decoded = percent_decode_str(&text).decode_utf8_lossy();
    matches!(decoded, Cow::Owned(decoded) if decoded.contains(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_agents_are_short_and_printable() {
        assert_eq!(
            printable(b"zoomus/1.0 \x1b[2J\x00\xff"),
            "zoomus/1.0 ?[2J??"
        );
        assert_eq!(printable(&[b'x'; 5000]).len(), MAX_AGENT);
    }

    #[test]
    fn finds_literal_and_percent_encoded_secrets() {
        let quotes = |text: &str| quotes(&HeaderValue::from_str(text).unwrap(), "s3cret/+");
        assert!(quotes("x/1 (s3cret/+)"));
        assert!(quotes("x/1 (s3cret%2F%2B)"));
        assert!(quotes(&format!("{}s3cret/+", "x".repeat(MAX_AGENT - 4))));
        assert!(!quotes("x/1"));
    }
}
