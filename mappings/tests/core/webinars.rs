//! Webinars: fixtures, plans and responses of all operations.

mod errors;
mod ownership;
mod past_sessions;
mod registration;
mod responses;
mod writes;

use mappings::{Memory, Outcome, V2Request};
use serde_json::{Value, json};

use crate::{
    driver::{
        Run, catalog, created, error, no_content, ok, run, run_at, run_with, shown, site,
        site_with_options,
    },
    plans::transcript,
};

const REQUESTS: &[(&str, &[(&str, &str)])] = &[
    ("webinar/create", EVERYTHING),
    (
        "webinar/create",
        &[("host_id", "kdc1"), ("topic", "Autumn"), ("password", "")],
    ),
    ("webinar/update", UPDATE),
    (
        "webinar/update",
        &[("id", ID), ("host_id", "kdc1"), ("agenda", "")],
    ),
    (
        "webinar/update",
        &[
            ("id", ID),
            ("host_id", "kdc1"),
            (
                "panelists",
                r#"[{"name":"Alan","email":"alan@example.com"}]"#,
            ),
        ],
    ),
    ("webinar/update", OWN),
    ("webinar/get", OWN),
    (
        "webinar/get",
        &[("id", "987-654-3210"), ("host_id", "ADA@example.com")],
    ),
    ("webinar/list", &[("host_id", "kdc1")]),
    ("webinar/list/registration", &[("host_id", "kdc1")]),
    ("webinar/delete", OWN),
    (
        "webinar/delete",
        &[
            ("id", ID),
            ("host_id", "kdc1"),
            ("occurrence_id", "1600430400000"),
        ],
    ),
    ("webinar/end", OWN),
    ("webinar/register", REGISTER),
    (
        "webinar/registration",
        &[
            ("id", ID),
            ("host_id", "kdc1"),
            ("page_size", ""),
            ("page_number", ""),
        ],
    ),
    (
        "webinar/registrants/list",
        &[("id", MANUAL), ("host_id", "kdc1"), ("page_size", "50")],
    ),
    (
        "webinar/registrants/list",
        &[("id", MANUAL), ("host_id", "kdc1"), ("type", "1")],
    ),
    (
        "webinar/registrants/approve",
        &[
            ("id", ID),
            ("host_id", "kdc1"),
            ("registrant_ids", "r1, r2,"),
        ],
    ),
    (
        "webinar/registration/cancel",
        &[
            ("id", ID),
            ("host_id", "kdc1"),
            ("registrants_ids", "r1"),
            ("occurrence_id", "1600430400000"),
        ],
    ),
    ("webinar/panelists", OWN),
    ("webinar/uuid/list", OWN),
    ("webinar/attendees/list", OWN),
    (
        "webinar/attendees/list",
        &[("id", ID), ("host_id", "kdc1"), ("uuid", "/ab//c==")],
    ),
    ("webinar/polls", OWN),
    (
        "webinar/questions",
        &[
            ("id", ID),
            ("host_id", "kdc1"),
            ("uuid", "aDYlohsHRtCd4ii1uC2+hA=="),
        ],
    ),
];

/// Webinar with automatic approval.
const ID: &str = "9876543210";
/// Webinar with approval by the host.
const MANUAL: &str = "9876543211";
/// Webinar without registration.
const OPEN: &str = "9876543212";
const OWN: &[(&str, &str)] = &[("id", ID), ("host_id", "kdc1")];

const EVERYTHING: &[(&str, &str)] = &[
    ("host_id", "kdc1"),
    ("topic", "Autumn"),
    ("type", "9"),
    ("start_time", "2020-9-15T9:5:0Z"),
    ("duration", "60"),
    ("timezone", "Europe/Berlin"),
    ("password", "a1"),
    (
        "recurrence",
        r#"{"type":"1","repeat_interval":2,"end_date_time":"2020-10-1T3:00:00Z"}"#,
    ),
    ("approval_type", "0"),
    ("registration_type", "1"),
    ("agenda", "What is new"),
    ("option_audio", "VoIP"),
    ("option_host_video", "True"),
    ("option_panelist_video", "0"),
    ("option_practice_session", "1"),
    ("option_enforce_login", "true"),
    ("option_enforce_login_domains", "example.com;example.org"),
    (
        "option_alternative_hosts",
        "grace@example.com,alan@example.com",
    ),
    ("option_alternative_host_ids", "kdc2"),
    ("option_auto_record_type", "cloud"),
    ("option_panelists_reminder", "true"),
    ("option_close_registration", "false"),
    ("option_show_share_button", "true"),
    ("option_allow_multiple_devices", "false"),
    (
        "panelists",
        r#"[{"name":"Alan","email":"alan@example.com"}]"#,
    ),
    ("language", "fr"),
];

const UPDATE: &[(&str, &str)] = &[
    ("id", "987 654 3210"),
    ("host_id", "ada@example.com"),
    ("topic", "Winter"),
    ("start_time", "2020-12-01"),
    ("duration", "0"),
    ("option_auto_record_type", "true"),
    ("timezone", "EST"),
];

const REGISTER: &[(&str, &str)] = &[
    ("id", ID),
    ("email", "grace@example.com"),
    ("first_name", "Grace"),
    ("last_name", "Hopper"),
    ("address", "1 Main Street"),
    ("city", "Arlington"),
    ("country", "US"),
    ("zip", "22201"),
    ("state", "VA"),
    ("phone", "1"),
    ("industry", "Navy"),
    ("org", "Example"),
    ("job_title", "Admiral"),
    ("purchasing_time_frame", "1-3 months"),
    ("role_in_purchase_process", "Influencer"),
    ("no_of_employees", "101-250"),
    ("comments", "Hello"),
    ("custom_questions", r#"[{"title":"Why","value":"COBOL"}]"#),
    ("language", "en"),
    ("occurrence_ids", "1600430400000,1600516800000"),
];

/// A webinar whose `approval_type` follows from its id.
fn webinar(id: &str) -> Value {
    let id: i64 = id.parse().unwrap();
    json!({
        "uuid": "aDYlohsHRtCd4ii1uC2+hA==", "id": id, "host_id": "kdc1",
        "host_email": "ada@example.com", "topic": "Autumn", "type": 5,
        "start_time": "2020-09-15T09:05:00Z", "duration": 60, "timezone": "Europe/Berlin",
        "created_at": "2020-09-01T10:00:00Z", "start_url": "https://example.com/s/1?zak=z",
        "join_url": "https://example.com/j/1", "registration_url": "https://example.com/w/1",
        "settings": {
            "approval_type": match id % 10 { 0 => 0, 1 => 1, _ => 2 },
            "audio": "thirdParty", "meeting_authentication": true,
            "authentication_domains": "example.com,example.org",
            "alternative_hosts": "grace@example.com;kdc2",
        },
    })
}

/// The webinar in v2's list.
fn listed(id: &str) -> Value {
    let mut listed = webinar(id);
    for only_there in ["host_email", "settings", "start_url", "registration_url"] {
        listed.as_object_mut().unwrap().remove(only_there);
    }
    listed["agenda"] = "What is new".into();
    listed
}

fn registrant(id: &str, first_name: &str) -> Value {
    json!({
        "id": id, "email": format!("{}@example.com", first_name.to_lowercase()),
        "first_name": first_name, "last_name": "Hopper", "status": "approved",
        "create_time": "2020-09-02T08:00:00Z", "join_url": "https://example.com/w/1?tk=t",
        "address": "", "city": "Arlington", "country": "US", "zip": "", "state": "", "phone": "",
        "industry": "", "org": "", "job_title": "", "purchasing_time_frame": "",
        "role_in_purchase_process": "", "no_of_employees": "101-250", "comments": "",
        "custom_questions": [{ "title": "Why", "value": "COBOL" }],
    })
}

fn page(items: &str, entries: &[Value]) -> Value {
    json!({
        "page_count": 1, "page_number": 1, "page_size": 300, "total_records": entries.len(),
        "next_page_token": "", items: entries,
    })
}

fn session(answer: &str) -> Value {
    json!({
        "id": 9_876_543_210_i64, "uuid": "aDYlohsHRtCd4ii1uC2+hA==",
        "start_time": "2020-09-08T09:00:00Z",
        "questions": [{
            "name": "Grace Hopper", "email": "grace@example.com",
            "question_details": [{ "question": "Tea?", "answer": answer, "polling_id": "p1" }],
        }],
    })
}

/// A v2 on which all requests succeed.
fn success(request: &V2Request) -> Outcome {
    let id = request.path.rsplit('/').next().unwrap_or_default();
    match (request.method.as_str(), &*request.template) {
        ("GET", "/webinars/{webinarId}") => ok(webinar(id)),
        ("GET", "/users/{userId}/webinars") => ok(page(
            "webinars",
            &[listed(ID), listed(MANUAL), listed(OPEN)],
        )),
        ("POST", "/users/{userId}/webinars") => created(webinar(ID)),
        ("POST", "/webinars/{webinarId}/panelists") => {
            created(json!({ "id": ID, "updated_at": "2020-09-13T00:00:00Z" }))
        }
        ("GET", "/webinars/{webinarId}/panelists") => ok(json!({
            "total_records": 1,
            "panelists": [{
                "id": "p1", "name": "Alan", "email": "alan@example.com",
                "join_url": "https://example.com/w/1?tk=p",
            }],
        })),
        ("POST", "/webinars/{webinarId}/registrants") => created(json!({
            "registrant_id": "r9", "id": 9_876_543_210_i64, "topic": "Autumn",
            "start_time": "2020-09-15T09:05:00Z",
            "join_url": "https://example.com/w/1?tk=r9",
        })),
        ("GET", "/webinars/{webinarId}/registrants") => ok(page(
            "registrants",
            &[registrant("r1", "Grace"), registrant("r2", "Edith")],
        )),
        ("GET", "/past_webinars/{webinarId}/instances") => ok(json!({ "webinars": [
            { "uuid": "/ab//c==", "start_time": "2020-09-08T09:00:00.000Z" },
        ] })),
        ("GET", "/past_webinars/{webinarId}/participants") => ok(page(
            "participants",
            &[
                json!({
                    "id": "u1", "name": "grace", "registrant_id": "r1", "user_email": "",
                    "join_time": "2020-09-08T09:01:00Z", "leave_time": "2020-09-08T09:31:30Z",
                    "duration": 1830,
                }),
                json!({
                    "id": "", "name": "Alan Turing", "user_email": "alan@example.com",
                    "join_time": "2020-09-08T09:02:00Z", "leave_time": "2020-09-08T09:03:00Z",
                    "duration": 60,
                }),
            ],
        )),
        ("GET", "/past_webinars/{webinarId}/absentees") => {
            ok(page("registrants", &[registrant("r2", "Edith")]))
        }
        ("GET", "/past_webinars/{webinarId}/polls") => ok(session("Yes")),
        ("GET", "/past_webinars/{webinarId}/qa") => ok(session("No")),
        _ => no_content(),
    }
}

/// A request to a site with options set.
fn choosing(
    choices: &[(&str, toml::Value)],
    operation: &str,
    arguments: &[(&str, &str)],
    v2: impl Fn(&V2Request) -> Outcome,
) -> Run {
    run_at(&site_with_options(choices), operation, arguments, v2).unwrap()
}

#[test]
fn plans_and_answers() {
    insta::assert_snapshot!(transcript(REQUESTS, success));
}

/// The arguments with some replaced.
fn with<'a>(
    arguments: &[(&'a str, &'a str)],
    others: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let kept = arguments
        .iter()
        .filter(|(name, _)| others.iter().all(|(other, _)| other != name));
    kept.chain(others).copied().collect()
}

fn is_read(run: &Run) -> bool {
    run.requests()
        .iter()
        .all(|request| request.starts_with("GET "))
}
