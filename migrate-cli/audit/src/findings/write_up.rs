//! Turns uses into findings.

use std::{collections::BTreeMap, fmt::Write as _};

use mappings::Catalog;
use sha2::{Digest, Sha256};

use crate::{
    facts::{FileFacts, Place},
    findings::{
        Finding, SuppressedBy, Suppression,
        advice::{Given, advise},
    },
    judge::{self, Use},
    kind::Kind,
    language::Language,
    shim_address::{Moved, default_of},
};

/// Turns uses into findings, with advice from a catalog.
pub(crate) struct WriteUp<'a> {
    pub(crate) catalog: &'a Catalog,
    /// Where the program calls v1 after its move to the shim.
    pub(crate) moved: &'a Moved,
}

impl WriteUp<'_> {
    /// Turns a use into a finding. `seen` counts identical findings of the file.
    pub(crate) fn finding(
        &self,
        file: &FileFacts,
        found: Use,
        seen: &mut BTreeMap<String, usize>,
    ) -> Finding {
        let Place {
            line,
            column,
            end_column,
            wide,
            ..
        } = found.place;
        let hidden = found.kind == Kind::Credential;
        // Nor does the fingerprint of a credential depend on its line.
        let content = if hidden {
            found.given.join(" ")
        } else {
            let line = file.excerpts.get(&line).map_or("", String::as_str);
            line.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let operation = found.operation.as_deref();
        let given = Given {
            names: &found.given,
            values: &found.values,
            whole: found.whole,
            refused: found.refused,
        };
        let rule = match found.reason {
            judge::SIDE_BY_SIDE | judge::AROUND => "v1-endpoint-halves",
            _ => found.kind.traits().rule.as_str(),
        };
        let content = format!(
            "{}\n{}\n{content}\n{}",
            rule,
            file.path,
            operation.unwrap_or_default()
        );
        let copies = seen.entry(content.clone()).or_default();
        *copies += 1;
        let fingerprint = fingerprint(&content, *copies);
        Finding {
            path: file.path.clone(),
            line,
            column,
            end_column,
            wide,
            kind: found.kind,
            rule,
            advice: operation.map(|name| advise(self.catalog, name, &given)),
            confidence: found.confidence,
            reason: found.reason.to_owned(),
            language: file.language.map_or("text", Language::name),
            fingerprint,
            excerpt: file.excerpts.get(&line).filter(|_| !hidden).cloned(),
            suppressed: file
                .suppressions
                .get(&line)
                .map(|reason| Suppression {
                    by: SuppressedBy::Comment,
                    reason: Some(reason.clone()),
                })
                .or_else(|| self.moved(file, found.kind, found.reason, line, column)),
            owners: Vec::new(),
            operation: found.operation,
            parameters: found.given,
        }
    }

    /// The suppression of a base URL that already points to the shim.
    fn moved(
        &self,
        file: &FileFacts,
        kind: Kind,
        reason: &str,
        line: usize,
        column: usize,
    ) -> Option<Suppression> {
        // A call of an operation is still a use of v1 behind the shim.
        if kind != Kind::BaseUrl {
            return None;
        }
        let by_variable = || {
            let excerpt = file.excerpts.get(&line)?;
            let before: String = excerpt.chars().take(column.saturating_sub(1)).collect();
            let variable = self.moved.variable.as_ref()?;
            (default_of(&before) == Some(variable.name()))
                .then(|| format!("{} holds the address of the shim", variable.name()))
        };
        let reason = if reason == judge::AT_SHIM {
            Some("it points at the shim".to_owned())
        } else {
            by_variable()
        };
        reason.map(|reason| Suppression {
            by: SuppressedBy::Shim,
            reason: Some(reason),
        })
    }
}

fn fingerprint(content: &str, copy: usize) -> String {
    let hash = Sha256::new()
        .chain_update(content)
        .chain_update(copy.to_string())
        .finalize();
    let mut text = String::with_capacity(32);
    for byte in hash.iter().take(16) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
