//! Cloud recordings: plans, responses, and assumptions of programs that download or delete.

use std::sync::Arc;

use mappings::{Links, Outcome, Site, V2Request};
use serde_json::{Value, json};

use crate::{
    driver::{NOW, Run, catalog, error, no_content, of, ok, run, run_at, site_with_option, user},
    plans::transcript,
};

const REQUESTS: &[(&str, &[(&str, &str)])] = &[
    ("recording/get", &[("meeting_id", "CAf0sQ+Ri==")]),
    ("recording/delete", &[("meeting_id", "CAf0sQ+Ri==")]),
    (
        "recording/delete",
        &[("meeting_id", "CAf0sQ+Ri=="), ("file_id", "f1")],
    ),
    (
        "mc/recording/list",
        &[
            ("host_id", "kdc1"),
            ("meeting_number", "987-654-321"),
            ("from", "2020-08-01"),
            ("to", "2020-08-31"),
        ],
    ),
];

fn recording() -> Value {
    json!({
        "uuid": "CAf0sQ+Ri==", "id": 98_765_432_101_i64, "account_id": "acc", "host_id": "kdc1",
        "topic": "Planning", "type": 2, "start_time": "2020-08-01T09:00:00.000Z",
        "timezone": "", "duration": 42, "total_size": 6_000_000_000_i64, "recording_count": 3,
        "download_access_token": "token.of.the.meeting", "password": "x",
        "recording_files": [
            {
                "id": "f1", "meeting_id": "CAf0sQ+Ri==", "recording_start": "2020-08-01T09:00:05Z",
                "recording_end": "2020-08-01T09:42:00Z", "file_type": "MP4", "file_extension": "MP4",
                "file_size": 5_000_000_000_i64, "play_url": "https://example.com/rec/play/1",
                "download_url": "https://example.com/rec/download/1", "status": "processing",
                "recording_type": "shared_screen_with_speaker_view",
            },
            {
                "meeting_id": "CAf0sQ+Ri==", "recording_start": "2020-08-01T09:00:05Z",
                "recording_end": "", "file_type": "TIMELINE", "file_size": 7,
                "download_url": "https://example.com/rec/download/2",
            },
        ],
    })
}

fn success(request: &V2Request) -> Outcome {
    match (request.method.as_str(), &*request.template) {
        ("GET", "/meetings/{meetingId}/recordings") => {
            let mut found = recording();
            if request.query.is_empty() {
                found
                    .as_object_mut()
                    .unwrap()
                    .remove("download_access_token");
            }
            ok(found)
        }
        ("GET", "/users/{userId}") => ok(user()),
        ("GET", "/users/{userId}/recordings") => {
            let older = json!({
                "uuid": "older==", "id": 987_654_321, "account_id": "acc", "host_id": "kdc1",
                "start_time": "2020-08-01T09:00:00Z", "timezone": "Europe/Paris", "recording_files": [{
                    "id": "f9", "meeting_id": "older==", "file_type": "MP4", "file_size": 3,
                    "recording_start": "2020-08-01T09:00:00Z", "file_path": "/connector/9.mp4",
                    "recording_end": "2020-08-01T09:10:00Z", "status": "completed",
                }],
            });
            let mut newer = recording();
            newer["start_time"] = "2020-08-30T09:00:00Z".into();
            let meetings = if of(request, "to") > "2020-08" {
                json!([older, newer])
            } else {
                json!([])
            };
            ok(json!({ "meetings": meetings, "next_page_token": "", "total_records": 2 }))
        }
        _ => no_content(),
    }
}

/// A request to a site with an option set.
fn choosing(option: &str, choice: &str, operation: &str, arguments: &[(&str, &str)]) -> Run {
    run_at(
        &site_with_option(option, choice),
        operation,
        arguments,
        success,
    )
    .unwrap()
}

#[test]
fn plans_and_answers() {
    insta::assert_snapshot!(transcript(REQUESTS, success));
}

#[test]
fn double_encodes_uuids_in_any_encoding() {
    let path = |given: &str| {
        let run = run("recording/get", &[("meeting_id", given)], success).unwrap();
        let sent = run.requests()[0].to_owned();
        let path = sent.trim_start_matches("GET /meetings/");
        path.split_once("/recordings").unwrap().0.to_owned()
    };
    assert_eq!(path("/abc+d=="), "%252Fabc%252Bd%253D%253D");
    assert_eq!(path("ab//cd=="), "ab%252F%252Fcd%253D%253D");
    assert_eq!(path("%2Fabc%2Bd%3D%3D"), "%252Fabc%252Bd%253D%253D");
    assert_eq!(path("ab/cd=="), "ab%2Fcd%3D%3D");
    assert_eq!(path("98765432101"), "98765432101");
}

#[test]
fn empty_file_id_deletes_all_files() {
    let arguments = [("meeting_id", "CAf0sQ+Ri=="), ("file_id", "")];
    let run = run("recording/delete", &arguments, success).unwrap();
    assert_eq!(
        run.requests(),
        ["DELETE /meetings/CAf0sQ%2BRi%3D%3D/recordings?action=trash"]
    );
}

#[test]
fn deletes_a_single_file() {
    let arguments = [("meeting_id", "CAf0sQ+Ri=="), ("file_id", "f/1")];
    let run = run("recording/delete", &arguments, success).unwrap();
    assert_eq!(
        run.requests(),
        ["DELETE /meetings/CAf0sQ%2BRi%3D%3D/recordings/f%2F1?action=trash"]
    );
}

#[test]
fn rejects_ids_reserved_by_v2() {
    let refused = |arguments: &[(&str, &str)]| run("recording/delete", arguments, success).err();
    let (meeting, file) = (("meeting_id", "CAf0sQ+Ri=="), "file_id");
    for reserved in ["..", ".", "registrants", "Settings"] {
        let refused = refused(&[meeting, (file, reserved)]);
        assert_eq!(refused.as_deref(), Some("300 Invalid parameter: file_id"));
    }
    let refused = refused(&[("meeting_id", "..")]);
    let unknown = "3301 There is no recording for this meeting.";
    assert_eq!(refused.as_deref(), Some(unknown));
    let refused = run("mc/recording/list", &[("host_id", "me")], success).err();
    assert_eq!(refused.as_deref(), Some("1001 User not exist: me"));
}

#[test]
fn option_deletes_permanently() {
    let run = choosing(
        "recording_delete",
        "delete",
        "recording/delete",
        &[("meeting_id", "CAf0sQ+Ri==")],
    );
    assert_eq!(
        run.requests(),
        ["DELETE /meetings/CAf0sQ%2BRi%3D%3D/recordings?action=delete"]
    );
}

#[test]
fn option_omits_download_tokens() {
    let download = |choice: &str| {
        let arguments = [("meeting_id", "CAf0sQ+Ri==")];
        let answer = choosing("recording_downloads", choice, "recording/get", &arguments).answer();
        answer["recording_files"][0]["download_url"].clone()
    };
    let plain = "https://example.com/rec/download/1";
    assert_eq!(
        download("token"),
        format!("{plain}?access_token=token.of.the.meeting")
    );
    assert_eq!(download("plain"), plain);
    // No link provider is configured.
    assert_eq!(download("relay"), plain);
}

/// Links of a site that relays files.
#[derive(Debug)]
struct Relay;

impl Links for Relay {
    fn link(&self, url: &str, now: i64) -> Option<String> {
        Some(format!("https://shim.example.com/{now}/{}", url.len()))
    }
}

#[test]
fn relayed_downloads_have_site_links() {
    let site = Site {
        links: Some(Arc::new(Relay)),
        ..site_with_option("recording_downloads", "relay")
    };
    assert!(catalog().has_links(&site.options));
    assert!(!catalog().has_links(&site_with_option("recording_downloads", "token").options));
    for (operation, given, at) in [
        ("recording/get", ("meeting_id", "CAf0sQ+Ri=="), ""),
        ("recording/list", ("host_id", "kdc1"), "/meetings/0"),
    ] {
        let run = run_at(&site, operation, &[given], success).unwrap();
        let asked = run.requests().join(" ");
        assert!(!asked.contains("download_access_token"), "{asked}");
        let at = format!("{at}/recording_files/0/download_url");
        let link = run.answer().pointer(&at).cloned();
        let expected = format!("https://shim.example.com/{NOW}/34");
        assert_eq!(link, Some(json!(expected)), "{operation}");
    }
}

#[test]
fn option_adds_passcode_to_play_url() {
    let play = |choice: bool, passcode: Option<&str>| {
        let v2 = |_: &V2Request| {
            let mut found = recording();
            found["recording_play_passcode"] = passcode.into();
            ok(found)
        };
        let site = site_with_option("recording_play_passcode", choice);
        let given = [("meeting_id", "CAf0sQ+Ri==")];
        let run = run_at(&site, "recording/get", &given, v2).unwrap();
        run.answer()["recording_files"][0]["play_url"].clone()
    };
    let plain = "https://example.com/rec/play/1";
    assert_eq!(play(true, Some("yN")), format!("{plain}?pwd=yN"));
    assert_eq!(play(true, None), plain);
    assert_eq!(play(false, Some("yN")), plain);
}

#[test]
fn error_body_with_status_200_is_an_error() {
    let refusal = |_: &V2Request| ok(json!({ "code": 200, "message": "no right permissions" }));
    let run = run("recording/get", &[("meeting_id", "CAf0sQ+Ri==")], refusal).unwrap();
    assert_eq!(run.error(), "200 no right permissions");
}

#[test]
fn maps_v2_errors_to_v1() {
    let unknown = "There is no recording for this meeting.";
    for (status, code, message, v1) in [
        (
            404,
            3301,
            "There is no recording for this session.",
            format!("3301 {unknown}"),
        ),
        (
            400,
            3303,
            "You can not delete it.",
            "3303 You can not delete it.".to_owned(),
        ),
        (
            400,
            3310,
            "It is being processed.",
            "3310 It is being processed.".to_owned(),
        ),
        (
            404,
            1001,
            "User does not exist.",
            "1001 User not exist: CAf0sQ+Ri==".to_owned(),
        ),
        (
            400,
            1010,
            "User is elsewhere.",
            "1010 User not belong to this account".to_owned(),
        ),
        (
            401,
            124,
            "Requires an access token.",
            "200 No permission.".to_owned(),
        ),
        (
            400,
            4711,
            "Invalid access token, scopes.",
            "200 No permission.".to_owned(),
        ),
    ] {
        let v2 = |_: &V2Request| error(status, code, message);
        for operation in ["recording/get", "recording/delete"] {
            let run = run(operation, &[("meeting_id", "CAf0sQ+Ri==")], v2).unwrap();
            assert_eq!(run.error(), v1);
        }
    }
}

#[test]
fn without_dates_reads_all_recordings() {
    let host = [("host_id", "kdc1")];
    let run = run("mc/recording/list", &host, success).unwrap();
    let requests = run.requests();
    assert_eq!(requests[0], "GET /users/kdc1");
    assert_eq!(requests.len(), 1 + 24);
    assert!(requests[1].contains("from=2020-08-13") && requests[1].contains("to=2020-09-13"));
    assert!(requests[2].contains("from=2020-07-12") && requests[2].contains("to=2020-08-12"));
    assert!(requests[24].contains("from=2018-09-13"), "{}", requests[24]);
}

#[test]
fn range_starts_at_the_creation_of_the_host() {
    let young = |request: &V2Request| match &*request.template {
        "/users/{userId}" => ok(json!({ "id": "kdc1", "user_created_at": "2020-07-20T23:00:00Z" })),
        _ => success(request),
    };
    let run = run("mc/recording/list", &[("host_id", "kdc1")], young).unwrap();
    let requests = run.requests();
    assert_eq!(requests.len(), 3);
    assert!(requests[2].contains("from=2020-07-20"), "{}", requests[2]);
}

const QUARTER: [(&str, &str); 3] = [
    ("host_id", "kdc1"),
    ("from", "2020-06-15"),
    ("to", "2020-08-31"),
];

#[test]
fn long_range_is_split_into_disjoint_months() {
    let run = run("mc/recording/list", &QUARTER, success).unwrap();
    let requests = run.requests();
    assert_eq!(requests[0], "GET /users/kdc1");
    let days: Vec<_> = requests[1..]
        .iter()
        .map(|request| days_of(request))
        .collect();
    assert_eq!(
        days,
        [
            ("2020-07-31".to_owned(), "2020-08-31".to_owned()),
            ("2020-06-30".to_owned(), "2020-07-30".to_owned()),
            // The host is in London, on daylight saving time.
            ("2020-06-14".to_owned(), "2020-06-29".to_owned()),
        ]
    );
    assert_eq!(run.warned(), Vec::<&str>::new());
}

#[test]
fn dates_use_the_hosts_time_zone() {
    let v2 = |request: &V2Request| {
        if &*request.template == "/users/{userId}" {
            ok(json!({ "id": "kdc1", "timezone": "America/Los_Angeles" }))
        } else {
            let starts = [
                "2020-08-02T06:59:59Z",
                "2020-08-02T07:00:00Z",
                "2020-08-04T06:59:59Z",
                "2020-08-04T07:00:00Z",
            ];
            let meetings = starts.map(|start| json!({ "uuid": start, "start_time": start }));
            ok(json!({ "meetings": meetings, "next_page_token": "" }))
        }
    };
    for (from, to, days, first_and_last) in [
        (
            "08/02/2020 12:00 am",
            "08/03/2020 11:59 pm",
            ["2020-08-02", "2020-08-04"],
            [1, 1],
        ),
        (
            "2020-08-02",
            "2020-08-03",
            ["2020-08-02", "2020-08-04"],
            [1, 2],
        ),
        (
            "2020-08-02T00:00:00Z",
            "2020-08-02T07:00:00Z",
            ["2020-08-02", "2020-08-02"],
            [0, 1],
        ),
    ] {
        let given = [("host_id", "kdc1"), ("from", from), ("to", to)];
        let run = run("mc/recording/list", &given, v2).unwrap();
        let asked = days_of(run.requests()[1]);
        assert_eq!([asked.0.as_str(), &asked.1], days, "{from}");
        let answer = run.answer();
        let meetings = answer["meetings"].as_array().unwrap();
        let mut uuids: Vec<_> = meetings
            .iter()
            .map(|one| one["uuid"].as_str().unwrap())
            .collect();
        uuids.sort_unstable();
        let starts = [
            "2020-08-02T06:59:59Z",
            "2020-08-02T07:00:00Z",
            "2020-08-04T06:59:59Z",
        ];
        let [first, last] = first_and_last;
        assert_eq!(uuids, starts[first..=last], "{from} {to}");
    }
}

fn days_of(request: &str) -> (String, String) {
    let day = |name: &str| {
        let (_, rest) = request.split_once(&format!("{name}=")).unwrap();
        rest.get(..10).unwrap().to_owned()
    };
    (day("from"), day("&to"))
}

#[test]
fn unreadable_month_fails_the_response() {
    for failing in ["2020-07-31", "2020-06-30", "2020-06-14"] {
        let v2 = |request: &V2Request| match of(request, "from") == failing {
            true => error(429, 429, "Too many requests."),
            false => success(request),
        };
        let run = run("mc/recording/list", &QUARTER, v2).unwrap();
        assert!(
            run.error().starts_with("403 Sorry"),
            "{failing}: {}",
            run.error()
        );
    }
    let refusal = |_: &V2Request| ok(json!({ "code": 200, "message": "no right permissions" }));
    let run = run("mc/recording/list", &QUARTER, refusal).unwrap();
    assert_eq!(run.error(), "200 no right permissions");
}

#[test]
fn empty_month_is_no_error_but_unknown_host_is() {
    let empty = |request: &V2Request| match of(request, "from") {
        "" | "2020-07-31" => success(request),
        _ => error(404, 3301, "There is no recording for this session."),
    };
    let run_of =
        |v2: &dyn Fn(&V2Request) -> Outcome| run("mc/recording/list", &QUARTER, v2).unwrap();
    assert_eq!(run_of(&empty).answer()["total_records"], 2);
    let none = |request: &V2Request| match of(request, "from") {
        "" => success(request),
        _ => error(404, 3301, "There is no recording for this session."),
    };
    let answer = run_of(&none).answer();
    assert_eq!(
        (&answer["total_records"], &answer["meetings"]),
        (&json!(0), &json!([]))
    );
    let unknown = |_: &V2Request| error(404, 1001, "User does not exist.");
    assert_eq!(run_of(&unknown).error(), "1001 User not exist: kdc1");
}

#[test]
fn paginates_recordings_newest_first() {
    let page = |number| {
        let arguments = [
            QUARTER[0],
            QUARTER[1],
            QUARTER[2],
            ("page_size", "1"),
            ("page_number", number),
        ];
        run("mc/recording/list", &arguments, success)
            .unwrap()
            .answer()
    };
    let uuids = |answer: &Value| {
        let meetings = answer["meetings"].as_array().unwrap().clone();
        meetings
            .iter()
            .map(|meeting| meeting["uuid"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(uuids(&page("1")), ["CAf0sQ+Ri=="]);
    assert_eq!(uuids(&page("2")), ["older=="]);
    let beyond = page("3");
    assert!(uuids(&beyond).is_empty());
    assert_eq!(
        (&beyond["total_records"], &beyond["page_count"]),
        (&json!(2), &json!(2))
    );
}
