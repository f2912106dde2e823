//! Parses the response of one attempt.

use std::time::{Duration, SystemTime};

use hyper::{StatusCode, header::RETRY_AFTER};
use mappings::{Document, Outcome};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::http::{Answer, HttpError};

/// Result of one attempt.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Attempt {
    /// Response; final, unless the call is a read worth retrying.
    Answered(Outcome),
    /// No response.
    Failed {
        /// False if v2 certainly has not received the request.
        sent: bool,
    },
    /// Status 429.
    Limited {
        /// Requested wait; `None` if unreadable.
        after: Option<Duration>,
    },
    /// Status 401: invalid or expired token.
    Unauthorized,
}

/// Default wait, because v2's shortest limits are per second.
const WAIT: Duration = Duration::from_secs(1);

impl Attempt {
    pub(super) fn from_error(error: &HttpError) -> Self {
        Self::Failed {
            sent: error.may_have_left(),
        }
    }
}

/// Reads a response of at most `limit` bytes.
pub(super) async fn read(mut answer: Answer, limit: usize) -> Attempt {
    let status = answer.status;
    match status {
        StatusCode::UNAUTHORIZED => return Attempt::Unauthorized,
        StatusCode::TOO_MANY_REQUESTS => {
            return Attempt::Limited {
                after: retry_after(&answer),
            };
        }
        _ => {}
    }
    let unreadable = Attempt::Answered(Outcome::Unreadable {
        status: status.as_u16(),
    });
    if status.is_redirection() || answer.length() > Some(limit as u64) {
        return unreadable;
    }

    let announced = answer.length().unwrap_or_default();
    let mut body = Vec::with_capacity(usize::try_from(announced).unwrap_or_default());
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > limit => return unreadable,
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(_) => return Attempt::Failed { sent: true },
        }
    }
    let body = if body.trim_ascii().is_empty() {
        None
    } else {
        match Document::read(body) {
            Ok(document) => Some(document),
            Err(_) => return unreadable,
        }
    };
    Attempt::Answered(Outcome::Answered {
        status: status.as_u16(),
        body,
    })
}

fn retry_after(answer: &Answer) -> Option<Duration> {
    match answer.headers.get(RETRY_AFTER) {
        None => Some(WAIT),
        Some(value) => pause(value.to_str().ok()?),
    }
}

/// Parses `Retry-After`, in seconds or as a date.
pub(super) fn pause(text: &str) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // Saturate on overflow.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    date(text).map(until)
}

/// v2's daily limits name a date, in its documentation as `2023-06-14T00:00:00Z`.
fn date(text: &str) -> Option<SystemTime> {
    let iso = OffsetDateTime::parse(text, &Rfc3339).map(SystemTime::from);
    iso.ok().or_else(|| httpdate::parse_http_date(text).ok())
}

/// Time until a date; at least the default, because clocks differ.
fn until(date: SystemTime) -> Duration {
    let wait = date.duration_since(SystemTime::now());
    wait.unwrap_or_default().max(WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_seconds_of_any_length() {
        let longest = Duration::from_secs(u64::MAX);
        assert_eq!(pause(" 7 "), Some(Duration::from_secs(7)));
        assert_eq!(pause("18446744073709551615"), Some(longest));
        assert_eq!(pause(&"9".repeat(500)), Some(longest));
        for text in ["", "-1", "1.5", "1e9", "soon"] {
            assert_eq!(pause(text), None, "{text}");
        }
        for text in [
            "9999-12-31T23:59:59Z",
            "0001-01-01T00:00:00Z",
            "Fri, 31 Dec 9999 23:59:59 GMT",
        ] {
            assert!(pause(text) >= Some(WAIT), "{text}");
        }
    }

    #[test]
    fn parses_both_date_formats() {
        let tomorrow = date("2030-01-01T00:00:00Z").unwrap();
        assert_eq!(date("Tue, 01 Jan 2030 00:00:00 GMT"), Some(tomorrow));
        assert_eq!(date("tomorrow"), None);
        assert!(until(tomorrow) > WAIT);
        assert_eq!(until(SystemTime::UNIX_EPOCH), WAIT);
    }
}
