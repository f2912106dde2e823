//! Report of comparisons.

use std::{collections::BTreeMap, fmt};

use migrate_report::{
    Document,
    document::{Annotation, Block, Cell, Check, CheckOutcome, Level, Part, Row as TableRow, Table},
    words::count,
};
use recording::comparison::{ERROR, written};
use serde::{Serialize, Serializer};

use super::{
    Comparison, Row, Verdict,
    thresholds::{Thresholds, percent},
};

/// Totals of a comparison run and the comparisons to show.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    /// Version of the JSON report.
    pub(crate) format: u32,
    /// Totals by operation.
    pub(crate) operations: BTreeMap<String, Tally>,
    /// Verdicts other than `same`, by operation and field.
    pub(crate) fields: BTreeMap<String, BTreeMap<Verdict, u64>>,
    /// Number of exchanges by cause of an unexpected difference.
    pub(crate) causes: BTreeMap<Cause, u64>,
    /// Percentage of responses without an unexpected difference; `None` if none was compared.
    pub(crate) consistency: Option<f64>,
    /// 99th percentile of response times, old and new side, in microseconds.
    pub(crate) p99_micros: Option<(u64, u64)>,
    /// Comparisons to show: all, or those with unexpected differences.
    pub(crate) shown: Vec<Comparison>,
    /// Comparisons left out because their cause is already shown, or because the report is full.
    pub(crate) not_shown: u64,
    /// Number of exchanges not compared, by reason.
    pub(crate) skipped: BTreeMap<String, u64>,
    #[serde(rename = "interrupted", skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_interrupted: bool,
    /// Maximum number of comparisons shown per cause; 0 shows all.
    #[serde(skip)]
    pub(crate) alike: u64,
    /// Response times of both sides, in microseconds.
    #[serde(skip)]
    pub(crate) times: (Vec<u64>, Vec<u64>),
    #[serde(skip)]
    pub(crate) thresholds: Thresholds,
    /// Missed thresholds, one sentence each.
    pub(crate) failures: Vec<String>,
    /// Addresses of users by their id, from recorded answers that are now an error.
    #[serde(skip)]
    pub(crate) users: BTreeMap<String, String>,
}

/// Totals of one operation.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Tally {
    pub(crate) compared: u64,
    pub(crate) unexpected: u64,
    /// Sums of response times in microseconds, over `timed` responses.
    pub(crate) old_micros: u64,
    pub(crate) new_micros: u64,
    pub(crate) timed: u64,
}

/// Version of the JSON report.
const FORMAT: u32 = 1;
/// Maximum number of fields in the name of a cause.
const MAX_NAMES: usize = 4;
/// Maximum number of comparisons kept; the totals count all.
const MAX_SHOWN: usize = 1000;

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
            if is_new && self.shown.len() < MAX_SHOWN {
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

    /// Computes consistency, percentiles and missed thresholds, and merges causes, after the last
    /// comparison.
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts and times are far below 2^52"
    )]
    pub(crate) fn finish(&mut self) {
        self.format = FORMAT;
        let compared = self.compared();
        let equal = (compared - self.unexpected()) as f64;
        self.consistency = (compared > 0).then(|| 100.0 * equal / compared as f64);
        let (old, new) = std::mem::take(&mut self.times);
        self.p99_micros = p99(old).zip(p99(new));
        let consistency = self.consistency;
        let failure = consistency.and_then(|share| self.thresholds.consistency_failure(share));
        self.failures.extend(failure);
        let slowest = self.p99_micros.map(|(_, new)| new as f64 / 1000.0);
        let failure = slowest.and_then(|p99| self.thresholds.p99_failure("the shim", p99));
        self.failures.extend(failure);
        for (cause, exchanges) in std::mem::take(&mut self.causes) {
            let cause = cause.of_user(&self.users);
            *self.causes.entry(cause).or_default() += exchanges;
        }
    }

    /// True if answers were compared, and they meet the thresholds.
    pub(crate) fn is_good(&self) -> bool {
        let is_consistent = self.thresholds.consistency.is_some() || self.unexpected() == 0;
        self.compared() > 0 && is_consistent && self.failures.is_empty()
    }

    /// Builds the document that all formats but JSON are printed from.
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
        notes.extend(self.failures.iter().cloned());
        let verb = if unexpected == 1 || compared == 1 {
            "differs"
        } else {
            "differ"
        };
        let answers = count(compared, "answer", "answers");
        let mut summary = match compared {
            0 => vec!["nothing was compared".to_owned()],
            _ => vec![format!("{unexpected} of {answers} {verb} unexpectedly")],
        };
        summary.extend(
            self.consistency
                .map(|share| format!("{} consistent", percent(share))),
        );
        summary.extend(
            self.p99_micros
                .map(|(old, new)| format!("p99 {} → {} ms", millis(old), millis(new))),
        );
        Document {
            tool: "migrate diff",
            title: "Old and new responses".to_owned(),
            summary: summary.join(" · "),
            is_good: self.is_good(),
            notes,
            is_interrupted: self.is_interrupted,
            blocks,
            checked: Some((compared, unexpected)),
            checks: self.shown.iter().map(check).collect(),
            annotations: self.shown.iter().flat_map(annotations).collect(),
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
            let (first, below) = match &cause.operation {
                Some(operation) => (operation, Some(cause.difference.as_str())),
                None => (&cause.difference, None),
            };
            let row = TableRow::new([first.clone(), times.to_string()]);
            table.rows.push(row.with_below(below));
        }
        table
    }

    /// Worst verdict first, because narrow screens show few columns. Verdicts that do not occur
    /// have no column.
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

/// Cause of unexpected differences, equal for comparisons that differ alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cause {
    /// `None` for an error: one missing user causes the same error in several operations.
    operation: Option<String>,
    /// Fields with their reasons, or the error.
    difference: String,
}

impl Cause {
    /// Names a missing user by the address, so that requests by id and by address have one cause.
    fn of_user(mut self, users: &BTreeMap<String, String>) -> Self {
        let named = self.difference.rsplit_once(": ").and_then(|(error, id)| {
            let address = users.get(id)?;
            Some(format!("{error}: {address}"))
        });
        if let (None, Some(named)) = (&self.operation, named) {
            self.difference = named;
        }
        self
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(operation) = &self.operation {
            write!(f, "{operation}: ")?;
        }
        f.write_str(&self.difference)
    }
}

impl Serialize for Cause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Returns `None` if no difference is unexpected.
fn cause(operation: &str, comparison: &Comparison) -> Option<Cause> {
    let unexpected: Vec<_> = super::unexpected(comparison).collect();
    let first = unexpected.first()?;
    if first.field == ERROR {
        return Some(Cause {
            operation: None,
            difference: first.reason.clone(),
        });
    }
    let mut fields: Vec<_> = unexpected
        .iter()
        .map(|row| format!("{} ({})", row.field, row.reason))
        .collect();
    fields.dedup();
    fields.truncate(MAX_NAMES);
    Some(Cause {
        operation: Some(operation.to_owned()),
        difference: fields.join(", "),
    })
}

/// 99th percentile; `None` if empty.
fn p99(mut micros: Vec<u64>) -> Option<u64> {
    micros.sort_unstable();
    let at = (micros.len() * 99).div_ceil(100);
    micros.get(at.checked_sub(1)?).copied()
}

fn millis(micros: u64) -> String {
    format!("{}.{}", micros / 1000, micros % 1000 / 100)
}

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
    let unexpected: Vec<_> = super::unexpected(comparison).map(line).collect();
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
    let shown = |value: &Option<_>| match value {
        None => "nothing".to_owned(),
        value => written(value.as_ref()),
    };
    let (old, new) = (shown(&row.old), shown(&row.new));
    format!("{}: {} ({old} → {new})", row.path, row.reason)
}
