//! What data cannot express: each behaviour by the name that the data uses.

mod meetings;
mod recurrence;

use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;

use super::Call;
use crate::error::ApiError;
use crate::request::Members;

/// The behaviours of `do`, `prepare` and `from`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Behaviour {
    /// Works out the occurrences of a series and when it is over.
    Recurrence,
    /// Shows, changes or deletes one occurrence if the query names one.
    Occurrence,
    /// Ends a meeting or webinar that is running.
    ChangeStatus,
    /// Adds somebody who registers, approved or not.
    Register,
}

/// What a behaviour leaves to do.
pub(crate) enum Outcome {
    /// What the endpoint's method means.
    Usual,
    /// The object that the answer shows.
    Answer(Value),
    /// The answer itself.
    Response(Response),
}

impl Behaviour {
    /// `do`: in the place of what the method means.
    ///
    /// # Errors
    /// When v2 refuses.
    pub(super) fn run(self, call: &mut Call<'_>) -> Result<Outcome, ApiError> {
        match self {
            Self::Occurrence => recurrence::occurrence(call),
            Self::ChangeStatus => meetings::change_status(call),
            Self::Register => meetings::register(call),
            Self::Recurrence => Ok(Outcome::Usual),
        }
    }

    /// `prepare`: over an object before it is stored.
    ///
    /// # Errors
    /// When the object cannot be.
    pub(super) fn prepare(self, object: &mut Members, call: &Call<'_>) -> Result<(), ApiError> {
        self.seed(object, call.now());
        Ok(())
    }

    /// As [`Behaviour::prepare`] for an object of the seed.
    pub(super) fn seed(self, object: &mut Members, _now: OffsetDateTime) {
        if self == Self::Recurrence {
            recurrence::work_out(object);
        }
    }

    /// `from`: the entries of a list, each with a number that rises.
    ///
    /// # Errors
    /// When v2 refuses.
    pub(super) fn entries(
        self,
        _call: &Call<'_>,
        _range: Option<&(String, String)>,
    ) -> Result<Vec<(u64, Value)>, ApiError> {
        Ok(Vec::new())
    }
}
