//! SARIF 2.1.0 for GitHub code scanning.
//!
//! Rule ids are stable, `partialFingerprints` survive moved lines, and suppressed findings are kept
//! with `suppressions`. Columns count UTF-16 code units, because GitHub ignores other settings.

use std::{fmt::Write as _, io};

use serde_json::{Value, json};

use crate::{
    Document, Printer,
    document::{Finding, Level},
};

/// Description of a rule.
#[derive(Debug)]
pub struct Rule {
    /// Id: `v1-endpoint`.
    pub id: &'static str,
    /// Severity of its findings.
    pub level: Level,
    /// Summary, in one line.
    pub summary: String,
    /// What it finds.
    pub what: String,
    /// Why it matters.
    pub why: String,
    /// Example of a finding.
    pub example: String,
    /// What to use instead.
    pub instead: String,
}

/// Prints the findings of a document.
#[derive(Debug)]
pub struct Sarif<'a> {
    /// Version of the program.
    pub version: &'a str,
    /// All rules.
    pub rules: Vec<Rule>,
    /// Path prefix from the root of the repository: `app/`.
    pub prefix: &'a str,
    /// A baseline was applied.
    pub has_baseline: bool,
}

impl Printer for Sarif<'_> {
    fn print(&self, document: &Document<'_>, out: &mut dyn io::Write) -> io::Result<()> {
        let rules = self.rules.iter().map(|rule| {
            json!({
                "id": rule.id,
                "name": rule.id,
                "shortDescription": {"text": rule.summary},
                "fullDescription": {"text": rule.what},
                "help": {
                    "text": format!("{}\n{}\n{}", rule.what, rule.why, rule.instead),
                    "markdown": format!(
                        "{}\n\n**Why it matters.** {}\n\n```\n{}\n```\n\n**Instead.** {}",
                        rule.what, rule.why, rule.example, rule.instead
                    ),
                },
                "defaultConfiguration": {"level": word(rule.level)},
                "properties": {"tags": ["zoom-api-v1", "migration"]},
            })
        });
        let notifications = document.unread.iter().map(|(path, reason)| {
            json!({
                "level": "warning",
                "locations": [{"physicalLocation": {"artifactLocation": {"uri": self.uri(path)}}}],
                "message": {"text": format!("{path} was not read: {reason}")},
            })
        });
        let sarif = json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": {"driver": {
                    "name": "migrate",
                    "semanticVersion": self.version,
                    "rules": rules.collect::<Vec<_>>(),
                }},
                "columnKind": "utf16CodeUnits",
                "invocations": [{
                    "executionSuccessful": !document.is_interrupted,
                    "toolExecutionNotifications": notifications.collect::<Vec<_>>(),
                }],
                "results": document
                    .findings()
                    .map(|finding| self.result(finding))
                    .collect::<Vec<_>>(),
            }],
        });
        serde_json::to_writer_pretty(&mut *out, &sarif)?;
        writeln!(out)
    }
}

impl Sarif<'_> {
    fn result(&self, finding: &Finding<'_>) -> Value {
        let mut text = format!("{}: {}.", finding.title, finding.reason);
        for more in [&finding.advice, &finding.losses] {
            if !more.is_empty() {
                // Writing to a string never fails.
                let _ = write!(text, " {more}.");
            }
        }
        let (start, end) = finding.wide_columns;
        let mut result = json!({
            "ruleId": finding.rule,
            "level": word(finding.level),
            "message": {"text": text},
            "rank": finding.confidence.1,
            "locations": [{
                "physicalLocation": {
                    "artifactLocation": {"uri": self.uri(finding.path)},
                    "region": {
                        "startLine": finding.line,
                        "startColumn": start,
                        "endColumn": end.max(start + 1),
                    },
                },
            }],
            "partialFingerprints": {"migrateFinding/v1": finding.fingerprint},
            "properties": {
                "operation": finding.operation,
                "kind": finding.kind,
                "confidence": finding.confidence.0,
                "owners": finding.owners,
            },
        });
        let Some(members) = result.as_object_mut() else {
            return result;
        };
        let mut is_old = false;
        if let Some(suppression) = finding.suppressed {
            let kind = if suppression.in_source {
                "inSource"
            } else {
                "external"
            };
            is_old = suppression.is_known;
            members.insert(
                "suppressions".to_owned(),
                json!([{"kind": kind, "justification": suppression.reason}]),
            );
        }
        if self.has_baseline {
            let state = if is_old { "unchanged" } else { "new" };
            members.insert("baselineState".to_owned(), state.into());
        }
        result
    }

    /// Converts a path to a URI relative to the root of the repository.
    fn uri(&self, path: &str) -> String {
        let mut uri = String::with_capacity(path.len());
        for byte in self.prefix.bytes().chain(path.bytes()) {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.' | b'~') {
                uri.push(char::from(byte));
            } else {
                let _ = write!(uri, "%{byte:02X}");
            }
        }
        uri
    }
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "note",
    }
}
