//! The names of behaviours: code for what data cannot express.

use serde::Deserialize;

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
    /// Adds a registrant, approved or not.
    Register,
    /// Approves, denies or cancels registrants.
    DecideRegistrants,
    AddPanelists,
    /// Groups with the number of their members.
    Groups,
    ImGroups,
    ShowGroup,
    /// Deletes a group whose members are taken out first.
    DissolveGroup,
    GroupMembers,
    AddGroupMembers,
    RemoveGroupMember,
    ChangeGroupMember,
    /// Changes a contact group, whose members have other names in changes.
    ChangeContactGroup,
    ContactMembers,
    AddContactMembers,
    RemoveContactMembers,
    /// Gives the files of a recording their sizes.
    RecordingFiles,
    /// Moves a recording, or one of its files, to the trash or deletes it.
    DeleteRecording,
    /// Hosts with what they held in a range of days.
    AccountReport,
    /// The days of a month with what was held on them.
    DailyReport,
    /// The days of a range.
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
