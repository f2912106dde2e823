//! What the audit reports, and what is known about a finding besides: its advice, its owners, and
//! whether a baseline has it.

mod advice;
pub mod baseline;
pub mod owners;
pub(crate) mod write_up;

use serde::Serialize;

use crate::kind::{Confidence, Kind};

/// One use of v1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// The path from the root, with slashes.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The first column in characters, from 1.
    pub column: usize,
    /// The column after the last character.
    pub end_column: usize,
    /// How many UTF-16 units more than characters stand before the first and the last column.
    #[serde(skip)]
    pub wide: (usize, usize),
    /// What kind of use it is.
    pub kind: Kind,
    /// The rule that found it: `v1-endpoint`.
    pub rule: &'static str,
    /// The v1 operation: `user/custcreate`; null if it is not an operation or not known.
    pub operation: Option<String>,
    /// How sure it is.
    pub confidence: Confidence,
    /// Why it is reported.
    pub reason: String,
    /// The language of the file.
    pub language: &'static str,
    /// The parameters that are given, as far as they can be read off.
    pub parameters: Vec<String>,
    /// What it becomes in v2.
    pub advice: Option<Advice>,
    /// The same for the same text in the same file, wherever it moves to.
    pub fingerprint: String,
    /// The line of the source; a credential's is left out.
    pub excerpt: Option<String>,
    /// Why it does not fail, if it does not.
    pub suppressed: Option<Suppression>,
    /// Who owns the file.
    pub owners: Vec<String>,
}

/// What an operation becomes in v2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// The v2 requests that replace it, in order.
    pub v2: Vec<String>,
    /// The worst of the parameters that are given; of all parameters if none can be read off.
    pub fidelity: &'static str,
    /// The parameters that v2 cannot honour exactly, and why.
    pub lossy: Vec<LossyParameter>,
    /// Whether the shim serves it.
    pub shim: Shim,
    /// True if the operation changes nothing.
    pub read: bool,
    /// What else is worth knowing.
    pub note: Option<String>,
}

/// A parameter that v2 cannot honour exactly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LossyParameter {
    /// The v1 name.
    pub name: String,
    /// Only values above this are not honoured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub above: Option<usize>,
    /// Why.
    pub reason: String,
}

/// Whether the shim serves an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Shim {
    /// Yes.
    Yes,
    /// Yes, but some parameter is lossy.
    Lossy,
    /// Not yet.
    NotYet,
    /// It always answers an error, because v2 has nothing for it.
    Refused,
}

impl Shim {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Lossy => "lossy",
            Self::NotYet => "not_yet",
            Self::Refused => "refused",
        }
    }
}

/// Why a finding does not fail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Suppression {
    /// By a comment in the source or by the baseline.
    pub by: SuppressedBy,
    /// The reason that was given.
    pub reason: Option<String>,
}

/// What suppresses a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SuppressedBy {
    /// A comment beside it.
    Comment,
    /// The baseline.
    Baseline,
    /// It is a base URL that points at the shim already.
    Shim,
}

impl Finding {
    /// True if it fails a run with the strictest setting.
    pub fn counts(&self) -> bool {
        self.kind != Kind::Doc && self.suppressed.is_none()
    }
}
