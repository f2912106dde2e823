//! The report for people: grouped by file, with the source and the span marked.

use std::io::{self, Write};

use super::{Report, advice, count, losses, plain, title};
use migrate_audit::{Finding, Kind, Shim, SuppressedBy, traffic::Traffic};

/// Lines are kept below this width, so that they fit a small terminal.
const WIDTH: usize = 80;

/// Stands for a blank at which no line ends.
const TIE: &str = "\u{a0}";

struct Style {
    bold: &'static str,
    dim: &'static str,
    mark: &'static str,
    end: &'static str,
}

const PLAIN: Style = Style {
    bold: "",
    dim: "",
    mark: "",
    end: "",
};
const COLOUR: Style = Style {
    bold: "\x1b[1m",
    dim: "\x1b[2m",
    mark: "\x1b[1;31m",
    end: "\x1b[0m",
};

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let style = if report.styled { &COLOUR } else { &PLAIN };
    moved(report, style, out)?;
    let mut path = "";
    for finding in report
        .findings
        .iter()
        .filter(|found| found.kind != Kind::Doc && found.suppressed.is_none())
    {
        if finding.path != path {
            path = &finding.path;
            let shown = linked(report, path, None, &plain(path));
            writeln!(out, "{}{shown}{}", style.bold, style.end)?;
        }
        one(report, finding, style, out)?;
    }
    if !path.is_empty() {
        writeln!(out)?;
    }
    operations(report, style, out)?;
    if let Some(traffic) = report.traffic {
        called(report, traffic, style, out)?;
    }
    end(report, out)
}

/// A text that is a link to a file, on terminals that have links (OSC 8).
fn linked(report: &Report, path: &str, line: Option<usize>, text: &str) -> String {
    let Some(folder) = &report.links else {
        return text.to_owned();
    };
    let whole = folder.join(format!("{}{path}", report.prefix));
    let Ok(mut url) = url::Url::from_file_path(whole) else {
        return text.to_owned();
    };
    // Terminals and editors that know lines read them here; others open the file.
    if let Some(line) = line {
        url.set_fragment(Some(&format!("L{line}")));
    }
    format!("\x1b]8;;{url}\x1b\\{text}\x1b]8;;\x1b\\")
}

fn one(report: &Report, finding: &Finding, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let title = title(finding);
    let title = plain(&title);
    let number = finding.line.to_string();
    let link = linked(report, &finding.path, Some(finding.line), &number);
    let pad = " ".repeat(5_usize.saturating_sub(number.len()));
    let head = format!("{:>5}  {:<14} ", finding.line, finding.kind.name());
    let kind = head.get(5.max(number.len())..).unwrap_or_default();
    write!(out, "{}{pad}{link}{kind}{}{title}", style.dim, style.end)?;
    let advice = advice(finding);
    let at = head.chars().count() + title.chars().count().max(22);
    if advice.is_empty() {
        writeln!(out)?;
    } else if at + 2 + advice.chars().count() <= WIDTH {
        let pad = 22_usize.saturating_sub(title.chars().count()) + 2;
        writeln!(out, "{:pad$}{advice}", "")?;
    } else {
        writeln!(out)?;
        for line in wrap(&advice, WIDTH - 9) {
            writeln!(out, "{:9}{line}", "")?;
        }
    }
    if let Some(losses) = losses(finding) {
        for line in wrap(&losses, WIDTH - 9) {
            writeln!(out, "{:9}{}{line}{}", "", style.dim, style.end)?;
        }
    }
    match &finding.excerpt {
        Some(excerpt) => source(finding, excerpt, style, out),
        None => writeln!(out, "{:9}{}(value hidden){}", "", style.dim, style.end),
    }
}

/// The source line, cut around the span if it is long, and the span marked below.
fn source(finding: &Finding, excerpt: &str, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let width = WIDTH - 11;
    let letters: Vec<char> = excerpt
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    let indent = letters
        .iter()
        .take_while(|letter| letter.is_whitespace())
        .count();
    let start = finding.column.saturating_sub(1).max(indent);
    let length = finding.end_column.saturating_sub(finding.column).max(1);
    let from = if start - indent + length.min(40) > width {
        start.saturating_sub(20)
    } else {
        indent
    };
    let shown: String = letters.iter().skip(from).take(width).collect();
    writeln!(out, "{:9}{}", "", shown.trim_end())?;
    let start = start - from;
    if start >= shown.trim_end().chars().count() {
        return Ok(());
    }
    let marks = "^".repeat(length.min(shown.trim_end().chars().count() - start));
    writeln!(
        out,
        "{:9}{:start$}{}{marks}{}",
        "", "", style.mark, style.end
    )
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::take(&mut line));
            line.push_str("  ");
        } else if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

/// What was pointed at the shim: it fails no more, and the migration is not over.
fn moved(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let moved: Vec<_> = report
        .findings
        .iter()
        .filter(|found| {
            found
                .suppressed
                .as_ref()
                .is_some_and(|suppression| suppression.by == SuppressedBy::Shim)
        })
        .collect();
    if moved.is_empty() {
        return Ok(());
    }
    writeln!(out, "{}moved to the shim{}", style.bold, style.end)?;
    for finding in moved {
        writeln!(out, "{:>5}  {}", finding.line, plain(&finding.path))?;
    }
    writeln!(out)
}

fn operations(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let summary = report.summary();
    if summary.by_operation.is_empty() {
        return Ok(());
    }
    writeln!(out, "{}by operation{}", style.bold, style.end)?;
    for (operation, uses) in &summary.by_operation {
        let advice = report
            .findings
            .iter()
            .find(|found| found.operation.as_ref() == Some(operation))
            .and_then(|found| found.advice.as_ref());
        let shim = advice.map_or("", |advice| match advice.shim {
            Shim::Yes => "shim serves it",
            Shim::Lossy => "shim serves it, lossy",
            Shim::NotYet => "not yet served",
            Shim::Refused => "answered with an error",
        });
        writeln!(out, "{uses:>5}  {operation:<32} {shim}")?;
    }
    writeln!(out)
}

fn called(
    report: &Report,
    traffic: &Traffic,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let joined = traffic.join(report.findings);
    let parts = [
        ("live: in the code, and called", &joined.live),
        ("dormant: in the code, but not called", &joined.dormant),
        (
            "unknown callers: called, but not in the code",
            &joined.unknown_callers,
        ),
    ];
    for (title, operations) in parts
        .iter()
        .filter(|(_, operations)| !operations.is_empty())
    {
        writeln!(out, "{}{title}{}", style.bold, style.end)?;
        for operation in *operations {
            let calls = traffic.operations.get(operation);
            match calls {
                Some(calls) => writeln!(out, "{:>8} calls  {operation}", calls.calls)?,
                None => writeln!(out, "{:>8}        {operation}", "")?,
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

fn end(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for unreadable in report.unreadable {
        writeln!(
            out,
            "not read: {}: {}",
            plain(&unreadable.path),
            unreadable.reason
        )?;
    }
    if report.interrupted {
        writeln!(out, "interrupted: this is what was found so far")?;
    }
    let summary = report.summary();
    let mut parts = vec![if summary.uses == 0 {
        "no use of v1".to_owned()
    } else {
        format!(
            "{} of {} in {}",
            count(summary.uses, "use", "uses"),
            count(summary.operations, "operation", "operations"),
            count(summary.files, "file", "files")
        )
    }];
    for (fidelity, number) in &summary.by_fidelity {
        parts.push(format!("{number} {fidelity}"));
    }
    let kind = |kind: Kind| {
        summary
            .by_kind
            .get(kind.name())
            .copied()
            .unwrap_or_default()
    };
    if kind(Kind::Credential) > 0 {
        parts.push(count(kind(Kind::Credential), "credential", "credentials"));
    }
    if kind(Kind::Doc) > 0 {
        parts.push(count(kind(Kind::Doc), "mention", "mentions"));
    }
    if summary.suppressed > 0 {
        parts.push(format!("{} suppressed", summary.suppressed));
    }
    parts.push(format!(
        "{} read",
        count(summary.files_read, "file", "files")
    ));
    parts.push(format!("{:.2} s", report.elapsed.as_secs_f64()));
    // No line ends within a part.
    let parts: Vec<_> = parts.iter().map(|part| part.replace(' ', TIE)).collect();
    for line in wrap(&parts.join(" · "), WIDTH) {
        writeln!(out, "{}", line.replace(TIE, " "))?;
    }
    if summary.uses > 0 {
        writeln!(out, "next: migrate plan")?;
    }
    Ok(())
}
