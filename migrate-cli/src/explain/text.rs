//! The pages as text for people.

mod answer;
mod calls;
mod errors;
mod field;
mod notifications;
mod operation;
mod overview;
mod parameters;

use mappings::fidelity::Fidelity;

pub(crate) use field::field;
pub(crate) use notifications::notifications;
pub(crate) use operation::operation;
pub(crate) use overview::overview;
pub(crate) use parameters::place;

use super::{Counts, wording::counted};
use migrate_report::sheet::{Row, alarm, caution, fine};

/// The word for a fidelity, in its colour.
fn fidelity(fidelity: Fidelity) -> String {
    match fidelity {
        Fidelity::Exact => fine("exact"),
        Fidelity::Lossy => caution("lossy"),
        Fidelity::None => alarm("gone"),
    }
}

/// `35 exact · 5 lossy · 1 gone`, without zero counts.
fn counts(counts: Counts) -> String {
    if counts.total() > 0 && counts.exact == counts.total() {
        return fine("all exact");
    }
    let words = [
        (counts.exact, fine("exact")),
        (counts.lossy, caution("lossy")),
        (counts.none, alarm("gone")),
    ];
    let words: Vec<_> = words
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    words.join(" · ")
}

/// Several fields with the same fate.
fn group_row(kind: Fidelity, reason: Option<&str>, names: &[&str]) -> Row {
    let title = format!(
        "{}: {}",
        counted(names.len(), "field"),
        reason.unwrap_or_default()
    );
    Row {
        cells: vec![fidelity(kind), title],
        below: vec![names.join(", ")],
    }
}
