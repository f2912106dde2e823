//! The report for a browser: one file, nothing from the network.

use std::{collections::BTreeSet, fmt::Write as _};

use recording::comparison::written;

use super::Report;
use crate::diff::{Comparison, Row, Verdict};

const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");

pub(super) fn render(report: &Report) -> String {
    let mut body = String::new();
    // Writing to a string never fails.
    let _ = write_body(report, &mut body);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n\
         <title>migrate diff</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n{body}\
         <script>\n{SCRIPT}</script>\n</body>\n</html>\n"
    )
}

fn write_body(report: &Report, out: &mut String) -> std::fmt::Result {
    let (compared, unexpected) = (report.compared(), report.unexpected());
    let state = if unexpected == 0 { "good" } else { "bad" };
    writeln!(out, "<header><h1>migrate diff</h1>")?;
    writeln!(
        out,
        "<p class=\"{state}\"><b>{unexpected}</b> of {compared} compared answers differ \
         unexpectedly.</p></header>\n<main>"
    )?;
    operations(report, out)?;
    fields(report, out)?;
    comparisons(report, out)?;
    writeln!(out, "</main>")
}

fn operations(report: &Report, out: &mut String) -> std::fmt::Result {
    let is_timed = report.operations.values().any(|tally| tally.timed > 0);
    writeln!(
        out,
        "<section><h2>Operations</h2>\n<div class=\"scroll\"><table><thead><tr>"
    )?;
    writeln!(
        out,
        "<th scope=col>operation<th scope=col class=n>compared<th scope=col class=n>unexpected{}</tr></thead><tbody>",
        if is_timed {
            "<th scope=col class=n>before, ms<th scope=col class=n>now, ms"
        } else {
            ""
        }
    )?;
    for (name, tally) in &report.operations {
        let mean = |sum: u64| match sum.checked_div(tally.timed) {
            Some(micros) => format!("{}.{}", micros / 1000, micros % 1000 / 100),
            None => String::new(),
        };
        let class = if tally.unexpected > 0 {
            " class=bad"
        } else {
            ""
        };
        write!(
            out,
            "<tr><th scope=row>{}<td class=n>{}<td class=n><span{class}>{}</span>",
            escape(name),
            tally.compared,
            tally.unexpected,
        )?;
        if is_timed {
            let (old, new) = (mean(tally.old_micros), mean(tally.new_micros));
            write!(out, "<td class=n>{old}<td class=n>{new}")?;
        }
        writeln!(out, "</tr>")?;
    }
    writeln!(out, "</tbody></table></div>")?;
    for (why, count) in &report.skipped {
        writeln!(out, "<p>Not compared: {count}, {}.</p>", escape(why))?;
    }
    if report.not_shown > 0 {
        writeln!(out, "<p>Not shown below: {} more.</p>", report.not_shown)?;
    }
    writeln!(out, "</section>")
}

fn fields(report: &Report, out: &mut String) -> std::fmt::Result {
    if report.fields.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "<section><h2>Fields that differ</h2>\n<div class=\"scroll\"><table><thead><tr><th scope=col>operation and field"
    )?;
    // The worst first, and none that nothing has: a phone shows few columns.
    let has = |verdict: &Verdict| {
        report
            .fields
            .values()
            .any(|counts| counts.contains_key(verdict))
    };
    let verdicts: Vec<_> = Verdict::ALL.into_iter().rev().filter(has).collect();
    for verdict in &verdicts {
        write!(out, "<th scope=col class=n>{verdict}")?;
    }
    writeln!(out, "</tr></thead><tbody>")?;
    for (name, counts) in &report.fields {
        write!(out, "<tr><th scope=row>{}", escape(name))?;
        for verdict in &verdicts {
            match counts.get(verdict) {
                Some(count) => write!(out, "<td class=n><span class={verdict}>{count}</span>")?,
                None => write!(out, "<td class=n>")?,
            }
        }
        writeln!(out, "</tr>")?;
    }
    writeln!(out, "</tbody></table></div></section>")
}

fn comparisons(report: &Report, out: &mut String) -> std::fmt::Result {
    writeln!(out, "<section><h2>Exchanges</h2>")?;
    if report.shown.is_empty() {
        return writeln!(out, "<p>Nothing unexpected.</p></section>");
    }
    writeln!(
        out,
        "<form class=filters role=search><label>Find <input type=search id=find placeholder=\"field, value\"></label><label>Operation <select id=operation><option value=\"\">all"
    )?;
    let names: BTreeSet<_> = report.shown.iter().map(name).collect();
    for name in names {
        write!(out, "<option>{}", escape(name))?;
    }
    writeln!(out, "</select></label><fieldset><legend>Verdicts</legend>")?;
    for verdict in Verdict::ALL {
        let checked = if verdict == Verdict::Same {
            ""
        } else {
            " checked"
        };
        writeln!(
            out,
            "<label><input type=checkbox name=verdict value={verdict}{checked}> {verdict}</label>"
        )?;
    }
    writeln!(out, "</fieldset></form><p id=count role=status></p>")?;
    for comparison in &report.shown {
        self::comparison(comparison, out)?;
    }
    writeln!(out, "</section>")
}

/// The operation, if it is known.
fn name(comparison: &Comparison) -> &str {
    comparison.operation.as_deref().unwrap_or("JSON")
}

fn comparison(comparison: &Comparison, out: &mut String) -> std::fmt::Result {
    let unexpected = comparison.count(Verdict::Unexpected);
    let open = if unexpected > 0 { " open" } else { "" };
    let (old, new) = &comparison.sides;
    writeln!(
        out,
        "<details class=exchange data-operation=\"{name}\"{open}><summary><b>{name}</b> <code>{}</code> <span class={}>{unexpected} unexpected</span></summary>",
        escape(&comparison.name),
        if unexpected > 0 { "unexpected" } else { "same" },
        name = escape(name(comparison)),
    )?;
    writeln!(
        out,
        "<div class=scroll><table class=sides><thead><tr><th scope=col>field<th scope=col>{}<th scope=col>{}<th scope=col>verdict</tr></thead><tbody>",
        escape(old),
        escape(new)
    )?;
    for row in &comparison.rows {
        self::row(row, out)?;
    }
    writeln!(out, "</tbody></table></div></details>")
}

fn row(row: &Row, out: &mut String) -> std::fmt::Result {
    let place = row
        .place
        .as_ref()
        .map(|place| format!(" <small>{}</small>", escape(place)));
    writeln!(
        out,
        "<tr data-verdict={v}><th scope=row>{}<td><code>{}</code><td><code>{}</code>{}<td><span class={v}>{v}</span> {}</tr>",
        escape(&row.path),
        escape(&written(row.old.as_ref())),
        escape(&written(row.new.as_ref())),
        place.unwrap_or_default(),
        escape(&row.reason),
        v = row.verdict,
    )
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            char => out.push(char),
        }
    }
    out
}
