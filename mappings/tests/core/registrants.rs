//! Registration for meetings.

use mappings::{Outcome, V2Request};
use serde_json::json;

use crate::{
    driver::{created, error, ok, run},
    plans::transcript,
};

const REQUESTS: &[(&str, &[(&str, &str)])] = &[
    ("meeting/register", REGISTER),
    (
        "meeting/register",
        &[
            REGISTER[0],
            REGISTER[1],
            REGISTER[2],
            REGISTER[3],
            ("city", ""),
        ],
    ),
];

const REGISTER: &[(&str, &str)] = &[
    ("id", "987-654-3210"),
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
    ("purchasing_time_frame", "No timeframe"),
    ("role_in_purchase_process", "decision maker"),
    ("no_of_employees", "5,001-10,000"),
    ("comments", "Hello"),
    ("custom_questions", r#"[{"title":"Why","value":"COBOL"}]"#),
    ("language", "zh"),
    ("occurrence_ids", "1600430400000"),
];

fn success(_: &V2Request) -> Outcome {
    created(json!({
        "registrant_id": "r9", "id": 9_876_543_210_i64, "topic": "Planning",
        "start_time": "2020-09-15T09:05:00.000Z", "participant_pin_code": 380_303,
        "join_url": "https://example.com/w/1?tk=r9",
    }))
}

#[test]
fn plans_and_answers() {
    insta::assert_snapshot!(transcript(REQUESTS, success));
}

#[test]
fn pending_registration_has_no_join_url() {
    let v2 = |_: &V2Request| ok(json!({ "registrant_id": "r9", "id": 1, "topic": "Planning" }));
    let answer = run("meeting/register", REGISTER, v2).unwrap().answer();
    assert_eq!(
        answer,
        json!({ "registrant_id": "r9", "id": 1, "topic": "Planning", "start_time": "", "join_url": "" })
    );
}

#[test]
fn registrant_is_required() {
    for missing in [1, 2, 3] {
        let mut arguments = REGISTER[..4].to_vec();
        let (name, _) = arguments.remove(missing);
        let refused = run("meeting/register", &arguments, success).err().unwrap();
        assert_eq!(refused.to_lowercase(), format!("300 {name} is required."));
    }
}

#[test]
fn maps_v2_errors_to_v1() {
    let gone = "3001 Meeting 9876543210 is not found or has expired.";
    for (status, code, message, wanted) in [
        (404, 1001, "Meeting does not exist: 1.", gone),
        (404, 3001, "Meeting does not exist: 1.", gone),
        (
            404,
            404,
            "Registration has not been enabled for this meeting: 1.",
            "3000 This meeting has not registration required: 9876543210.",
        ),
        (
            400,
            3000,
            "Cannot access meeting info.",
            "3000 Cannot access meeting info.",
        ),
        (
            400,
            3043,
            "Meeting has reached maximum attendee capacity.",
            "3043 Meeting has reached maximum attendee capacity.",
        ),
    ] {
        let run = run("meeting/register", REGISTER, |_| {
            error(status, code, message)
        })
        .unwrap();
        assert_eq!(run.error(), wanted);
    }
    let run = run("meeting/register", REGISTER, |_| ok(json!({}))).unwrap();
    assert!(run.error().starts_with("500 "), "{}", run.error());
}
