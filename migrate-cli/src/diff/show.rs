//! Comparisons as a report.

use std::collections::BTreeMap;

use migrate_report::{
    Document,
    document::{Annotation, Block, Cell, Check, CheckOutcome, Level, Part, Row as TableRow, Table},
    words::count,
};
use recording::comparison::{ERROR, written};
use serde::Serialize;

use super::{Comparison, Row, Verdict};

/// All that was compared, in numbers, and what is worth a look.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    /// The version of the JSON report.
    pub(crate) format: u32,
    /// Answers compared, by operation.
    pub(crate) operations: BTreeMap<String, Tally>,
    /// Verdicts other than `same`, by operation and field.
    pub(crate) fields: BTreeMap<String, BTreeMap<Verdict, u64>>,
    /// How many exchanges differ unexpectedly in the same way, by what differs.
    pub(crate) causes: BTreeMap<String, u64>,
    /// The share of answers without an unexpected difference, in percent; nothing if none was
    /// compared.
    pub(crate) consistency: Option<f64>,
    /// The time that 99 of 100 answers took at most, in microseconds: old side and new side.
    pub(crate) p99_micros: Option<(u64, u64)>,
    /// The comparisons that are shown: all of them, or the first of those that fail.
    pub(crate) shown: Vec<Comparison>,
    /// How many comparisons that would be shown were left out: those that differ as others do, and
    /// those beyond the bound of the report.
    pub(crate) not_shown: u64,
    /// What was not compared, and why.
    pub(crate) skipped: BTreeMap<String, u64>,
    /// The run was ended early.
    #[serde(rename = "interrupted", skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_interrupted: bool,
    /// How many comparisons that differ in the same way are shown; all if 0.
    #[serde(skip)]
    pub(crate) alike: u64,
    /// The times of both sides, in microseconds.
    #[serde(skip)]
    pub(crate) times: (Vec<u64>, Vec<u64>),
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
/// How many fields name a cause.
const NAMED: usize = 4;
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
        let cause = cause(&operation, &comparison);
        let tally = self.operations.entry(operation).or_default();
        tally.compared += 1;
        tally.unexpected += u64::from(!comparison.is_expected());
        if let Some((old, new)) = micros {
            tally.timed += 1;
            tally.old_micros += old;
            tally.new_micros += new;
            self.times.0.push(old);
            self.times.1.push(new);
        }
        let mut is_new = true;
        if let Some(cause) = cause {
            let times = self.causes.entry(cause).or_default();
            *times += 1;
            is_new = self.alike == 0 || *times <= self.alike;
        }
        if always || !comparison.is_expected() {
            if is_new && self.shown.len() < SHOWN {
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

    /// Computes the figures, when all is compared.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub(crate) fn finish(&mut self) {
        self.format = FORMAT;
        let compared = self.compared();
        let equal = (compared - self.unexpected()) as f64;
        self.consistency = (compared > 0).then(|| 100.0 * equal / compared as f64);
        let (old, new) = std::mem::take(&mut self.times);
        self.p99_micros = p99(old).zip(p99(new));
    }

    /// The report for people.
    pub(crate) fn document(&self) -> Document<'_> {
        let (compared, unexpected) = (self.compared(), self.unexpected());
        let heading = |text: &str| Block::Heading(text.to_owned());
        let mut blocks = Vec::new();
        if compared > 0 {
            let table = Block::Table(self.operations_table());
            blocks.extend([heading("Operations"), table]);
        }
        if compared > 1 {
            for (title, table) in [
                ("Causes", self.causes_table()),
                ("Fields that differ", self.fields_table()),
            ] {
                if !table.rows.is_empty() {
                    blocks.extend([heading(title), Block::Table(table)]);
                }
            }
        }
        blocks.extend(self.shown.iter().map(|shown| Block::Part(part(shown))));
        let skipped = self.skipped.iter();
        let mut notes: Vec<String> = skipped
            .map(|(why, count)| format!("not compared: {count}, {why}"))
            .collect();
        if self.not_shown > 0 {
            let more = count(self.not_shown, "exchange differs", "exchanges differ");
            notes.push(format!("not shown: {more} as others do"));
        }
        let verb = if unexpected == 1 { "differs" } else { "differ" };
        let answers = count(compared, "answer", "answers");
        let mut summary = match compared {
            0 => vec!["nothing was compared".to_owned()],
            _ => vec![format!("{unexpected} of {answers} {verb} unexpectedly")],
        };
        summary.extend(
            self.consistency
                .map(|share| format!("{share:.2} % consistent")),
        );
        summary.extend(
            self.p99_micros
                .map(|(old, new)| format!("p99 {} → {} ms", millis(old), millis(new))),
        );
        Document {
            tool: "migrate diff",
            title: "Old and new answers".to_owned(),
            summary: summary.join(" · "),
            is_good: compared > 0 && unexpected == 0,
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
                Some(micros) => millis(micros).into(),
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

    fn causes_table(&self) -> Table {
        let mut table = Table::new(["what differs unexpectedly", "exchanges#"]);
        let mut causes: Vec<_> = self.causes.iter().collect();
        causes.sort_by_key(|(_, times)| std::cmp::Reverse(**times));
        for (cause, times) in causes {
            let named = cause.split_once(": ");
            let (name, fields) = match named.filter(|(name, _)| self.operations.contains_key(*name))
            {
                Some((operation, fields)) => (operation, Some(fields)),
                None => (cause.as_str(), None),
            };
            let row = TableRow::new([name.to_owned(), times.to_string()]);
            table.rows.push(row.with_below(fields));
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

/// What differs unexpectedly, in the same words for all comparisons with one cause; `None` if nothing
/// does.
fn cause(operation: &str, comparison: &Comparison) -> Option<String> {
    let rows = comparison.rows.iter();
    let unexpected: Vec<_> = rows
        .filter(|row| row.verdict == Verdict::Unexpected)
        .collect();
    let first = unexpected.first()?;
    if first.field == ERROR {
        // The same user is missing in several operations.
        return Some(first.reason.clone());
    }
    let mut fields: Vec<_> = unexpected
        .iter()
        .map(|row| format!("{} ({})", row.field, row.reason))
        .collect();
    fields.dedup();
    fields.truncate(NAMED);
    Some(format!("{operation}: {}", fields.join(", ")))
}

/// The time that 99 of 100 took at most; `None` for none.
fn p99(mut micros: Vec<u64>) -> Option<u64> {
    micros.sort_unstable();
    let at = (micros.len() * 99).div_ceil(100);
    micros.get(at.checked_sub(1)?).copied()
}

fn millis(micros: u64) -> String {
    format!("{}.{}", micros / 1000, micros % 1000 / 100)
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
        below: Vec::new(),
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
