//! Compares two v1 responses and classifies the differences by the catalog.
//! [`pairs`] finds the differences and [`compare`] classifies them. Writes cannot be sent twice, so
//! [`rehearse`] translates the recorded request again, and [`requests`] makes the v2 requests
//! comparable. Differences between two responses of the same side are [`Noise`].

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

/// Classification of a value in both responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Equal name, place and value.
    Same,
    /// Renamed, moved or converted according to the catalog.
    Mapped,
    /// A loss that the catalog documents.
    Lossy,
    /// Different in every response: a timestamp, a token, a signed URL.
    Volatile,
    /// Expected by a rule, or reviewed and accepted.
    Accepted,
    /// Unexplained; the only verdict that fails a comparison.
    Unexpected,
}

impl Verdict {
    /// All verdicts, best first.
    pub const ALL: [Self; 6] = [
        Self::Same,
        Self::Mapped,
        Self::Lossy,
        Self::Volatile,
        Self::Accepted,
        Self::Unexpected,
    ];

    /// Identifier.
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

/// Comparison of two responses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Name of the exchange or file.
    pub name: String,
    /// Operation, if known.
    pub operation: Option<String>,
    /// Names of the two sides.
    pub sides: (String, String),
    /// All values in response order.
    pub rows: Vec<Row>,
}

/// Value in two responses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Path: `users[kdc1].pmi`.
    pub path: String,
    /// Path without item ids: `users[].pmi`.
    pub field: String,
    /// Path on the new side, if its shape differs: `settings:/in_meeting/chat`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Old value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<Value>,
    /// New value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<Value>,
    /// Classification.
    pub verdict: Verdict,
    /// Kind of difference, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// Reason for the verdict; empty for `same`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

impl Comparison {
    /// Number of values with this verdict.
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

/// Value as JSON for display, escaped by [`visible`]; empty for `None`.
pub fn written(value: Option<&Value>) -> String {
    value.map_or_else(String::new, |value| visible(&value.to_string()))
}

/// Escapes control characters, line breaks, and characters that hide text or change its direction.
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
