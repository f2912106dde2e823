//! A user of the account and its JSON documents.

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::calendar::timestamp;
use super::request::{Members, Typed as _};
use super::role::Role;
use super::{ACCOUNT_ID, rules};

/// Base of user links; nothing is served there.
const WEB: &str = "https://zoom.example.com";

/// Plan types of v2.
pub(crate) mod plan {
    pub(crate) const BASIC: i64 = 1;
    pub(crate) const LICENSED: i64 = 2;
    pub(crate) const WITHOUT_MEETINGS: i64 = 4;
    pub(crate) const NONE: i64 = 99;
}

/// Login types of v2 that the sandbox distinguishes.
pub(crate) mod login {
    pub(crate) const API: i64 = 99;
    pub(crate) const PASSWORD: i64 = 100;
    pub(crate) const SSO: i64 = 101;
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    #[default]
    Active,
    Inactive,
    Pending,
}

impl Status {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Pending => "pending",
        }
    }
}

/// User who may schedule for another.
#[derive(Debug, Clone)]
pub(crate) struct Assistant {
    pub(crate) id: String,
    pub(crate) manages_private_events: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) email: String,
    /// See [`plan`].
    pub(crate) plan: i64,
    pub(crate) status: Status,
    pub(crate) role: Role,
    /// See [`login`].
    pub(crate) login_types: Vec<i64>,
    pub(crate) pmi: i64,
    pub(crate) host_key: Option<String>,
    pub(crate) vanity_name: Option<String>,
    pub(crate) employee_unique_id: Option<String>,
    pub(crate) password: Option<SecretString>,
    /// Identifies an uploaded picture; its bytes are not stored.
    pub(crate) picture: Option<u64>,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) last_login: Option<(OffsetDateTime, String)>,
    pub(crate) groups: Vec<String>,
    pub(crate) im_groups: Vec<String>,
    pub(crate) assistants: Vec<Assistant>,
    /// Members stored and returned unchanged.
    pub(crate) profile: Members,
    /// Differences from the default settings, by document.
    pub(crate) settings: Members,
    /// Number of revocations, so that a new ZAK differs from a revoked one.
    pub(crate) token_generation: u32,
}

impl User {
    pub(crate) fn is_pending(&self) -> bool {
        self.status == Status::Pending
    }

    pub(crate) fn is_admin(&self) -> bool {
        self.role != Role::Member
    }

    pub(crate) fn is_licensed(&self) -> bool {
        self.plan == plan::LICENSED
    }

    pub(crate) fn is_api_user(&self) -> bool {
        self.login_types.contains(&login::API)
    }

    /// Text of the profile; empty if absent.
    pub(crate) fn text(&self, member: &str) -> &str {
        self.profile.text(member).unwrap_or_default()
    }

    /// Response of `GET /users/{userId}`. For pending users, v2 returns the current time as
    /// creation time; the sandbox returns the time of the invitation, to be reproducible.
    pub(crate) fn document(&self) -> Value {
        let role = self.role.row();
        let created_at = timestamp(self.created_at);
        let mut document = json!({
            "id": self.id,
            "first_name": self.text("first_name"),
            "last_name": self.text("last_name"),
            "display_name": self.display_name(),
            "email": self.email,
            "type": self.plan,
            "role_name": role.name,
            "role_id": role.id,
            "pmi": self.pmi,
            "use_pmi": false,
            "personal_meeting_url": format!("{WEB}/j/{}", self.pmi),
            "timezone": "",
            "verified": i32::from(self.status != Status::Pending),
            "dept": "",
            "created_at": created_at,
            "user_created_at": created_at,
            "host_key": self.host_key,
            "employee_unique_id": self.employee_unique_id,
            "group_ids": self.groups,
            "im_group_ids": self.im_groups,
            "account_id": ACCOUNT_ID,
            "account_number": 10_009_239,
            "language": "en-US",
            "location": "",
            "job_title": "",
            "company": "",
            "login_types": self.login_types,
            "cluster": "us04",
            "status": self.status.name(),
        });
        let Some(members) = document.as_object_mut() else {
            return document;
        };
        if self.is_pending() {
            for absent in ["id", "pmi", "personal_meeting_url", "login_types"] {
                members.shift_remove(absent);
            }
        } else {
            members.insert(
                "jid".to_owned(),
                format!("{}@xmpp.example.com", self.id.to_lowercase()).into(),
            );
        }
        if let Some((time, client)) = &self.last_login {
            members.insert("last_login_time".to_owned(), timestamp(*time).into());
            members.insert("last_client_version".to_owned(), client.as_str().into());
        }
        if let Some(picture) = self.picture {
            members.insert(
                "pic_url".to_owned(),
                format!("{WEB}/p/v2/{picture:016x}").into(),
            );
        }
        if let Some(name) = &self.vanity_name {
            let name = serde_urlencoded::to_string([("", name)]).unwrap_or_default();
            members.insert(
                "vanity_url".to_owned(),
                format!("{WEB}/my/{}", name.trim_start_matches('=')).into(),
            );
        }
        for (member, value) in &self.profile {
            if !WRITE_ONLY.contains(&member.as_str()) && member != "display_name" {
                members.insert(member.clone(), value.clone());
            }
        }
        members.retain(|member, value| {
            !value.is_null() && member != "host_key" && !is_empty_list(value)
        });
        document
    }

    /// Item of `GET /users`; `extra` is an additional member requested by the query.
    pub(crate) fn list_item(&self, extra: Option<&str>) -> Value {
        let mut document = self.document();
        if let Some(members) = document.as_object_mut() {
            members.retain(|member, _| {
                rules::list_item_members()
                    .iter()
                    .any(|listed| listed == member)
                    || extra == Some(member)
            });
            if let Some(host_key) = self
                .host_key
                .as_deref()
                .filter(|_| extra == Some("host_key"))
            {
                members.insert("host_key".to_owned(), host_key.into());
            }
        }
        document
    }

    pub(crate) fn display_name(&self) -> String {
        match self.text("display_name") {
            "" => format!("{} {}", self.text("first_name"), self.text("last_name"))
                .trim()
                .to_owned(),
            given => given.to_owned(),
        }
    }
}

/// Profile members that v2 accepts but does not return.
const WRITE_ONLY: [&str; 2] = ["about_me", "linkedin_url"];

fn is_empty_list(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty)
}
