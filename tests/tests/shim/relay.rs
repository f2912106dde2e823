//! Recordings downloaded through links of the shim.

use std::time::{Duration, Instant};

use end_to_end::{Fault, Stage};
use reqwest::{Client, Method, Response, StatusCode, header::RANGE};
use serde_json::{Value, json};
use shim_sandbox::SandboxConfig;

use crate::requests::{one, success};

const ADA: &str = "ada.lovelace@example.com";

async fn relaying(settings: &str) -> Stage {
    let settings = format!(
        "[options]\nrecording_downloads = \"relay\"\n[relay]\nurl = \"{{shim}}\"\n{settings}"
    );
    Stage::with(SandboxConfig::default(), &settings).await
}

/// Files of a recording with two.
async fn files(stage: &Stage) -> Vec<Value> {
    let id = stage.id_of(ADA).await;
    let recordings = success(stage, &format!("recording/list host_id={id}")).await;
    let recording = one(&recordings, "meetings[]", "topic", "Notes on the Engine");
    recording["recording_files"].as_array().unwrap().clone()
}

async fn link(stage: &Stage) -> String {
    let files = files(stage).await;
    files[0]["download_url"].as_str().unwrap().to_owned()
}

fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

async fn get(url: &str) -> Response {
    client().get(url).send().await.unwrap()
}

/// Status and text of an error.
async fn refusal(url: &str) -> (u16, String) {
    let response = get(url).await;
    (response.status().as_u16(), response.text().await.unwrap())
}

#[tokio::test]
async fn files_are_downloaded_through_the_shim_without_a_token_in_the_url() {
    let stage = relaying("").await;
    for file in files(&stage).await {
        let url = file["download_url"].as_str().unwrap();
        assert!(
            url.starts_with(stage.base().trim_end_matches("/v1")),
            "{url}"
        );
        assert!(!url.contains("access_token"), "{url}");
        let response = get(url).await;
        assert_eq!(response.status(), 200);
        let kind = response.headers()["content-type"]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(
            kind.starts_with("video/") || kind.starts_with("audio/"),
            "{kind}"
        );
        let bytes = response.bytes().await.unwrap();
        assert_eq!(Some(bytes.len() as u64), file["file_size"].as_u64());
    }
    let lines = stage.wire().lines();
    let downloads = lines.iter().filter(|line| line.contains("/rec/download/"));
    assert!(downloads.clone().count() == 2, "{lines:?}");
    assert!(
        downloads.clone().all(|line| !line.contains('?')),
        "{lines:?}"
    );
}

#[tokio::test]
async fn ranges_and_heads_of_files_are_passed_on() {
    let stage = relaying("").await;
    let url = link(&stage).await;
    let whole = get(&url).await.bytes().await.unwrap();

    let ask = |range: &'static str| client().get(&url).header(RANGE, range).send();
    let part = ask("bytes=2-5").await.unwrap();
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(
        part.headers()["content-range"].to_str().unwrap(),
        format!("bytes 2-5/{}", whole.len())
    );
    assert_eq!(part.bytes().await.unwrap(), whole[2..=5]);

    let beyond = ask("bytes=99999999-").await.unwrap();
    assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);

    let head = client().head(&url).send().await.unwrap();
    assert_eq!(head.status(), 200);
    let length = head.headers()["content-length"].to_str().unwrap();
    assert_eq!(length, whole.len().to_string());

    let posted = client().post(&url).send().await.unwrap();
    assert_eq!(posted.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn links_expire_and_cannot_be_made_by_others() {
    let stage = relaying("").await;
    let url = link(&stage).await;
    let mut forged = url.clone();
    let last = if forged.pop() == Some('A') { 'B' } else { 'A' };
    forged.insert(forged.rfind('/').unwrap() + 20, last);
    let not_valid = (403, "403 This link is not valid\n".to_owned());
    assert_eq!(refusal(&forged).await, not_valid);
    let other = relaying("").await;
    let elsewhere = url.replace(
        stage.base().trim_end_matches("/v1"),
        other.base().trim_end_matches("/v1"),
    );
    assert_eq!(refusal(&elsewhere).await, not_valid, "another key");
    assert_eq!(get(&url).await.status(), 200);

    let stage = relaying("link_seconds = 1").await;
    let url = link(&stage).await;
    let begun = Instant::now();
    while get(&url).await.status() == 200 {
        assert!(begun.elapsed() < Duration::from_secs(20), "never expires");
    }
    let expired = (410, "410 This link has expired\n".to_owned());
    assert_eq!(refusal(&url).await, expired);
    let calls = stage.wire().take();
    refusal(&url).await;
    assert!(
        !calls.is_empty() && stage.wire().take().is_empty(),
        "v2 is not asked"
    );
}

#[tokio::test]
async fn v2_errors_are_not_returned_as_files() {
    let stage = relaying("").await;
    let files = files(&stage).await;
    let url = files[0]["download_url"].as_str().unwrap();
    let file = files[0]["id"].as_str().unwrap();
    let refuse = |status: u16| {
        let answer = Fault::Refused(
            status,
            json!({ "code": status, "message": "secret reason" }),
        );
        stage.wire().fail_once(Method::GET, file, answer);
    };
    for (status, expected) in [
        (404, (404, "404 There is no such file any more\n")),
        (401, (502, "502 Zoom does not provide this file\n")),
        (403, (502, "502 Zoom does not provide this file\n")),
        (
            429,
            (503, "503 Zoom limits downloads at the moment; try again\n"),
        ),
        (500, (502, "502 Zoom does not provide this file\n")),
    ] {
        refuse(status);
        let (status, text) = refusal(url).await;
        assert_eq!((status, text.as_str()), expected);
    }
}
