//! The report for a ticket: a table by operation, then a list by file to tick off.

use std::io::{self, Write};

use super::{Report, advice, count, losses, plain, shim_word, title};
use migrate_audit::Kind;

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let summary = report.summary();
    writeln!(out, "# Uses of Zoom's API v1\n")?;
    writeln!(
        out,
        "{} of {} in {}; {} read.\n",
        count(summary.uses, "use", "uses"),
        count(summary.operations, "operation", "operations"),
        count(summary.files, "file", "files"),
        count(summary.files_read, "file", "files")
    )?;
    if !summary.by_operation.is_empty() {
        writeln!(out, "| operation | uses | v2 | shim |\n|---|---:|---|---|")?;
        for (operation, uses) in &summary.by_operation {
            let advice = report
                .findings
                .iter()
                .find(|found| found.operation.as_ref() == Some(operation))
                .and_then(|found| found.advice.as_ref());
            let v2 = advice.map_or_else(String::new, |advice| {
                advice
                    .v2
                    .iter()
                    .map(|call| format!("`{call}`"))
                    .collect::<Vec<_>>()
                    .join("<br>")
            });
            let shim = advice.map_or("", |advice| shim_word(advice.shim));
            writeln!(out, "| `{operation}` | {uses} | {v2} | {shim} |")?;
        }
        writeln!(out)?;
    }
    let mut path = "";
    for finding in report
        .findings
        .iter()
        .filter(|found| found.kind != Kind::Doc)
    {
        if finding.path != path {
            if !path.is_empty() {
                writeln!(out)?;
            }
            path = &finding.path;
            writeln!(out, "## {}\n", escape(path))?;
        }
        let done = if finding.suppressed.is_some() {
            "x"
        } else {
            " "
        };
        write!(
            out,
            "- [{done}] line {}: {} **{}**",
            finding.line,
            finding.kind.name().replace('_', " "),
            escape(&title(finding))
        )?;
        let advice = advice(finding);
        if !advice.is_empty() {
            write!(out, " {}", escape(&advice))?;
        }
        if let Some(losses) = losses(finding) {
            write!(out, "; {}", escape(&losses))?;
        }
        if !finding.owners.is_empty() {
            // As code, so that a ticket does not call them all.
            write!(out, " (`{}`)", finding.owners.join("`, `"))?;
        }
        writeln!(out)?;
    }
    for unreadable in report.unreadable {
        let (path, reason) = (escape(&unreadable.path), escape(&unreadable.reason));
        writeln!(out, "\nNot read: {path}: {reason}")?;
    }
    if report.interrupted {
        writeln!(out, "\nInterrupted: this is what was found so far.")?;
    }
    Ok(())
}

fn escape(text: &str) -> String {
    let text = plain(text);
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(
            letter,
            '*' | '_' | '`' | '|' | '[' | ']' | '<' | '\\' | '#' | '~' | '@' | '&'
        ) {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}
