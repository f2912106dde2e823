//! The sandbox over HTTP: recordings and their files.

#![cfg(test)] // what is test code to the lints, helpers included

mod client;

use client::{Client, day};
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

const ADA: &str = "/users/ada.lovelace@example.com/recordings";

async fn last_month(client: &Client) -> Vec<Value> {
    client
        .walk(&format!("{ADA}?from={}&to={}", day(28), day(0)), "meetings")
        .await
}

/// Path of the recording with this topic, with the id encoded as required by v2.
async fn path_of(client: &Client, topic: &str) -> String {
    let recordings = last_month(client).await;
    let recording = recordings
        .iter()
        .find(|one| one["topic"] == topic)
        .expect("the recording");
    let uuid = recording["uuid"].as_str().expect("an id");
    let once = |text: &str| {
        text.replace('%', "%25")
            .replace('/', "%2F")
            .replace('+', "%2B")
            .replace('=', "%3D")
    };
    let encoded = if uuid.contains("//") || uuid.starts_with('/') {
        once(&once(uuid))
    } else {
        once(uuid)
    };
    format!("/meetings/{encoded}/recordings")
}

#[tokio::test]
async fn lists_today_by_default_and_a_month_at_most() {
    let client = Client::start().await;
    let today = client.get(ADA).await.body(200);
    assert_eq!(
        (&today["from"], &today["to"]),
        (&json!(day(0)), &json!(day(0)))
    );
    assert_eq!(today["meetings"], json!([]));
    let year = client
        .get(&format!("{ADA}?from={}&to={}", day(365), day(0)))
        .await
        .body(200);
    assert!(year["from"].as_str() >= Some(day(31).as_str()));
    assert!(
        year["meetings"]
            .as_array()
            .expect("a list")
            .iter()
            .all(|one| one["topic"] != "Long ago")
    );
    let before = client
        .get(&format!("{ADA}?from={}&to={}", day(60), day(40)))
        .await
        .body(200);
    assert_eq!(before["meetings"][0]["topic"], "Long ago");
    let starts: Vec<_> = last_month(&client)
        .await
        .iter()
        .map(|one| one["start_time"].to_string())
        .collect();
    assert!(starts.is_sorted_by(|one, other| one >= other), "{starts:?}");
    let connector = client
        .get(&format!("{ADA}?mc=true&from={}&to={}", day(28), day(0)))
        .await
        .body(200);
    assert!(connector["meetings"][0]["recording_files"][0]["file_path"].is_string());
    client
        .get(&format!("{ADA}?from=yesterday"))
        .await
        .error(400, 300, "Validation");
    client
        .get("/users/nobody/recordings")
        .await
        .error(404, 1001, "nobody");
}

#[tokio::test]
async fn has_two_years_of_recordings() {
    let client = Client::start().await;
    let mut found = 0;
    for month in 0..25 {
        let window = format!("from={}&to={}", day(29 * month + 28), day(29 * month));
        let list = format!("/users/grace.hopper@example.com/recordings?{window}&page_size=1");
        found += client.walk(&list, "meetings").await.len();
    }
    assert_eq!(found, 60);
}

#[tokio::test]
async fn requires_double_encoding_of_ids_with_slashes() {
    let client = Client::start().await;
    for topic in ["Slash first", "Slashes within", "Notes on the Engine"] {
        let path = path_of(&client, topic).await;
        assert_eq!(client.get(&path).await.body(200)["topic"], topic);
    }
    client
        .get("/meetings/%2F3ZtQWfBRtGkq8X1uV9sHw%3D%3D/recordings")
        .await
        .error(404, 2300, "not recognized");
}

#[tokio::test]
async fn downloads_need_a_token() {
    let client = Client::start().await;
    let path = format!(
        "{}?include_fields=download_access_token",
        path_of(&client, "Notes on the Engine").await
    );
    let recording = client.get(&path).await.body(200);
    let files = recording["recording_files"].as_array().expect("files");
    assert_eq!(files.len(), 2);
    let video = files[0]["download_url"].as_str().expect("a URL");
    let http = reqwest::Client::new();
    let page = http.get(video).send().await.expect("an answer");
    assert_eq!(page.status(), 200);
    assert!(page.text().await.expect("a text").contains("<html>"));
    let token = recording["download_access_token"]
        .as_str()
        .expect("a token");
    for token in [token, shim_sandbox::TOKEN] {
        let file = http
            .get(video)
            .bearer_auth(token)
            .send()
            .await
            .expect("an answer");
        assert_eq!(file.headers()[CONTENT_TYPE], "video/mp4");
        let bytes = file.bytes().await.expect("bytes");
        assert_eq!(json!(bytes.len()), files[0]["file_size"]);
        assert_eq!(&bytes[4..8], b"ftyp");
    }
    let total = files
        .iter()
        .filter_map(|file| file["file_size"].as_i64())
        .sum::<i64>();
    assert_eq!(recording["total_size"], total);
}

#[tokio::test]
async fn trashes_or_deletes_single_files() {
    let client = Client::start().await;
    let path = path_of(&client, "Notes on the Engine").await;
    let recording = client.get(&path).await.body(200);
    let file = |position: usize| {
        format!(
            "{path}/{}",
            recording["recording_files"][position]["id"]
                .as_str()
                .expect("an id")
        )
    };
    client.delete(&file(0)).await.empty(204);
    client
        .delete(&file(0))
        .await
        .error(404, 3301, "no recording");
    let left = client.get(&path).await.body(200);
    assert_eq!(left["recording_count"], 1);
    client.delete(&file(1)).await.empty(204);
    client.get(&path).await.error(404, 3301, "no recording");
    let trash = client.walk(&format!("{ADA}?trash=true"), "meetings").await;
    assert_eq!(trash[0]["topic"], "Notes on the Engine");

    let path = path_of(&client, "Slash first").await;
    client
        .delete(&format!("{path}?action=delete"))
        .await
        .empty(204);
    client.delete(&path).await.error(404, 3301, "no recording");
    let played = path_of(&client, "Played again").await;
    client.delete(&played).await.error(400, 3310, "simulive");
    let processing = path_of(&client, "Just over").await;
    let file = client.get(&processing).await.body(200)["recording_files"][0].clone();
    assert_eq!(file.get("status"), None);
    let file = format!("{processing}/{}", file["id"].as_str().expect("an id"));
    client.delete(&file).await.error(400, 3303, "uncompleted");
}
