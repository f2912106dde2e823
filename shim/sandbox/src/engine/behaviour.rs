//! Behaviours: code for endpoints that data cannot express, by their names in the data.

mod accounts;
mod contacts;
mod groups;
mod media;
mod meetings;
pub(crate) mod recordings;
mod recurrence;
mod reports;

use serde_json::Value;

use super::Call;
use super::catalog::Behaviour;
use crate::error::ApiError;
use crate::request::Members;

pub(super) use meetings::start;

/// The result of a behaviour.
pub(crate) enum Outcome {
    /// Fall back to the method's default.
    Default,
    /// Object shown in the response.
    Answer(Value),
}

impl Behaviour {
    /// Runs a behaviour of `do` instead of the method's default.
    ///
    /// # Errors
    ///
    /// If v2 rejects the request.
    pub(super) fn run(self, call: &mut Call<'_>) -> Result<Outcome, ApiError> {
        match self {
            Self::Occurrence => recurrence::occurrence(call),
            Self::ChangeStatus => Ok(meetings::change_status(call)),
            Self::Register => meetings::register(call),
            Self::DecideRegistrants => meetings::change_registrants(call),
            Self::AddPanelists => meetings::add_panelists(call),
            Self::ShowGroup => Ok(groups::show(call)),
            Self::DissolveGroup => Ok(groups::remove_all_members(call)),
            Self::AddGroupMembers => Ok(groups::add(call)),
            Self::RemoveGroupMember => groups::remove(call),
            Self::ChangeGroupMember => groups::change(call),
            Self::ChangeContactGroup => Ok(contacts::change(call)),
            Self::AddContactMembers => Ok(contacts::add(call)),
            Self::RemoveContactMembers => contacts::remove(call),
            Self::DeleteRecording => recordings::delete(call),
            Self::ChangeAccountOptions => accounts::change(call, "options"),
            Self::ChangeAccountSettings => accounts::change(call, "_settings"),
            Self::ShowPlans => Ok(accounts::show(call, "_plans")),
            Self::SubscribePlans => accounts::subscribe(call),
            Self::AddPlan => accounts::additional(call, true),
            Self::ChangePlan => accounts::additional(call, false),
            Self::ChangeBasePlan => accounts::change_base(call),
            Self::ShowBilling => Ok(accounts::show(call, "_billing")),
            Self::ChangeBilling => accounts::change(call, "_billing"),
            _ => Ok(Outcome::Default),
        }
    }

    /// Runs a behaviour of `prepare` on an object before it is stored.
    pub(super) fn prepare(self, object: &mut Members) {
        match self {
            Self::Recurrence => recurrence::update_occurrences(object),
            Self::RecordingFiles => recordings::measure(object),
            _ => {}
        }
    }

    /// Runs a behaviour of `from`: list entries with ascending numbers.
    ///
    /// # Errors
    ///
    /// If v2 rejects the request.
    pub(super) fn entries(
        self,
        call: &Call<'_>,
        range: Option<&(String, String)>,
    ) -> Result<Vec<(u64, Value)>, ApiError> {
        match self {
            Self::Groups => Ok(groups::all(call, "groups")),
            Self::ImGroups => Ok(groups::all(call, "im_groups")),
            Self::GroupMembers => Ok(groups::members(call)),
            Self::ContactMembers => Ok(contacts::members(call)),
            Self::AccountReport => Ok(reports::by_host(call, range)),
            Self::DailyReport => reports::by_day(call),
            Self::Days => Ok(reports::days(range)),
            _ => Ok(Vec::new()),
        }
    }
}
