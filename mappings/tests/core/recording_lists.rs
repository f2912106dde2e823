//! List of a host's recordings: all months, latest first, complete or an error.

use mappings::{Outcome, V2Request};
use serde_json::json;

use crate::{
    driver::{Run, error, of, ok, run, run_at, site_with_option, user},
    plans::transcript,
};

const HOST: (&str, &str) = ("host_id", "kdc1");
const DATES: &[(&str, &str)] = &[HOST, ("from", "2020-07-20"), ("to", "09/10/2020 03:00 pm")];

/// One recording per month, and a second page in August.
fn success(request: &V2Request) -> Outcome {
    match &*request.template {
        "/users/{userId}" => ok(user()),
        "/users/{userId}/recordings" => {
            let token = request
                .query
                .iter()
                .any(|(name, _)| name == "next_page_token");
            let day = of(request, "to");
            let (uuid, hour) = if token {
                ("/b//=", "08")
            } else {
                ("a==", "09")
            };
            let next = if token || !day.starts_with("2020-08") {
                ""
            } else {
                "t1"
            };
            ok(json!({ "next_page_token": next, "meetings": [{
                "uuid": format!("{day}{uuid}"), "id": 987_654_321, "topic": day,
                "start_time": format!("{day}T{hour}:00:00Z"), "recording_files": [
                    { "id": "f1", "download_url": "https://example.com/f1", "file_type": "MP4" },
                ],
            }] }))
        }
        _ => ok(json!({ "download_access_token": "opens" })),
    }
}

fn sent_to(run: &Run, part: &str) -> Vec<String> {
    let all = run.sent.iter().flatten();
    all.filter(|sent| sent.contains(part)).cloned().collect()
}

#[test]
fn plans_and_answers() {
    insta::assert_snapshot!(transcript(&[("recording/list", DATES)], success));
}

#[test]
fn months_cover_each_day_once() {
    let given = [HOST, ("from", "2020-07-20"), ("to", "2020-09-10")];
    let run = run("recording/list", &given, success).unwrap();
    let asked = sent_to(&run, "/users/kdc1/recordings");
    let days: Vec<_> = asked
        .iter()
        .filter(|sent| !sent.contains("next_page_token"))
        .map(|sent| {
            sent.split("?from=")
                .nth(1)
                .unwrap()
                .replace("&page_size=300&to=", " ")
        })
        .collect();
    // The host is in London, on daylight saving time.
    assert_eq!(days, ["2020-08-10 2020-09-10", "2020-07-19 2020-08-09"]);
}

#[test]
fn without_dates_lists_all_recordings() {
    let whole = run("recording/list", &[HOST], success).unwrap();
    // The host was created in January 2017; the option allows two years.
    assert_eq!(whole.sent[0], ["GET /users/kdc1"]);
    let asked = sent_to(&whole, "/users/kdc1/recordings");
    let last = asked
        .iter()
        .filter_map(|sent| sent.split("?from=").nth(1))
        .min()
        .unwrap();
    assert!(last.starts_with("2018-09-13"), "{last}");
    let site = site_with_option("recording_months", 119);
    let run = run_at(&site, "recording/list", &[HOST], success).unwrap();
    let asked = sent_to(&run, "/users/kdc1/recordings");
    let last = asked
        .iter()
        .filter_map(|sent| sent.split("?from=").nth(1))
        .min()
        .unwrap();
    assert!(last.starts_with("2017-01-02"), "{last}");
}

#[test]
fn paginates_the_merged_list_before_detail_calls() {
    let page = |number: &str| {
        let given = [
            DATES[0],
            DATES[1],
            DATES[2],
            ("page_size", "2"),
            ("page_number", number),
        ];
        run("recording/list", &given, success).unwrap()
    };
    let first = page("1");
    assert_eq!(sent_to(&first, "download_access_token").len(), 2);
    let answer = first.answer();
    assert_eq!(answer["total_records"], 3);
    assert_eq!(answer["page_count"], 2);
    let times = |answer: &serde_json::Value| -> Vec<String> {
        let meetings = answer["meetings"].as_array().unwrap().iter();
        meetings
            .map(|meeting| meeting["start_time"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        times(&answer),
        ["2020-09-10T09:00:00Z", "2020-08-09T09:00:00Z"]
    );
    assert_eq!(
        answer["meetings"][0]["recording_files"][0]["download_url"],
        "https://example.com/f1?access_token=opens"
    );
    let second = page("2");
    let tokens = sent_to(&second, "download_access_token");
    assert!(
        tokens[0].starts_with("GET /meetings/2020-08-09%252Fb%252F%252F%253D/"),
        "{tokens:?}"
    );
    assert_eq!(times(&second.answer()), ["2020-08-09T08:00:00Z"]);
    let third = page("3").answer();
    assert_eq!(
        (&third["meetings"], &third["total_records"]),
        (&json!([]), &json!(3))
    );
}

#[test]
fn failing_month_fails_the_list() {
    let failing =
        |request: &V2Request| match request.query.iter().any(|(_, value)| value == "2020-08-09") {
            true => Outcome::Limited,
            false => success(request),
        };
    let given = [HOST, ("from", "2020-07-20"), ("to", "2020-09-10")];
    let run_ = run("recording/list", &given, failing).unwrap();
    assert!(run_.error().starts_with("403 "));
    let none = |request: &V2Request| match of(request, "to") == "2020-08-09" {
        true => error(404, 3301, "There is no recording for this meeting."),
        false => success(request),
    };
    let run_ = run("recording/list", &given, move |request| {
        match &*request.template {
            "/users/{userId}/recordings" => none(request),
            _ => success(request),
        }
    });
    assert_eq!(run_.unwrap().answer()["total_records"], 1);
}

#[test]
fn rejected_token_restarts_its_month() {
    let refused = std::sync::Mutex::new(false);
    let v2 = |request: &V2Request| {
        let mut refused = refused.lock().unwrap();
        let has_token = request
            .query
            .iter()
            .any(|(name, _)| name == "next_page_token");
        if has_token && !*refused {
            *refused = true;
            return error(400, 300, "The next page token is invalid or expired.");
        }
        success(request)
    };
    let run = run("recording/list", DATES, v2).unwrap();
    assert_eq!(run.answer()["total_records"], 3);
}

#[test]
fn rejects_inverted_ranges() {
    let given = [HOST, ("from", "2020-09-11"), ("to", "2020-09-10")];
    let refused = run("recording/list", &given, success).err();
    assert_eq!(refused.as_deref(), Some("300 Invalid parameter: from"));
    let given = [HOST, ("from", "1900-01-01")];
    let refused = run("recording/list", &given, success);
    assert_eq!(
        refused.err().as_deref(),
        Some("300 Invalid parameter: from")
    );
}
