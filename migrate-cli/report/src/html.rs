//! Self-contained HTML page with search, filters and folding. Loads no external resources.

use std::{collections::BTreeSet, io};

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::{
    Document, Printer,
    document::{Block, Cell, Finding, Part, Row, Table},
    words::code_parts,
};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/// Prints an HTML page.
#[derive(Clone, Copy, Debug)]
pub struct Html;

impl Printer for Html {
    fn print(&self, document: &Document<'_>, out: &mut dyn io::Write) -> io::Result<()> {
        out.write_all(page(document).into_string().as_bytes())
    }
}

fn page(document: &Document<'_>) -> Markup {
    let state = if document.is_good { "good" } else { "bad" };
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { (document.title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (document.title) @if let Some(aside) = &document.aside { " " small { (aside) } } }
                    @if !document.generated.is_empty() { p.quiet { (document.generated) } }
                    @if !document.summary.is_empty() { p class=(state) { (document.summary) "." } }
                    @for limit in document.limits() { p.quiet { (limit) } }
                }
                main {
                    @let filters = filters(document);
                    @for (above, block) in document.blocks.iter().enumerate().filter(|(_, block)| !is_entry(block)) {
                        (plain_block(block, title_above(document, above)))
                    }
                    @if document.findings().next().is_some() { h2 { "Findings" } }
                    noscript { p.quiet { "Search and filters need scripts, which this browser does not run." } }
                    (filters)
                    @for block in document.blocks.iter().filter(|block| is_entry(block)) { (entries(block)) }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

/// True for blocks that can be searched and filtered.
fn is_entry(block: &Block<'_>) -> bool {
    matches!(block, Block::Findings(_) | Block::Part(_))
}

/// Heading above a block, used as the table's name for screen readers.
fn title_above<'d>(document: &'d Document<'_>, block: usize) -> &'d str {
    let above = document.blocks.get(..block).unwrap_or_default();
    let title = |block: &'d Block<'_>| match block {
        Block::Heading(text) => Some(text.as_str()),
        _ => None,
    };
    above
        .iter()
        .rev()
        .find_map(title)
        .unwrap_or(&document.title)
}

fn plain_block(block: &Block<'_>, title: &str) -> Markup {
    match block {
        Block::Heading(text) => html! { h2 { (text) } },
        Block::Paragraph(text) => html! {
            p {
                @for (part, is_code) in code_parts(text) {
                    @if is_code { code { (part) } } @else { (part) }
                }
            }
        },
        Block::Table(of) => table(of, "numbers", title),
        Block::Findings(_) | Block::Part(_) => html! {},
    }
}

fn entries(block: &Block<'_>) -> Markup {
    match block {
        Block::Findings(findings) => html! { @for each in findings { (finding(each)) } },
        Block::Part(of) => part(of),
        _ => html! {},
    }
}

/// Search and filters; empty if there is nothing to filter.
fn filters(document: &Document<'_>) -> Markup {
    let parts = || {
        document.blocks.iter().filter_map(|block| match block {
            Block::Part(part) => Some(part),
            _ => None,
        })
    };
    let operations = document.findings().filter_map(|found| found.operation);
    let choices = [
        (
            "rule",
            document.findings().map(|found| found.rule).collect(),
        ),
        (
            "operation",
            operations
                .chain(parts().map(|part| part.operation.as_str()))
                .collect(),
        ),
        (
            "owners",
            document
                .findings()
                .flat_map(|found| found.owners)
                .map(String::as_str)
                .collect(),
        ),
        ("state", document.findings().map(state).collect()),
    ];
    let choices: [(&str, BTreeSet<&str>); 4] = choices;
    if choices.iter().all(|(_, values)| values.is_empty()) && parts().next().is_none() {
        return html! {};
    }
    html! {
        form.filters role="search" {
            label { "Find " input type="search" id="find" placeholder="text"; }
            @for (name, values) in choices.iter().filter(|(_, values)| !values.is_empty()) {
                label {
                    (name) " "
                    select id=(name) {
                        option value="" { "all" }
                        @for value in values { option { (value) } }
                    }
                }
            }
            @if parts().next().is_some() {
                fieldset {
                    legend { "Verdicts" }
                    @for tag in Part::TAGS {
                        label {
                            input type="checkbox" name="verdict" value=(tag) checked[tag != "same"];
                            " " (tag)
                        }
                    }
                }
            }
        }
        p #count role="status" {}
    }
}

fn state(finding: &Finding<'_>) -> &'static str {
    match finding.suppressed {
        _ if finding.is_mention => "mention",
        Some(_) => "suppressed",
        None => "open",
    }
}

fn finding(finding: &Finding<'_>) -> Markup {
    html! {
        article data-state=(state(finding)) data-rule=(finding.rule)
            data-operation=(finding.operation.unwrap_or_default()) data-owners=(finding.owners.join(" ")) {
            header {
                h3 { (finding.title) } " " span.kind { (finding.rule) } " "
                span.quiet { (finding.confidence.0) " confidence" } br;
                code { (finding.path) ":" (finding.line) } " "
                span.quiet { (finding.owners.join(" ")) }
            }
            @match finding.excerpt {
                Some(excerpt) => pre { (marked(finding, excerpt)) },
                None => p.quiet { "value hidden" },
            }
            @if !finding.served.lines.is_empty() { p { "At the shim: " (cell(&finding.served)) "." } }
            @for text in [&finding.advice, &finding.losses].into_iter().filter(|text| !text.is_empty()) {
                p { (text) }
            }
            @if let Some(note) = finding.note { p { "Note: " (note) "." } }
            @if finding.reason != finding.title { p.quiet { (finding.reason) } }
            @if let Some(suppression) = finding.suppressed {
                p.quiet { "suppressed: " (suppression.reason) }
            }
        }
    }
}

/// Source line with the finding highlighted.
fn marked(finding: &Finding<'_>, excerpt: &str) -> Markup {
    let part = |from: usize, to: usize| -> String {
        excerpt
            .chars()
            .skip(from)
            .take(to.saturating_sub(from))
            .collect()
    };
    let (from, to) = finding.columns;
    let (from, to) = (from.saturating_sub(1), to.saturating_sub(1));
    html! { (part(0, from).trim_start()) mark { (part(from, to)) } (part(to, usize::MAX)) }
}

fn part(part: &Part) -> Markup {
    let is_open = part.failures > 0;
    html! {
        details.exchange data-operation=(part.operation) open[is_open] {
            summary {
                h3 { (part.operation) } " " code { (part.name) } " "
                span class=(if is_open { "unexpected" } else { "same" }) { (part.failures) " unexpected" }
            }
            (table(&part.table, "sides", &format!("{} {}", part.operation, part.name)))
        }
    }
}

fn table(table: &Table, class: &str, title: &str) -> Markup {
    let is_number = |at: usize| table.columns.get(at).is_some_and(|column| column.is_number);
    let number = |at: usize| is_number(at).then_some("n");
    let home = table.home_of_sentences();
    let below = |at: usize, row: &Row| html! { @if at == home { @for text in &row.below { br; small { (text) } } } };
    html! {
        div.scroll {
            table class=(class) aria-label=(title) {
                @if table.has_head() {
                    thead {
                        tr {
                            @for (at, column) in table.columns.iter().enumerate() {
                                th scope="col" class=[number(at)] { (column.name) }
                            }
                        }
                    }
                }
                tbody {
                    @for row in &table.rows {
                        tr data-verdict=[(!row.tag.is_empty()).then_some(row.tag)] {
                            @for (at, of) in row.cells.iter().enumerate() {
                                @if at == 0 {
                                    th scope="row" { (cell(of)) (below(at, row)) }
                                } @else {
                                    td class=[number(at)] { (cell(of)) (below(at, row)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Code that may wrap after slashes.
fn breakable(code: &str) -> Markup {
    html! {
        @for part in code.split_inclusive('/') { (part) @if part.ends_with('/') { wbr; } }
    }
}

fn cell(cell: &Cell) -> Markup {
    let tone = (!cell.tone.is_empty()).then_some(cell.tone);
    html! {
        span class=[tone] {
            @for (at, line) in cell.lines.iter().enumerate() {
                @if at > 0 { br; }
                @if cell.is_code { code { (breakable(line)) } } @else { (line) }
            }
        }
        @if !cell.aside.is_empty() { " " small { (cell.aside) } }
    }
}
