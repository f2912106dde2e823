//! Webhooks of the sandbox: events, content and retries.

#![cfg(test)] // what is test code to the lints, helpers included

mod client;

use std::time::Duration;

use axum::{Router, extract::State, http::HeaderMap, http::StatusCode};
use client::Client;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::mpsc, time::timeout};

const ADA: &str = "/users/ada.lovelace@example.com";

/// Received webhooks: signature headers and body.
type Arrived = mpsc::UnboundedReceiver<(String, String, Value)>;

/// Server that responds with a status.
async fn address(status: StatusCode) -> (String, Arrived) {
    type Sender = mpsc::UnboundedSender<(String, String, Value)>;
    let (sender, arrived) = mpsc::unbounded_channel();
    let take = move |State(sender): State<Sender>, headers: HeaderMap, body: String| async move {
        let header = |name: &str| headers[name].to_str().expect("text").to_owned();
        let (signature, time) = (header("x-zm-signature"), header("x-zm-request-timestamp"));
        let body = serde_json::from_str(&body).expect("JSON");
        sender
            .send((signature, time, body))
            .expect("the test listens");
        status
    };
    let router = Router::new().fallback(take).with_state(sender);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("its address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, arrived)
}

async fn subscribe(client: &Client, url: &str, more: Value) {
    let mut body = json!({ "url": url, "secret_token": "token" });
    let more = more.as_object().expect("members").clone();
    body.as_object_mut().expect("members").extend(more);
    assert_eq!(client.own("webhooks", &body.to_string()).await.status, 204);
}

async fn next(arrived: &mut Arrived) -> (String, String, Value) {
    let next = timeout(Duration::from_secs(20), arrived.recv()).await;
    next.expect("a webhook in time").expect("a webhook")
}

#[tokio::test]
async fn meetings_and_recordings_send_webhooks() {
    let client = Client::start().await;
    let (url, mut arrived) = address(StatusCode::OK).await;
    subscribe(&client, &url, json!({})).await;
    let meetings = client.get(&format!("{ADA}/meetings")).await.body(200);
    let meeting = meetings["meetings"][0].clone();
    let path = format!("meetings/{}", meeting["id"]);
    client.own(&format!("{path}/start"), "").await;
    let (signature, _, started) = next(&mut arrived).await;
    assert!(
        signature.starts_with("v0=") && signature.len() == 67,
        "{signature}"
    );
    assert_eq!(started["event"], "meeting.started");
    assert_eq!(started["payload"]["account_id"], "sandbox-account");
    let object = &started["payload"]["object"];
    assert_eq!(object["id"], meeting["id"].to_string());
    assert_eq!(object["host_id"], meeting["host_id"]);
    assert!(object["uuid"].as_str().is_some_and(|uuid| !uuid.is_empty()));
    client
        .put(&format!("/{path}/status"), &json!({ "action": "end" }))
        .await;
    let (_, _, ended) = next(&mut arrived).await;
    assert_eq!(ended["event"], "meeting.ended");
    assert_eq!(ended["payload"]["object"]["uuid"], object["uuid"]);

    let unknown = client.own(&format!("{path}1/recorded"), "").await;
    assert_eq!(unknown.status, 404);
    let recordings = client
        .get(&format!("{ADA}/recordings?from=2000-01-01"))
        .await
        .body(200);
    let recording = &recordings["meetings"][0];
    let recorded = client
        .own(&format!("meetings/{}/recorded", recording["id"]), "")
        .await;
    assert_eq!(recorded.status, 204);
    let (_, _, completed) = next(&mut arrived).await;
    assert_eq!(completed["event"], "recording.completed");
    assert!(completed["download_token"].is_string());
    let object = &completed["payload"]["object"];
    assert!(
        object["recording_files"]
            .as_array()
            .is_some_and(|files| !files.is_empty())
    );
    assert_eq!(object.get("download_access_token"), None);
}

#[tokio::test]
async fn failed_webhooks_are_retried() {
    let client = Client::start().await;
    let (url, mut arrived) = address(StatusCode::SERVICE_UNAVAILABLE).await;
    subscribe(&client, &url, json!({ "retries": [0, 0] })).await;
    client
        .own("events", r#"{"event":"meeting.created","object":{"id":1}}"#)
        .await;
    for _ in 0..3 {
        assert_eq!(next(&mut arrived).await.2["payload"]["object"]["id"], 1);
    }
    client.own("events", r#"{"event":"meeting.deleted"}"#).await;
    assert_eq!(next(&mut arrived).await.2["event"], "meeting.deleted");
}

#[tokio::test]
async fn responses_after_the_deadline_are_ignored() {
    let client = Client::start().await;
    let (url, mut arrived) = address(StatusCode::OK).await;
    let faults = json!({ "faults": ["deadline"], "retries": [0, 0] });
    subscribe(&client, &url, faults).await;
    // It never answers.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("its address");
    let silent = format!("http://{address}/");
    subscribe(&client, &silent, json!({ "retries": [0] })).await;
    client.own("events", r#"{"event":"late"}"#).await;
    client.own("events", r#"{"event":"next"}"#).await;
    let mut events = Vec::new();
    for _ in 0..4 {
        let (_, _, body) = next(&mut arrived).await;
        events.push(body["event"].as_str().expect("a name").to_owned());
    }
    events.sort_unstable();
    assert_eq!(events, ["late", "late", "next", "next"]);
    // Each event twice, after v2's 3 s.
    let mut open = Vec::new();
    for _ in 0..4 {
        let accepted = timeout(Duration::from_secs(60), listener.accept()).await;
        open.push(
            accepted
                .expect("a connection in time")
                .expect("a connection"),
        );
    }
}

#[tokio::test]
async fn faults_repeat_reorder_and_backdate_webhooks() {
    let client = Client::start().await;
    let (url, mut arrived) = address(StatusCode::OK).await;
    let faults = json!({ "faults": ["repeat", "reorder", "old_timestamp"], "retries": [] });
    subscribe(&client, &url, faults).await;
    client.own("events", r#"{"event":"first"}"#).await;
    client.own("events", r#"{"event":"second"}"#).await;
    let mut events = Vec::new();
    for _ in 0..4 {
        let (_, time, body) = next(&mut arrived).await;
        let age = time::OffsetDateTime::now_utc().unix_timestamp()
            - time.parse::<i64>().expect("a number");
        assert!((7_200..7_300).contains(&age), "{age}");
        events.push(body["event"].as_str().expect("a name").to_owned());
    }
    let first = |name: &str| events.iter().position(|event| event == name);
    assert!(first("second") < first("first"), "{events:?}");
    assert_eq!(events.iter().filter(|event| *event == "first").count(), 2);
    for wrong in [
        "",
        "{}",
        r#"{"url":"http://x","secret_token":"t","faults":["none"]}"#,
    ] {
        assert_eq!(client.own("webhooks", wrong).await.status, 400, "{wrong}");
    }
}
