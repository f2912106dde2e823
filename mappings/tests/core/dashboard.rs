//! The dashboard: plans, responses, and assumptions of harvesting and monitoring programs.

use mappings::{Memory, Outcome, V2Request};
use serde_json::{Value, json};

use crate::{
    driver::{Run, catalog, error, of, ok, run, run_at, run_with, site, site_with_option},
    plans::transcript,
};

const PAST: (&str, &str) = ("type", "2");
const LIVE: (&str, &str) = ("type", "1");
const MEETING: (&str, &str) = ("meeting_id", "abc==");
const AUGUST: [(&str, &str); 2] = [("from", "2020-08-01"), ("to", "2020-08-31")];

const REQUESTS: &[(&str, &[(&str, &str)])] = &[
    ("metrics/meetings", &[PAST, AUGUST[0], AUGUST[1]]),
    (
        "metrics/meetings",
        &[("type", "3"), AUGUST[0], AUGUST[1], ("page_size", "300")],
    ),
    ("metrics/meetings", &[LIVE, AUGUST[0], AUGUST[1]]),
    ("metrics/webinars", &[PAST, AUGUST[0], AUGUST[1]]),
    ("metrics/meetingdetail", &[MEETING, PAST]),
    ("metrics/meetingdetail", &[MEETING, LIVE]),
    ("metrics/webinardetail", &[MEETING, ("type", "3")]),
    ("metrics/qos", &[MEETING, PAST, ("user_id", "16778240")]),
    ("metrics/qos", &[MEETING, PAST, ("page_size", "300")]),
    ("metrics/sharerecorddetail", &[MEETING]),
    ("metrics/crc", &AUGUST),
    ("metrics/im", &AUGUST),
    ("metrics/zoomrooms", &[]),
    (
        "metrics/zoomroomdetail",
        &[("id", "r1"), AUGUST[0], AUGUST[1]],
    ),
];

fn meeting(is_live: bool) -> Value {
    let mut meeting = json!({
        "uuid": "abc==", "id": 94_908_911_701_i64, "topic": "Planning", "host": "Ada",
        "email": "ada@example.com", "user_type": "Licensed", "dept": "R&D",
        "start_time": "2020-08-05T10:00:00Z", "end_time": "2020-08-05T11:02:03Z",
        "duration": "01:02:03", "participants": 2, "has_pstn": true, "has_archiving": true,
        "has_voip": false, "has_3rd_party_audio": true, "has_video": false,
        "has_screen_share": true, "has_recording": true, "has_sip": false,
    });
    if is_live {
        meeting["end_time"] = "".into();
        let members = meeting.as_object_mut().unwrap();
        members.remove("duration");
        members.insert("has_recording".to_owned(), false.into());
        members.insert("user_type".to_owned(), "Partner".into());
    }
    meeting
}

fn participants() -> Value {
    json!([
        {
            "id": "kdc1", "user_id": "16778240", "user_name": "Lovelace# Ada", "device": "Mac",
            "ip_address": "192.0.2.1", "location": "San Jose (US)", "network_type": "Wifi",
            "join_time": "2020-08-05T10:00:01Z", "leave_time": "2020-08-05T11:02:03Z",
            "share_application": true, "share_desktop": false, "share_whiteboard": true,
            "recording": false, "version": "5.1.2", "data_center": "SC", "role": "host",
        },
        {
            "user_id": "16778241", "user_name": "Phone", "device": "Phone", "location": "Germany",
            "join_time": "2020-08-05T10:01:00.250Z", "share_application": false,
            "share_desktop": true, "share_whiteboard": false, "recording": true,
        },
    ])
}

fn quality(user_id: &str) -> Value {
    let audio = |bitrate: &str| {
        json!({
            "bitrate": bitrate, "latency": "126 ms", "jitter": "1 ms", "avg_loss": "0.03%",
            "max_loss": "0.4%",
        })
    };
    let video = |bitrate: &str| {
        let mut video = audio(bitrate);
        video["resolution"] = "1280*720".into();
        video["frame_rate"] = "12 fps".into();
        video
    };
    json!({
        "user_id": user_id, "user_name": "Ada", "device": "Mac", "ip_address": "192.0.2.1",
        "location": "San Jose (US)", "version": "5.1.2", "email": "ada@example.com",
        "user_qos": [{
            "date_time": "2020-08-05T10:01:00Z", "audio_input": audio("1"),
            "audio_output": audio("2"), "video_input": video("3"), "video_output": video("4"),
            "as_input": video("5"), "as_output": {}, "wifi_rssi": {},
            "cpu_usage": {
                "zoom_min_cpu_usage": "0%", "zoom_avg_cpu_usage": "7%",
                "zoom_max_cpu_usage": "25%", "system_max_cpu_usage": "32%",
            },
        }],
    })
}

fn room() -> Value {
    json!({
        "id": "r1", "room_name": "Bridge", "calender_name": "bridge", "email": "bridge@example.com",
        "account_type": "Work Email", "status": "InMeeting", "device_ip": "192.0.2.9",
        "camera": "Cam", "microphone": "Mic", "speaker": "", "health": "ok", "issues": [],
        "last_start_time": "2020-09-09T03:46:00Z",
    })
}

/// A page of a token-paged list.
fn page(request: &V2Request, name: &str, entries: &Value) -> Outcome {
    ok(json!({
        "from": of(request, "from"), "to": of(request, "to"), "page_count": 4,
        "page_size": of(request, "page_size").parse::<i64>().unwrap(), "total_records": 100,
        "next_page_token": "next", name: entries,
    }))
}

fn success(request: &V2Request) -> Outcome {
    let is_live = of(request, "type") == "live";
    match &*request.template {
        "/metrics/meetings" => page(request, "meetings", &json!([meeting(is_live)])),
        "/metrics/webinars" => page(request, "webinars", &json!([meeting(is_live)])),
        "/metrics/meetings/{meetingId}" | "/metrics/webinars/{webinarId}" => ok(meeting(is_live)),
        "/metrics/meetings/{meetingId}/participants"
        | "/metrics/webinars/{webinarId}/participants" => {
            page(request, "participants", &participants())
        }
        "/metrics/meetings/{meetingId}/participants/qos" => page(
            request,
            "participants",
            &json!([quality("16778240"), { "user_id": "16778241" }]),
        ),
        "/metrics/meetings/{meetingId}/participants/{participantId}/qos" => ok(quality("16778240")),
        "/metrics/meetings/{meetingId}/participants/sharing" => page(
            request,
            "participants",
            &json!([
                {
                    "id": "kdc1", "user_id": "16778240", "user_name": "Ada", "details": [
                        {
                            "content": "desktop", "start_time": "2020-08-05T10:10:00Z",
                            "end_time": "2020-08-05T10:20:00Z",
                        },
                        { "content": "cloud_recording", "start_time": "2020-08-05T10:30:00Z" },
                    ],
                },
                { "user_id": "16778241", "user_name": "Phone" },
            ]),
        ),
        "/metrics/crc" => ok(json!({
            "from": of(request, "from"), "to": of(request, "to"), "crc_ports_usage": [{
                "date_time": "2020-08-01T00:00:00Z", "crc_ports_hour_usage": [
                    { "hour": "00", "max_usage": 1, "total_usage": 2 },
                    { "hour": "23", "max_usage": 3, "total_usage": 4 },
                ],
            }],
        })),
        "/metrics/chat" => ok(json!({
            "from": of(request, "from"), "to": of(request, "to"), "page_size": 300,
            "next_page_token": "", "users": [
                {
                    "user_id": "kdc1", "user_name": "Ada", "email": "ada@example.com",
                    "total_sent": 30, "p2p_sent": 1, "group_sent": 2, "text_sent": 3,
                    "files_sent": 4, "images_sent": 5, "audio_sent": 6, "video_sent": 7,
                    "giphys_sent": 8, "code_sippet_sent": 9,
                },
                { "user_id": "kdc2", "user_name": "Grace", "email": "grace@example.com" },
            ],
        })),
        "/metrics/zoomrooms" => ok(json!({
            "page_count": 1, "page_number": 1, "page_size": 30, "total_records": 2,
            "next_page_token": "", "zoom_rooms": [
                room(),
                {
                    "id": "r2", "room_name": "Attic", "account_type": "Work Email",
                    "status": "Offline", "last_start_time": "",
                },
            ],
        })),
        "/metrics/zoomrooms/{zoomroomId}" => {
            let mut room = room();
            room["live_meeting"] = meeting(true);
            room["past_meetings"] = json!({
                "from": of(request, "from"), "to": of(request, "to"), "page_count": 1,
                "page_size": 300, "total_records": 1, "next_page_token": "",
                "meetings": [meeting(false)],
            });
            ok(room)
        }
        "/rooms/{roomId}" => ok(json!({ "basic": { "name": "Bridge", "room_passcode": "1234" } })),
        other => panic!("{other}"),
    }
}

#[test]
fn plans_and_answers() {
    insta::assert_snapshot!(transcript(REQUESTS, success));
}

#[test]
fn missing_type_is_an_error() {
    for (operation, arguments) in REQUESTS {
        let without: Vec<_> = arguments
            .iter()
            .filter(|(n, _)| *n != "type")
            .copied()
            .collect();
        if without.len() < arguments.len() {
            let refused = run(operation, &without, success).err();
            assert_eq!(
                refused.as_deref(),
                Some("300 Type is required."),
                "{operation}"
            );
        }
    }
}

#[test]
fn meeting_requests_always_send_the_type() {
    for (operation, arguments) in REQUESTS {
        for request in run(operation, arguments, success).unwrap().requests() {
            let needs = request.contains("/meetings") || request.contains("/webinars");
            assert_eq!(request.contains("type="), needs, "{request}");
        }
    }
}

#[test]
fn double_encodes_uuids_with_slashes() {
    for operation in [
        "metrics/meetingdetail",
        "metrics/webinardetail",
        "metrics/qos",
    ] {
        let run = run(operation, &[("meeting_id", "/a+b=="), PAST], success).unwrap();
        for request in run.requests() {
            assert!(request.contains("/%252Fa%252Bb%253D%253D"), "{request}");
        }
    }
}

#[test]
fn rejects_ids_reserved_by_v2() {
    let dots = [("meeting_id", ".."), PAST];
    let unknown = "3001 Meeting .. not found or has expired.";
    assert_eq!(
        run("metrics/qos", &dots, success).err().as_deref(),
        Some(unknown)
    );
    let issues = [("id", "issues"), AUGUST[0], AUGUST[1]];
    let refused = run("metrics/zoomroomdetail", &issues, success).err();
    assert_eq!(refused.as_deref(), Some("300 Invalid parameter: id"));
    let dots = [MEETING, PAST, ("user_id", "..")];
    let refused = run("metrics/qos", &dots, success).err();
    assert_eq!(refused.as_deref(), Some("300 Invalid parameter: user_id"));
}

#[test]
fn cuts_long_ranges_with_a_warning() {
    let long = [("from", "2019-1-1"), ("to", "2020-08-31")];
    for (operation, arguments) in REQUESTS {
        if !arguments.iter().any(|(name, _)| *name == "from") {
            continue;
        }
        let other = arguments
            .iter()
            .filter(|(name, _)| !["from", "to"].contains(name));
        let arguments: Vec<_> = long.iter().chain(other).copied().collect();
        let run = run(operation, &arguments, success).unwrap();
        let sent = run.requests()[0].to_owned();
        assert!(
            sent.contains("from=2020-07-31") && sent.contains("to=2020-08-31"),
            "{sent}"
        );
        let answer = run.answer();
        assert_eq!(
            (&answer["from"], &answer["to"]),
            (&json!("2020-07-31"), &json!("2020-08-31"))
        );
    }
}

#[test]
fn missing_date_defaults_to_today_for_running_meetings_only() {
    for operation in ["metrics/meetings", "metrics/webinars"] {
        let live = run(operation, &[LIVE], success).unwrap();
        let sent = live.requests()[0].to_owned();
        assert!(
            sent.contains("from=2020-09-13") && sent.contains("to=2020-09-13"),
            "{sent}"
        );
        let until = [LIVE, ("to", "2020-08-05")];
        let sent = run(operation, &until, success).unwrap().requests()[0].to_owned();
        assert!(
            sent.contains("from=2020-08-05") && sent.contains("to=2020-08-05"),
            "{sent}"
        );
        let past = run(operation, &[PAST, AUGUST[1]], success).err();
        assert_eq!(past.as_deref(), Some("300 From is required."));
    }
}

#[test]
fn running_meeting_has_no_duration() {
    let texts = |duration: Option<&'static str>| {
        move |request: &V2Request| {
            let mut outcome = meeting(true);
            if let Some(text) = duration {
                outcome["duration"] = text.into();
            }
            match &*request.template {
                "/metrics/meetings/{meetingId}" => ok(outcome),
                _ => success(request),
            }
        }
    };
    for v2_has in [None, Some("")] {
        let run = run("metrics/meetingdetail", &[MEETING, LIVE], texts(v2_has)).unwrap();
        let answer = run.answer();
        assert_eq!(answer.get("duration"), Some(&Value::Null), "{v2_has:?}");
    }
    let list = run("metrics/meetings", &[LIVE], success).unwrap();
    assert_eq!(list.answer()["meetings"][0]["duration"], "");
}

/// 70 participants, 30 per page.
fn many(request: &V2Request) -> Outcome {
    if *request.template != *"/metrics/meetings/{meetingId}/participants" {
        return success(request);
    }
    let token = of(request, "next_page_token");
    if token == "old" {
        return error(
            400,
            300,
            "The next page token is either invalid or has expired.",
        );
    }
    let number: usize = token.parse().unwrap_or(1);
    let all: Vec<_> = (1..=70)
        .map(|n| json!({ "user_id": n.to_string() }))
        .collect();
    let entries: Vec<_> = all.iter().skip(30 * (number - 1)).take(30).collect();
    let next = if number < 3 {
        (number + 1).to_string()
    } else {
        String::new()
    };
    ok(json!({
        "page_size": 30, "total_records": 70, "next_page_token": next, "participants": entries,
    }))
}

fn details(number: &str, cursors: Vec<(u32, String)>) -> Run {
    let catalog = catalog();
    let memory = Memory {
        cursors,
        ..Memory::default()
    };
    let arguments = [MEETING, PAST, ("page_number", number)];
    run_with(
        catalog,
        &site(catalog),
        memory,
        "metrics/meetingdetail",
        &arguments,
        many,
    )
    .unwrap()
}

#[test]
fn sequential_pages_cost_one_call_and_jumps_cost_all_before() {
    let first = details("1", Vec::new());
    assert_eq!(first.requests().len(), 2);
    let second = details("2", first.finished.cursors.clone());
    assert_eq!(second.requests().len(), 2);
    assert!(second.requests()[1].contains("next_page_token=2"));
    assert_eq!(details("3", Vec::new()).requests().len(), 4);
}

#[test]
fn expired_token_restarts_paging_but_unknown_meeting_does_not() {
    let expired = details("2", vec![(2, "old".to_owned())]);
    assert_eq!(expired.requests().len(), 4, "{:?}", expired.requests());
    assert_eq!(expired.answer()["participants"][0]["user_id"], "31");
    let unknown = |_: &V2Request| error(404, 3001, "not available");
    let run = run("metrics/meetingdetail", &[MEETING, PAST], unknown).unwrap();
    assert_eq!(run.requests().len(), 2, "{:?}", run.requests());
}

#[test]
fn paging_until_participants_count_terminates() {
    let mut seen = Vec::new();
    for number in 1..10 {
        let answer = details(&number.to_string(), Vec::new()).answer();
        assert_eq!(answer["page_count"], 3);
        assert_eq!(answer["page_number"], number);
        let participants = answer["participants"].as_array().unwrap();
        seen.extend(participants.iter().map(|one| one["user_id"].clone()));
        if seen.len() >= usize::try_from(answer["participants_count"].as_u64().unwrap()).unwrap() {
            break;
        }
    }
    let all: Vec<_> = (1..=70).map(|n| json!(n.to_string())).collect();
    assert_eq!(seen, all);
    assert_eq!(details("4", Vec::new()).answer()["participants"], json!([]));
}

#[test]
fn any_failing_call_of_a_detail_fails_the_response() {
    for (operation, part) in [
        ("metrics/meetingdetail", "/participants"),
        ("metrics/meetingdetail", "{meetingId}"),
        ("metrics/webinardetail", "/participants"),
        ("metrics/webinardetail", "{webinarId}"),
    ] {
        let v2 = |request: &V2Request| match request.template.ends_with(part) {
            true => error(429, 429, "Too many requests."),
            false => success(request),
        };
        let run = run(operation, &[MEETING, PAST], v2).unwrap();
        assert!(run.error().starts_with("403 Sorry"), "{}", run.error());
    }
}

#[test]
fn sharing_falls_back_to_running_meetings() {
    let gone = |request: &V2Request| match of(request, "type") {
        "past" => error(404, 3001, "This meeting's detail info is not available."),
        _ => success(request),
    };
    let run = run("metrics/sharerecorddetail", &[MEETING], gone).unwrap();
    let last = run.requests().pop().unwrap().to_owned();
    assert!(last.contains("type=live"), "{last}");
    assert!(run.warned().is_empty());
    assert_eq!(run.answer()["participants"][0]["user_name"], "Ada");
}

#[test]
fn sharing_of_a_running_meeting_needs_one_call() {
    let run = run("metrics/sharerecorddetail", &[MEETING, LIVE], success).unwrap();
    let requests = run.requests();
    assert_eq!(requests.len(), 1);
    assert!(requests[0].contains("type=live"), "{}", requests[0]);
}

#[test]
fn sharing_fails_if_no_meeting_is_known_or_the_past_cannot_be_read() {
    let unknown = |_: &V2Request| error(404, 3001, "not available");
    let run_of =
        |v2: fn(&V2Request) -> Outcome| run("metrics/sharerecorddetail", &[MEETING], v2).unwrap();
    let run = run("metrics/sharerecorddetail", &[MEETING], unknown).unwrap();
    assert_eq!(run.error(), "3001 Meeting abc== not found or has expired.");
    let limited = run_of(|_| error(429, 429, "Too many requests."));
    assert_eq!(limited.requests().len(), 1);
    assert!(limited.error().starts_with("403 Sorry"));
}

/// Pages of 300 users.
fn chat(request: &V2Request, pages: usize) -> Outcome {
    let number: usize = of(request, "next_page_token").parse().unwrap_or(1);
    let users = (0..300).map(|n| json!({ "user_id": format!("{number}-{n}") }));
    let next = if number < pages {
        (number + 1).to_string()
    } else {
        String::new()
    };
    ok(json!({ "users": users.collect::<Vec<_>>(), "next_page_token": next }))
}

#[test]
fn counts_chat_users_over_all_pages() {
    let arguments = [
        AUGUST[0],
        AUGUST[1],
        ("page_number", "7"),
        ("page_size", "50"),
    ];
    let run = run("metrics/im", &arguments, |request| chat(request, 2)).unwrap();
    assert_eq!(run.requests().len(), 2);
    let answer = run.answer();
    assert_eq!(answer["total_records"], 600);
    assert_eq!(answer["page_count"], 12);
    assert_eq!(answer["users"].as_array().unwrap().len(), 50);
    assert_eq!(answer["users"][0]["user_id"], "2-0");
}

#[test]
fn missing_page_of_chat_users_fails() {
    let broken = |request: &V2Request| match of(request, "next_page_token") {
        "" => chat(request, 2),
        _ => error(400, 200, "No permission."),
    };
    assert_eq!(
        run("metrics/im", &AUGUST, broken).unwrap().error(),
        "200 No permission."
    );
    let too_many = run("metrics/im", &AUGUST, |request| chat(request, 11)).unwrap();
    assert_eq!(too_many.requests().len(), 10);
    assert_eq!(
        too_many.error(),
        "500 The list is longer than the 10 pages that are read of it."
    );
}

#[test]
fn option_raises_the_page_limit_of_chat_users() {
    let site = site_with_option("metrics_pages", 12);
    let v2 = |request: &V2Request| chat(request, 12);
    let run = run_at(&site, "metrics/im", &AUGUST, v2).unwrap();
    assert_eq!(run.answer()["total_records"], 3600);
}

fn rooms(operation: &str, arguments: &[(&str, &str)], v2: fn(&V2Request) -> Outcome) -> Run {
    let site = site_with_option("room_passcode", true);
    run_at(&site, operation, arguments, v2).unwrap()
}

#[test]
fn room_passcodes_are_read_only_if_enabled() {
    let list = rooms("metrics/zoomrooms", &[], success);
    assert_eq!(list.requests()[1..], ["GET /rooms/r1", "GET /rooms/r2"]);
    assert_eq!(list.answer()["zoom_rooms"][1]["passcode"], "1234");
    let arguments = [("id", "r1"), AUGUST[0], AUGUST[1]];
    let detail = rooms("metrics/zoomroomdetail", &arguments, success);
    assert_eq!(detail.requests()[1], "GET /rooms/r1");
    assert_eq!(detail.answer()["zoom_room"]["passcode"], "1234");
    let without_scope = rooms("metrics/zoomrooms", &[], |request| {
        match &*request.template {
            "/rooms/{roomId}" => error(400, 4711, "Invalid access token, does not contain scopes."),
            _ => success(request),
        }
    });
    assert_eq!(without_scope.warned(), ["passcode"]);
    assert_eq!(without_scope.answer()["zoom_rooms"][0]["passcode"], "");
}

#[test]
fn idle_room_has_an_empty_meeting() {
    let idle = |request: &V2Request| {
        let mut room = room();
        room["past_meetings"] =
            json!({ "meetings": [], "total_records": 0, "next_page_token": "" });
        assert_eq!(request.path, "/metrics/zoomrooms/r1");
        ok(room)
    };
    let arguments = [("id", "r1"), AUGUST[0], AUGUST[1]];
    let answer = run("metrics/zoomroomdetail", &arguments, idle)
        .unwrap()
        .answer();
    let live = &answer["live_meeting"];
    assert_eq!(
        (&live["uuid"], &live["id"], &live["has_video"]),
        (&json!(""), &json!(0), &json!(false))
    );
    assert_eq!(live.as_object().unwrap().len(), 15);
    assert_eq!(answer["zoom_room"]["meeting_id"], "");
    assert_eq!(answer["past_meetings"], json!([]));
    assert_eq!(answer["from"], "2020-08-01");
}

#[test]
fn past_room_meetings_are_paged_in_full() {
    let busy = |token: &'static str| {
        move |_: &V2Request| {
            let mut room = room();
            let meetings: Vec<_> = (0..70)
                .map(|n| json!({ "uuid": format!("m{n}") }))
                .collect();
            room["past_meetings"] = json!({
                "meetings": meetings, "total_records": 70, "next_page_token": token,
            });
            ok(room)
        }
    };
    let arguments = [("id", "r1"), AUGUST[0], AUGUST[1], ("page_number", "3")];
    let answer = run("metrics/zoomroomdetail", &arguments, busy(""))
        .unwrap()
        .answer();
    assert_eq!(answer["total_records"], 70);
    assert_eq!(
        (&answer["page_count"], &answer["page_number"]),
        (&json!(3), &json!(3))
    );
    assert_eq!(answer["past_meetings"].as_array().unwrap().len(), 10);
    assert_eq!(answer["past_meetings"][0]["uuid"], "m60");
    let short = run("metrics/zoomroomdetail", &arguments, busy("more")).unwrap();
    assert!(
        short
            .error()
            .starts_with("500 The Zoom Room had more than 300")
    );
}

#[test]
fn maps_v2_errors_to_v1() {
    let plan = "Only available for Business or higher accounts.";
    for (status, code, message, v1) in [
        (
            404,
            3001,
            "This meeting's detail info is not available.",
            None,
        ),
        (
            400,
            12_702,
            "Can not access a meeting a year ago.",
            Some("12702 Can not access a meeting a year ago."),
        ),
        (
            400,
            200,
            plan,
            Some("200 Only available for Business or higher accounts."),
        ),
        (
            400,
            400,
            plan,
            Some("200 Only available for Business or higher accounts."),
        ),
        (
            400,
            4711,
            "Invalid access token, scopes.",
            Some("200 No permission."),
        ),
        (
            401,
            124,
            "Requires an access token.",
            Some("200 No permission."),
        ),
        (
            400,
            300,
            "The next page token is invalid or expired.",
            Some("300 Invalid parameter: page_number"),
        ),
    ] {
        for (operation, arguments) in REQUESTS {
            let v2 = |_: &V2Request| error(status, code, message);
            let run = run(operation, arguments, v2).unwrap();
            match v1 {
                Some(v1) => assert_eq!(run.error(), v1, "{operation}"),
                None if *operation == "metrics/zoomroomdetail" => {
                    assert_eq!(run.error(), format!("{code} {message}"), "no meeting");
                }
                None => assert!(
                    run.error().ends_with("not found or has expired."),
                    "{operation}"
                ),
            }
        }
    }
}

#[test]
fn error_body_with_status_200_is_an_error() {
    for (operation, arguments) in REQUESTS {
        let refusal = |_: &V2Request| ok(json!({ "code": 200, "message": "no Dashboard feature" }));
        let run = run(operation, arguments, refusal).unwrap();
        assert_eq!(run.error(), "200 no Dashboard feature", "{operation}");
    }
}
