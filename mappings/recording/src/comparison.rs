//! Two answers beside each other, through the map: what differs, and whether the catalog explains
//! it.
//!
//! [`pairs`] finds what differs, [`compare`] judges it, [`rehearse`] translates a recorded request
//! again, for writes, which nobody wants to send twice: [`requests`] makes them comparable. What
//! differs between two answers of the same side is [`Noise`].

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
pub use verdict::{compare, explained, unexpected, view};

/// What is thought of a place in both answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
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
    /// From what is best to what is worst.
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
    /// The exchange, or what else names it.
    pub name: String,
    /// The operation, if it is known.
    pub operation: Option<String>,
    /// What the two sides are called.
    pub sides: (String, String),
    /// All places, in the order of the answer.
    pub rows: Vec<Row>,
}

/// One place in two answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Where it stands: `users[kdc1].pmi`.
    pub path: String,
    /// The same for all items of a list: `users[].pmi`.
    pub field: String,
    /// Where it stands on the new side, if that is another shape: `settings:/in_meeting/chat`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What the old side has there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<Value>,
    /// What the new side has there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<Value>,
    /// What is thought of it.
    pub verdict: Verdict,
    /// How both sides differ, if they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// Why the verdict is what it is, in words; empty for `same`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

impl Comparison {
    /// How many places have a verdict.
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

/// A value as it is shown: JSON, without characters that would move or hide what stands around;
/// nothing for no value.
pub fn written(value: Option<&Value>) -> String {
    value.map_or_else(String::new, |value| visible(&value.to_string()))
}

/// A text without characters that would move or hide what stands around: they are escaped. Line
/// breaks too.
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
