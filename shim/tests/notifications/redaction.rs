//! What webhooks say of people, and what opens something, is shown nowhere: in no log, record, page,
//! metric, listing or file, whatever goes wrong.

use std::process::Command;

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::stage::{Receiver, Shim, Stage, TOKEN};

/// In the webhooks, the settings, and the answer of the receiver.
const SECRETS: [&str; 9] = [
    "d0wnl0ad-t0ken",
    "T0p1c-of-the-meeting",
    "participant.name",
    "participant@example.net",
    "host@example.net",
    "s3cret",
    "pass:word",
    "QWRhOnBhc3M6d29yZA",
    TOKEN,
];

/// A webhook with everything that must not be shown.
fn event(name: &str, meeting: &str) -> Value {
    let file = json!({
        "id": "f", "file_type": "MP4", "recording_start": "2026-01-15T10:00:00Z",
        "recording_end": "2026-01-15T11:00:00Z", "file_size": 1,
        "download_url": "https://zoom.example.com/rec/download/x",
    });
    json!({
        "event": name, "event_ts": 1, "download_token": "d0wnl0ad-t0ken",
        "payload": { "account_id": "account", "object": {
            "id": 98_765_432_101_i64, "uuid": meeting, "host_id": "host", "topic": "T0p1c-of-the-meeting",
            "host_email": "host@example.net", "recording_files": [file],
            "participant": { "user_name": "participant.name", "email": "participant@example.net" },
        } },
    })
}

const JOINED: &str = "meeting.participant_jbh_joined";

/// Sends what is taken, and what is refused.
async fn send_all(stage: &Stage, shim: &Shim) {
    let good = |name, meeting| event(name, meeting).to_string();
    let long = "x".repeat(1 << 20);
    for (body, age, token, status) in [
        (good("recording.completed", "m"), 0, TOKEN, 200),
        (good("recording.completed", "m"), 0, TOKEN, 200),
        (good(JOINED, "m"), 0, TOKEN, 200),
        (good("meeting.alert", "m"), 0, TOKEN, 200),
        (good(JOINED, "forged"), 0, "another", 401),
        (good(JOINED, "stale"), 5401, TOKEN, 401),
        (good(JOINED, "")[1..].to_owned(), 0, TOKEN, 400),
        (good(JOINED, ""), 0, TOKEN, 400),
        (good(JOINED, &long), 0, TOKEN, 413),
    ] {
        let shown = body.get(..80).unwrap().to_owned();
        assert_eq!(
            stage.signed(shim, body, age, token).await,
            status,
            "{shown}"
        );
    }
    let unsigned = stage
        .http
        .post(&shim.webhooks)
        .body(good(JOINED, "unsigned"));
    assert_eq!(unsigned.send().await.unwrap().status().as_u16(), 401);
}

fn assert_counted(metrics: &str) {
    for (event, outcome, count) in [
        ("recording.completed", "stored", 1),
        ("recording.completed", "repeat", 1),
        (JOINED, "stored", 1),
        ("other", "no_counterpart", 1),
        ("other", "wrong_signature", 1),
        ("other", "stale", 1),
        ("other", "malformed", 2),
        ("other", "too_large", 1),
        ("other", "unsigned", 1),
    ] {
        let line =
            format!("shim_webhooks_total{{event=\"{event}\",outcome=\"{outcome}\"}} {count}\n");
        assert!(metrics.contains(&line), "{line}{metrics}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_people_and_nothing_that_opens_something_is_shown() {
    let (stage, receiver) = (Stage::start().await, Receiver::start().await);
    receiver.answers(Some(StatusCode::INTERNAL_SERVER_ERROR));
    let config = stage.folder.path().join("shim.toml");
    let settings = format!(
        "[[receiver]]\nurl = {:?}\nbasic = \"Ada:pass:word\"\nattempts = 2\nwaits = [1]\n\
         [[receiver]]\nurl = \"http://127.0.0.1:1/none?key=s3cret\"\nattempts = 1\n",
        receiver.url
    );
    std::fs::write(&config, settings).unwrap();
    let config = config.to_str().unwrap();
    let command = |arguments: &[&str]| -> Command {
        let arguments = [arguments, &["--config", config]].concat();
        let mut command = stage.command(&arguments, "");
        command.env_remove("SHIM_RECEIVER_BASIC");
        command
    };
    let record = stage.folder.path().join("record.jsonl");
    let log = std::fs::File::create(stage.log()).unwrap();
    let mut serve = command(&["serve"]);
    serve
        .env("SHIM_WEBHOOKS_LISTEN", "127.0.0.1:0")
        .env("SHIM_OPS_LISTEN", "127.0.0.1:0")
        .env("SHIM_RECORD_FILE", &record)
        .stderr(log);
    let shim = Shim::start(&mut serve);
    send_all(&stage, &shim).await;

    // Both receivers give up: a status, and no connection.
    receiver.pushes(4).await;
    let mut all = stage.logged("Notification given up").await;
    let list = loop {
        let list = command(&["notifications", "list"]).output().unwrap();
        let list = String::from_utf8(list.stdout).unwrap();
        if list.matches("2 given up").count() == 2 {
            break list;
        }
        tokio::task::yield_now().await;
    };
    assert!(list.contains("RECORDING_MEETING_COMPLETED"), "{list}");
    let test = command(&["notifications", "test"]).output().unwrap();
    for output in [test.stdout, test.stderr] {
        all += &String::from_utf8(output).unwrap();
    }
    let operations = shim.operations.as_deref().unwrap();
    let mut metrics = String::new();
    for page in ["/ui", "/ui/deliveries", "/ui/losses", "/status", "/metrics"] {
        let answer = stage.http.get(format!("{operations}{page}")).send().await;
        metrics = answer.unwrap().text().await.unwrap();
        all += &metrics;
    }
    assert_counted(&metrics);
    // The process writes what it holds back.
    let log = stage.log();
    drop(shim);
    all += &list;
    all += &std::fs::read_to_string(log).unwrap();
    all += &std::fs::read_to_string(record).unwrap_or_default();
    for file in ["state.sqlite", "state.sqlite-wal"] {
        let bytes = std::fs::read(stage.folder.path().join(file)).unwrap_or_default();
        all += &String::from_utf8_lossy(&bytes);
    }
    for secret in SECRETS {
        let at = all.find(secret);
        let around = at.map(|at| all.get(at.saturating_sub(200)..at + 50));
        assert_eq!(at, None, "{secret}: {around:?}");
    }
    // It is not that nothing was looked at.
    for shown in ["127.0.0.1:1/none", "status 500", "no connection", "JBH"] {
        assert!(all.contains(shown), "{shown}");
    }
}
