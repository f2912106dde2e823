//! Configuration of a sandbox.

use std::time::Duration;

/// Maximum number of users, seeded and created.
pub const MAX_USERS: usize = 20_000;

/// Properties of the simulated account.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    /// Active users at the start, the account owner among them. At least 1, at most [`MAX_USERS`].
    /// Default 40.
    pub users: usize,
    /// Pagination of lists. Default [`Paging::Both`].
    pub paging: Paging,
    /// Licensed users that the account may have. Default: no limit.
    pub max_paid_users: Option<usize>,
    /// Basic users that the account may have. Default: no limit.
    pub max_basic_users: Option<usize>,
    /// Wording of the error for a reached user limit. Default [`LimitWording::Plain`].
    pub limit_wording: LimitWording,
    /// Users that may have the webinar feature. Default: no limit.
    pub max_webinar_users: Option<usize>,
    /// Users that may have the large-meeting feature. Default: no limit.
    pub max_large_meeting_users: Option<usize>,
    /// Email addresses with an account elsewhere: creating them fails with 1009. Default
    /// `elsewhere@example.net`.
    pub elsewhere: Vec<String>,
    /// Email addresses with an expired invitation (1120). Default `expired@example.com`.
    pub expired_invites: Vec<String>,
    /// Rejected domains (1107). Default `blocked.example.com`.
    pub blocked_domains: Vec<String>,
    /// Allowed domains of new addresses (1116); any if empty, the default.
    pub limited_domains: Vec<String>,
    /// Domains whose users cannot be disassociated (1107). Default `managed.example.com`.
    pub managed_domains: Vec<String>,
    /// Allow `ssoCreate`; 2002 otherwise. Default true.
    pub sso: bool,
    /// Require a special character in passwords (1127). Default false.
    pub special_character_required: bool,
    /// Serve the IM group API; 410 with 4137 otherwise. Default true.
    pub im_groups: bool,
    /// Granular scopes that the app lacks: endpoints that need one answer 4711. Default none.
    pub missing_scopes: Vec<String>,
    /// Lifetime of issued access tokens. Default one hour.
    pub access_token_lifetime: Duration,
    /// Lifetime of page tokens. Default 15 minutes.
    pub page_token_lifetime: Duration,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            users: 40,
            paging: Paging::Both,
            max_paid_users: None,
            max_basic_users: None,
            limit_wording: LimitWording::Plain,
            max_webinar_users: None,
            max_large_meeting_users: None,
            elsewhere: vec!["elsewhere@example.net".to_owned()],
            expired_invites: vec!["expired@example.com".to_owned()],
            blocked_domains: vec!["blocked.example.com".to_owned()],
            limited_domains: Vec::new(),
            managed_domains: vec!["managed.example.com".to_owned()],
            sso: true,
            special_character_required: false,
            im_groups: true,
            missing_scopes: Vec::new(),
            access_token_lifetime: Duration::from_secs(3600),
            page_token_lifetime: Duration::from_secs(15 * 60),
        }
    }
}

/// Pagination of lists. v2 has announced the removal of page numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paging {
    /// `page_number` is supported and `next_page_token` returned.
    Both,
    /// `page_number` is ignored; responses contain neither `page_number` nor `page_count`.
    TokenOnly,
}

/// v2 documents two groups of errors for a full account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitWording {
    /// 2033 for basic users, 2034 for paid ones.
    Plain,
    /// 3412 with the maximum number.
    WithMaximum,
}
