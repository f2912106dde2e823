//! Compares two v1 answers: what differs, and whether the catalog explains it.
//!
//! [`pairs`] finds the differences and [`compare`] classifies them. Writes cannot be sent twice, so
//! [`rehearse`] translates the recorded request again, and [`requests`] makes the v2 requests
//! comparable. What differs between two answers of the same side is [`Noise`].

mod json;
mod noise;
mod rehearsal;
mod requests;
mod verdict;

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use json::{Kind, Pair, Path, pairs, type_name};
pub use noise::Noise;
pub use rehearsal::{Rehearsed, rehearse, site};
pub use requests::requests;
pub use verdict::{ERROR, compare, explained, is_known_field, unexpected, view};

/// The classification of a place in both answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The same name, place and value.
    Same,
    /// Renamed, moved or converted, as the catalog says.
    Mapped,
    /// A loss that the catalog documents.
    Lossy,
    /// Different in every answer: a time, a token, a signed URL.
    Volatile,
    /// Expected by a rule, or reviewed and accepted.
    Accepted,
    /// Unexplained; the only verdict that fails a comparison.
    Unexpected,
}

impl Verdict {
    /// All verdicts, the best first.
    pub const ALL: [Self; 6] = [
        Self::Same,
        Self::Mapped,
        Self::Lossy,
        Self::Volatile,
        Self::Accepted,
        Self::Unexpected,
    ];

    /// One word.
    pub fn as_str(self) -> &'static str {
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
pub struct Comparison {
    /// The name of the exchange or file.
    pub name: String,
    /// The operation, if known.
    pub operation: Option<String>,
    /// The names of the two sides.
    pub sides: (String, String),
    /// All places, in the order of the answer.
    pub rows: Vec<Row>,
}

/// One place in two answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The path: `users[kdc1].pmi`.
    pub path: String,
    /// The path without item ids: `users[].pmi`.
    pub field: String,
    /// The path on the new side, if that has another shape: `settings:/in_meeting/chat`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The value of the old side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<Value>,
    /// The value of the new side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<Value>,
    /// The verdict.
    pub verdict: Verdict,
    /// The kind of difference, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// The reason for the verdict; empty for `same`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

impl Comparison {
    /// Number of places with this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.rows
            .iter()
            .filter(|row| row.verdict == verdict)
            .count()
    }

    /// True if nothing is unexpected.
    pub fn is_expected(&self) -> bool {
        self.count(Verdict::Unexpected) == 0
    }
}

/// A value as JSON for display, escaped by [`visible`]; empty for no value.
pub fn written(value: Option<&Value>) -> String {
    value.map_or_else(String::new, |value| visible(&value.to_string()))
}

/// Escapes control characters, line breaks, and characters that change the direction or hide text.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        let is_odd = char.is_control()
            || matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        if is_odd {
            out.extend(char.escape_unicode());
        } else {
            out.push(char);
        }
    }
    out
}
