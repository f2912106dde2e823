//! One self-contained page: search, filters by owner, operation and kind, printable.

use std::io::{self, Write};

use super::{Report, advice, count, losses, shim_word, title};
use migrate_audit::{Finding, Kind};

const PAGE: &str = include_str!("page.html");

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let summary = report.summary();
    let headline = format!(
        "{} of {} in {}",
        count(summary.uses, "use", "uses"),
        count(summary.operations, "operation", "operations"),
        count(summary.files, "file", "files")
    );
    let mut rows: String = report.findings.iter().map(row).collect();
    if rows.is_empty() {
        rows.push_str("<p>No use of v1 was found.</p>\n");
    }
    let options = |mut values: Vec<&str>| {
        values.sort_unstable();
        values.dedup();
        let options: Vec<_> = values.into_iter().map(option).collect();
        options.concat()
    };
    let findings = report.findings;
    let page = PAGE
        .replace("{{headline}}", &escape(&headline))
        .replace(
            "{{note}}",
            &escape(&format!(
                "{} read, {} not readable, {} suppressed{}",
                count(summary.files_read, "file", "files"),
                summary.unreadable,
                summary.suppressed,
                if summary.interrupted {
                    "; interrupted, so this is not all"
                } else {
                    ""
                }
            )),
        )
        .replace(
            "{{kinds}}",
            &options(findings.iter().map(|f| f.kind.name()).collect()),
        )
        .replace(
            "{{operations}}",
            &options(
                findings
                    .iter()
                    .filter_map(|f| f.operation.as_deref())
                    .collect(),
            ),
        )
        .replace(
            "{{owners}}",
            &options(
                findings
                    .iter()
                    .flat_map(|f| f.owners.iter().map(String::as_str))
                    .collect(),
            ),
        )
        .replace("{{rows}}", &rows);
    out.write_all(page.as_bytes())
}

fn option(value: &str) -> String {
    format!("<option>{}</option>", escape(value))
}

fn row(finding: &Finding) -> String {
    let state = match &finding.suppressed {
        None => String::new(),
        Some(suppression) => format!(
            "<p class=\"quiet\">suppressed: {}</p>",
            escape(suppression.reason.as_deref().unwrap_or("in the baseline"))
        ),
    };
    let detail: Vec<String> = [Some(advice(finding)), losses(finding)]
        .into_iter()
        .flatten()
        .filter(|text| !text.is_empty())
        .map(|text| format!("<p>{}</p>", escape(&text)))
        .collect();
    let detail = detail.concat();
    let title = title(finding);
    let reason = if finding.reason == title {
        String::new()
    } else {
        format!("<p class=\"quiet\">{}</p>", escape(&finding.reason))
    };
    let shim = finding.advice.as_ref().map_or_else(String::new, |advice| {
        format!("<p class=\"quiet\">{}</p>", shim_word(advice.shim))
    });
    let code = finding.excerpt.as_ref().map_or_else(
        || "<p class=\"quiet\">value hidden</p>".to_owned(),
        |excerpt| format!("<pre>{}</pre>", marked(finding, excerpt)),
    );
    format!(
        "<article data-state=\"{status}\" data-kind=\"{kind}\" data-operation=\"{operation}\" data-owners=\"{owners}\">\
         <header><b>{title}</b> <span class=\"kind\">{kind}</span> <span class=\"quiet\">{confidence} confidence</span>\
         <br><span class=\"place\">{path}:{line}</span> <span class=\"quiet\">{owners}</span></header>\
         {code}{detail}{shim}{reason}{state}</article>\n",
        kind = finding.kind.name(),
        operation = escape(finding.operation.as_deref().unwrap_or_default()),
        owners = escape(&finding.owners.join(" ")),
        title = escape(&title),
        confidence = finding.confidence.name(),
        path = escape(&finding.path),
        line = finding.line,
        status = match finding.kind {
            Kind::Doc => "mention",
            _ if finding.suppressed.is_some() => "suppressed",
            _ => "fails",
        },
    )
}

fn marked(finding: &Finding, excerpt: &str) -> String {
    let part = |from: usize, to: usize| -> String {
        escape(
            &excerpt
                .chars()
                .skip(from)
                .take(to.saturating_sub(from))
                .collect::<String>(),
        )
    };
    let (from, to) = (
        finding.column.saturating_sub(1),
        finding.end_column.saturating_sub(1),
    );
    format!(
        "{}<mark>{}</mark>{}",
        part(0, from).trim_start(),
        part(from, to),
        part(to, usize::MAX)
    )
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // Braces could form a placeholder of the page.
            '{' => escaped.push_str("&#123;"),
            _ => escaped.push(letter),
        }
    }
    escaped
}
