//! Differences found: counts, and recent examples of each field. Bounded and redacted.

use std::collections::{BTreeMap, VecDeque};

use parking_lot::Mutex;
use recording::comparison::{Kind, Row, Verdict, written};
use serde::Serialize;

use super::NotCompared;

/// Limit of distinct fields; a shadow can return any names.
const FIELDS: usize = 2000;

/// Maximum number of examples per field.
const EXAMPLES: usize = 3;

/// Maximum length of a value, path or reason, in characters.
const LENGTH: usize = 500;

/// Counts comparisons and their differences.
#[derive(Debug)]
pub struct Differences {
    since: i64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    operations: BTreeMap<String, OperationTally>,
    fields: BTreeMap<(String, String), FieldTally>,
    /// Differences in fields beyond the limit.
    others: u64,
}

/// A copy of all counts.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct DifferenceReport {
    /// Milliseconds since 1970.
    #[serde(skip)]
    pub(crate) since: i64,
    pub(crate) operations: BTreeMap<String, OperationTally>,
    /// Sorted by worst verdict, then by count.
    pub(crate) fields: Vec<FieldTally>,
    /// Differences in fields beyond the limit.
    pub(crate) others: u64,
}

/// Comparisons of one operation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OperationTally {
    /// Number of compared requests.
    pub compared: u64,
    /// Number of compared requests by their worst verdict.
    pub verdicts: BTreeMap<Verdict, u64>,
    /// Number of requests that were not compared, by reason.
    pub not_compared: BTreeMap<&'static str, u64>,
}

/// A field with differences.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldTally {
    /// Operation.
    pub operation: String,
    /// Field, e.g. `users[].pmi`; fields of v2 requests begin with `v2 request: `.
    pub field: String,
    /// Number of differences by verdict.
    pub verdicts: BTreeMap<Verdict, u64>,
    /// Time of the last difference: RFC 3339, UTC.
    pub last: String,
    /// Recent differences, newest first.
    pub examples: VecDeque<Example>,
}

/// A difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Example {
    /// Time of the request: RFC 3339, UTC.
    pub at: String,
    /// Path in the answer, e.g. `users[kdc1].pmi`.
    pub path: String,
    /// The shadow's value as JSON; empty if absent.
    pub shadow: String,
    /// This shim's value as JSON; empty if absent.
    pub shim: String,
    /// Verdict.
    pub verdict: Verdict,
    /// Reason of the verdict.
    pub reason: String,
}

/// Result of one comparison.
pub(super) struct Comparison<'a> {
    pub(super) operation: &'a str,
    pub(super) at: &'a str,
    pub(super) rows: &'a [Row],
}

impl Differences {
    pub(super) fn new(since: i64) -> Self {
        Self {
            since,
            state: Mutex::default(),
        }
    }

    /// Returns a copy of the counts.
    pub(crate) fn report(&self) -> DifferenceReport {
        let state = self.state.lock();
        let mut fields: Vec<_> = state.fields.values().cloned().collect();
        fields.sort_by_key(|field| {
            let worst = field.verdicts.last_key_value();
            std::cmp::Reverse(worst.map(|(verdict, count)| (*verdict, *count)))
        });
        DifferenceReport {
            since: self.since,
            operations: state.operations.clone(),
            fields,
            others: state.others,
        }
    }

    pub(super) fn not_compared(&self, operation: &str, why: NotCompared) {
        let mut state = self.state.lock();
        let tally = state.operations.entry(operation.to_owned()).or_default();
        *tally.not_compared.entry(why.as_str()).or_default() += 1;
    }

    /// Counts a comparison; returns unexpected differences that occur for the first time.
    pub(super) fn note(&self, compared: &Comparison<'_>) -> Vec<(String, Kind)> {
        let mut state = self.state.lock();
        let tally = state
            .operations
            .entry(compared.operation.to_owned())
            .or_default();
        tally.compared += 1;
        *tally.verdicts.entry(worst(compared.rows)).or_default() += 1;

        let mut found = Vec::new();
        for row in compared.rows {
            if row.verdict == Verdict::Same {
                continue;
            }
            let field = shortened(&row.field);
            let key = (compared.operation.to_owned(), field.clone());
            if state.fields.len() >= FIELDS && !state.fields.contains_key(&key) {
                state.others += 1;
                continue;
            }
            let tally = state.fields.entry(key).or_insert_with(|| FieldTally {
                operation: compared.operation.to_owned(),
                field: field.clone(),
                verdicts: BTreeMap::new(),
                last: String::new(),
                examples: VecDeque::new(),
            });
            let count = tally.verdicts.entry(row.verdict).or_default();
            *count += 1;
            if row.verdict == Verdict::Unexpected && *count == 1 {
                found.extend(row.kind.map(|kind| (field, kind)));
            }
            compared.at.clone_into(&mut tally.last);
            tally.keep(Example {
                at: compared.at.to_owned(),
                path: shortened(&row.path),
                shadow: shortened(&written(row.old.as_ref())),
                shim: shortened(&written(row.new.as_ref())),
                verdict: row.verdict,
                reason: shortened(&row.reason),
            });
        }
        found
    }
}

impl FieldTally {
    /// Keeps the newest examples of the worst verdict.
    fn keep(&mut self, example: Example) {
        let worst = self.examples.iter().map(|known| known.verdict).max();
        if worst.is_some_and(|worst| example.verdict < worst) {
            return;
        }
        self.examples
            .retain(|known| known.verdict == example.verdict);
        self.examples.push_front(example);
        self.examples.truncate(EXAMPLES);
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

pub(super) fn worst(rows: &[Row]) -> Verdict {
    let verdicts = rows.iter().map(|row| row.verdict);
    verdicts.max().unwrap_or(Verdict::Same)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(field: &str, verdict: Verdict, old: usize) -> Row {
        Row {
            path: field.to_owned(),
            field: field.to_owned(),
            place: None,
            old: Some(json!("x".repeat(old))),
            new: None,
            verdict,
            kind: Some(Kind::Missing),
            reason: String::new(),
        }
    }

    fn note(differences: &Differences, rows: &[Row]) -> usize {
        let comparison = Comparison {
            operation: "user/get",
            at: "2026-11-20T10:00:00Z",
            rows,
        };
        differences.note(&comparison).len()
    }

    #[test]
    fn reports_a_new_difference_once() {
        let differences = Differences::new(0);
        let rows = [
            row("a", Verdict::Unexpected, 1),
            row("b", Verdict::Volatile, 1),
            row("c", Verdict::Same, 1),
        ];
        assert_eq!(note(&differences, &rows), 1);
        assert_eq!(note(&differences, &rows), 0);
        let report = differences.report();
        assert_eq!(report.fields.len(), 2);
        assert_eq!(
            report.operations["user/get"].verdicts[&Verdict::Unexpected],
            2
        );
    }

    #[test]
    fn fields_examples_and_values_are_bounded() {
        let differences = Differences::new(0);
        for number in 0..FIELDS + 10 {
            note(
                &differences,
                &[row(&number.to_string(), Verdict::Unexpected, 10_000)],
            );
        }
        for _ in 0..10 {
            note(&differences, &[row("7", Verdict::Unexpected, 10_000)]);
        }
        let report = differences.report();
        assert_eq!((report.fields.len(), report.others), (FIELDS, 10));
        let most = &report.fields[0];
        assert_eq!((most.field.as_str(), most.examples.len()), ("7", EXAMPLES));
        assert_eq!(most.examples[0].shadow.chars().count(), LENGTH + 1);
    }

    #[test]
    fn keeps_examples_of_the_worst_verdict() {
        let differences = Differences::new(0);
        for verdict in [Verdict::Lossy, Verdict::Unexpected, Verdict::Volatile] {
            note(&differences, &[row("a", verdict, 1)]);
        }
        let field = &differences.report().fields[0];
        let kept: Vec<_> = field.examples.iter().map(|kept| kept.verdict).collect();
        assert_eq!(kept, [Verdict::Unexpected]);
    }
}
