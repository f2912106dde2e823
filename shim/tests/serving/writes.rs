//! Writes: reported losses, resumed creates, disconnected clients.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use serde_json::json;
use tokio::sync::mpsc;

use crate::running::{Answer, FORM, KEY, Running, SECRET, ScriptedV2, json, soon};

#[tokio::test]
async fn losses_are_reported_in_a_header() {
    let (v2, shim) = Running::with_users().await;
    let parameters = [("id", "u1"), ("dept", "x"), ("track_id", "7")];
    let response = shim.form("user/update", &parameters).send().await.unwrap();
    let warning = response.headers()["x-shim-warning"].to_str().unwrap();
    assert!(warning.starts_with("track_id: "), "{warning}");
    assert_eq!(json(response).await["id"], "u1");
    assert_eq!(v2.lines(), ["PATCH /v2/users/u1"]);
}

#[tokio::test]
async fn strict_mode_rejects_lossy_writes() {
    let v2 = ScriptedV2::with_users().await;
    let shim = Running::with_file(&v2, "strict = true").await;
    let parameters = [("id", "u1"), ("dept", "x"), ("track_id", "7")];
    let answer = shim.call("user/update", &parameters).await;
    assert_eq!(answer["error"]["code"], 300, "{answer}");
    assert!(
        answer["error"]["message"]
            .as_str()
            .unwrap()
            .contains("track_id")
    );
    assert_eq!(v2.lines(), [""; 0]);
}

const CREATE: [(&str, &str); 4] = [
    ("email", "new@example.com"),
    ("type", "1"),
    ("first_name", "New"),
    ("disable_chat", "true"),
];

#[tokio::test]
async fn repeated_create_completes_an_earlier_one() {
    let exists = Arc::new(AtomicBool::new(false));
    let settings_work = Arc::new(AtomicBool::new(false));
    let works = Arc::clone(&settings_work);
    let v2 = ScriptedV2::start(move |seen| {
        let answer = match seen.line().as_str() {
            "POST /v2/users" if exists.swap(true, Ordering::SeqCst) => {
                Answer::json(409, &json!({ "code": 1005, "message": "used" }))
            }
            line if line.starts_with("PATCH")
                && line.ends_with("/settings")
                && !works.load(Ordering::SeqCst) =>
            {
                Answer::json(500, &json!({ "code": 500, "message": "try later" }))
            }
            _ => seen.usual(),
        };
        async { answer }
    })
    .await;
    let shim = Running::before(&v2).await;

    let first = shim.call("user/custcreate", &CREATE).await;
    let message = first["error"]["message"].as_str().unwrap();
    assert!(message.contains("settings unknown"), "{message}");

    // Another tenant's request for the same address is independent.
    let other = shim
        .call(
            "user/custcreate",
            &[("email", "new@example.com"), ("type", "1")],
        )
        .await;
    assert_eq!(other["error"]["code"], 1005, "{other}");

    settings_work.store(true, Ordering::SeqCst);
    v2.forget();
    let second = shim.call("user/custcreate", &CREATE).await;
    assert_eq!(second["id"], "u1", "{second}");
    let lines = v2.lines();
    assert!(
        lines.iter().any(|line| line.starts_with("PATCH")),
        "{lines:?}"
    );

    // A finished create is forgotten.
    let third = shim.call("user/custcreate", &CREATE).await;
    assert_eq!(third["error"]["code"], 1005, "{third}");
}

fn request(operation: &str, parameters: &str) -> Vec<u8> {
    let body = format!("api_key={KEY}&api_secret={SECRET}&{parameters}");
    format!(
        "POST /v1/{operation} HTTP/1.1\r\nHost: shim\r\nContent-Type: {FORM}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

#[tokio::test]
async fn write_completes_after_the_client_disconnects() {
    let (v2, mut arrivals, gate) =
        ScriptedV2::gated(|seen| seen.line().starts_with("POST /v2/users")).await;
    let shim = Running::before(&v2).await;
    let create = request(
        "user/custcreate",
        "email=new@example.com&type=1&disable_chat=1",
    );
    let connection = shim.raw(&create).await;
    soon(arrivals.recv()).await.unwrap();
    drop(connection);
    // The next request is served after the disconnect was noticed.
    assert_eq!(shim.call("user/get", &[("id", "u1")]).await["id"], "u1");
    gate.add_permits(1);
    soon(async {
        while !v2.lines().iter().any(|line| line.starts_with("PATCH")) {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn read_is_cancelled_when_the_client_disconnects() {
    struct Guard(mpsc::UnboundedSender<()>);
    impl Drop for Guard {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }
    let (arrived, mut arrivals) = mpsc::unbounded_channel();
    let (dropped, mut drops) = mpsc::unbounded_channel();
    let v2 = ScriptedV2::start(move |_| {
        let guard = Guard(dropped.clone());
        arrived.send(()).unwrap();
        async move {
            let _guard = guard;
            std::future::pending().await
        }
    })
    .await;
    let shim = Running::before(&v2).await;
    let connection = shim.raw(&request("user/list", "")).await;
    soon(arrivals.recv()).await.unwrap();
    drop(connection);
    soon(drops.recv()).await.unwrap();
}
