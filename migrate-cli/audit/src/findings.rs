//! Findings, with their advice, owners and baseline.

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
    /// Number of characters before the first and the last column that take two UTF-16 units.
    #[serde(skip)]
    pub wide: (usize, usize),
    /// Its kind.
    pub kind: Kind,
    /// The rule that found it: `v1-endpoint`.
    pub rule: &'static str,
    /// The v1 operation: `user/custcreate`, or a path below v1's base URL that is no operation of
    /// the catalog; null for other findings.
    pub operation: Option<String>,
    /// Its confidence.
    pub confidence: Confidence,
    /// The reason for the report.
    pub reason: String,
    /// The language of the file.
    pub language: &'static str,
    /// The parameters of the call, as far as they are in the code.
    pub parameters: Vec<String>,
    /// The v2 replacement.
    pub advice: Option<Advice>,
    /// Hash that stays the same when the line moves within the file.
    pub fingerprint: String,
    /// The source line; `None` for a credential.
    pub excerpt: Option<String>,
    /// Set if the finding does not fail a run.
    pub suppressed: Option<Suppression>,
    /// The owners of the file.
    pub owners: Vec<String>,
}

/// The v2 replacement of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// The v2 requests that replace it, in order.
    pub v2: Vec<String>,
    /// The scopes of the calls that the shim makes for it, and the program later.
    pub scopes: Vec<String>,
    /// Worst fidelity of the given parameters; of all parameters if none is known.
    pub fidelity: &'static str,
    /// Parameters that v2 does not support exactly.
    pub lossy: Vec<LossyParameter>,
    /// Support in the shim.
    pub shim: Shim,
    /// Why v1 refused the request as it is written, and the shim does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<&'static str>,
    /// True if the operation changes nothing.
    pub read: bool,
    /// A note in the catalog.
    pub note: Option<String>,
}

/// A parameter that v2 does not support exactly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LossyParameter {
    /// The v1 name.
    pub name: String,
    /// Values up to this one are supported exactly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub above: Option<usize>,
    /// Texts up to this many characters are supported exactly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longer_than: Option<usize>,
    /// The reason.
    pub reason: String,
}

impl LossyParameter {
    /// The name, with the values that are not exact: `page_size above 30`.
    pub fn condition(&self) -> String {
        match (self.above, self.longer_than) {
            (Some(most), _) => format!("{} above {most}", self.name),
            (_, Some(most)) => format!("{} above {most} characters", self.name),
            _ => self.name.clone(),
        }
    }
}

/// Support of an operation in the shim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Shim {
    /// Yes.
    Yes,
    /// Yes, but some parameter is lossy.
    Lossy,
    /// Not yet.
    NotYet,
    /// It always returns an error, because v2 has no replacement.
    Refused,
    /// It returns an error, because the path is no operation of v1 that the catalog knows.
    Unknown,
}

impl Shim {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Lossy => "lossy",
            Self::NotYet => "not_yet",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }
}

/// A suppression of a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Suppression {
    /// Its origin.
    pub by: SuppressedBy,
    /// The reason in the comment or baseline.
    pub reason: Option<String>,
}

/// Origin of a suppression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SuppressedBy {
    /// A comment beside it.
    Comment,
    /// The baseline.
    Baseline,
    /// The base URL already points to the shim.
    Shim,
}

impl Finding {
    /// The ecosystem and the package of a client library's dependency or import.
    pub fn library(&self) -> Option<(&str, &str)> {
        let is_library = matches!(self.kind, Kind::Dependency | Kind::SdkImport);
        match self.parameters.as_slice() {
            [package, ecosystem] if is_library => Some((ecosystem, package)),
            _ => None,
        }
    }

    /// True if the shim answers the call with an error.
    pub fn fails_at_shim(&self) -> bool {
        self.advice.as_ref().is_some_and(|advice| {
            matches!(advice.shim, Shim::NotYet | Shim::Refused | Shim::Unknown)
        })
    }

    /// True if the finding fails a run with the strictest setting.
    pub fn counts(&self) -> bool {
        self.kind != Kind::Doc && self.suppressed.is_none()
    }

    /// The origin of its suppression, if it is suppressed.
    pub(crate) fn suppressed_by(&self) -> Option<SuppressedBy> {
        self.suppressed.as_ref().map(|suppression| suppression.by)
    }
}
