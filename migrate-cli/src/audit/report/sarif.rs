//! SARIF 2.1.0, as GitHub code scanning reads it.
//!
//! Rule ids are stable, a result's `partialFingerprints` survives moved lines, and findings that
//! the baseline or a comment suppresses are kept as `suppressions`. Paths are seen from the folder in
//! which the program runs, which in a build is the root of the repository. Columns count UTF-16
//! units, which is what GitHub takes them for whatever else is said.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use serde_json::{Value, json};

use super::{Report, advice, losses, title};
use migrate_audit::Level;
use migrate_audit::{Confidence, Finding, Kind, SuppressedBy, rules::RULES};

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let rules: Vec<Value> = RULES
        .iter()
        .filter_map(|(id, text)| Some((id, migrate_audit::rules::Rule::parse(id, text).ok()?)))
        .map(|(id, rule)| {
            json!({
                "id": id,
                "name": id,
                "shortDescription": {"text": rule.summary},
                "fullDescription": {"text": rule.what},
                "help": {
                    "text": format!("{}\n{}\n{}", rule.what, rule.why, rule.instead),
                    "markdown": format!(
                        "{}\n\n**Why it matters.** {}\n\n```\n{}\n```\n\n**Instead.** {}",
                        rule.what, rule.why, rule.example, rule.instead
                    ),
                },
                "defaultConfiguration": {"level": word(rule.kind)},
                "properties": {"tags": ["zoom-api-v1", "migration"]},
            })
        })
        .collect();
    let notifications: Vec<Value> = report
        .unreadable
        .iter()
        .map(|unreadable| {
            json!({
                "level": "warning",
                "locations": [{"physicalLocation": {"artifactLocation": {
                    "uri": format!("{}{}", uri(report.prefix), uri(&unreadable.path)),
                }}}],
                "message": {"text": format!("{} was not read: {}", unreadable.path, unreadable.reason)},
            })
        })
        .collect();
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "migrate",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "utf16CodeUnits",
            "invocations": [{
                "executionSuccessful": !report.interrupted,
                "toolExecutionNotifications": notifications,
            }],
            "results": report
                .findings
                .iter()
                .map(|finding| result(report, finding))
                .collect::<Vec<_>>(),
        }],
    });
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn word(kind: Kind) -> &'static str {
    match kind.traits().level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "note",
    }
}

fn result(report: &Report, finding: &Finding) -> Value {
    let mut text = format!("{}: {}.", title(finding), finding.reason);
    for more in [Some(advice(finding)), losses(finding)]
        .into_iter()
        .flatten()
    {
        if !more.is_empty() {
            text.push(' ');
            text.push_str(&more);
            text.push('.');
        }
    }
    let suppressions: Vec<Value> = finding
        .suppressed
        .iter()
        .map(|suppression| {
            json!({
                "kind": match suppression.by {
                    SuppressedBy::Comment => "inSource",
                    SuppressedBy::Baseline | SuppressedBy::Shim => "external",
                },
                "justification": suppression.reason.as_deref().unwrap_or("in the baseline"),
            })
        })
        .collect();
    let rank = match finding.confidence {
        Confidence::High => 100.0,
        Confidence::Medium => 60.0,
        Confidence::Low => 30.0,
    };
    let start = finding.column + finding.wide.0;
    let end = finding.end_column + finding.wide.1;
    let mut result = json!({
        "ruleId": finding.rule,
        "level": word(finding.kind),
        "message": {"text": text},
        "rank": rank,
        "locations": [{
            "physicalLocation": {
                "artifactLocation": {
                    "uri": format!("{}{}", uri(report.prefix), uri(&finding.path)),
                },
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
            "confidence": finding.confidence,
            "owners": finding.owners,
        },
    });
    if let Some(object) = result.as_object_mut() {
        if !suppressions.is_empty() {
            object.insert("suppressions".to_owned(), suppressions.into());
        }
        if report.baseline {
            let known = finding
                .suppressed
                .as_ref()
                .is_some_and(|suppression| suppression.by == SuppressedBy::Baseline);
            let state = if known { "unchanged" } else { "new" };
            object.insert("baselineState".to_owned(), state.into());
        }
    }
    result
}

/// A path as a relative URI.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.' | b'~') {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}
