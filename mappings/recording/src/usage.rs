//! The usage document: which clients call v1. The shim serves it at `GET /usage`, and `migrate usage`
//! reads it.
//!
//! One JSON object, versioned by [`FORMAT`]; readers ignore members that they do not know. It has names
//! of parameters, but no values and no secrets.

mod ledger;
mod verdict;

use serde::{Deserialize, Serialize};
use time::Date;

pub use ledger::Ledger;
pub use verdict::{Judgement, LIVE_DAYS, Rule, SAFE_DAYS, Verdict};

/// The version of the document; incremented when a member is removed or changes its meaning.
pub const FORMAT: u32 = 1;

/// Groups what is not counted separately: callers beyond the limit of the ledger, and parameters that
/// v1 never had.
pub const OTHERS: &str = "*";

/// The content of the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// [`FORMAT`].
    pub format: u32,
    /// Time of the document: RFC 3339, UTC.
    pub at: String,
    /// Names a ledger that several shims write: their documents are of the same requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<String>,
    /// The days that the ledger covers.
    pub kept: Kept,
    /// Served requests that are not written to the ledger yet.
    #[serde(default)]
    pub unwritten: u64,
    /// The brownouts that the ledger covers.
    #[serde(default)]
    pub brownouts: Vec<Brownout>,
    /// The callers by key, address and user agent.
    pub consumers: Vec<Consumer>,
    /// The cursor for the next page, to be sent as `after`; null on the last page.
    #[serde(default)]
    pub next: Option<i64>,
}

/// The days that the ledger covers; nothing is known of others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Ranges of days (UTC) in order: the first and the last day of each.
    pub spans: Vec<(String, String)>,
    /// Days with requests that are missing because the disk was slow, full or gone.
    #[serde(default)]
    pub gaps: Vec<Gap>,
}

/// A window in which v1 answered an error on purpose, as far as the ledger was kept in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Brownout {
    /// The beginning of the window: RFC 3339, UTC.
    pub begins: String,
    /// Its end.
    pub ends: String,
    /// The first moment of it at which a shim was running.
    pub first: String,
    /// The last such moment.
    pub last: String,
    /// The keys concerned; all if empty.
    #[serde(default)]
    pub keys: Vec<String>,
    /// The operations concerned; all if empty.
    #[serde(default)]
    pub operations: Vec<String>,
}

/// A day with missing requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The day: `2026-11-22`.
    pub day: String,
    /// Number of missing requests.
    pub requests: u64,
}

/// One caller, as far as it can be distinguished.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consumer {
    /// The key that it authenticated with; null for requests rejected before that.
    pub key: Option<String>,
    /// Who maintains the programs with this key, if the settings of the shim say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Its address, or that of the proxy in front of the shim; [`OTHERS`] beyond the limit.
    pub address: String,
    /// Its `User-Agent`; [`OTHERS`] beyond the limit.
    pub user_agent: String,
    /// The first request: RFC 3339, UTC.
    pub first: String,
    /// The last request.
    pub last: String,
    /// The longest pause between two days with calls, in days.
    #[serde(default)]
    pub longest_pause_days: u32,
    /// Its operations by name.
    pub operations: Vec<OperationUse>,
}

/// The requests of one consumer for one operation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationUse {
    /// The operation; null for paths that v1 did not have.
    pub operation: Option<String>,
    /// Their outcomes.
    pub outcomes: Outcomes,
    /// The first request: RFC 3339, UTC.
    pub first: String,
    /// The last request.
    pub last: String,
    /// The parameters of the operation that were sent.
    #[serde(default)]
    pub parameters: Vec<ParameterUse>,
    /// The parameters among them that v2 does not support.
    #[serde(default)]
    pub lossy: Vec<ParameterUse>,
    /// Parameters of other operations, and [`OTHERS`].
    #[serde(default)]
    pub unknown: Vec<ParameterUse>,
}

/// A parameter that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterUse {
    /// The name.
    pub name: String,
    /// Number of requests with it in the whole ledger, regardless of the filter of the query.
    pub requests: u64,
}

/// Numbers of requests by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Outcomes {
    /// Successful requests.
    pub answered: u64,
    /// Errors caused by the client.
    pub error: u64,
    /// The operation is not served.
    pub not_served: u64,
    /// Requests rejected before the operation was known.
    pub refused: u64,
    /// Errors caused by v2 or the shim.
    pub trouble: u64,
    /// Requests in a brownout, while v1 was off on purpose.
    pub brownout: u64,
}

impl Outcomes {
    /// All requests.
    pub fn total(&self) -> u64 {
        let Self {
            answered,
            error,
            not_served,
            refused,
            trouble,
            brownout,
        } = *self;
        [answered, error, not_served, refused, trouble, brownout]
            .into_iter()
            .fold(0, u64::saturating_add)
    }

    /// Adds other counts.
    pub fn add(&mut self, other: &Self) {
        for (sum, more) in [
            (&mut self.answered, other.answered),
            (&mut self.error, other.error),
            (&mut self.not_served, other.not_served),
            (&mut self.refused, other.refused),
            (&mut self.trouble, other.trouble),
            (&mut self.brownout, other.brownout),
        ] {
            *sum = sum.saturating_add(more);
        }
    }
}

/// Why a text could not be read as a usage document.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    /// Not JSON, or not of this shape.
    #[error("not what GET /usage answers: {0}")]
    Shape(#[from] serde_json::Error),
    /// A moment that does not begin with a day.
    #[error("{0:?} is no day")]
    Day(String),
    /// Another version of the format.
    #[error("of format {0}, and this program reads format {FORMAT}")]
    Format(u32),
}

impl Usage {
    /// Reads a document.
    ///
    /// # Errors
    ///
    /// If the text is not a usage document, or has another [`FORMAT`].
    pub fn read(text: &[u8]) -> Result<Self, UsageError> {
        // The version first: another one may have another shape.
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let Version { format } = serde_json::from_slice(text)?;
        if format != FORMAT {
            return Err(UsageError::Format(format));
        }
        Ok(serde_json::from_slice(text)?)
    }

    /// Reads one document, or several with a line each, as `shim usage` prints them.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub fn read_all(text: &[u8]) -> Result<Vec<Self>, UsageError> {
        let lines = text.split(|byte| *byte == b'\n');
        let mut lines = lines
            .filter(|line| !line.trim_ascii().is_empty())
            .peekable();
        match lines.peek().map(|line| Self::read(line)) {
            Some(Ok(_)) => lines.map(Self::read).collect(),
            _ => Self::read(text).map(|document| vec![document]),
        }
    }
}

/// The form of a day in the document: `2026-11-22`.
pub fn day_name(day: Date) -> String {
    format!(
        "{:04}-{:02}-{:02}",
        day.year(),
        u8::from(day.month()),
        day.day()
    )
}

/// Reads the day at the beginning of a date or time; `None` if there is none.
pub fn day_of(text: &str) -> Option<Date> {
    let (year, rest) = text.get(..10)?.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    let month = month.parse::<u8>().ok()?.try_into().ok()?;
    Date::from_calendar_date(year.parse().ok()?, month, day.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_as_they_are_written() {
        for text in ["2026-11-22", "2024-02-29"] {
            assert_eq!(day_of(text).map(day_name).as_deref(), Some(text));
        }
        assert_eq!(day_of("2026-11-22T10:00:00Z"), day_of("2026-11-22"));
        for wrong in [
            "",
            "2026-11",
            "2026-13-01",
            "2025-02-29",
            "2026/11/22",
            "yesterday!",
        ] {
            assert_eq!(day_of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn documents_are_read_from_a_line_each_or_from_many_lines() {
        let usage = Usage {
            format: FORMAT,
            ..Usage::default()
        };
        let line = serde_json::to_string(&usage).unwrap();
        let two = format!("{line}\n{line}\n");
        let read = |text: &str| Usage::read_all(text.as_bytes()).unwrap().len();
        assert_eq!(read(&two), 2);
        assert_eq!(read(&serde_json::to_string_pretty(&usage).unwrap()), 1);
        assert!(Usage::read_all(format!("{line}\n{{}}").as_bytes()).is_err());
        assert!(Usage::read_all(b"").is_err());
    }

    #[test]
    fn another_version_is_told_before_its_shape() {
        let told = |text: &str| Usage::read(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(
            told(r#"{"format": 2, "callers": []}"#),
            "of format 2, and this program reads format 1"
        );
        assert!(told("[]").starts_with("not what GET /usage answers"));
        assert!(told(r#"{"format": 1}"#).contains("missing field"));
    }
}
