//! Meetings that are running: the list of them, and their end.

use std::collections::BTreeMap;

use mappings::{Memory, Outcome, Site, V2Request};
use serde_json::json;

use crate::{
    driver::{catalog, error, ok, run, run_with, site},
    plans::transcript,
};

const REQUESTS: &[(&str, &[(&str, &str)])] = &[("meeting/end", END)];

const END: &[(&str, &str)] = &[("id", "9876543210"), ("host_id", "ada@example.com")];

fn well(request: &V2Request) -> Outcome {
    match (request.method.as_str(), &*request.template) {
        ("GET", "/meetings/{meetingId}") => ok(json!({
            "id": 9_876_543_210_i64, "host_id": "kdc1", "host_email": "Ada@example.com",
        })),
        _ => Outcome::Answered {
            status: 204,
            body: None,
        },
    }
}

#[test]
fn plans_and_answers() {
    insta::assert_snapshot!(transcript(REQUESTS, well));
}

#[test]
fn a_meeting_of_another_host_is_not_ended() {
    for host in ["kdc2", "grace@example.com", "me"] {
        let run = run("meeting/end", &[END[0], ("host_id", host)], well).unwrap();
        assert_eq!(run.error(), "3003 Not meeting host.");
        assert_eq!(run.requests(), ["GET /meetings/9876543210"]);
    }
    let catalog = catalog();
    let off = BTreeMap::from([("host_check".to_owned(), toml::Value::from(false))]);
    let site = Site {
        options: catalog.options(&off).unwrap(),
        ..site(catalog)
    };
    let other = [END[0], ("host_id", "kdc2")];
    let run = run_with(
        catalog,
        &site,
        Memory::default(),
        "meeting/end",
        &other,
        well,
    )
    .unwrap();
    assert_eq!(
        run.requests(),
        [r#"PUT /meetings/9876543210/status {"action":"end"}"#]
    );
}

#[test]
fn an_instant_meeting_that_v2_does_not_show_is_ended() {
    let v2 = |request: &V2Request| match request.method.as_str() {
        "GET" => error(404, 3001, "Meeting does not exist: 9876543210."),
        _ => well(request),
    };
    let run = run("meeting/end", END, v2).unwrap();
    assert!(run.warned().is_empty());
    assert_eq!(run.answer()["ended_at"], "2020-09-13T12:26:40Z");
}

#[test]
fn v2s_errors_are_said_in_v1s_words() {
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
            _ => well(request),
        };
        assert_eq!(run("meeting/end", END, v2).unwrap().error(), wanted);
    }
}
