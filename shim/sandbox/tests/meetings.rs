//! The sandbox over HTTP: meetings.

#![cfg(test)] // what is test code to the lints, helpers included

mod client;

use client::Client;
use serde_json::{Value, json};

const ADA: &str = "/users/ada.lovelace@example.com/meetings";
const GRACE: &str = "/users/grace.hopper@example.com/meetings";

/// Creates a meeting of Ada with these members.
async fn created(client: &Client, members: &Value) -> (String, Value) {
    let meeting = client.post(ADA, members).await.body(201);
    (format!("/meetings/{}", meeting["id"]), meeting)
}

/// The listed meeting with this topic.
async fn listed(client: &Client, list: &str, topic: &str) -> String {
    let entries = client.walk(list, "meetings").await;
    let entry = entries.iter().find(|entry| entry["topic"] == topic);
    format!("/meetings/{}", entry.expect("the meeting")["id"])
}

#[tokio::test]
async fn creates_shows_changes_and_deletes_a_meeting() {
    let client = Client::start().await;
    let members = json!({
        "topic": "Größen", "type": 2, "start_time": "2031-05-01T09:30:00Z", "duration": 45, "password": "e2718",
        "settings": {"host_video": true, "approval_type": 2}, "unknown": {"ignored": 1},
    });
    let (path, meeting) = created(&client, &members).await;
    assert!(meeting["id"].as_i64().expect("an id") > i64::from(i32::MAX));
    assert_eq!(meeting["status"], "waiting");
    assert_eq!(meeting["settings"]["host_video"], true);
    assert_eq!(meeting["settings"]["audio"], "both");
    assert!(
        meeting["join_url"]
            .as_str()
            .expect("a URL")
            .contains("?pwd=")
    );
    assert_eq!(client.get(&path).await.body(200), meeting);

    let changes = json!({"duration": 30, "settings": {"audio": "voip"}});
    client.patch(&path, &changes).await.empty(204);
    let shown = client.get(&path).await.body(200);
    assert_eq!(
        (&shown["duration"], &shown["topic"]),
        (&json!(30), &meeting["topic"])
    );
    assert_eq!(shown["settings"]["audio"], "voip");
    assert_eq!(shown["settings"]["host_video"], true);

    client.delete(&path).await.empty(204);
    client
        .get(&path)
        .await
        .error(404, 3001, "Meeting does not exist");
    client
        .delete(&path)
        .await
        .error(404, 3001, "Meeting does not exist");
}

#[tokio::test]
async fn an_instant_meeting_has_no_start_and_ends_for_good() {
    let client = Client::start().await;
    let (path, meeting) = created(&client, &json!({"type": 1, "topic": "Now"})).await;
    assert_eq!(meeting.get("start_time"), None);
    let topics = client.walk(ADA, "meetings").await;
    assert!(topics.iter().all(|entry| entry["topic"] != "Now"));
    client
        .put(&format!("{path}/status"), &json!({"action": "end"}))
        .await
        .empty(204);
    client.get(&path).await.error(404, 3001, "does not exist");
}

#[tokio::test]
async fn lists_meetings_by_type_number_and_token() {
    let client = Client::start().await;
    let all = client.get(ADA).await.body(200);
    let total = all["total_records"].as_u64().expect("a total");
    assert_eq!(
        all["meetings"].as_array().map(|list| list.len() as u64),
        Some(total)
    );
    let numbered = client
        .get(&format!("{ADA}?page_size=1&page_number=2"))
        .await
        .body(200);
    assert_eq!(numbered["page_number"], 2);
    assert_eq!(numbered["page_count"], json!(total));
    assert_eq!(numbered["meetings"][0], all["meetings"][1]);
    let first = client.get(&format!("{ADA}?page_size=1")).await.body(200);
    let token = first["next_page_token"].as_str().expect("a token");
    let second = client
        .get(&format!("{ADA}?page_size=1&next_page_token={token}"))
        .await
        .body(200);
    assert_eq!(second["meetings"], numbered["meetings"]);
    client
        .get(&format!("{GRACE}?next_page_token={token}"))
        .await
        .error(400, 300, "next page token");
    client
        .get(&format!("{ADA}?page_size=301"))
        .await
        .error(400, 300, "Validation");

    let live = client.get(&format!("{GRACE}?type=live")).await.body(200);
    assert_eq!(live["total_records"], 1);
    let path = format!("/meetings/{}", live["meetings"][0]["id"]);
    assert_eq!(client.get(&path).await.body(200)["status"], "started");
    listed(
        &client,
        &format!("{GRACE}?type=previous_meetings"),
        "Debugging, a retrospective",
    )
    .await;
    let upcoming = client
        .walk(&format!("{GRACE}?type=upcoming"), "meetings")
        .await;
    assert!(
        upcoming
            .iter()
            .all(|entry| entry["topic"] != "Debugging, a retrospective")
    );
    client
        .get("/users/nobody@example.com/meetings")
        .await
        .error(404, 1001, "nobody");
}

#[tokio::test]
async fn occurrences_change_individually() {
    let client = Client::start().await;
    let members = json!({
        "type": 8, "start_time": "2031-05-01T09:30:00Z", "duration": 30,
        "recurrence": {"type": 2, "weekly_days": "5", "end_times": 3},
    });
    let (path, meeting) = created(&client, &members).await;
    let occurrences = meeting["occurrences"].as_array().expect("occurrences");
    let starts: Vec<_> = occurrences
        .iter()
        .map(|one| one["start_time"].as_str().expect("a time"))
        .collect();
    assert_eq!(
        starts,
        [
            "2031-05-01T09:30:00Z",
            "2031-05-08T09:30:00Z",
            "2031-05-15T09:30:00Z"
        ]
    );
    let id = occurrences[1]["occurrence_id"].as_str().expect("an id");
    let one = format!("{path}?occurrence_id={id}");
    assert_eq!(
        client.get(&one).await.body(200)["occurrences"],
        json!([occurrences[1]])
    );
    client
        .patch(&one, &json!({"duration": 15}))
        .await
        .empty(204);
    assert_eq!(
        client.get(&one).await.body(200)["occurrences"][0]["duration"],
        15
    );
    client.delete(&one).await.empty(204);
    client.delete(&one).await.error(400, 300, "occurrence_id");
    let left = client.get(&path).await.body(200);
    let status: Vec<_> = left["occurrences"]
        .as_array()
        .expect("occurrences")
        .iter()
        .map(|one| &one["status"])
        .collect();
    assert_eq!(status, ["available", "deleted", "available"]);
    client
        .post(
            ADA,
            &json!({"type": 8, "start_time": "2031-05-01T09:30:00Z"}),
        )
        .await
        .error(400, 300, "Validation");
}

#[tokio::test]
async fn ended_meeting_stays_scheduled() {
    let client = Client::start().await;
    let path = listed(&client, &format!("{GRACE}?type=live"), "All hands").await;
    client.delete(&path).await.error(400, 3002, "in progress");
    let status = format!("{path}/status");
    client
        .put(&status, &json!({"action": "begin"}))
        .await
        .error(400, 300, "Validation");
    client
        .put(&status, &json!({"action": "end"}))
        .await
        .empty(204);
    client
        .put(&status, &json!({"action": "end"}))
        .await
        .empty(204);
    assert_eq!(client.get(&path).await.body(200)["status"], "waiting");
    let live = client.get(&format!("{GRACE}?type=live")).await.body(200);
    assert_eq!(live["meetings"], json!([]));
}

#[tokio::test]
async fn registration_is_idempotent() {
    let client = Client::start().await;
    let path = listed(&client, ADA, "Open lecture").await;
    let registrants = format!("{path}/registrants");
    let person = json!({"email": "visitor@example.net", "first_name": "V"});
    let first = client.post(&registrants, &person).await.body(201);
    let again = client.post(&registrants, &person).await.body(201);
    assert_eq!(first["registrant_id"], again["registrant_id"]);
    assert_eq!(first["topic"], "Open lecture");
    client
        .post(
            &registrants,
            &json!({"email": "visitor", "first_name": "V"}),
        )
        .await
        .error(400, 300, "Validation");
    let (plain, _) = created(&client, &json!({"topic": "Closed"})).await;
    client
        .post(&format!("{plain}/registrants"), &person)
        .await
        .error(400, 3000, "Cannot access meeting info");
    let full = listed(&client, GRACE, "Compilers for everybody").await;
    client
        .post(&format!("{full}/registrants"), &person)
        .await
        .error(400, 3043, "maximum attendee capacity");
    client
        .post("/meetings/81234567890/registrants", &person)
        .await
        .error(404, 1001, "Meeting does not exist: 81234567890");
}

#[tokio::test]
async fn rejects_users_who_may_not_host() {
    let client = Client::start().await;
    let host = "/users/hedy.lamarr@example.com/meetings";
    client
        .post(host, &json!({}))
        .await
        .error(400, 3161, "not allowed");
    client.get(host).await.error(400, 3161, "not allowed");
    let instant = json!({"type": 1, "schedule_for": "grace.hopper@example.com"});
    client
        .post(ADA, &instant)
        .await
        .error(400, 3000, "schedule_for");
    let ada = client
        .get("/users/ada.lovelace@example.com")
        .await
        .body(200);
    let room = format!("/meetings/{}", ada["pmi"]);
    assert_eq!(
        client.get(&room).await.body(200)["pmi"],
        ada["pmi"].to_string()
    );
    client.delete(&room).await.error(400, 3018, "PMI");
}

#[tokio::test]
async fn a_host_has_a_hundred_creates_a_day() {
    let client = Client::start().await;
    for _ in 0..100 {
        client.post(ADA, &json!({})).await.body(201);
    }
    client
        .post(ADA, &json!({}))
        .await
        .error(429, 429, "daily rate limit");
    client.post(GRACE, &json!({})).await.body(201);
}

#[tokio::test]
async fn deleting_a_host_deletes_or_transfers_meetings() {
    let client = Client::start().await;
    let lost = listed(&client, GRACE, "Compilers for everybody").await;
    let kept = listed(&client, ADA, "Kolloquium").await;
    client
        .delete("/users/grace.hopper@example.com?action=delete")
        .await
        .empty(204);
    client.get(&lost).await.error(404, 3001, "does not exist");
    let other = "katherine.johnson@example.com";
    client
        .delete(&format!("/users/ada.lovelace@example.com?action=delete&transfer_email={other}&transfer_meeting=true"))
        .await
        .empty(204);
    assert_eq!(client.get(&kept).await.body(200)["host_email"], other);
}
