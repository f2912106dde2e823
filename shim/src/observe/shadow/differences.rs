//! The differences found: counts, and the last examples of each field. Bounded and redacted.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use recording::comparison::{Kind, Row, Verdict, written};
use serde::Serialize;

use super::NotCompared;

/// Limit of distinct fields; the shadow may answer with any.
const FIELDS: usize = 2000;

/// Examples of a field.
const EXAMPLES: usize = 3;

/// Characters of a value, a path or a reason.
const LENGTH: usize = 500;

/// Counts what was compared, since a moment.
#[derive(Debug)]
pub struct Differences {
    since: i64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    operations: BTreeMap<String, OperationTally>,
    fields: BTreeMap<(String, String), FieldTally>,
    /// Differences of fields beyond the bound.
    others: u64,
}

/// All that was found, to be shown.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Found {
    /// Milliseconds since 1970.
    #[serde(skip)]
    pub(crate) since: i64,
    pub(crate) operations: BTreeMap<String, OperationTally>,
    /// The worst first, then those that differ most often.
    pub(crate) fields: Vec<FieldTally>,
    /// Differences in fields that are not told apart any more.
    pub(crate) others: u64,
}

/// What came of the requests of an operation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OperationTally {
    /// How many were compared.
    pub compared: u64,
    /// The same by the worst verdict of each.
    pub verdicts: BTreeMap<Verdict, u64>,
    /// How many were not, by reason.
    pub not_compared: BTreeMap<&'static str, u64>,
}

/// What is known of a field that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldTally {
    /// The operation.
    pub operation: String,
    /// The field, `users[].pmi`; what stands in v2 requests begins with `v2 request: `.
    pub field: String,
    /// How often, by verdict.
    pub verdicts: BTreeMap<Verdict, u64>,
    /// When it differed last: RFC 3339, UTC.
    pub last: String,
    /// The last ones, the newest first.
    pub examples: VecDeque<Example>,
}

/// A difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Example {
    /// When the request came: RFC 3339, UTC.
    pub at: String,
    /// Where it stands: `users[kdc1].pmi`.
    pub path: String,
    /// What the shadow has there, as JSON; empty for nothing.
    pub shadow: String,
    /// What this shim has there.
    pub shim: String,
    /// What is thought of it.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
}

/// One comparison.
pub(super) struct Seen<'a> {
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

    /// All that was found so far.
    pub(crate) fn found(&self) -> Found {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut fields: Vec<_> = state.fields.values().cloned().collect();
        fields.sort_by_key(|field| {
            let worst = field.verdicts.last_key_value();
            std::cmp::Reverse(worst.map(|(verdict, count)| (*verdict, *count)))
        });
        Found {
            since: self.since,
            operations: state.operations.clone(),
            fields,
            others: state.others,
        }
    }

    pub(super) fn not_compared(&self, operation: &str, why: NotCompared) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let tally = state.operations.entry(operation.to_owned()).or_default();
        *tally.not_compared.entry(why.as_str()).or_default() += 1;
    }

    /// Counts a comparison; gives the unexpected differences of kinds that were not seen before.
    pub(super) fn note(&self, seen: &Seen<'_>) -> Vec<(String, Kind)> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let tally = state
            .operations
            .entry(seen.operation.to_owned())
            .or_default();
        tally.compared += 1;
        *tally.verdicts.entry(worst(seen.rows)).or_default() += 1;

        let mut found = Vec::new();
        for row in seen.rows {
            if row.verdict == Verdict::Same {
                continue;
            }
            let field = shortened(&row.field);
            let key = (seen.operation.to_owned(), field.clone());
            if state.fields.len() >= FIELDS && !state.fields.contains_key(&key) {
                state.others += 1;
                continue;
            }
            let tally = state.fields.entry(key).or_insert_with(|| FieldTally {
                operation: seen.operation.to_owned(),
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
            seen.at.clone_into(&mut tally.last);
            tally.keep(Example {
                at: seen.at.to_owned(),
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
    /// What is expected does not take the place of what is not.
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
        let seen = Seen {
            operation: "user/get",
            at: "2026-11-20T10:00:00Z",
            rows,
        };
        differences.note(&seen).len()
    }

    #[test]
    fn a_kind_of_difference_is_new_once() {
        let differences = Differences::new(0);
        let rows = [
            row("a", Verdict::Unexpected, 1),
            row("b", Verdict::Volatile, 1),
            row("c", Verdict::Same, 1),
        ];
        assert_eq!(note(&differences, &rows), 1);
        assert_eq!(note(&differences, &rows), 0);
        let found = differences.found();
        assert_eq!(found.fields.len(), 2);
        assert_eq!(
            found.operations["user/get"].verdicts[&Verdict::Unexpected],
            2
        );
    }

    #[test]
    fn what_is_kept_is_bounded() {
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
        let found = differences.found();
        assert_eq!((found.fields.len(), found.others), (FIELDS, 10));
        let most = &found.fields[0];
        assert_eq!((most.field.as_str(), most.examples.len()), ("7", EXAMPLES));
        assert_eq!(most.examples[0].shadow.chars().count(), LENGTH + 1);
    }

    #[test]
    fn the_worst_examples_stay() {
        let differences = Differences::new(0);
        for verdict in [Verdict::Lossy, Verdict::Unexpected, Verdict::Volatile] {
            note(&differences, &[row("a", verdict, 1)]);
        }
        let field = &differences.found().fields[0];
        let kept: Vec<_> = field.examples.iter().map(|kept| kept.verdict).collect();
        assert_eq!(kept, [Verdict::Unexpected]);
    }
}
