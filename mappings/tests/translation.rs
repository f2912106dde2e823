//! Translations, driven by a scripted v2.

use mappings::{
    Arguments, Body, Catalog, Memory, Outcome, Site, Translation, V2Request, translation::Finished,
};
use serde_json::{Value, json};

const NOW: i64 = 1_600_000_000; // 2020-09-13T12:26:40Z

fn catalog() -> Catalog {
    Catalog::embedded().unwrap_or_else(|error| panic!("{error}"))
}

fn site(catalog: &Catalog) -> Site {
    Site {
        strict: false,
        account_id: Some("account-1".to_owned()),
        options: catalog.options(&std::collections::BTreeMap::new()).unwrap(),
    }
}

/// Runs a translation; `v2` answers each request. Returns what was sent, a group for each time that
/// calls were ready together, and the end.
struct Run {
    sent: Vec<Vec<String>>,
    finished: Finished,
}

fn run(
    operation: &str,
    arguments: &[(&str, &str)],
    v2: impl Fn(&V2Request) -> Outcome,
) -> Result<Run, String> {
    let catalog = catalog();
    let site = site(&catalog);
    run_with(&catalog, &site, Memory::default(), operation, arguments, v2)
}

fn run_with(
    catalog: &Catalog,
    site: &Site,
    memory: Memory,
    operation: &str,
    arguments: &[(&str, &str)],
    v2: impl Fn(&V2Request) -> Outcome,
) -> Result<Run, String> {
    let operation = catalog.find(operation).expect("the operation exists");
    let arguments: Arguments = arguments.iter().copied().collect();
    let mut translation = Translation::begin(catalog, operation, arguments, site, memory)
        .map_err(|error| format!("{} {}", error.code, error.message))?;
    let mut sent = Vec::new();
    while !translation.is_done() {
        let ready = translation.ready();
        assert!(!ready.is_empty(), "nothing is ready and nothing is done");
        sent.push(ready.iter().map(|call| shown(&call.request)).collect());
        for call in ready {
            translation.complete(call.id, v2(&call.request));
        }
    }
    Ok(Run {
        sent,
        finished: translation.finish(NOW),
    })
}

fn shown(request: &V2Request) -> String {
    let query: Vec<_> = request
        .query
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let mut text = format!("{} {}", request.method, request.path);
    if !query.is_empty() {
        text = format!("{text}?{}", query.join("&"));
    }
    match &request.body {
        Body::None => text,
        Body::Json(body) => format!("{text} {body}"),
        Body::File {
            part,
            media_type,
            file,
        } => {
            format!("{text} {part}: {media_type}, {} bytes", file.bytes.len())
        }
    }
}

fn ok(body: Value) -> Outcome {
    Outcome::Answered {
        status: 200,
        body: Some(body),
    }
}

fn error(status: u16, code: i64, message: &str) -> Outcome {
    Outcome::Answered {
        status,
        body: Some(json!({ "code": code, "message": message })),
    }
}

fn user() -> Value {
    json!({
        "id": "kdc1", "email": "ada@example.com", "first_name": "Ada", "last_name": "Lovelace",
        "type": 2, "pmi": 2_035_134_243_i64, "verified": 1, "dept": "R&D", "status": "active",
        "timezone": "Europe/London", "created_at": "2018-10-31T04:32:37.123Z",
        "user_created_at": "2017-01-02T03:04:05+01:00", "last_login_time": "2026-01-01T00:00:00Z",
        "last_client_version": "5.9.1", "login_types": [100], "account_id": "acc",
        "vanity_url": "https://example.com/my/ada"
    })
}

fn settings() -> Value {
    json!({
        "in_meeting": { "chat": true, "private_chat": false, "entry_exit_chime": "host",
                        "e2e_encryption": true, "waiting_room": false },
        "recording": { "auto_recording": "cloud", "local_recording": true, "cloud_recording": true,
                       "auto_delete_cmr_days": 60 },
        "feature": { "meeting_capacity": 100, "webinar": false },
        "email_notification": { "jbh_reminder": true }
    })
}

/// A v2 in which all goes well.
fn well(request: &V2Request) -> Outcome {
    match (request.method.as_str(), &*request.template) {
        ("GET", "/users/{userId}") => ok(user()),
        ("GET", "/users/{userId}/settings") => ok(settings()),
        ("GET", "/users/{userId}/token") => ok(json!({ "token": "zak.of.ada" })),
        ("POST", "/users") => Outcome::Answered {
            status: 201,
            body: Some(json!({ "id": "new1", "email": "new@example.com", "type": 1 })),
        },
        ("GET", "/users/{userId}/assistants") => ok(json!({ "assistants": [
            { "id": "a1", "email": "Alan@example.com" }, { "id": "a2", "email": "grace@example.com" },
        ] })),
        ("GET", "/users/{userId}/schedulers") => ok(json!({ "schedulers": [] })),
        ("GET", "/users/email") => ok(json!({ "existed_email": true })),
        ("GET", "/users") => ok(json!({
            "page_count": 1, "page_number": 1, "page_size": 30, "total_records": 2,
            "users": [user(), { "id": "kdc2", "email": "grace@example.com", "type": 99, "status": "active" }],
        })),
        ("POST", "/users/{userId}/assistants") => Outcome::Answered {
            status: 201,
            body: Some(json!({ "ids": "a1", "add_at": "2026-02-03T04:05:06Z" })),
        },
        _ => Outcome::Answered {
            status: 204,
            body: None,
        },
    }
}

/// A request for each operation that makes every call of its plan that can be made at once.
const REQUESTS: &[(&str, &[(&str, &str)])] = &[
    ("user/activate", &[("id", "kdc1")]),
    (
        "user/assistant/delete",
        &[("host_email", "ada@example.com")],
    ),
    (
        "user/assistant/delete",
        &[("id", "kdc1"), ("assistant_email", "alan@example.com")],
    ),
    (
        "user/assistant/set",
        &[("id", "kdc1"), ("assistant_email", "alan@example.com")],
    ),
    ("user/autocreate", CREATE),
    ("user/autocreate2", CREATE),
    ("user/checkemail", &[("email", "ada+1@example.com")]),
    ("user/create", CREATE),
    ("user/custcreate", CREATE),
    ("user/deactivate", &[("id", "kdc1")]),
    ("user/delete", &[("id", "kdc1"), ("type", "0")]),
    ("user/get", &[("id", "kdc1")]),
    (
        "user/getbyemail",
        &[("email", "ada@example.com"), ("login_type", "100")],
    ),
    ("user/list", &[("page_size", "500")]),
    ("user/pending", &[("page_number", "1")]),
    ("user/permanentdelete", &[("email", "ada@example.com")]),
    ("user/revoketoken", &[("id", "kdc1"), ("email", "")]),
    ("user/scheduleforhost/list", &[("id", "kdc1")]),
    (
        "user/ssocreate",
        &[
            ("email", "new@example.com"),
            ("type", "2"),
            ("pmi", "2035134243"),
            ("enable_webinar", "1"),
            ("webinar_capacity", "500"),
            ("group_id", "g1"),
        ],
    ),
    (
        "user/update",
        &[
            ("id", "kdc1"),
            ("dept", ""),
            ("type", "1"),
            ("disable_chat", "True"),
            ("enable_cloud_auto_recording", "false"),
            ("group_id", "g 1"),
            ("imgroup_id", "i/1"),
        ],
    ),
    ("user/update", &[("id", "kdc1")]),
    (
        "user/updatepassword",
        &[("id", "kdc1"), ("password", "Secret-123")],
    ),
    (
        "user/updatepassword",
        &[("id", "kdc1"), ("pic_file", "GIF89a")],
    ),
    (
        "user/uploadpicture",
        &[("id", "kdc1"), ("pic_file", "not a picture")],
    ),
];

const CREATE: &[(&str, &str)] = &[
    ("email", "new@example.com"),
    ("type", "1"),
    ("password", "Secret-123"),
    ("first_name", "New"),
    ("dept", "R&D"),
    ("disable_chat", "1"),
    ("option_enter_exit_chime_type", "1"),
    ("meeting_capacity", "0"),
    ("track_id", "7"),
    ("group_id", "g1"),
    ("imgroup_id", "i1"),
];

#[test]
fn plans_and_answers() {
    let mut text = String::new();
    for (operation, arguments) in REQUESTS {
        let given: Vec<_> = arguments.iter().map(|(n, v)| format!("{n}={v}")).collect();
        text += &format!("{operation}  {}\n", given.join(" "));
        let run = run(operation, arguments, well).unwrap();
        for (step, requests) in run.sent.iter().enumerate() {
            for request in requests {
                text += &format!("  {} {request}\n", step + 1);
            }
        }
        for warning in &run.finished.answer.warnings {
            text += &format!("  ! {}: {}\n", warning.field, warning.reason);
        }
        let answer = run
            .finished
            .answer
            .result
            .map_err(|error| error.message)
            .unwrap();
        text += &format!("  = {}\n", Value::Object(answer));
        if !run.finished.unknown.is_empty() {
            text += &format!("  ? {}\n", run.finished.unknown.join(" "));
        }
    }
    insta::assert_snapshot!(text);
}
