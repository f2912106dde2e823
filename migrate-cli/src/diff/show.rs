//! Comparisons for people and programs.

mod text;

use std::collections::BTreeMap;

use clap::ValueEnum;
use migrate_report::{
    Document, Printer as _,
    document::{Annotation, Block, Cell, Check, CheckOutcome, Level, Part, Row as TableRow, Table},
    github::Github,
    html::Html,
    junit::Junit,
    markdown::Markdown,
    words::{plain_json, plain_report},
};
use recording::comparison::written;
use serde::Serialize;

use super::{Comparison, Row, Verdict};
pub(crate) use text::{Layout, Page};

/// How a comparison is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people at a terminal.
    Text,
    /// For programs.
    Json,
    /// For reviews and tickets.
    Markdown,
    /// For test reports.
    Junit,
    /// Annotations of a GitHub workflow.
    Github,
    /// One file for a browser.
    Html,
}

/// All that was compared, in numbers, and what is worth a look.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    /// Answers compared, by operation.
    pub(crate) operations: BTreeMap<String, Tally>,
    /// Verdicts other than `same`, by operation and field.
    pub(crate) fields: BTreeMap<String, BTreeMap<Verdict, u64>>,
    /// The comparisons that are shown: all of them, or the first of those that fail.
    pub(crate) shown: Vec<Comparison>,
    /// How many comparisons that would be shown were left out to bound the report.
    pub(crate) not_shown: u64,
    /// What was not compared, and why.
    pub(crate) skipped: BTreeMap<String, u64>,
    /// The run was ended early.
    #[serde(rename = "interrupted", skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_interrupted: bool,
}

/// What came of the comparisons of an operation.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Tally {
    pub(crate) compared: u64,
    pub(crate) unexpected: u64,
    /// The sums of both sides' times in microseconds, and of how many answers.
    pub(crate) old_micros: u64,
    pub(crate) new_micros: u64,
    pub(crate) timed: u64,
}

/// The version of the JSON report.
const FORMAT: u32 = 1;
/// Shown in full; the totals count all.
const SHOWN: usize = 1000;

impl Report {
    pub(crate) fn add(&mut self, comparison: Comparison, micros: Option<(u64, u64)>, always: bool) {
        let operation = comparison
            .operation
            .clone()
            .unwrap_or_else(|| "(JSON)".to_owned());
        for row in comparison
            .rows
            .iter()
            .filter(|row| row.verdict != Verdict::Same)
        {
            let field = self
                .fields
                .entry(format!("{operation} {}", row.field))
                .or_default();
            *field.entry(row.verdict).or_default() += 1;
        }
        let tally = self.operations.entry(operation).or_default();
        tally.compared += 1;
        tally.unexpected += u64::from(!comparison.is_expected());
        if let Some((old, new)) = micros {
            tally.timed += 1;
            tally.old_micros += old;
            tally.new_micros += new;
        }
        if always || !comparison.is_expected() {
            if self.shown.len() < SHOWN {
                self.shown.push(comparison);
            } else {
                self.not_shown += 1;
            }
        }
    }

    pub(crate) fn skip(&mut self, why: &str) {
        *self.skipped.entry(why.to_owned()).or_default() += 1;
    }

    pub(crate) fn compared(&self) -> u64 {
        self.operations.values().map(|tally| tally.compared).sum()
    }

    pub(crate) fn unexpected(&self) -> u64 {
        self.operations.values().map(|tally| tally.unexpected).sum()
    }

    /// The report in a format; text is for a page of a width.
    pub(crate) fn render(&self, format: Format, page: &Page) -> anyhow::Result<String> {
        let mut out = Vec::new();
        match format {
            Format::Text => {
                return Ok(plain_report(&text::render(self, page), true).into_owned());
            }
            Format::Json => return Ok(plain_json(&self.json()?).into_owned()),
            Format::Markdown => Markdown.print(&self.document(), &mut out)?,
            Format::Junit => Junit.print(&self.document(), &mut out)?,
            Format::Github => Github.print(&self.document(), &mut out)?,
            Format::Html => Html.print(&self.document(), &mut out)?,
        }
        Ok(plain_report(&String::from_utf8(out)?, false).into_owned())
    }

    fn json(&self) -> serde_json::Result<String> {
        #[derive(Serialize)]
        struct Versioned<'a> {
            format: u32,
            #[serde(flatten)]
            report: &'a Report,
        }
        let text = serde_json::to_string_pretty(&Versioned {
            format: FORMAT,
            report: self,
        })?;
        Ok(text + "\n")
    }

    fn document(&self) -> Document<'_> {
        let (compared, unexpected) = (self.compared(), self.unexpected());
        let mut blocks = vec![
            Block::Heading("Operations".to_owned()),
            Block::Table(self.operations_table()),
        ];
        if !self.fields.is_empty() {
            blocks.push(Block::Heading("Fields that differ".to_owned()));
            blocks.push(Block::Table(self.fields_table()));
        }
        blocks.push(Block::Heading("Exchanges".to_owned()));
        blocks.extend(self.shown.iter().map(|shown| Block::Part(part(shown))));
        if self.shown.is_empty() {
            blocks.push(Block::Paragraph("Nothing unexpected.".to_owned()));
        }
        let skipped = self.skipped.iter();
        let mut notes: Vec<String> = skipped
            .map(|(why, count)| format!("Not compared: {count}, {why}."))
            .collect();
        if self.not_shown > 0 {
            notes.push(format!("Not shown: {} more.", self.not_shown));
        }
        Document {
            tool: "migrate diff",
            title: "migrate diff".to_owned(),
            summary: format!("{unexpected} of {compared} compared answers differ unexpectedly"),
            is_good: unexpected == 0,
            notes,
            is_interrupted: self.is_interrupted,
            blocks,
            checked: Some((compared, unexpected)),
            checks: self.shown.iter().map(check).collect(),
            annotations: self.shown.iter().flat_map(annotations).collect(),
            tally: format!("{compared} compared, {unexpected} unexpected"),
            ..Document::default()
        }
    }

    fn operations_table(&self) -> Table {
        let is_timed = self.operations.values().any(|tally| tally.timed > 0);
        let columns = [
            "operation",
            "compared#",
            "unexpected#",
            "before, ms#",
            "now, ms#",
        ];
        let width = if is_timed { columns.len() } else { 3 };
        let mut table = Table::new(columns.into_iter().take(width));
        for (name, tally) in &self.operations {
            let mean = |sum: u64| match sum.checked_div(tally.timed) {
                Some(micros) => format!("{}.{}", micros / 1000, micros % 1000 / 100).into(),
                None => Cell::default(),
            };
            let unexpected = Cell::from(tally.unexpected.to_string());
            let tone = if tally.unexpected > 0 { "bad" } else { "" };
            let cells = [
                name.as_str().into(),
                tally.compared.to_string().into(),
                unexpected.toned(tone),
                mean(tally.old_micros),
                mean(tally.new_micros),
            ];
            table.row(cells.into_iter().take(width));
        }
        table
    }

    /// The worst verdict first, and none that nothing has: a phone shows few columns.
    fn fields_table(&self) -> Table {
        let has = |verdict: &Verdict| {
            self.fields
                .values()
                .any(|counts| counts.contains_key(verdict))
        };
        let verdicts: Vec<_> = Verdict::ALL.into_iter().rev().filter(has).collect();
        let columns = verdicts.iter().map(|verdict| format!("{verdict}#"));
        let mut table = Table::new(
            [String::from("operation and field")]
                .into_iter()
                .chain(columns),
        );
        for (name, counts) in &self.fields {
            let count = |verdict: &Verdict| {
                let count = counts.get(verdict).map(u64::to_string).unwrap_or_default();
                Cell::from(count).toned(verdict.as_str())
            };
            let cells = [Cell::from(name.as_str())].into_iter();
            table.row(cells.chain(verdicts.iter().map(count)));
        }
        table
    }
}

/// The operation, if it is known.
fn operation(comparison: &Comparison) -> &str {
    comparison.operation.as_deref().unwrap_or("JSON")
}

fn part(comparison: &Comparison) -> Part {
    let (old, new) = &comparison.sides;
    let mut table = Table::new(["field", old, new, "verdict"]);
    table.rows = comparison.rows.iter().map(table_row).collect();
    Part {
        operation: operation(comparison).to_owned(),
        name: comparison.name.clone(),
        failures: comparison.count(Verdict::Unexpected),
        table,
    }
}

fn table_row(row: &Row) -> TableRow {
    let verdict = if row.reason.is_empty() {
        row.verdict.to_string()
    } else {
        format!("{}: {}", row.verdict, row.reason)
    };
    let new = Cell {
        aside: row.place.clone().unwrap_or_default(),
        ..Cell::code([written(row.new.as_ref())])
    };
    TableRow {
        cells: vec![
            row.path.as_str().into(),
            Cell::code([written(row.old.as_ref())]),
            new,
            Cell::from(verdict).toned(row.verdict.as_str()),
        ],
        tag: row.verdict.as_str(),
    }
}

fn check(comparison: &Comparison) -> Check<'_> {
    let unexpected = comparison.rows.iter();
    let unexpected: Vec<_> = unexpected
        .filter(|row| row.verdict == Verdict::Unexpected)
        .map(line)
        .collect();
    let message = format!("{} unexpected", unexpected.len());
    Check {
        suite: operation(comparison),
        name: comparison.name.clone(),
        line: None,
        outcome: if comparison.is_expected() {
            CheckOutcome::Passed
        } else {
            CheckOutcome::Failed("unexpected", message, unexpected.join("\n"))
        },
    }
}

fn annotations(comparison: &Comparison) -> impl Iterator<Item = Annotation> {
    comparison.rows.iter().filter_map(move |row| {
        let level = match row.verdict {
            Verdict::Unexpected => Level::Error,
            Verdict::Lossy => Level::Note,
            _ => return None,
        };
        Some(Annotation {
            level,
            path: None,
            place: None,
            title: "migrate diff".to_owned(),
            message: format!(
                "{} {}: {}",
                operation(comparison),
                comparison.name,
                line(row)
            ),
        })
    })
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
