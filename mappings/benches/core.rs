//! What the core costs: time, and allocations, which are the same on every machine.
//!
//! `cargo bench -p mappings`

use std::{collections::BTreeMap, hint::black_box, sync::LazyLock};

use mappings::{
    Arguments, Body, Catalog, Memory, Method, Outcome, Site, Translation, V2Request,
    record::{LineWriter, Redactor, Unredacted, UnredactedCall, Wrapping},
    translation::{Call, Finished},
};
use serde_json::{Value, json};

#[global_allocator]
static ALLOCATIONS: divan::AllocProfiler = divan::AllocProfiler::system();

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| match Catalog::embedded() {
    Ok(catalog) => catalog,
    Err(error) => unreachable!("the tests load it too: {error}"),
});

fn main() {
    divan::main();
}

#[divan::bench]
fn load_catalog() -> usize {
    Catalog::embedded().map_or(0, |catalog| catalog.operations().len())
}

#[divan::bench]
fn checkemail(bencher: divan::Bencher<'_, '_>) {
    bench(bencher, "user/checkemail", &[("email", "ada@example.com")]);
}

#[divan::bench]
fn get(bencher: divan::Bencher<'_, '_>) {
    bench(bencher, "user/get", &[("id", "WWveLh6WgYg1NR14Nvw_Qo")]);
}

#[divan::bench]
fn update_30(bencher: divan::Bencher<'_, '_>) {
    let mut arguments = vec![
        ("id", "WWveLh6WgYg1NR14Nvw_Qo"),
        ("first_name", "Ada"),
        ("dept", "R&D"),
    ];
    let Some(update) = CATALOG.find("user/update") else {
        return;
    };
    let switches = update.parameters.iter().filter(|parameter| {
        parameter.name.starts_with("enable_") || parameter.name.starts_with("disable_")
    });
    arguments.extend(
        switches
            .map(|parameter| (parameter.name.as_str(), "1"))
            .take(27),
    );
    assert_eq!(arguments.len(), 30);
    bench(bencher, "user/update", &arguments);
}

#[divan::bench]
fn list_300(bencher: divan::Bencher<'_, '_>) {
    bench(bencher, "user/list", &[("page_size", "300")]);
}

/// A whole translation with a v2 that answers from memory; making its answers is not counted.
fn bench(bencher: divan::Bencher<'_, '_>, operation: &str, arguments: &[(&str, &str)]) {
    let Some(operation) = CATALOG.find(operation) else {
        return;
    };
    let Ok(options) = CATALOG.options(&BTreeMap::new()) else {
        return;
    };
    let site = Site {
        options,
        ..Site::default()
    };
    let arguments: Arguments = arguments.iter().copied().collect();
    let translate = |arguments: Arguments, answers: &mut Vec<Outcome>| -> Option<Finished> {
        let memory = Memory::default();
        let begun = Translation::begin(&CATALOG, operation, arguments, &site, memory);
        let mut translation = begun.ok()?;
        while !translation.is_done() {
            for Call { id, .. } in translation.ready() {
                translation.complete(id, answers.pop()?);
            }
        }
        Some(translation.finish(1_600_000_000))
    };
    let answers = answers(operation.name.as_str());
    let mut first = answers.clone();
    let ended = translate(arguments.clone(), &mut first);
    assert!(
        ended.is_some_and(|finished| finished.answer.result.is_ok()),
        "{}",
        operation.name
    );
    bencher
        .with_inputs(|| (arguments.clone(), answers.clone()))
        .bench_local_values(|(arguments, mut answers)| {
            black_box(translate(arguments, &mut answers))
        });
}

/// v2's answers, the last one first.
fn answers(operation: &str) -> Vec<Outcome> {
    let ok = |body: Value| Outcome::Answered {
        status: 200,
        body: Some(body),
    };
    match operation {
        "user/checkemail" => vec![ok(json!({ "existed_email": true }))],
        "user/get" => vec![ok(json!({ "token": "a.b.c" })), ok(settings()), ok(user(7))],
        "user/list" => vec![ok(json!({
            "page_count": 4, "page_number": 1, "page_size": 300, "total_records": 1000,
            "next_page_token": "t", "users": (0..300).map(user).collect::<Vec<_>>(),
        }))],
        _ => vec![
            Outcome::Answered {
                status: 204,
                body: None
            };
            3
        ],
    }
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

/// The line of an exchange as large as v2's are: some 300 settings.
#[divan::bench]
fn record(bencher: divan::Bencher<'_, '_>) {
    let settings: serde_json::Map<_, _> = (0..30)
        .map(|group| {
            let settings: serde_json::Map<_, _> = (0..10)
                .map(|number| (format!("a_setting_of_the_group_{number}"), number % 3 == 0))
                .map(|(name, on)| (name, Value::from(on)))
                .collect();
            (format!("group_of_settings_{group}"), Value::from(settings))
        })
        .collect();
    let user = json!({
        "id": "WWveLh6WgYg1NR14Nvw_Qo", "email": "ada@example.com", "first_name": "Ada",
        "dept": "Analytical Engines", "created_at": "2019-03-04T08:30:00Z", "pmi": 8_480_616_537_u64,
        "pic_url": "https://zoom.example.com/p/v2/dd9ba2dc78e4723f?sig=x",
    });
    let call = |path: &str, answer: Value| {
        let request = V2Request {
            method: Method::Get,
            path: path.to_owned(),
            query: Vec::new(),
            body: Body::None,
            template: "/users/{userId}".into(),
        };
        let text = answer.to_string();
        let outcome = Outcome::Answered {
            status: 200,
            body: Some(answer),
        };
        UnredactedCall::new("call".to_owned(), request, &outcome, text.into(), 900)
    };
    let given = [
        ("api_key", "a-key"),
        ("api_secret", "a-v1-secret"),
        ("id", "ada@example.com"),
    ];
    let exchange = Unredacted {
        id: "1".to_owned(),
        at: 1_600_000_000_123,
        micros: 1900,
        site: None,
        operation: "user/get".to_owned(),
        wrapping: Wrapping::Form,
        arguments: given.into_iter().collect::<Arguments>(),
        answer: user.to_string().into(),
        calls: vec![
            call("/users/ada%40example.com", user),
            call("/users/ada%40example.com/settings", Value::from(settings)),
            call(
                "/users/ada%40example.com/token",
                json!({ "token": "a.zak.of-ada" }),
            ),
        ],
    };
    let mut writer = LineWriter::new(Redactor::new(&CATALOG, None));
    let mut line = Vec::new();
    bencher.bench_local(|| {
        line.clear();
        let written = writer.write(&CATALOG, &exchange, &["an.access-token"], &mut line);
        (written.is_ok(), line.len())
    });
}
