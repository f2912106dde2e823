//! Reports: plans, responses, and assumptions of billing programs.

use mappings::{Outcome, V2Request};
use serde_json::{Value, json};

use crate::{
    driver::{Run, error, of, ok, run, run_at, site_with_option},
    plans::transcript,
};

const JULY: [(&str, &str); 2] = [("from", "2020-07-01"), ("to", "2020-07-31")];

const REQUESTS: &[(&str, &[(&str, &str)])] = &[
    (
        "report/getaccountreport",
        &[JULY[0], JULY[1], ("page_size", "300")],
    ),
    (
        "report/getaudioreport",
        &[JULY[0], JULY[1], ("type", "2"), ("page_size", "6000")],
    ),
    ("report/getaudioreport", &JULY),
    (
        "report/getdailyreport",
        &[("year", "2020"), ("month", "07")],
    ),
];

fn report(request: &V2Request, list: &str, entries: &Value) -> Outcome {
    ok(json!({
        "from": of(request, "from"), "to": of(request, "to"), "page_count": 4,
        "page_number": of(request, "page_number").parse::<i64>().ok(),
        "page_size": of(request, "page_size").parse::<i64>().unwrap(),
        "total_records": 100, "next_page_token": "next", list: entries,
        "total_meetings": 34, "total_participants": 56, "total_meeting_minutes": 345,
    }))
}

fn success(request: &V2Request) -> Outcome {
    match &*request.template {
        "/report/users" => report(
            request,
            "users",
            &json!([
                {
                    "id": "kdc1", "email": "ada@example.com", "user_name": "Ada", "type": 2,
                    "dept": "R&D", "meetings": 30, "participants": 50, "meeting_minutes": 300,
                },
                {
                    "id": "kdc2", "email": "grace@example.com", "user_name": "Grace", "type": 4,
                    "meetings": 4, "participants": 6, "meeting_minutes": 45,
                },
            ]),
        ),
        "/users/{userId}" if request.path == "/users/kdc1" => ok(json!({
            "id": "kdc1", "email": "ada@example.com", "last_login_time": "2020-07-30T08:00:00Z",
            "last_client_version": "5.1.2(mac)",
        })),
        "/users/{userId}" => error(404, 1001, "User does not exist: kdc2."),
        "/report/telephone" => report(
            request,
            "telephony_usage",
            &json!([
                {
                    "meeting_id": 94_908_911_701_i64, "phone_number": "+1 8243", "type": "call-out",
                    "host_name": "Ada", "host_email": "ada@example.com", "dept": "R&D",
                    "start_time": "2020-07-15T07:40:46Z", "end_time": "2020-07-15T07:42:22Z",
                    "duration": 2, "rate": 0.03, "total": 0.12, "host_id": "kdc1",
                },
                {
                    "meeting_id": 94_908_911_702_i64, "phone_number": "+1 8244", "type": "Toll",
                    "host_name": "Grace", "host_email": "grace@example.com",
                    "start_time": "2020-07-15T07:40:46Z", "end_time": "2020-07-15T07:42:22Z",
                    "duration": 2, "total": 3,
                },
            ]),
        ),
        "/report/daily" => ok(json!({
            "month": 7, "year": 2020, "dates": [{
                "date": "2020-07-01", "meeting_minutes": 34, "meetings": 2, "new_users": 3,
                "participants": 4,
            }],
        })),
        other => panic!("{other}"),
    }
}

fn with_logins(choice: &str, arguments: &[(&str, &str)], v2: fn(&V2Request) -> Outcome) -> Run {
    let site = site_with_option("report_logins", choice);
    run_at(&site, "report/getaccountreport", arguments, v2).unwrap()
}

#[test]
fn plans_and_answers() {
    insta::assert_snapshot!(transcript(REQUESTS, success));
}

#[test]
fn parses_all_date_spellings_of_clients() {
    for (from, to) in [
        ("2020-7-1", "2020-7-31"),
        ("2020/07/01", "2020/07/31"),
        ("2020-07-01T15:50:47Z", "2020-07-31T00:00:00Z"),
    ] {
        let run = run(
            "report/getaudioreport",
            &[("from", from), ("to", to)],
            success,
        )
        .unwrap();
        let sent = run.requests()[0].to_owned();
        assert!(sent.contains("from=2020-07-01&"), "{sent}");
        assert!(sent.contains("to=2020-07-31&"), "{sent}");
    }
    let odd = [("from", "yesterday"), ("to", "2020-07-31")];
    let refused = run("report/getaudioreport", &odd, success).err();
    assert_eq!(refused.as_deref(), Some("300 Invalid parameter: from"));
}

#[test]
fn cuts_long_ranges_with_a_warning() {
    for operation in ["report/getaccountreport", "report/getaudioreport"] {
        let cut = |from: &str, to: &str| {
            let run = run(operation, &[("from", from), ("to", to)], success).unwrap();
            let sent = run.requests()[0].to_owned();
            let answer = run.answer();
            let from = answer["from"].as_str().unwrap().to_owned();
            assert!(sent.contains(&format!("from={from}")), "{sent}");
            assert_eq!(answer["to"], to);
            from
        };
        assert_eq!(cut("2017-01-01", "2020-07-15"), "2020-06-15");
        assert_eq!(cut("2020-01-01", "2020-03-31"), "2020-02-29");
        assert_eq!(cut("2020-06-15", "2020-07-15"), "2020-06-15");
        assert_eq!(cut("2020-06-16", "2020-07-15"), "2020-06-16");
    }
}

#[test]
fn login_times_need_a_call_per_host_up_to_thirty() {
    fn many(request: &V2Request) -> Outcome {
        match &*request.template {
            "/report/users" => {
                let users: Vec<_> = (0..31).map(|n| json!({ "id": format!("u{n}") })).collect();
                report(request, "users", &json!(users))
            }
            _ => success(request),
        }
    }
    let arguments = [JULY[0], JULY[1], ("page_size", "300")];
    let calls = |choice, v2| with_logins(choice, &arguments, v2).requests().len();
    assert_eq!(calls("auto", many), 1);
    assert_eq!(calls("full", many), 32);
    assert_eq!(calls("auto", success), 3);
    assert_eq!(calls("none", success), 1);
    let run = with_logins("auto", &arguments, many);
    assert_eq!(run.warned(), ["last_client_version, last_login_time"]);
    assert_eq!(run.answer()["users"][30]["last_login_time"], "");
}

#[test]
fn host_without_login_time_stays_in_the_report() {
    fn without_users(request: &V2Request) -> Outcome {
        match &*request.template {
            "/users/{userId}" => error(429, 429, "Too many requests."),
            _ => success(request),
        }
    }
    let run = with_logins("full", &JULY, without_users);
    assert_eq!(run.warned(), ["last_client_version, last_login_time"]);
    let answer = run.answer();
    assert_eq!(answer["users"].as_array().unwrap().len(), 2);
    assert_eq!(answer["users"][0]["last_client_version"], "");
}

#[test]
fn rejects_unknown_telephone_call_type() {
    let arguments = [JULY[0], JULY[1], ("type", "3")];
    let refused = run("report/getaudioreport", &arguments, success).err();
    assert_eq!(refused.as_deref(), Some("300 Invalid parameter: type"));
}

#[test]
fn error_body_with_status_200_is_an_error() {
    for (operation, arguments) in REQUESTS {
        let text = "Enable the Toll Report feature to perform this action.";
        let refusal = |_: &V2Request| ok(json!({ "code": 200, "message": text }));
        let run = run(operation, arguments, refusal).unwrap();
        assert_eq!(run.error(), format!("200 {text}"), "{operation}");
    }
}

#[test]
fn maps_v2_errors_to_v1() {
    let six =
        "Daily report can only be provided for a month that falls within the recent 6 months.";
    for (status, code, message, v1) in [
        (400, 300, six, format!("300 {six}")),
        (400, 200, "No permission.", "200 No permission.".to_owned()),
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
        (429, 429, "You have reached the limit.", LIMIT.to_owned()),
    ] {
        for (operation, arguments) in REQUESTS {
            let v2 = |_: &V2Request| error(status, code, message);
            let run = run(operation, arguments, v2).unwrap();
            assert_eq!(run.error(), v1, "{operation}");
        }
    }
}

const LIMIT: &str =
    "403 Sorry, the maximum number of api requests are already reached. Please try later.";
