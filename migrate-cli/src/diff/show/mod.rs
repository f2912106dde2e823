//! Comparisons for people and programs.

mod formats;
mod html;
mod text;

use std::collections::BTreeMap;

use clap::ValueEnum;
use serde::Serialize;

use super::{Comparison, Verdict};
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
        Ok(match format {
            Format::Text => text::render(self, page),
            Format::Json => formats::json(self)?,
            Format::Markdown => formats::markdown(self),
            Format::Junit => formats::junit(self)?,
            Format::Github => formats::github(self),
            Format::Html => html::render(self),
        })
    }
}
