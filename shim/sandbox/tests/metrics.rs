//! The sandbox over HTTP: the dashboard.

#![cfg(test)] // what is test code to the lints, helpers included

mod client;

use client::{Client, day, month};
use serde_json::{Value, json};

/// An id as a path segment, encoded as required by v2.
fn segment(uuid: &Value) -> String {
    let uuid = uuid.as_str().expect("an id");
    let once = |text: &str| {
        text.replace('%', "%25")
            .replace('/', "%2F")
            .replace('+', "%2B")
    };
    if uuid.starts_with('/') || uuid.contains("//") {
        once(&once(uuid))
    } else {
        once(uuid)
    }
}

/// Path of the past meeting with this topic.
async fn past(client: &Client, topic: &str) -> (String, Value) {
    let meetings = client
        .walk(
            &format!("/metrics/meetings?type=past&page_size=300&{}", month()),
            "meetings",
        )
        .await;
    let meeting = meetings
        .into_iter()
        .find(|one| one["topic"] == topic)
        .expect("the meeting");
    (
        format!("/metrics/meetings/{}", segment(&meeting["uuid"])),
        meeting,
    )
}

#[tokio::test]
async fn meetings_are_live_or_past() {
    let client = Client::start().await;
    let live = client
        .get(&format!("/metrics/meetings?{}", month()))
        .await
        .body(200);
    assert_eq!(live["total_records"], 1);
    let running = &live["meetings"][0];
    assert_eq!(
        (&running["topic"], running.get("end_time")),
        (&json!("All hands"), None)
    );
    let shown = client
        .get(&format!("/meetings/{}", running["id"]))
        .await
        .body(200);
    assert_eq!(shown["status"], "started");
    let alone = client
        .get(&format!("/metrics/meetings?type=pastOne&{}", month()))
        .await
        .body(200);
    assert_eq!(alone["meetings"][0]["topic"], "Nobody came");
    for topic in ["Slash first", "Slashes within", "Annual lecture"] {
        let (path, meeting) = past(&client, topic).await;
        let detail = client.get(&format!("{path}?type=past")).await.body(200);
        assert_eq!(
            (&detail["duration"], &detail["participants"]),
            (&meeting["duration"], &meeting["participants"])
        );
        client.get(&path).await.error(404, 3001, "not ended yet");
    }
    client
        .get("/metrics/meetings")
        .await
        .error(400, 300, "Validation");
    client
        .put(
            &format!("/meetings/{}/status", running["id"]),
            &json!({"action": "end"}),
        )
        .await
        .empty(204);
    let ended = client
        .get(&format!("/metrics/meetings/{}?type=past", running["id"]))
        .await
        .body(200);
    assert!(ended["end_time"].is_string());
}

#[tokio::test]
async fn participants_have_details_quality_and_sharing() {
    let client = Client::start().await;
    let (path, meeting) = past(&client, "Notes on the Engine").await;
    let participants = client
        .walk(
            &format!("{path}/participants?type=past&page_size=2"),
            "participants",
        )
        .await;
    assert_eq!(json!(participants.len()), meeting["participants"]);
    let quality = client
        .get(&format!("{path}/participants/qos?type=past"))
        .await
        .body(200);
    assert_eq!(
        quality["participants"].as_array().map(Vec::len),
        Some(1),
        "one a page"
    );
    let all = client
        .walk(
            &format!("{path}/participants/qos?type=past&page_size=10"),
            "participants",
        )
        .await;
    assert_eq!(all[0]["user_qos"].as_array().map(Vec::len), Some(45));
    let users = |list: &[Value]| {
        list.iter()
            .map(|one| one["user_id"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(users(&all), users(&participants));
    let one = format!(
        "{path}/participants/{}/qos?type=past",
        participants[3]["user_id"].as_str().expect("an id")
    );
    assert_eq!(client.get(&one).await.body(200), all[3]);
    client
        .get(&format!("{path}/participants/1/qos?type=past"))
        .await
        .error(404, 3001, "not available");
    client
        .get(&format!("{path}/participants/qos?page_size=11"))
        .await
        .error(400, 300, "Validation");
    let sharing = client
        .walk(
            &format!("{path}/participants/sharing?type=past"),
            "participants",
        )
        .await;
    assert_eq!(users(&sharing), users(&participants)[..2]);
    assert_eq!(sharing[0]["details"].as_array().map(Vec::len), Some(2));
    let shared = participants
        .iter()
        .filter(|one| one["share_desktop"] == true)
        .count();
    assert_eq!(shared, 2);
    client
        .get(&format!("{path}/participants/sharing"))
        .await
        .error(404, 3001, "not available");
}

#[tokio::test]
async fn webinars_have_the_attendees_that_registered() {
    let client = Client::start().await;
    let live = client
        .get(&format!("/metrics/webinars?{}", month()))
        .await
        .body(200);
    assert_eq!(live["webinars"][0]["topic"], "Live from the tunnel");
    let path = format!("/metrics/webinars/{}", live["webinars"][0]["id"]);
    let here = client
        .walk(&format!("{path}/participants"), "participants")
        .await;
    assert_eq!(json!(here.len()), live["webinars"][0]["participants"]);
    let past = client
        .get(&format!("/metrics/webinars?type=past&{}", month()))
        .await
        .body(200);
    let webinars = past["webinars"].as_array().expect("a list");
    let webinar = webinars
        .iter()
        .find(|one| one["topic"] == "Numbers that fly")
        .expect("the webinar");
    let path = format!("/metrics/webinars/{}", segment(&webinar["uuid"]));
    client.get(&format!("{path}?type=past")).await.body(200);
    let participants = client
        .walk(
            &format!("{path}/participants?type=past&include_fields=registrant_id"),
            "participants",
        )
        .await;
    assert_eq!(json!(participants.len()), webinar["participants"]);
    assert!(
        participants
            .iter()
            .all(|one| one["registrant_id"].is_string())
    );
    client.get(&path).await.error(404, 3001, "not ended yet");
}

#[tokio::test]
async fn ports_are_counted_by_day_and_hour() {
    let client = Client::start().await;
    let usage = client
        .get(&format!("/metrics/crc?from={}&to={}", day(2), day(0)))
        .await
        .body(200);
    let days = usage["crc_ports_usage"].as_array().expect("days");
    assert_eq!((days.len(), &days[0]["date_time"]), (3, &json!(day(2))));
    assert_eq!(days[0]["crc_ports_hour_usage"][9]["hour"], "09");
    let year = client
        .get(&format!("/metrics/crc?from={}&to={}", day(300), day(0)))
        .await
        .body(200);
    assert!(year["crc_ports_usage"].as_array().expect("days").len() <= 32);
}

#[tokio::test]
async fn chats_are_counted_by_user() {
    let client = Client::start().await;
    let users = client
        .walk(&format!("/metrics/chat?page_size=5&{}", month()), "users")
        .await;
    assert_eq!(users.len(), 12);
    let number = |member: &str| users[0][member].as_i64().expect("a number");
    assert_eq!(
        number("total_sent"),
        number("p2p_sent") + number("group_sent")
    );
}

#[tokio::test]
async fn rooms_have_a_status_and_meetings() {
    let client = Client::start().await;
    let rooms = client
        .get("/metrics/zoomrooms?page_size=2&page_number=1")
        .await
        .body(200);
    assert_eq!(
        (&rooms["page_count"], &rooms["zoom_rooms"][0]["status"]),
        (&json!(2), &json!("In Meeting"))
    );
    let path = |position: usize| {
        format!(
            "/metrics/zoomrooms/{}?{}",
            rooms["zoom_rooms"][position]["id"].as_str().expect("an id"),
            month()
        )
    };
    let busy = client.get(&path(0)).await.body(200);
    assert_eq!(busy["live_meeting"]["topic"], "All hands");
    assert_eq!(busy["past_meetings"]["total_records"], 5);
    let empty = client.get(&path(1)).await.body(200);
    assert_eq!(
        (
            empty.get("live_meeting"),
            &empty["past_meetings"]["meetings"]
        ),
        (None, &json!([]))
    );
    client
        .get(&format!("/metrics/zoomrooms/nope?{}", month()))
        .await
        .error(404, 3001, "nope");
}
