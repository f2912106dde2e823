//! The usage document: the clients that call v1. The shim serves it at `GET /usage`, and `migrate
//! usage` reads it.
//! One JSON object, versioned by [`FORMAT`]; readers ignore unknown members. It contains names of
//! parameters, but no values and no secrets.

mod ledger;
mod verdict;

use serde::{Deserialize, Serialize};
use time::Date;

pub use ledger::Ledger;
pub use verdict::{Judgement, LIVE_DAYS, Rule, SAFE_DAYS, Verdict};

/// Version of the document; incremented when a member is removed or changes its meaning.
pub const FORMAT: u32 = 1;

/// Name of the group of callers beyond the ledger's limit, and of parameters unknown to v1.
pub const OTHERS: &str = "*";

/// Content of the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// [`FORMAT`].
    pub format: u32,
    /// Time of the document: RFC 3339, UTC.
    pub at: String,
    /// Id of a ledger shared by several shims, whose documents describe the same requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<String>,
    /// Days covered by the ledger.
    pub kept: Kept,
    /// Served requests not yet written to the ledger.
    #[serde(default)]
    pub unwritten: u64,
    /// Brownouts covered by the ledger.
    #[serde(default)]
    pub brownouts: Vec<Brownout>,
    /// Callers by key, address and user agent.
    pub consumers: Vec<Consumer>,
    /// Cursor of the next page, to be sent as `after`; null on the last page.
    #[serde(default)]
    pub next: Option<i64>,
}

/// Days covered by the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Sorted spans of UTC days: first and last day of each.
    pub spans: Vec<(String, String)>,
    /// Days with requests lost because the disk was slow, full or unavailable.
    #[serde(default)]
    pub gaps: Vec<Gap>,
}

/// Brownout: a window in which v1 deliberately returned an error.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Brownout {
    /// Start of the window: RFC 3339, UTC.
    pub begins: String,
    /// End of the window.
    pub ends: String,
    /// First time in the window at which a shim was running.
    pub first: String,
    /// Last time in the window at which a shim was running.
    pub last: String,
    /// Affected keys; all if empty.
    #[serde(default)]
    pub keys: Vec<String>,
    /// Affected operations; all if empty.
    #[serde(default)]
    pub operations: Vec<String>,
}

/// Day with missing requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The day: `2026-11-22`.
    pub day: String,
    /// Number of missing requests.
    pub requests: u64,
}

/// Caller, as far as it can be distinguished.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consumer {
    /// Authenticated key; null for requests rejected before authentication.
    pub key: Option<String>,
    /// Maintainer of the programs with this key, from the shim's settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// IP address of the client, or of the proxy in front of the shim; [`OTHERS`] beyond the limit.
    pub address: String,
    /// `User-Agent`; [`OTHERS`] beyond the limit.
    pub user_agent: String,
    /// The first request: RFC 3339, UTC.
    pub first: String,
    /// The last request.
    pub last: String,
    /// Longest pause between two days with calls, in days.
    #[serde(default)]
    pub longest_pause_days: u32,
    /// Operations by name.
    pub operations: Vec<OperationUse>,
}

/// Requests of one consumer for one operation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationUse {
    /// Operation; null for paths unknown to v1.
    pub operation: Option<String>,
    /// Number of requests by outcome.
    pub outcomes: Outcomes,
    /// The first request: RFC 3339, UTC.
    pub first: String,
    /// The last request.
    pub last: String,
    /// Parameters of the operation that were sent.
    #[serde(default)]
    pub parameters: Vec<ParameterUse>,
    /// Those of the parameters that v2 does not support.
    #[serde(default)]
    pub lossy: Vec<ParameterUse>,
    /// Parameters of other operations, and [`OTHERS`].
    #[serde(default)]
    pub unknown: Vec<ParameterUse>,
}

/// Use of a parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterUse {
    /// Name of the parameter.
    pub name: String,
    /// Number of requests with the parameter in the whole ledger, regardless of the query's filter.
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
    /// Requests during a brownout.
    pub brownout: u64,
}

impl Outcomes {
    /// Total number of requests.
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

/// Reason why a text is not a usage document.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    /// Not JSON, or not of this shape.
    #[error("not what GET /usage answers: {0}")]
    Shape(#[from] serde_json::Error),
    /// Timestamp that does not begin with a date.
    #[error("{0:?} is no day")]
    Day(String),
    /// Another version of the format.
    #[error("of format {0}, and this program reads format {FORMAT}")]
    Format(u32),
}

impl Usage {
    /// Parses a document.
    ///
    /// # Errors
    ///
    /// If the text is not a usage document, or has another [`FORMAT`].
    pub fn read(text: &[u8]) -> Result<Self, UsageError> {
        // Check the version first, because another version may have another shape.
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

    /// Parses one document, or several in lines, as printed by `shim usage`.
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

/// Formats a day: `2026-11-22`.
pub fn day_name(day: Date) -> String {
    day.to_string()
}

/// Parses the day at the beginning of a date or timestamp.
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
    fn days_round_trip() {
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
    fn reads_json_lines_and_pretty_json() {
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
    fn reports_version_before_shape_errors() {
        let told = |text: &str| Usage::read(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(
            told(r#"{"format": 2, "callers": []}"#),
            "of format 2, and this program reads format 1"
        );
        assert!(told("[]").starts_with("not what GET /usage answers"));
        assert!(told(r#"{"format": 1}"#).contains("missing field"));
    }
}
