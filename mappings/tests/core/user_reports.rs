//! Report of a host: meetings with participants.

use mappings::{Memory, Outcome, V2Request};
use serde_json::json;

use crate::{
    driver::{catalog, error, of, ok, run, run_at, run_with, site, site_with_option},
    plans::transcript,
};

const GIVEN: &[(&str, &str)] = &[
    ("user_id", "kdc1"),
    ("from", "2020-1-1"),
    ("to", "2020/07/31"),
    ("page_size", "300"),
];

fn success(request: &V2Request) -> Outcome {
    let token = |name: &str| {
        request
            .query
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    };
    match &*request.template {
        "/report/users/{userId}/meetings" => {
            let page = token("next_page_token").unwrap_or("1");
            let next = if page == "3" {
                ""
            } else {
                ["2", "3"][usize::from(page == "2")]
            };
            ok(json!({
                "from": of(request, "from"), "to": of(request, "to"), "total_records": 250,
                "page_size": 100, "next_page_token": next, "meetings": [
                    { "uuid": "/a==", "id": 987_654_321, "type": 2, "topic": page,
                      "start_time": "2020-07-02T09:00:00Z", "end_time": "2020-07-02T09:30:00Z", "duration": 30 },
                    { "uuid": "w==", "id": 9_876_543_210_i64, "type": 5, "topic": "Webinar",
                      "start_time": "2020-07-03T09:00:00Z", "end_time": "2020-07-03T09:30:00Z", "duration": 30 },
                ],
            }))
        }
        "/report/meetings/{meetingId}/participants" => {
            let last = token("next_page_token").is_some();
            let person = |name: &str| {
                json!({
                    "name": name, "join_time": "2020-07-02T09:00:00Z", "leave_time": "2020-07-02T09:20:00Z",
                })
            };
            let names = if last {
                vec!["Grace"]
            } else {
                vec!["Ada", "Alan"]
            };
            let people: Vec<_> = names.into_iter().map(person).collect();
            ok(json!({ "participants": people, "next_page_token": if last { "" } else { "more" } }))
        }
        _ => ok(json!({ "participants": [], "next_page_token": "" })),
    }
}

#[test]
fn plans_and_answers() {
    insta::assert_snapshot!(transcript(&[("report/getuserreport", GIVEN)], success));
}

#[test]
fn cuts_long_range_and_shows_it() {
    let answer = run("report/getuserreport", GIVEN, success)
        .unwrap()
        .answer();
    assert_eq!(
        (&answer["from"], &answer["to"]),
        (&json!("2020-06-30"), &json!("2020-07-31"))
    );
    assert_eq!(
        (&answer["page_size"], &answer["page_count"]),
        (&json!(100), &json!(3))
    );
}

#[test]
fn option_limits_the_page_size() {
    let sizes = |most: i64, given: &[(&str, &str)]| {
        let site = site_with_option("user_report_page", most);
        let run = run_at(&site, "report/getuserreport", given, success).unwrap();
        let asked = run.requests()[0].to_owned();
        let shown = run.answer()["page_size"].as_u64().unwrap();
        assert!(asked.contains(&format!("page_size={shown}&")), "{asked}");
        shown
    };
    assert_eq!(sizes(300, GIVEN), 300);
    assert_eq!(sizes(40, GIVEN), 40);
    assert_eq!(sizes(10, &GIVEN[..3]), 10, "the default, too");
}

#[test]
fn later_pages_use_stored_tokens() {
    let page = |number: &str, cursors: Vec<(u32, String)>| {
        let given = [GIVEN, &[("page_number", number)]].concat();
        let memory = Memory {
            cursors,
            ..Memory::default()
        };
        run_with(
            catalog(),
            &site(catalog()),
            memory,
            "report/getuserreport",
            &given,
            success,
        )
        .unwrap()
    };
    let reports = |sent: &[&str]| {
        sent.iter()
            .filter(|sent| sent.contains("/report/users"))
            .count()
    };
    let first = page("1", Vec::new());
    assert_eq!(reports(&first.requests()), 1);
    assert_eq!(first.finished.cursors, [(2, "2".to_owned())]);
    let third = page("3", Vec::new());
    assert_eq!(reports(&third.requests()), 3);
    let remembered = page("3", vec![(2, "2".to_owned()), (3, "3".to_owned())]);
    assert_eq!(reports(&remembered.requests()), 1);
    let answer = remembered.answer();
    assert_eq!(
        (&answer["meetings"][0]["topic"], &answer["page_number"]),
        (&json!("3"), &json!(3))
    );
}

#[test]
fn meeting_without_a_report_warns() {
    let gone = |request: &V2Request| match request.path.contains("/report/meetings/") {
        true => error(404, 3001, "Meeting does not exist."),
        false => success(request),
    };
    let run_ = run("report/getuserreport", GIVEN, gone).unwrap();
    assert_eq!(run_.warned(), ["participants"]);
    assert_eq!(run_.answer()["meetings"][0]["participants"], json!([]));
    let limited = |request: &V2Request| match request.path.contains("/report/meetings/") {
        true => Outcome::Limited,
        false => success(request),
    };
    let run_ = run("report/getuserreport", GIVEN, limited).unwrap();
    assert!(run_.error().starts_with("403 "));
}

#[test]
fn rejects_me_as_user_id() {
    let given = [("user_id", "me"), GIVEN[1], GIVEN[2]];
    let refused = run("report/getuserreport", &given, success).err();
    assert_eq!(refused.as_deref(), Some("1001 User not exist: me"));
}
