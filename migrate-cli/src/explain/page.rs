//! Conversion of pages to documents.

mod field;
mod notifications;
mod operation;
mod overview;
mod topic;

use mappings::fidelity::Fidelity;
use migrate_report::{
    document::{Cell, Row},
    words::count,
};

pub(crate) use field::field;
pub(crate) use notifications::notifications;
pub(crate) use operation::{operation, place};
pub(crate) use overview::overview;
pub(crate) use topic::{errors, words};

use super::{Counts, wording::all_of};

/// Command name shown in documents.
const TOOL: &str = "migrate explain";

/// Fidelity as a colored cell.
fn fidelity(fidelity: Fidelity) -> Cell {
    let word = match fidelity {
        Fidelity::Exact => "exact",
        Fidelity::Lossy => "lossy",
        Fidelity::None => "gone",
    };
    Cell::from(word).toned(word)
}

/// `35 exact, 5 lossy and 1 gone`, without zero counts.
fn counts(counts: Counts) -> String {
    if counts.total() > 0 && counts.exact == counts.total() {
        return "all exact".to_owned();
    }
    let words = [
        (counts.exact, "exact"),
        (counts.lossy, "lossy"),
        (counts.none, "gone"),
    ];
    let words: Vec<_> = words
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    all_of(&words)
}

/// Row for one name, or for several with the same fidelity and reason.
fn fidelity_row(kind: Fidelity, names: &[&str], reason: &str) -> Row {
    match names {
        [name] => Row::new([fidelity(kind), Cell::name(*name), reason.into()]),
        names => Row::new([
            fidelity(kind),
            count(names.len(), "field", "fields").into(),
            reason.into(),
        ])
        .with_below([names.join(", ")]),
    }
}

/// Groups entries by key, in order of first appearance.
pub(crate) fn group_by<E, K: PartialEq>(entries: &[E], key: impl Fn(&E) -> K) -> Vec<Vec<&E>> {
    let mut groups: Vec<Vec<&E>> = Vec::new();
    for entry in entries {
        let same =
            |group: &&mut Vec<&E>| group.first().is_some_and(|first| key(first) == key(entry));
        match groups.iter_mut().find(same) {
            Some(group) => group.push(entry),
            None => groups.push(vec![entry]),
        }
    }
    groups
}
