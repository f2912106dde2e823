//! Old and new beside each other, through the map: what differs, and whether the catalog explains
//! it.
//!
//! [`json`] finds what differs, [`verdict`] judges a difference between two v1 answers, [`join`]
//! puts a v1 answer beside the v2 documents that it was made from. All of it is data first
//! ([`Comparison`]); [`show`] renders it last.

pub(crate) mod documents;
pub(crate) mod given;
pub(crate) mod join;
pub(crate) mod json;
pub(crate) mod rehearse;
pub(crate) mod replay;
pub(crate) mod rules;
pub(crate) mod show;
pub(crate) mod verdict;

#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use json::Kind;

/// What is thought of a place in both answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// The same name, place and value.
    Same,
    /// Renamed, moved or converted, as the catalog says.
    Mapped,
    /// Not the same, and the catalog names the loss.
    Lossy,
    /// Different each time: a time, a token, a signed URL.
    Volatile,
    /// Expected by a rule, or reviewed and accepted.
    Accepted,
    /// Nothing explains it. Only this fails.
    Unexpected,
}

impl Verdict {
    pub(crate) const ALL: [Self; 6] = [
        Self::Same,
        Self::Mapped,
        Self::Lossy,
        Self::Volatile,
        Self::Accepted,
        Self::Unexpected,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Mapped => "mapped",
            Self::Lossy => "lossy",
            Self::Volatile => "volatile",
            Self::Accepted => "accepted",
            Self::Unexpected => "unexpected",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Two answers, compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Comparison {
    /// The exchange, or what else names it.
    pub(crate) name: String,
    /// The operation, if it is known.
    pub(crate) operation: Option<String>,
    /// What the two sides are called.
    pub(crate) sides: (String, String),
    /// All places, in the order of the answer.
    pub(crate) rows: Vec<Row>,
}

/// One place in two answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    /// Where it stands: `users[kdc1].pmi`.
    pub(crate) path: String,
    /// The same for all items of a list: `users[].pmi`.
    pub(crate) field: String,
    /// Where it stands on the new side, if that is another shape: `settings:/in_meeting/chat`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) place: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) old: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) new: Option<Value>,
    pub(crate) verdict: Verdict,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<Kind>,
    /// Why the verdict is what it is, in words; empty for `same`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) reason: String,
}

impl Comparison {
    pub(crate) fn count(&self, verdict: Verdict) -> usize {
        self.rows
            .iter()
            .filter(|row| row.verdict == verdict)
            .count()
    }

    pub(crate) fn is_expected(&self) -> bool {
        self.count(Verdict::Unexpected) == 0
    }
}
