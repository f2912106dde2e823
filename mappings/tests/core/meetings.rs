//! Meetings: create, read, list, update and delete, with assumptions of v1 programs.

use mappings::{Outcome, V2Request};
use serde_json::{Value, json};

use crate::{
    driver::{created, error, no_content, ok, run, run_at, site_with_option, strict_site},
    plans::transcript,
};

const HOST: (&str, &str) = ("host_id", "kdc1");
const ID: (&str, &str) = ("id", "987-654-3210");

const REQUESTS: &[(&str, &[(&str, &str)])] = &[
    (
        "meeting/create",
        &[
            HOST,
            ("type", "8"),
            ("topic", "Planning"),
            ("start_time", "2018-05-09T10:00:00.123Z"),
            ("duration", "0"),
            ("timezone", "America/New_York"),
            ("password", ""),
            (
                "recurrence",
                r#"{"type":"1","end_times":5,"end_date_time":"2017-1-9T3:00:00Z"}"#,
            ),
            ("option_registration", "True"),
            ("option_jbh", "1"),
            ("option_no_video_host", "true"),
            ("option_audio", "VoIP"),
            ("option_alternative_hosts", "a@example.com, b@example.com"),
            ("option_alternative_host_ids", "kdc7;kdc8"),
            ("option_auto_record_type", "true"),
        ],
    ),
    ("meeting/create", &[HOST, ("type", "1"), ("topic", "Now")]),
    ("meeting/get", &[ID, HOST]),
    ("meeting/list", &[HOST, ("page_size", "300")]),
    (
        "meeting/update",
        &[
            ID,
            HOST,
            ("topic", "Review"),
            ("option_host_video", "false"),
            ("option_no_video_host", "0"),
        ],
    ),
    ("meeting/update", &[ID, HOST]),
    (
        "meeting/delete",
        &[ID, HOST, ("occurrence_id", "1600000000000")],
    ),
];

fn meeting() -> Value {
    json!({
        "uuid": "4444AAAiAAAAAiAiAiiAii==", "id": 9_876_543_210_i64, "host_id": "kdc1",
        "host_email": "Ada@example.com", "topic": "Planning", "type": 2, "status": "waiting",
        "start_time": "2020-09-13T12:30:00Z", "duration": 45, "timezone": "Europe/London",
        "created_at": "2020-09-01T10:00:00.5Z", "start_url": "https://example.com/s/1?zak=z",
        "join_url": "https://example.com/j/1", "password": "abc123", "agenda": "v1 has none",
        "settings": {
            "host_video": true, "participant_video": false, "join_before_host": false,
            "audio": "thirdParty", "meeting_authentication": true, "use_pmi": false,
            "alternative_hosts": "b@example.com;c@example.com", "auto_recording": "none",
        },
    })
}

fn series() -> Value {
    let mut series = meeting();
    series["type"] = 8.into();
    series["occurrences"] = json!([{
        "occurrence_id": "1600000000000", "start_time": "2020-09-13T12:30:00Z", "duration": 45,
        "status": "available", "more": 1,
    }]);
    series
}

fn success(request: &V2Request) -> Outcome {
    match (request.method.as_str(), &*request.template) {
        ("GET", "/meetings/{meetingId}") => ok(series()),
        ("POST", "/users/{userId}/meetings") => created(meeting()),
        ("GET", "/users/{userId}/meetings") => ok(json!({
            "page_count": 1, "page_number": 1, "page_size": 300, "total_records": 1,
            "meetings": [{
                "uuid": "4444AAAiAAAAAiAiAiiAii==", "id": 9_876_543_210_i64, "host_id": "kdc1",
                "topic": "Planning", "type": 8, "duration": 45, "timezone": "Europe/London",
                "created_at": "2020-09-01T10:00:00Z", "join_url": "https://example.com/j/1",
            }],
        })),
        _ => no_content(),
    }
}

/// A request to a site with an option set.
fn choosing(
    option: &str,
    choice: impl Into<toml::Value>,
    operation: &str,
    arguments: &[(&str, &str)],
) -> Vec<String> {
    let site = site_with_option(option, choice);
    let run = run_at(&site, operation, arguments, success).unwrap();
    run.sent.concat()
}

#[test]
fn plans_and_answers() {
    insta::assert_snapshot!(transcript(REQUESTS, success));
}

#[test]
fn instant_meeting_has_no_start_or_duration() {
    let instant = |request: &V2Request| {
        let mut meeting = meeting();
        meeting["type"] = 1.into();
        match request.method.is_read() {
            true => ok(meeting),
            false => created(meeting),
        }
    };
    let create = [HOST, ("type", "1"), ("topic", "Now")];
    for (operation, given) in [
        ("meeting/create", &create[..]),
        ("meeting/get", &[ID, HOST]),
    ] {
        let answer = run(operation, given, instant).unwrap().answer();
        assert_eq!(answer["start_time"], "", "{operation}");
        assert_eq!(answer["duration"], 0, "{operation}");
        assert_eq!(answer["status"], 0, "{operation}");
    }
}

#[test]
fn personal_id_appears_twice() {
    let personal = |_: &V2Request| {
        let mut meeting = meeting();
        meeting["settings"]["use_pmi"] = true.into();
        ok(meeting)
    };
    let answer = run("meeting/get", &[ID, HOST], personal).unwrap().answer();
    assert_eq!(answer["real_id"], answer["id"]);
}

#[test]
fn normalises_start_time_to_utc() {
    let sent = |time: &str| {
        let given = [HOST, ("type", "2"), ("topic", "x"), ("start_time", time)];
        run("meeting/create", &given, success).map(|run| run.requests()[0].to_owned())
    };
    for time in [
        "2016-11-20T12:00:00Z",
        "2016-11-20T12:00:00",
        "2016-11-20T12:0:0Z",
        "2016-11-20 12:00",
    ] {
        assert!(
            sent(time)
                .unwrap()
                .contains(r#""start_time":"2016-11-20T12:00:00Z""#),
            "{time}"
        );
    }
    assert_eq!(
        sent("11/29/2016 3:05:00 PM"),
        Err("300 Invalid parameter: start_time".to_owned())
    );
}

#[test]
fn truncates_long_topic_or_rejects_it_in_strict_mode() {
    let topic = "ä".repeat(300);
    let given = [HOST, ("type", "2"), ("topic", topic.as_str())];
    let run = run("meeting/create", &given, success).unwrap();
    assert!(run.requests()[0].contains(&format!(r#""topic":"{}""#, "ä".repeat(200))));
    assert_eq!(run.warned(), ["topic"]);
    let strict = strict_site();
    let refused = run_at(&strict, "meeting/create", &given, success);
    assert!(
        refused
            .err()
            .unwrap()
            .starts_with("300 Invalid parameter: topic (strict")
    );
}

#[test]
fn sends_only_given_parameters() {
    let given = [
        HOST,
        ("type", "2"),
        ("topic", "x"),
        ("option_auto_record_type", "true"),
    ];
    let run = run("meeting/create", &given, success).unwrap();
    assert_eq!(
        run.requests(),
        [r#"POST /users/kdc1/meetings {"type":2,"topic":"x"}"#]
    );
    assert_eq!(run.warned(), ["option_auto_record_type"]);
}

#[test]
fn rejects_recurrence_that_is_not_json() {
    for (recurrence, name) in [
        ("{'type':1}", "recurrence"),
        ("[1]", "recurrence"),
        (r#"{"type":[1]}"#, "recurrence"),
    ] {
        let given = [
            HOST,
            ("type", "8"),
            ("topic", "x"),
            ("recurrence", recurrence),
        ];
        let refused = run("meeting/create", &given, success).err();
        assert_eq!(
            refused,
            Some(format!("300 Invalid parameter: {name}")),
            "{recurrence}"
        );
    }
}

#[test]
fn restricts_meetings_to_their_host() {
    for host in ["ADA@example.com", "kdc1"] {
        assert!(
            run("meeting/get", &[ID, ("host_id", host)], success)
                .unwrap()
                .finished
                .answer
                .result
                .is_ok()
        );
    }
    for host in ["kdc2", "grace@example.com", "me"] {
        let given = [ID, ("host_id", host), ("topic", "x")];
        let get = run("meeting/get", &given[..2], success).unwrap();
        assert_eq!(
            get.error(),
            "3001 Meeting 9876543210 is not found or has expired."
        );
        for operation in ["meeting/update", "meeting/delete"] {
            let run = run(operation, &given, success).unwrap();
            assert_eq!(run.error(), "3003 Not meeting host.");
            assert_eq!(run.requests(), ["GET /meetings/9876543210"]);
        }
    }
    let given = [ID, ("host_id", "kdc2"), ("topic", "x")];
    assert_eq!(
        choosing("host_check", false, "meeting/update", &given),
        [r#"PATCH /meetings/9876543210 {"topic":"x"}"#]
    );
    assert!(choosing("host_check", false, "meeting/update", &given[..2]).is_empty());
}

#[test]
fn missing_host_is_a_warning() {
    let nameless = |_: &V2Request| ok(json!({ "id": 9_876_543_210_i64 }));
    let run = run("meeting/get", &[ID, HOST], nameless).unwrap();
    assert_eq!(run.warned(), ["host_id"]);
}

#[test]
fn empty_occurrence_id_does_not_delete_the_series() {
    for none in ["", " ", "null"] {
        let refused = run(
            "meeting/delete",
            &[ID, HOST, ("occurrence_id", none)],
            success,
        );
        assert_eq!(
            refused.err().as_deref(),
            Some("300 Invalid parameter: occurrence_id"),
            "{none:?}"
        );
    }
    let run = run("meeting/delete", &[ID, HOST], success).unwrap();
    assert_eq!(
        run.requests(),
        ["GET /meetings/9876543210", "DELETE /meetings/9876543210"]
    );
}

#[test]
fn meeting_id_must_be_digits() {
    for id in [
        "abc",
        "..",
        "12345678",
        "123456789012",
        "1234567/9",
        "+123456789",
    ] {
        let refused = run("meeting/get", &[("id", id), HOST], success).err();
        assert_eq!(
            refused.as_deref(),
            Some("300 Invalid parameter: id"),
            "{id}"
        );
    }
    let host = run("meeting/list", &[("host_id", "me")], success).err();
    assert_eq!(host.as_deref(), Some("1001 User not exist: me"));
}

#[test]
fn maps_v2_errors_to_v1() {
    let told = |operation: &str, code: i64| {
        let given = [ID, HOST, ("topic", "x"), ("type", "2")];
        run(operation, &given, move |_: &V2Request| {
            error(400, code, "v2's words")
        })
        .unwrap()
        .error()
    };
    let unknown = "3001 Meeting 9876543210 is not found or has expired.";
    for operation in ["meeting/get", "meeting/update", "meeting/delete"] {
        assert_eq!(told(operation, 3001), unknown);
        assert_eq!(told(operation, 3000), "3000 Cannot access webinar info.");
        assert_eq!(told(operation, 3161), "3161 v2's words");
    }
    assert_eq!(
        told("meeting/delete", 3018),
        "3018 Not allow to delete PMI."
    );
    assert_eq!(told("meeting/create", 3000), "3000 v2's words");
    assert_eq!(told("meeting/create", 1001), "1001 User not exist: kdc1");
    assert_eq!(told("meeting/list", 1001), "1001 User not exist: kdc1");
}

#[test]
fn success_without_a_meeting_is_a_failure() {
    let hidden = |_: &V2Request| ok(json!({ "code": 200, "message": "No permission today." }));
    let run_ = run("meeting/get", &[ID, HOST], hidden).unwrap();
    assert_eq!(run_.error(), "200 No permission today.");
    let empty = |_: &V2Request| ok(json!([]));
    let given = [HOST, ("type", "2"), ("topic", "x")];
    let run_ = run("meeting/create", &given, empty).unwrap();
    assert!(run_.finished.is_trouble);
    assert_eq!(
        run_.error(),
        "500 Zoom answered with something that is not its API; nothing is known about the outcome."
    );
}

#[test]
fn list_without_detail_omits_missing_members() {
    let site = site_with_option("list_detail", "profile");
    let run = run_at(&site, "meeting/list", &[HOST], success).unwrap();
    assert!(
        run.warned()
            .iter()
            .any(|fields| fields.contains("start_url")),
        "{:?}",
        run.warned()
    );
    let answer = run.answer();
    let entry = answer["meetings"][0].as_object().unwrap();
    assert!(!entry.contains_key("password") && !entry.contains_key("option_audio"));
    assert_eq!(entry["status"], 0);
}
