//! Benchmark cases: whole translations, with v2 responses from memory.

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

/// Operation with parameters, and v2's responses as received.
pub(crate) struct Case {
    operation: &'static Operation,
    arguments: Arguments,
    /// Last one first.
    answers: Vec<Answer>,
    site: Site,
}

/// Status and body.
type Answer = (u16, Option<Vec<u8>>);

/// Resources used by a run.
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
                Self::new("user/get", &[("id", "WWveLh6WgYg1NR14N00007")], answers)
            }
            "update_30" => {
                let mut answers = nothing();
                answers.push(ok(settings()));
                Self::new("user/update", &thirty(), answers)
            }
            "list_300" => {
                let page = json!({
                    "page_count": 4, "page_number": 1, "page_size": 300, "total_records": 1000,
                    "next_page_token": "t", "users": (0..300).map(user).collect::<Vec<_>>(),
                });
                Self::new("user/list", &[("page_size", "300")], vec![ok(page)])
            }
            "meetings_300" => {
                let meetings: Vec<_> = (0..300).map(meeting).collect();
                let page = json!({ "page_number": 1, "page_size": 300, "total_records": 300,
                    "next_page_token": "", "meetings": meetings });
                let mut answers: Vec<_> = (0..300).map(|n| ok(meeting(n))).collect();
                answers.push(ok(page));
                let given = [("host_id", "kdc1"), ("page_size", "300")];
                let full = [("list_detail".to_owned(), "full".into())].into();
                Self::at(&full, "meeting/list", &given, answers)
            }
            "report_100_by_30" => {
                let met: Vec<_> = (0..100).map(meeting).collect();
                let page = json!({ "from": "2020-08-01", "to": "2020-08-31", "total_records": 100,
                    "page_size": 100, "next_page_token": "", "meetings": met });
                let people: Vec<_> = (0..30).map(participant).collect();
                let people = json!({ "participants": people, "next_page_token": "" });
                let mut answers = vec![ok(people); 100];
                answers.push(ok(page));
                let given = [
                    ("user_id", "kdc1"),
                    ("from", "2020-08-01"),
                    ("to", "2020-08-31"),
                    ("page_size", "100"),
                ];
                Self::new("report/getuserreport", &given, answers)
            }
            "recordings_24_months" => {
                let recordings: Vec<_> = (0..100).map(recording).collect();
                let month = json!({ "next_page_token": "", "meetings": recordings });
                let token =
                    |n| json!({ "uuid": format!("u{n:05}=="), "download_access_token": "t" });
                let mut answers: Vec<_> = (0..30).rev().map(|n| ok(token(n))).collect();
                answers.extend(vec![ok(month); 24]);
                answers.push(ok(
                    json!({ "id": "kdc1", "user_created_at": "2010-01-01T00:00:00Z" }),
                ));
                Self::new("recording/list", &[("host_id", "kdc1")], answers)
            }
            _ => None,
        }
    }

    /// Total size of v2's responses in bytes.
    #[allow(dead_code, reason = "not every program that measures asks")]
    pub(crate) fn answered(&self) -> usize {
        let bodies = self.answers.iter().filter_map(|(_, body)| body.as_ref());
        bodies.map(Vec::len).sum()
    }

    fn new(name: &str, arguments: &[(&str, &str)], answers: Vec<Answer>) -> Option<Self> {
        Self::at(&BTreeMap::new(), name, arguments, answers)
    }

    fn at(
        options: &BTreeMap<String, toml::Value>,
        name: &str,
        arguments: &[(&str, &str)],
        answers: Vec<Answer>,
    ) -> Option<Self> {
        let case = Self {
            operation: CATALOG.find(name)?,
            arguments: arguments.iter().copied().collect(),
            answers,
            site: Site {
                options: CATALOG.options(options).ok()?,
                ..Site::default()
            },
        };
        let ended = case.run(case.input());
        let result = ended.map(|finished| finished.answer.result);
        assert!(matches!(result, Some(Ok(_))), "{name}: {result:?}");
        Some(case)
    }

    pub(crate) fn input(&self) -> Input {
        (self.arguments.clone(), self.answers.clone())
    }

    /// From the parameters to the serialized response, including the parsing of v2's responses.
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

/// Parameters of user/update: three for the subject, the rest booleans.
fn thirty() -> Vec<(&'static str, &'static str)> {
    let mut arguments = vec![
        ("id", "WWveLh6WgYg1NR14N00007"),
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

fn meeting(n: usize) -> Value {
    json!({
        "uuid": format!("u{n:05}=="), "id": 80_000_000_000_i64 + i64::try_from(n).unwrap_or(0),
        "host_id": "kdc1", "topic": "Weekly review of the engine", "type": 2, "status": "waiting",
        "start_time": "2020-08-02T09:00:00Z", "end_time": "2020-08-02T09:45:00Z", "duration": 45,
        "timezone": "Europe/London", "agenda": "", "created_at": "2020-07-02T09:00:00Z",
        "start_url": "https://zoom.example.com/s/80000000000?zak=a.b.c", "password": "e2718",
        "join_url": "https://zoom.example.com/j/80000000000?pwd=x", "h323_password": "1",
        "settings": { "host_video": true, "participant_video": false, "join_before_host": true,
            "audio": "both", "auto_recording": "none", "alternative_hosts": "",
            "meeting_authentication": false, "use_pmi": false, "approval_type": 2 },
    })
}

fn participant(n: usize) -> Value {
    json!({
        "id": format!("p{n:05}"), "user_id": "16778240", "name": "Ada Lovelace",
        "user_email": format!("user{n}@example.com"), "join_time": "2020-08-02T09:00:00Z",
        "leave_time": "2020-08-02T09:45:00Z", "duration": 2700, "registrant_id": "",
        "failover": false, "status": "in_meeting",
    })
}

fn recording(n: usize) -> Value {
    let file = |kind: &str| {
        json!({
            "id": format!("f{n:05}{kind}"), "meeting_id": format!("u{n:05}=="), "file_type": kind,
            "recording_start": "2020-08-02T09:00:05Z", "recording_end": "2020-08-02T09:44:00Z",
            "file_size": 5_000_000_000_i64, "status": "completed", "file_extension": kind,
            "play_url": "https://zoom.example.com/rec/play/abcdefghijklmnopqrstuvwxyz0123456789",
            "download_url": "https://zoom.example.com/rec/download/abcdefghijklmnopqrstuvwxyz0123",
        })
    };
    json!({
        "uuid": format!("u{n:05}=="), "id": 80_000_000_000_i64, "account_id": "acc",
        "host_id": "kdc1", "topic": "Weekly review of the engine", "type": 2, "duration": 44,
        "start_time": "2020-08-02T09:00:00Z", "timezone": "", "total_size": 6_000_000_000_i64,
        "recording_count": 2, "recording_files": [file("MP4"), file("M4A")],
    })
}
