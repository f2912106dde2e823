//! The pages as text for people.

mod field;
mod operation;
mod overview;

use mappings::fidelity::Fidelity;

pub(crate) use field::field;
pub(crate) use operation::operation;
pub(crate) use overview::overview;

use super::Counts;
use crate::sheet::{alarm, caution, fine};

/// The word for a fidelity, in its colour.
fn fidelity(fidelity: Fidelity) -> String {
    match fidelity {
        Fidelity::Exact => fine("exact"),
        Fidelity::Lossy => caution("lossy"),
        Fidelity::None => alarm("gone"),
    }
}

/// `35 exact · 5 lossy · 1 gone`, without what there is none of.
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
