//! Who calls v1, as the shim's `GET /usage` says it and `migrate usage` reads it.
//!
//! One JSON object, versioned by [`FORMAT`]; what reads it passes over members that it does not
//! know. Names only: there is no value of a parameter in it, and no secret.

use serde::{Deserialize, Serialize};
use time::Date;

/// The version of the document; it changes when a member changes its meaning or goes away.
pub const FORMAT: u32 = 1;

/// Stands for what is not told apart: callers beyond the bound of the ledger, and parameters whose
/// names v1 never had.
pub const OTHERS: &str = "*";

/// What the ledger knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// [`FORMAT`].
    pub format: u32,
    /// When this was read off: RFC 3339, UTC.
    pub at: String,
    /// The days on which the ledger was kept.
    pub kept: Kept,
    /// Requests that were served and could not be written down yet.
    #[serde(default)]
    pub unwritten: u64,
    /// Who calls, by key, address and user agent.
    pub consumers: Vec<Consumer>,
    /// What to give as `after` for the consumers behind these; null at the end.
    #[serde(default)]
    pub next: Option<i64>,
}

/// When the ledger was kept: of other days it knows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Spans of days (UTC), the first and the last of each, in order.
    pub spans: Vec<(String, String)>,
    /// Days on which requests were not written down, because the disk was slow, full or gone.
    #[serde(default)]
    pub gaps: Vec<Gap>,
}

/// A day on which not everything was written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The day: `2026-11-22`.
    pub day: String,
    /// How many requests are missing.
    pub requests: u64,
}

/// One program, as far as it can be told from others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consumer {
    /// The key that it proved to own; null for requests that were refused before that.
    pub key: Option<String>,
    /// Its address, or that of the server in front of the shim; [`OTHERS`] beyond the bound.
    pub address: String,
    /// What it says of itself; [`OTHERS`] beyond the bound.
    pub user_agent: String,
    /// The first request: RFC 3339, UTC.
    pub first: String,
    /// The last request.
    pub last: String,
    /// The most days that passed between two days on which it called.
    #[serde(default)]
    pub longest_pause_days: u32,
    /// What it calls, by name.
    pub operations: Vec<OperationUse>,
}

/// The requests of one consumer for one operation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationUse {
    /// The operation; null for paths that v1 did not have.
    pub operation: Option<String>,
    /// How they ended.
    pub outcomes: Outcomes,
    /// The first request: RFC 3339, UTC.
    pub first: String,
    /// The last request.
    pub last: String,
    /// The parameters that came and that the operation knows.
    #[serde(default)]
    pub parameters: Vec<ParameterUse>,
    /// Those of them that v2 could not honour.
    #[serde(default)]
    pub lossy: Vec<ParameterUse>,
    /// Parameters of other operations, and [`OTHERS`].
    #[serde(default)]
    pub unknown: Vec<ParameterUse>,
}

/// A parameter that came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterUse {
    /// The name.
    pub name: String,
    /// In how many requests, of all that the ledger has, whatever was asked for.
    pub requests: u64,
}

/// How requests ended, in numbers of requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Outcomes {
    /// With what the client wanted.
    pub answered: u64,
    /// With an error that is the caller's.
    pub error: u64,
    /// The operation is not served.
    pub not_served: u64,
    /// Before it came to the operation.
    pub refused: u64,
    /// With an error that is v2's or the shim's trouble.
    pub trouble: u64,
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
        } = *self;
        [answered, error, not_served, refused, trouble]
            .into_iter()
            .fold(0, u64::saturating_add)
    }

    /// Takes others in.
    pub fn add(&mut self, other: &Self) {
        for (sum, more) in [
            (&mut self.answered, other.answered),
            (&mut self.error, other.error),
            (&mut self.not_served, other.not_served),
            (&mut self.refused, other.refused),
            (&mut self.trouble, other.trouble),
        ] {
            *sum = sum.saturating_add(more);
        }
    }
}

/// Why a text is no usage document.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    /// Not JSON, or not of this shape.
    #[error("not what GET /usage answers: {0}")]
    Shape(#[from] serde_json::Error),
    /// Of another version.
    #[error("of format {0}, and this program reads format {FORMAT}")]
    Format(u32),
}

impl Usage {
    /// Reads a document.
    ///
    /// # Errors
    ///
    /// If it is none, or one of another format.
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
}

/// A day as documents have it.
pub fn day_name(day: Date) -> String {
    format!(
        "{:04}-{:02}-{:02}",
        day.year(),
        u8::from(day.month()),
        day.day()
    )
}

/// Reads a day, or the day of a moment; `None` if the text begins with none.
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
