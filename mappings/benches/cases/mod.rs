//! What the core is measured with: whole translations, with a v2 that answers from memory.

use std::{collections::BTreeMap, sync::LazyLock};

use mappings::{
    Arguments, Catalog, Document, Outcome, Site, Translation,
    catalog::operation::Operation,
    translation::{Call, Finished},
};
use serde_json::{Value, json};

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| match Catalog::embedded() {
    Ok(catalog) => catalog,
    Err(error) => unreachable!("the tests load it too: {error}"),
});

const NOW: i64 = 1_600_000_000;

/// One operation with parameters, and v2's answers as they come over the wire.
pub(crate) struct Case {
    operation: &'static Operation,
    arguments: Arguments,
    /// The last one first.
    answers: Vec<Answer>,
    site: Site,
}

/// Status and body.
type Answer = (u16, Option<Vec<u8>>);

/// What a run uses up.
pub(crate) type Input = (Arguments, Vec<Answer>);

impl Case {
    pub(crate) fn named(name: &str) -> Option<Self> {
        let ok = |body: Value| (200, Some(body.to_string().into_bytes()));
        let nothing = || vec![(204, None); 3];
        match name {
            "checkemail" => {
                let answers = vec![ok(json!({ "existed_email": true }))];
                Self::new("user/checkemail", &[("email", "ada@example.com")], answers)
            }
            "get" => {
                let answers = vec![ok(json!({ "token": "a.b.c" })), ok(settings()), ok(user(7))];
                Self::new("user/get", &[("id", "WWveLh6WgYg1NR14Nvw_Qo")], answers)
            }
            "update_30" => Self::new("user/update", &thirty(), nothing()),
            "list_300" => {
                let page = json!({
                    "page_count": 4, "page_number": 1, "page_size": 300, "total_records": 1000,
                    "next_page_token": "t", "users": (0..300).map(user).collect::<Vec<_>>(),
                });
                Self::new("user/list", &[("page_size", "300")], vec![ok(page)])
            }
            _ => None,
        }
    }

    fn new(name: &str, arguments: &[(&str, &str)], answers: Vec<Answer>) -> Option<Self> {
        let case = Self {
            operation: CATALOG.find(name)?,
            arguments: arguments.iter().copied().collect(),
            answers,
            site: Site {
                options: CATALOG.options(&BTreeMap::new()).ok()?,
                ..Site::default()
            },
        };
        let ended = case.run(case.input());
        assert!(
            ended.is_some_and(|finished| finished.answer.result.is_ok()),
            "{name}"
        );
        Some(case)
    }

    pub(crate) fn input(&self) -> Input {
        (self.arguments.clone(), self.answers.clone())
    }

    /// From the parameters to the answer's bytes, the reading of v2's answers included.
    pub(crate) fn run(&self, (arguments, mut answers): Input) -> Option<Finished> {
        let begun = Translation::begin(&CATALOG, self.operation, arguments, &self.site, NOW);
        let mut translation = begun.ok()?;
        while !translation.is_done() {
            for Call { id, .. } in translation.ready() {
                let (status, body) = answers.pop()?;
                let body = body.map(Document::read).transpose().ok()?;
                translation.complete(id, Outcome::Answered { status, body });
            }
        }
        Some(translation.finish(NOW))
    }
}

/// Parameters of user/update: three of its subject's, the rest switches.
fn thirty() -> Vec<(&'static str, &'static str)> {
    let mut arguments = vec![
        ("id", "WWveLh6WgYg1NR14Nvw_Qo"),
        ("first_name", "Ada"),
        ("dept", "R&D"),
    ];
    let update = CATALOG.find("user/update");
    let switches = update
        .into_iter()
        .flat_map(|update| &update.parameters)
        .map(|parameter| parameter.name.as_str())
        .filter(|name| name.starts_with("enable_") || name.starts_with("disable_"));
    arguments.extend(switches.map(|name| (name, "1")).take(27));
    assert_eq!(arguments.len(), 30);
    arguments
}

fn user(n: usize) -> Value {
    json!({
        "id": format!("WWveLh6WgYg1NR14N{n:05}"), "email": format!("user{n}@example.com"),
        "first_name": "Ada", "last_name": "Lovelace", "type": 2, "pmi": 8_480_616_537_i64,
        "timezone": "Europe/London", "verified": 1, "dept": "Analytical Engines",
        "created_at": "2019-03-04T08:30:00Z", "user_created_at": "2019-03-04T08:30:00Z",
        "last_login_time": "2026-01-12T07:00:00Z", "last_client_version": "6.2.5.47095(win)",
        "language": "en-US", "phone_number": "", "status": "active", "role_id": "2",
        "group_ids": ["t-_-d56CSWG-7BF15LLrOw"], "im_group_ids": [], "login_types": [100],
        "account_id": "sandbox-account", "vanity_url": "https://zoom.example.com/my/ada",
    })
}

fn settings() -> Value {
    let switches = |names: &[&str]| -> Value {
        names
            .iter()
            .map(|name| ((*name).to_owned(), json!(true)))
            .collect()
    };
    json!({
        "in_meeting": switches(&["chat", "private_chat", "e2e_encryption", "attendee_on_hold",
            "group_hd", "feedback", "breakout_room", "polling", "annotation", "share_dual_camera",
            "far_end_camera_control", "remote_support", "file_transfer", "virtual_background",
            "waiting_room", "closed_caption", "co_host", "auto_saving_chat"]),
        "recording": { "auto_recording": "local", "local_recording": true, "cloud_recording": true,
            "record_speaker_view": true, "record_gallery_view": true, "record_audio_file": true,
            "auto_delete_cmr": true, "auto_delete_cmr_days": 60 },
        "feature": { "meeting_capacity": 300, "webinar": true, "webinar_capacity": 500,
            "large_meeting": false, "large_meeting_capacity": 500 },
        "email_notification": switches(&["jbh_reminder", "cancel_meeting_reminder"]),
        "schedule_meeting": switches(&["pstn_password_protected"]),
    })
}
