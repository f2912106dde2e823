//! Relayed files: streamed, bounded, and from v2's hosts only.

use std::{
    sync::{Arc, Mutex, OnceLock},
    time::{Duration, Instant},
};

use axum::body::Body;
use futures_util::stream;
use reqwest::Response;
use serde_json::json;
use tokio::sync::mpsc;

use crate::running::{Answer, Running, ScriptedV2, Setup, TOKEN, soon};

/// Idle timeout in these tests.
const IDLE: Duration = Duration::from_millis(200);

/// A v2 with one recording, whose file a script answers.
async fn v2(file: impl Fn(&str, &str) -> Answer + Send + Sync + 'static) -> ScriptedV2 {
    let base = Arc::new(OnceLock::<String>::new());
    let known = Arc::clone(&base);
    let v2 = ScriptedV2::start(move |seen| {
        let answer = match seen.path() {
            path if path.starts_with("/v2/") => {
                let base = known.get().unwrap();
                let file = json!({ "id": "f1", "download_url": format!("{base}/rec/1") });
                Answer::json(200, &json!({ "uuid": "m1", "recording_files": [file] }))
            }
            path => file(path, &seen.authorization),
        };
        async move { answer }
    })
    .await;
    base.set(v2.base().replace("/v2", "")).unwrap();
    v2
}

async fn relaying(v2: &ScriptedV2, settings: &str) -> Running {
    let setup = Setup {
        file: format!(
            "[options]\nrecording_downloads = \"relay\"\n\
             [relay]\nurl = \"http://shim.example.com/old\"\n{settings}"
        ),
        adjust: |limits| limits.headers = IDLE,
        ..Setup::default()
    };
    Running::with(v2, setup).await
}

async fn link(shim: &Running) -> String {
    let answer = shim.call("recording/get", &[("meeting_id", "m1")]).await;
    let url = answer["recording_files"][0]["download_url"].as_str();
    let path = url.unwrap().strip_prefix("http://shim.example.com");
    format!("http://{}{}", shim.address, path.unwrap())
}

async fn get(shim: &Running, url: &str) -> Response {
    soon(shim.client.get(url).send()).await.unwrap()
}

#[tokio::test]
async fn streams_a_file_and_holds_a_permit_until_its_end() {
    let (sender, receiver) = mpsc::channel::<Result<&[u8], std::io::Error>>(1);
    let receiver = Arc::new(Mutex::new(Some(receiver)));
    let v2 = v2(move |_, authorization| {
        assert_eq!(authorization, format!("Bearer {TOKEN}"));
        let body = match receiver.lock().unwrap().take() {
            Some(receiver) => Body::from_stream(stream::unfold(receiver, |mut receiver| async {
                Some((receiver.recv().await?, receiver))
            })),
            None => Body::from("later"),
        };
        Answer::new(200, &[("content-type", "video/mp4")], body)
    })
    .await;
    let shim = relaying(&v2, "downloads = 1").await;
    let url = link(&shim).await;

    let alone = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .pool_max_idle_per_host(0);
    let alone = alone.build().unwrap();
    sender.send(Ok(b"first")).await.unwrap();
    let mut download = get(&shim, &url).await;
    assert_eq!(download.headers()["content-type"], "video/mp4");
    assert_eq!(soon(download.chunk()).await.unwrap().unwrap(), "first");

    // Longer than the idle timeout.
    let begun = Instant::now();
    while begun.elapsed() < 6 * IDLE {
        let refused = soon(alone.get(&url).send()).await.unwrap();
        assert_eq!(refused.status(), 503);
        assert_eq!(refused.headers()["retry-after"], "10");
    }

    sender.send(Ok(b"last")).await.unwrap();
    drop(sender);
    assert_eq!(soon(download.chunk()).await.unwrap().unwrap(), "last");
    assert_eq!(soon(download.chunk()).await.unwrap(), None);
    let again = async {
        loop {
            let answer = get(&shim, &url).await;
            if answer.status() == 200 {
                return answer.text().await.unwrap();
            }
        }
    };
    assert_eq!(soon(again).await, "later");
}

#[tokio::test]
async fn html_instead_of_a_file_is_an_error() {
    let page = |_: &str, _: &str| {
        let html = [("content-type", "text/html; charset=utf-8")];
        Answer::new(200, &html, "<html>Sign in</html>")
    };
    let v2 = v2(page).await;
    let shim = relaying(&v2, "").await;
    let answer = get(&shim, &link(&shim).await).await;
    assert_eq!(answer.status(), 502);
    assert!(!answer.text().await.unwrap().contains("html"));
}

#[tokio::test]
async fn follows_redirects_to_allowed_hosts_only() {
    let other = ScriptedV2::start(|_| async { Answer::status(204) }).await;
    let elsewhere = other.base();
    let to = Arc::new(Mutex::new(String::new()));
    let next = Arc::clone(&to);
    let v2 = v2(move |path, _| match path {
        "/rec/1" => Answer::new(302, &[("location", &next.lock().unwrap())], Body::empty()),
        "/rec/2" => Answer::new(200, &[], "the file"),
        _ => Answer::status(404),
    })
    .await;
    let shim = relaying(&v2, "").await;
    let url = link(&shim).await;
    for (target, status) in [
        ("/rec/2", 200),
        ("/rec/1", 502),
        ("http://169.254.169.254/latest/meta-data", 502),
        ("https://127.0.0.1/", 502),
        ("file:///etc/passwd", 502),
        (elsewhere.as_str(), 502),
    ] {
        target.clone_into(&mut to.lock().unwrap());
        assert_eq!(get(&shim, &url).await.status(), status, "{target}");
    }
    assert!(other.seen().is_empty());
}
