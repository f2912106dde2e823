//! Running meetings: listing and ending them.

use mappings::{Outcome, V2Request};
use serde_json::{Value, json};

use crate::{
    driver::{Run, error, no_content, of, ok, run, run_at, site_with_option, site_with_options},
    plans::transcript,
};

const REQUESTS: &[(&str, &[(&str, &str)])] = &[
    ("meeting/end", END),
    ("meeting/live", &[]),
    ("meeting/live", &[("page_size", "1"), ("page_number", "2")]),
];

const END: &[(&str, &str)] = &[("id", "9876543210"), ("host_id", "ada@example.com")];

fn meeting(id: i64) -> Value {
    json!({
        "uuid": format!("series{id}=="), "id": id, "host_id": "kdc1", "host_email": "Ada@example.com",
        "topic": "Planning", "type": 2, "start_time": "2020-09-13T12:00:00Z", "duration": 60,
        "timezone": "UTC", "password": "a1", "h323_password": "42", "status": "waiting",
        "start_url": "https://example.com/s/1?zak=z", "join_url": "https://example.com/j/1",
        "created_at": "2020-09-01T10:00:00Z",
        "settings": {
            "join_before_host": true, "host_video": true, "participant_video": false, "audio": "both",
            "meeting_authentication": false, "alternative_hosts": "",
        },
    })
}

/// A running meeting in the dashboard.
fn running(id: i64) -> Value {
    json!({
        "uuid": format!("now{id}=="), "id": id, "topic": "Planning now", "host": "Ada Lovelace",
        "email": "ada@example.com", "user_type": "Licensed", "duration": "26:40", "end_time": "",
        "start_time": "2020-09-13T12:02:00Z", "participants": 2,
    })
}

/// A meeting in v2's list.
fn listed(id: i64, minute: i64) -> Value {
    json!({
        "uuid": format!("now{id}=="), "id": id, "host_id": "kdc1", "topic": "Planning now", "type": 1,
        "start_time": format!("2020-09-13T12:{minute:02}:00Z"), "duration": 30, "timezone": "UTC",
        "join_url": "https://example.com/j/1", "created_at": "2020-09-01T10:00:00Z",
    })
}

fn success(request: &V2Request) -> Outcome {
    let id = request.path.rsplit('/').next().unwrap_or_default();
    match (request.method.as_str(), &*request.template) {
        ("GET", "/meetings/{meetingId}") => ok(meeting(id.parse().unwrap())),
        ("GET", "/metrics/meetings") => {
            let is_second = of(request, "next_page_token") == "two";
            let is_whole = of(request, "page_size") != "1";
            let meetings = match (is_whole, is_second) {
                (true, _) => vec![running(FIRST), running(SECOND)],
                (false, false) => vec![running(FIRST)],
                (false, true) => vec![running(SECOND)],
            };
            ok(json!({
                "page_size": 30, "total_records": 2, "meetings": meetings,
                "next_page_token": if is_whole || is_second { "" } else { "two" },
            }))
        }
        ("GET", "/users") => ok(json!({
            "total_records": 4, "next_page_token": "",
            "users": [{ "id": "u1" }, { "id": "u2" }, { "id": "u3" }, { "id": "u4" }],
        })),
        ("GET", "/users/{userId}/meetings") => match request.path.as_str() {
            "/users/u1/meetings" => {
                ok(json!({ "meetings": [listed(FIRST, 9), listed(SECOND, 3)] }))
            }
            "/users/u2/meetings" => error(400, 3161, "Not allowed for your user account."),
            "/users/u3/meetings" => ok(json!({ "meetings": [listed(THIRD, 5)] })),
            _ => ok(json!({ "meetings": [] })),
        },
        _ => no_content(),
    }
}

const FIRST: i64 = 9_876_543_210;
const SECOND: i64 = 9_876_543_211;
const THIRD: i64 = 9_876_543_212;

fn live(
    choices: &[(&str, &str)],
    arguments: &[(&str, &str)],
    v2: fn(&V2Request) -> Outcome,
) -> Run {
    let options = choices
        .iter()
        .map(|(name, choice)| (*name, (*choice).into()));
    let site = site_with_options(&options.collect::<Vec<_>>());
    run_at(&site, "meeting/live", arguments, v2).unwrap()
}

/// Ids of the meetings in a response.
fn ids(answer: &Value) -> Vec<i64> {
    let meetings = answer["meetings"].as_array().unwrap().iter();
    meetings
        .map(|meeting| meeting["id"].as_i64().unwrap())
        .collect()
}

#[test]
fn plans_and_answers() {
    insta::assert_snapshot!(transcript(REQUESTS, success));
}

#[test]
fn does_not_end_another_hosts_meeting() {
    for host in ["kdc2", "grace@example.com", "me"] {
        let run = run("meeting/end", &[END[0], ("host_id", host)], success).unwrap();
        assert_eq!(run.error(), "3003 Not meeting host.");
        assert_eq!(run.requests(), ["GET /meetings/9876543210"]);
    }
    let site = site_with_option("host_check", false);
    let other = [END[0], ("host_id", "kdc2")];
    let run = run_at(&site, "meeting/end", &other, success).unwrap();
    assert_eq!(
        run.requests(),
        [r#"PUT /meetings/9876543210/status {"action":"end"}"#]
    );
}

#[test]
fn ends_hidden_instant_meetings() {
    let v2 = |request: &V2Request| match request.method.as_str() {
        "GET" => error(404, 3001, "Meeting does not exist: 9876543210."),
        _ => success(request),
    };
    let run = run("meeting/end", END, v2).unwrap();
    assert!(run.warned().is_empty());
    assert_eq!(run.answer()["ended_at"], "2020-09-13T12:26:40Z");
}

#[test]
fn maps_v2_errors_to_v1() {
    for (status, code, message, wanted) in [
        (
            404,
            3001,
            "Meeting does not exist: 1.",
            "3001 Meeting 9876543210 is not found or has expired.",
        ),
        (
            400,
            3000,
            "Cannot access webinar info.",
            "3000 Cannot access webinar info.",
        ),
        (
            400,
            3063,
            "Can not end on-premise user's meeting: 1.",
            "3063 Can not end on-premise user's meeting: 9876543210",
        ),
        (
            400,
            3161,
            "Not allowed for your user account.",
            "3161 Not allowed for your user account.",
        ),
    ] {
        let v2 = |request: &V2Request| match request.method.as_str() {
            "PUT" => error(status, code, message),
            _ => success(request),
        };
        assert_eq!(run("meeting/end", END, v2).unwrap().error(), wanted);
    }
}

#[test]
fn running_meeting_falls_back_to_dashboard_data() {
    let run = live(&[("list_detail", "profile")], &[], success);
    assert_eq!(run.requests().len(), 1);
    assert!(run.warned()[0].contains("host_id"), "{:?}", run.warned());
    let answer = run.answer();
    assert_eq!(
        answer["meetings"][0],
        json!({
            "uuid": "now9876543210==", "id": FIRST, "topic": "Planning now", "status": 1,
            "option_start_type": "video", "start_time": "2020-09-13T12:02:00Z",
        })
    );
}

#[test]
fn lists_hidden_instant_meetings_with_a_warning() {
    let run = live(&[], &[], |request| match &*request.template {
        "/meetings/{meetingId}" => error(404, 3001, "Meeting does not exist."),
        _ => success(request),
    });
    assert_eq!(run.warned().len(), 1);
    let answer = run.answer();
    assert_eq!(ids(&answer), [FIRST, SECOND]);
    assert_eq!(answer["meetings"][0]["status"], 1);
    assert!(answer["meetings"][0].get("start_url").is_none());
}

#[test]
fn without_dashboard_queries_each_host() {
    let users = [("live_source", "users")];
    let run = live(&users, &[], success);
    let sent = run.requests();
    assert_eq!(sent[0], "GET /users?page_size=300&status=active");
    assert_eq!(sent[1], "GET /users/u1/meetings?page_size=300&type=live");
    assert_eq!(sent.len(), 8, "{sent:?}");
    assert!(run.warned().is_empty(), "{:?}", run.warned());
    let answer = run.answer();
    // Ordered by start time.
    assert_eq!(ids(&answer), [SECOND, THIRD, FIRST]);
    assert_eq!(answer["total_records"], 3);
    let first = &answer["meetings"][0];
    assert_eq!(first["uuid"], "now9876543211==");
    assert_eq!(first["status"], 1);
    assert_eq!(first["start_time"], "2020-09-13T12:03:00Z");
    assert_eq!(first["start_url"], "https://example.com/s/1?zak=z");

    let second = [("page_size", "2"), ("page_number", "2")];
    let run = live(&users, &second, success);
    assert_eq!(run.requests().len(), 6, "details of one page only");
    let answer = run.answer();
    assert_eq!(ids(&answer), [FIRST]);
    assert_eq!(
        (&answer["page_count"], &answer["total_records"]),
        (&json!(2), &json!(3))
    );
}

#[test]
fn unreadable_host_fails_the_list() {
    let run = live(&[("live_source", "users")], &[], |request| {
        match request.path.as_str() {
            "/users/u3/meetings" => Outcome::Limited,
            _ => success(request),
        }
    });
    assert!(run.error().starts_with("403 "), "{}", run.error());
}

#[test]
fn missing_dashboard_is_a_permission_error() {
    let run = live(&[], &[], |_| {
        error(
            400,
            400,
            "This API is only available for Business accounts.",
        )
    });
    assert_eq!(run.error(), "200 No permission.");
}

#[test]
fn option_selects_plain_join_urls() {
    for source in ["dashboard", "users"] {
        let run = live(
            &[("join_url", "plain"), ("live_source", source)],
            &[],
            success,
        );
        let answer = run.answer();
        let first = &answer["meetings"][0];
        assert_eq!(
            first["join_url"],
            format!("https://zoom.us/j/{}", first["id"])
        );
    }
}
