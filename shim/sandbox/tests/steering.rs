//! The sandbox over HTTP: selected responses and faults, and its own endpoints.

#![cfg(test)] // what is test code to the lints, helpers included

mod client;

use std::collections::BTreeMap;

use client::{Answer, Client};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use shim_sandbox::SandboxConfig;
use time::{Duration, OffsetDateTime};

const ADA: &str = "/users/ada.lovelace@example.com/meetings";

#[derive(Deserialize)]
struct Objects {
    #[serde(default)]
    errors: BTreeMap<String, Row>,
}

#[derive(Deserialize)]
struct Row {
    status: u16,
    code: u32,
}

async fn with_header(client: &Client, name: &str, value: &str) -> Answer {
    Answer::of(client.request(Method::GET, ADA).header(name, value)).await
}

#[tokio::test]
async fn header_selects_an_error() {
    let client = Client::start().await;
    let mut count = 0;
    let api = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("api");
    let areas = api.read_dir().expect("the areas");
    let paths = areas.flat_map(|area| {
        let area = area.expect("an area").path();
        [area.join("objects.toml"), area.join("errors.toml")]
    });
    for path in paths.filter(|path| path.exists()) {
        let text = std::fs::read_to_string(path).expect("its objects");
        let objects: Objects = toml::from_str(&text).expect("a table of errors");
        for (name, row) in objects.errors {
            let answer = with_header(&client, "X-Sandbox-Error", &name).await;
            answer.error(row.status, row.code, "");
            assert!(
                !answer.text.contains('{') || !answer.text[1..].contains('{'),
                "{}",
                answer.text
            );
            count += 1;
        }
    }
    assert!(count > 80, "{count}");
    with_header(&client, "X-Sandbox-Error", "user_not_found")
        .await
        .error(404, 1001, "");
    let unknown = with_header(&client, "X-Sandbox-Error", "nonsense").await;
    assert_eq!(
        (unknown.status, unknown.text.as_str()),
        (400, "there is no error \"nonsense\"")
    );
}

#[tokio::test]
async fn header_selects_a_response_or_fault() {
    let client = Client::start().await;
    let request = client
        .request(Method::GET, ADA)
        .header("X-Sandbox-Answer", r#"{"meetings":[]}"#);
    assert_eq!(Answer::of(request).await.body(200), json!({"meetings": []}));
    let request = client
        .request(Method::GET, ADA)
        .header("X-Sandbox-Answer", "[]")
        .header("X-Sandbox-Status", "503");
    assert_eq!(Answer::of(request).await.body(503), json!([]));
    with_header(&client, "X-Sandbox-Fault", "status=429,retry_after=1")
        .await
        .error(429, 429, "rate limit");
    let dropped = client
        .request(Method::GET, ADA)
        .header("X-Sandbox-Fault", "answer=drop")
        .send()
        .await;
    assert!(dropped.is_err());
    client.get(ADA).await.body(200);
}

#[tokio::test]
async fn arms_faults_and_resets_the_account() {
    let client = Client::start().await;
    let meeting = client.post(ADA, &json!({"topic": "Gone"})).await.body(201);
    let path = format!("/meetings/{}", meeting["id"]);
    client
        .own("faults", "path=/meetings/*,error=meeting_unknown,times=1")
        .await
        .empty(204);
    client
        .get(&path)
        .await
        .error(404, 3001, "Meeting does not exist");
    client.get(&path).await.body(200);
    let mistake = client.own("faults", "path=meetings").await;
    assert_eq!(mistake.status, 400);
    client.own("reset", "").await.empty(204);
    client.get(&path).await.error(404, 3001, "does not exist");
    client
        .patch("/users/ada.lovelace@example.com", &json!({"dept": "Moved"}))
        .await
        .empty(204);
    client.own("reset", "").await.empty(204);
    let ada = client
        .get("/users/ada.lovelace@example.com")
        .await
        .body(200);
    assert_eq!(ada["dept"], "Analytical Engines");
}

#[tokio::test]
async fn a_started_meeting_is_live_and_leaves_a_past_one() {
    let client = Client::start().await;
    let meeting = client
        .post(ADA, &json!({"topic": "Started", "type": 1}))
        .await
        .body(201);
    let path = format!("/meetings/{}", meeting["id"]);
    client
        .own(&format!("{}/start", &path[1..]), "")
        .await
        .empty(204);
    client
        .own(&format!("{}/start", &path[1..]), "")
        .await
        .empty(204);
    assert_eq!(client.get(&path).await.body(200)["status"], "started");
    let live = client.get(&format!("{ADA}?type=live")).await.body(200);
    assert_eq!(live["meetings"][0]["topic"], "Started");
    client
        .put(&format!("{path}/status"), &json!({"action": "end"}))
        .await
        .empty(204);
    client.get(&path).await.error(404, 3001, "does not exist");
    let today = OffsetDateTime::now_utc();
    let range = format!(
        "from={}&to={}",
        (today - Duration::DAY).date(),
        today.date()
    );
    let report = format!("/report/users/ada.lovelace@example.com/meetings?{range}");
    let held = client.walk(&report, "meetings").await;
    let ended = held
        .iter()
        .find(|one| one["topic"] == "Started")
        .expect("the meeting");
    assert_eq!(
        (&ended["uuid"], &ended["participants_count"]),
        (&meeting["uuid"], &json!(3))
    );
    let participants = format!("/report/meetings/{}/participants", meeting["id"]);
    assert_eq!(client.walk(&participants, "participants").await.len(), 3);
    assert_eq!(
        client.own("meetings/81234567890/start", "").await.status,
        404
    );
}

#[tokio::test]
async fn missing_scopes_are_rejected() {
    let client = Client::with(SandboxConfig {
        missing_scopes: vec!["meeting:write:meeting:admin".to_owned()],
        ..SandboxConfig::default()
    })
    .await;
    client
        .post(ADA, &json!({}))
        .await
        .error(400, 4711, "scopes");
    client.get(ADA).await.body(200);
}

#[tokio::test]
async fn the_label_of_an_endpoint_is_in_a_header() {
    let client = Client::start().await;
    let response = client
        .request(Method::GET, "/report/daily")
        .send()
        .await
        .expect("an answer");
    assert_eq!(response.headers()["x-ratelimit-category"], "Heavy");
    let own = client
        .request(Method::GET, "/h323/devices")
        .send()
        .await
        .expect("an answer");
    assert_eq!(own.headers()["x-ratelimit-category"], "Medium");
}

#[tokio::test]
async fn initial_state_is_reproducible() {
    let meetings = async || {
        let client = Client::start().await;
        let list = client.get(ADA).await.body(200);
        list["meetings"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| (one["id"].clone(), one["uuid"].clone()))
            .collect::<Vec<(Value, Value)>>()
    };
    assert_eq!(meetings().await, meetings().await);
}
