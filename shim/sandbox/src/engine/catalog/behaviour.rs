//! Names of behaviours.

use serde::Deserialize;

/// The behaviours of `do`, `prepare` and `from`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Behaviour {
    /// Computes the occurrences of a series and its end.
    Recurrence,
    /// Shows, changes or deletes the occurrence named by the query, if any.
    Occurrence,
    /// Ends a running meeting or webinar.
    ChangeStatus,
    /// Adds a registrant, approved or pending.
    Register,
    /// Approves, denies or cancels registrants.
    DecideRegistrants,
    AddPanelists,
    /// Groups with their number of members.
    Groups,
    ImGroups,
    ShowGroup,
    /// Removes all members of a group before it is deleted.
    DissolveGroup,
    GroupMembers,
    AddGroupMembers,
    RemoveGroupMember,
    ChangeGroupMember,
    /// Changes a contact group, whose body uses other member names.
    ChangeContactGroup,
    ContactMembers,
    AddContactMembers,
    RemoveContactMembers,
    /// Sets the file sizes of a recording.
    RecordingFiles,
    /// Moves a recording or one of its files to the trash, or deletes it.
    DeleteRecording,
    /// Hosts with their totals in a date range.
    AccountReport,
    /// Days of a month with their totals.
    DailyReport,
    /// Days of a date range.
    Days,
    ChangeAccountOptions,
    ChangeAccountSettings,
    ShowPlans,
    SubscribePlans,
    /// Adds an additional plan.
    AddPlan,
    /// Changes an additional plan.
    ChangePlan,
    ChangeBasePlan,
    ShowBilling,
    ChangeBilling,
}
