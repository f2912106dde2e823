//! Reports for programs that read them: JSON, Markdown, `JUnit`, `GitHub`.

#![expect(
    clippy::format_push_string,
    reason = "a report is written once, and `write!` would add errors that cannot happen"
)]

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event},
};

use super::Report;
use crate::diff::{Comparison, Row, Verdict};
use recording::comparison::written;

/// The version of the JSON report.
const FORMAT: u32 = 1;

pub(super) fn json(report: &Report) -> serde_json::Result<String> {
    #[derive(serde::Serialize)]
    struct Versioned<'a> {
        format: u32,
        #[serde(flatten)]
        report: &'a Report,
    }
    let text = serde_json::to_string_pretty(&Versioned {
        format: FORMAT,
        report,
    })?;
    Ok(text + "\n")
}

fn differing(comparison: &Comparison) -> impl Iterator<Item = &Row> {
    comparison
        .rows
        .iter()
        .filter(|row| row.verdict != Verdict::Same)
}

fn title(comparison: &Comparison) -> String {
    let operation = comparison.operation.as_deref().unwrap_or("JSON");
    format!("{operation} {}", comparison.name)
}

pub(super) fn markdown(report: &Report) -> String {
    let mut out = String::from("| operation | compared | unexpected |\n|---|---:|---:|\n");
    for (name, tally) in &report.operations {
        out += &format!(
            "| {} | {} | {} |\n",
            cell(name),
            tally.compared,
            tally.unexpected
        );
    }
    for comparison in &report.shown {
        let (old, new) = &comparison.sides;
        out += &format!("\n### {}\n\n", cell(&title(comparison)));
        if differing(comparison).next().is_none() {
            out += "No difference.\n";
            continue;
        }
        out += &format!(
            "| field | {} | {} | verdict |\n|---|---|---|---|\n",
            cell(old),
            cell(new)
        );
        for row in differing(comparison) {
            let place = row
                .place
                .as_ref()
                .map(|place| format!(" ({place})"))
                .unwrap_or_default();
            out += &format!(
                "| {} | {} | {}{} | {} |\n",
                cell(&row.path),
                code(&written(row.old.as_ref())),
                code(&written(row.new.as_ref())),
                cell(&place),
                cell(&verdict(row)),
            );
        }
    }
    out
}

fn verdict(row: &Row) -> String {
    if row.reason.is_empty() {
        row.verdict.to_string()
    } else {
        format!("{}: {}", row.verdict, row.reason)
    }
}

/// A text that stays inside of its cell and means nothing to Markdown or HTML.
fn cell(text: &str) -> String {
    let mut out = String::new();
    for char in text.chars() {
        match char {
            '<' => out += "&lt;",
            '&' => out += "&amp;",
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '~' | '#' => {
                out.push('\\');
                out.push(char);
            }
            '\n' | '\r' => out.push(' '),
            char => out.push(char),
        }
    }
    out
}

fn code(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let ticks = "`".repeat(
        text.split(|char| char != '`')
            .map(str::len)
            .max()
            .unwrap_or(0)
            + 1,
    );
    format!("{ticks} {} {ticks}", text.replace('|', "\\|"))
}

pub(super) fn junit(report: &Report) -> anyhow::Result<String> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let mut suite = BytesStart::new("testsuite");
    suite.push_attribute(("name", "migrate diff"));
    suite.push_attribute(("tests", report.compared().to_string().as_str()));
    suite.push_attribute(("failures", report.unexpected().to_string().as_str()));
    writer.write_event(Event::Start(suite))?;
    for comparison in &report.shown {
        let mut case = BytesStart::new("testcase");
        case.push_attribute((
            "classname",
            comparison.operation.as_deref().unwrap_or("JSON"),
        ));
        case.push_attribute(("name", comparison.name.as_str()));
        if comparison.is_expected() {
            writer.write_event(Event::Empty(case))?;
            continue;
        }
        writer.write_event(Event::Start(case))?;
        let message = format!("{} unexpected", comparison.count(Verdict::Unexpected));
        let mut failure = BytesStart::new("failure");
        failure.push_attribute(("message", message.as_str()));
        writer.write_event(Event::Start(failure))?;
        let rows = comparison
            .rows
            .iter()
            .filter(|row| row.verdict == Verdict::Unexpected);
        let lines: Vec<_> = rows.map(line).collect();
        writer.write_event(Event::Text(BytesText::new(&lines.join("\n"))))?;
        writer.write_event(Event::End(BytesEnd::new("failure")))?;
        writer.write_event(Event::End(BytesEnd::new("testcase")))?;
    }
    writer.write_event(Event::End(BytesEnd::new("testsuite")))?;
    Ok(String::from_utf8(writer.into_inner())? + "\n")
}

fn line(row: &Row) -> String {
    let old = row
        .old
        .as_ref()
        .map_or("nothing".to_owned(), |old| written(Some(old)));
    let new = row
        .new
        .as_ref()
        .map_or("nothing".to_owned(), |new| written(Some(new)));
    format!("{}: {} ({old} → {new})", row.path, row.reason)
}

pub(super) fn github(report: &Report) -> String {
    let mut out = String::new();
    for comparison in &report.shown {
        for row in &comparison.rows {
            let level = match row.verdict {
                Verdict::Unexpected => "error",
                Verdict::Lossy => "notice",
                _ => continue,
            };
            // Commands of a workflow end with the line; `%` begins their escapes.
            let text = format!("{}: {}", title(comparison), line(row));
            let text = text
                .replace('%', "%25")
                .replace('\r', "%0D")
                .replace('\n', "%0A");
            out += &format!("::{level} title=migrate diff::{text}\n");
        }
    }
    out += &format!(
        "{} compared, {} unexpected\n",
        report.compared(),
        report.unexpected()
    );
    out
}
