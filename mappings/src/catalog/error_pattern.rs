//! Patterns for v2 errors.

use serde::Deserialize;

use super::one_or_many;

/// Pattern for v2 errors; all set members must match.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorPattern {
    /// HTTP status; any if `None`.
    pub status: Option<u16>,
    /// v2 error codes; any if empty.
    #[serde(rename = "code", default, deserialize_with = "one_or_many::read")]
    pub codes: Vec<i64>,
    /// Substring of v2's message.
    pub message: Option<String>,
    /// Matches only errors that name the rejected fields.
    #[serde(default)]
    pub fields: bool,
}

impl ErrorPattern {
    /// True if the error matches.
    pub(crate) fn fits(
        &self,
        status: Option<u16>,
        code: Option<i64>,
        message: &str,
        has_fields: bool,
    ) -> bool {
        let part = self.message.as_ref();
        self.status.is_none_or(|wanted| status == Some(wanted))
            && (self.codes.is_empty() || code.is_some_and(|code| self.codes.contains(&code)))
            && part.is_none_or(|part| message.contains(part))
            && (!self.fields || has_fields)
    }

    /// True if every error that matches `other` also matches `self`.
    pub(super) fn covers(&self, other: &Self) -> bool {
        (self.status.is_none() || self.status == other.status)
            && (self.codes.is_empty()
                || (!other.codes.is_empty()
                    && other.codes.iter().all(|code| self.codes.contains(code))))
            && match (&self.message, &other.message) {
                (None, _) => true,
                (Some(mine), Some(theirs)) => theirs.contains(mine),
                (Some(_), None) => false,
            }
            && (!self.fields || other.fields)
    }

    /// True if every error matches.
    pub(super) fn is_any(&self) -> bool {
        self.covers(&Self::default())
    }
}
