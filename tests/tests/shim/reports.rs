//! Reports on hosts, days, telephone calls and the meetings of a host.

use axum::http::Method;
use end_to_end::{Fault, Stage};
use serde_json::json;

use crate::requests::{PAGE, ask, at, day, errors, has, month, one, success};

#[tokio::test]
async fn getaccountreport_shows_hosts() {
    let stage = Stage::start().await;
    let report = success(&stage, &format!("report/getaccountreport {}", month())).await;
    let totals = "total_meetings:n total_participants:n total_meeting_minutes:n users:a";
    has(&report, "", &format!("{PAGE} from:d to:d {totals}"));
    let host = "user_id:s email:s type:n meetings:n participants:n meeting_minutes:n \
                last_client_version:s last_login_time:t?";
    has(&report, "users[]", host);
    let grace = one(&report, "users[]", "email", "grace.hopper@example.com");
    assert_eq!(
        (&grace["meetings"], &grace["participants"]),
        (&1.into(), &1000.into())
    );

    let second = format!(
        "report/getaccountreport {} page_size=2 page_number=2",
        month()
    );
    let second = success(&stage, &second).await;
    assert_eq!(second["page_count"], 2);
    assert_eq!(
        second["users"],
        json!([report["users"][2], report["users"][3]])
    );
}

#[tokio::test]
async fn a_range_of_more_than_a_month_is_cut_and_shown() {
    let stage = Stage::start().await;
    let range = format!("from={} to={}", day(80), day(1));
    for operation in ["getaccountreport", "getaudioreport"] {
        let report = success(&stage, &format!("report/{operation} {range}")).await;
        let (from, to) = (report["from"].as_str().unwrap(), &report["to"]);
        assert!(from >= day(32).as_str(), "{operation}: {from}");
        assert_eq!(*to, day(1));
    }
}

#[tokio::test]
async fn getdailyreport_shows_days() {
    let stage = Stage::start().await;
    let today = day(0);
    let (year, month) = (&today[..4], today[5..7].trim_start_matches('0'));
    let report = success(
        &stage,
        &format!("report/getdailyreport year={year} month={month}"),
    )
    .await;
    has(&report, "", "year:n month:n dates:a");
    has(
        &report,
        "dates[]",
        "date:d new_user:n meetings:n participants:n meeting_minutes:n",
    );
    assert_eq!(report["month"].to_string(), month);
}

#[tokio::test]
async fn getaudioreport_shows_calls_of_a_type_page_by_page() {
    let stage = Stage::start().await;
    let range = month();
    let report = success(&stage, &format!("report/getaudioreport {range}")).await;
    has(
        &report,
        "",
        &format!("{PAGE} from:d to:d telephony_usage:a"),
    );
    let call = "meeting_id:n phone_number:s type:s host_name:s host_email:s department:s \
                start_time:t end_time:t duration:n total:n";
    has(&report, "telephony_usage[]", call);
    assert_eq!(report["telephony_usage"][0]["total"], 0.36);
    let total = report["total_records"].as_u64().unwrap();
    assert!(total > 10, "more than a page of ten: {total}");

    let page = format!("report/getaudioreport {range} page_size=10 page_number=2");
    let page = success(&stage, &page).await;
    let rest = &report["telephony_usage"].as_array().unwrap()[10..];
    assert_eq!(page["telephony_usage"], json!(rest));

    let toll = success(&stage, &format!("report/getaudioreport {range} type=2")).await;
    for call in at(&toll, "telephony_usage[]") {
        assert!(
            call["type"].as_str().unwrap().ends_with("toll-number"),
            "{call}"
        );
    }
}

const MEETING: &str = "number:n id:n topic:s start_time:t end_time:t duration:n participants:a";
const PARTICIPANT: &str = "name:s join_time:t leave_time:t";

#[tokio::test]
async fn getuserreport_shows_meetings_with_all_participants() {
    let stage = Stage::start().await;
    for (email, topic, participants) in [
        ("grace.hopper@example.com", "Annual lecture", 1000),
        ("ada.lovelace@example.com", "Slash first", 3),
        ("ada.lovelace@example.com", "Slashes within", 4),
        // A webinar.
        ("mary.jackson@example.com", "Numbers that fly", 7),
    ] {
        let id = stage.id_of(email).await;
        let report = format!(
            "report/getuserreport user_id={id} {} page_size=100",
            month()
        );
        let report = success(&stage, &report).await;
        has(&report, "", &format!("{PAGE} from:d to:d meetings:a"));
        has(&report, "meetings[]", MEETING);
        has(&report, "meetings[].participants[]", PARTICIPANT);
        let meeting = one(&report, "meetings[]", "topic", topic);
        assert_eq!(at(meeting, "participants[]").len(), participants, "{topic}");
    }
}

#[tokio::test]
async fn getuserreport_has_pages() {
    let stage = Stage::start().await;
    let id = stage.id_of("joan.clarke@example.com").await;
    let page = async |number: usize| {
        let page = format!("page_size=3 page_number={number}");
        success(
            &stage,
            &format!("report/getuserreport user_id={id} {} {page}", month()),
        )
        .await
    };
    let (first, third) = (page(1).await, page(3).await);
    assert_eq!(first["page_size"], 3);
    assert_eq!(first["total_records"], third["total_records"]);
    assert_eq!(at(&third, "meetings[]").len(), 3);
    let last = |page: &serde_json::Value| page["meetings"][2]["start_time"].to_string();
    assert!(last(&first) > last(&third), "the newest first");
}

#[tokio::test]
async fn getuserreport_fails_if_participants_cannot_be_read() {
    let stage = Stage::start().await;
    let id = stage.id_of("grace.hopper@example.com").await;
    let request = format!("report/getuserreport user_id={id} {}", month());
    let refused = Fault::Refused(400, json!({ "code": 200, "message": "No." }));
    stage
        .wire()
        .fail_always(Method::GET, "/participants", refused);
    assert!(ask(&stage, &request).await.error().starts_with("200 "));
    stage.wire().mend();
    // v2 has no report: the meeting is returned without participants.
    let expired = Fault::Refused(400, json!({ "code": 12702, "message": "Too old." }));
    stage
        .wire()
        .fail_always(Method::GET, "/participants", expired);
    let answer = ask(&stage, &request).await;
    assert!(answer.warns_of("participants"), "{:?}", answer.warnings);
    assert_eq!(answer.success()["meetings"][0]["participants"], json!([]));
}

#[tokio::test]
async fn rejects_invalid_requests() {
    let stage = Stage::start().await;
    let month = month();
    errors(
        &stage,
        &format!(
            "
            report/getaccountreport to=2026-01-01 => 300 From is required.
            report/getaccountreport from=x to=2026-01-01 => 300 Invalid parameter: from
            report/getaudioreport from=2026-01-02 to=2026-01-01 => 300 Invalid parameter: from
            report/getaudioreport {month} type=7 => 300 Invalid parameter: type
            report/getdailyreport year=2026 => 300 Month is required.
            report/getdailyreport year=2026 month=13 => 300 Invalid parameter: month
            report/getdailyreport year=2019 month=1 => 300 Daily report can only be provided for a month that falls within the recent 6 months.
            report/getuserreport user_id=nobody {month} => 1001 User not exist: nobody
            report/getuserreport user_id=x from=2026-01-01 => 300 To is required.
            "
        ),
    )
    .await;
}
