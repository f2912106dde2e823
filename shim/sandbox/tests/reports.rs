//! The sandbox over HTTP: reports.

#![cfg(test)] // what is test code to the lints, helpers included

mod client;

use client::{Client, day, month};
use serde_json::{Value, json};
use time::OffsetDateTime;

/// Last month's meetings of a host.
async fn meetings(client: &Client, host: &str) -> Vec<Value> {
    let list = format!(
        "/report/users/{host}@example.com/meetings?page_size=300&{}",
        month()
    );
    client.walk(&list, "meetings").await
}

#[tokio::test]
async fn a_host_has_past_meetings_with_participants() {
    let client = Client::start().await;
    let list = format!(
        "/report/users/joan.clarke@example.com/meetings?page_size=100&{}",
        month()
    );
    let page = client.get(&list).await.body(200);
    assert_eq!(page["meetings"].as_array().map(Vec::len), Some(100));
    assert_eq!(page["to"], day(0));
    for meeting in &page["meetings"].as_array().expect("a list")[..3] {
        let path = format!("/report/meetings/{}/participants", meeting["id"]);
        let participants = client.walk(&path, "participants").await;
        assert_eq!(json!(participants.len()), meeting["participants_count"]);
        assert_eq!(participants[0]["user_email"], "joan.clarke@example.com");
        assert!(participants[1]["join_time"].as_str() > meeting["start_time"].as_str());
    }
    let one = format!(
        "/report/users/ada.lovelace@example.com/meetings?type=pastOne&{}",
        month()
    );
    assert_eq!(
        client.get(&one).await.body(200)["meetings"][0]["topic"],
        "Nobody came"
    );
    let topics = meetings(&client, "ada.lovelace").await;
    assert!(
        topics
            .iter()
            .all(|meeting| meeting["topic"] != "Nobody came")
    );
}

#[tokio::test]
async fn a_meeting_has_a_thousand_participants() {
    let client = Client::start().await;
    let meetings = meetings(&client, "grace.hopper").await;
    let lecture = meetings
        .iter()
        .find(|meeting| meeting["topic"] == "Annual lecture")
        .expect("the lecture");
    let path = format!(
        "/report/meetings/{}/participants?page_size=300&include_fields=registrant_id",
        lecture["id"]
    );
    let participants = client.walk(&path, "participants").await;
    assert_eq!(participants.len(), 1000);
    let mut ids: Vec<_> = participants
        .iter()
        .map(|one| one["user_id"].to_string())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert!(ids.len() > 990, "{}", ids.len());
    assert!(participants[999]["registrant_id"].is_string());
}

#[tokio::test]
async fn cuts_range_to_its_last_month() {
    let client = Client::start().await;
    for path in [
        "/report/users",
        "/report/users/ada.lovelace@example.com/meetings",
        "/report/telephone",
    ] {
        let page = client
            .get(&format!("{path}?from={}&to={}", day(200), day(0)))
            .await
            .body(200);
        assert!(
            page["from"].as_str() >= Some(day(31).as_str()),
            "{path}: {}",
            page["from"]
        );
        assert_eq!(page["to"], day(0));
        client.get(path).await.error(400, 300, "Validation");
    }
}

#[tokio::test]
async fn sums_agree() {
    let client = Client::start().await;
    let active = client
        .get(&format!("/report/users?type=active&{}", month()))
        .await
        .body(200);
    let sum = |member: &str| {
        let users = active["users"].as_array().expect("users");
        users
            .iter()
            .filter_map(|user| user[member].as_i64())
            .sum::<i64>()
    };
    assert_eq!(active["total_meetings"], sum("meetings"));
    assert_eq!(active["total_participants"], sum("participants"));
    let ada = meetings(&client, "ada.lovelace").await.len();
    let user = active["users"]
        .as_array()
        .expect("users")
        .iter()
        .find(|user| user["email"] == "ada.lovelace@example.com")
        .expect("Ada");
    assert!(user["meetings"].as_u64() > Some(ada as u64));
    let inactive = client
        .get(&format!("/report/users?type=inactive&{}", month()))
        .await
        .body(200);
    let both = client
        .get(&format!("/report/users?{}", month()))
        .await
        .body(200);
    let total = |page: &Value| page["total_records"].as_i64().expect("a total");
    assert_eq!(total(&active) + total(&inactive), total(&both));

    let daily = client.get("/report/daily").await.body(200);
    let today = OffsetDateTime::now_utc();
    assert_eq!(
        (&daily["year"], &daily["month"]),
        (&json!(today.year()), &json!(u8::from(today.month())))
    );
    assert_eq!(
        daily["dates"].as_array().map(Vec::len),
        Some(usize::from(today.day()))
    );
    let before = today
        .date()
        .replace_day(1)
        .expect("a day")
        .previous_day()
        .expect("a day");
    let path = format!(
        "/report/daily?year={}&month={}",
        before.year(),
        u8::from(before.month())
    );
    let dates = client.get(&path).await.body(200)["dates"].clone();
    let dates = dates.as_array().expect("dates");
    assert_eq!(dates.len(), usize::from(before.day()));
    assert!(dates.iter().all(|date| date["meetings"].as_i64() > Some(0)));
    let year = today.year() - 1;
    client
        .get(&format!("/report/daily?year={year}&month=1"))
        .await
        .error(400, 300, "recent 6 months");
}

#[tokio::test]
async fn calls_are_listed_by_kind() {
    let client = Client::start().await;
    for (kind, types) in [
        ("1", &["toll-free", "call-out"][..]),
        ("2", &["US toll-number", "global toll-number"]),
        ("3", &["call-in"]),
    ] {
        let calls = client
            .walk(
                &format!("/report/telephone?type={kind}&{}", month()),
                "telephony_usage",
            )
            .await;
        assert!(!calls.is_empty());
        assert!(
            calls
                .iter()
                .all(|call| types.contains(&call["type"].as_str().expect("a type")))
        );
    }
}

#[tokio::test]
async fn rejects_unknown_or_too_old_reports() {
    let client = Client::start().await;
    client
        .get("/report/meetings/81234567890/participants")
        .await
        .error(404, 3001, "not found or has expired");
    client
        .get("/report/meetings/yEa2mYbSAaQx2ePz0LrDgQ%3D%3D/participants")
        .await
        .error(400, 12702, "a year ago");
    client
        .get(&format!("/report/users/nobody/meetings?{}", month()))
        .await
        .error(404, 1001, "nobody");
    client
        .get(&format!(
            "/report/users/ada.lovelace@example.com/meetings?next_page_token=x&{}",
            month()
        ))
        .await
        .error(400, 300, "next page token");
}
