//! From an event of the sandbox through the binary to receivers: bytes, kills, commands.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test code outside of test functions"
)]

mod delivery;
mod languages;
mod redaction;
mod reload;
mod stage;

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use serde_json::Value;
use shim_sandbox::WebhookFault;
use tokio::time::timeout;

use stage::{PATIENCE, Receiver, STATUS, Stage, TOKEN, form};

#[tokio::test]
async fn events_of_a_meeting_arrive_as_v1_sent_them() {
    let (stage, receiver) = (Stage::start().await, Receiver::start().await);
    let shim = stage.shim("127.0.0.1:0", &receiver.url, &stage.log());
    stage.subscribe(&shim, &[1, 1, 1]);
    let (meeting, recording) = stage.meeting().await;
    let pushes = receiver.pushes(3).await;
    for push in &pushes {
        assert_eq!(push.path, "/zoom?secret=s3cret");
        // Base64 of Ada:pass:word.
        assert_eq!(push.authorization, "Basic QWRhOnBhc3M6d29yZA==");
    }
    let find = |word: &str| pushes.iter().find(|push| push.body.contains(word)).unwrap();
    let started = form(find("status=STARTED"), &STATUS);
    let ended = form(find("status=ENDED"), &STATUS);
    assert_eq!((&started[0], &ended[0]), (&meeting, &meeting));
    assert_eq!(started[1], ended[1]);
    let recorded = form(find("RECORDING_MEETING_COMPLETED"), &["type", "content"]);
    let content: Value = serde_json::from_str(&recorded[1]).unwrap();
    assert_eq!(content["uuid"], recording["uuid"]);
    assert_eq!(content["meeting_number"], recording["id"]);
    let files = content["recording_files"].as_array().unwrap();
    let path = files[0]["file_path"].as_str().unwrap();
    assert!(path.contains("?access_token="), "{path}");
    let file = stage.http.get(path).send().await.unwrap();
    assert_eq!(file.headers()["content-type"], "video/mp4");
    // Nothing of it is in the log.
    let log = stage.logged("Notification pushed").await;
    drop(shim);
    let token = path.split("access_token=").nth(1).unwrap();
    for secret in [
        "s3cret",
        "pass:word",
        TOKEN,
        token,
        "Notes on the Engine",
        "ada.lovelace",
    ] {
        assert!(!log.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn an_accepted_event_survives_a_kill_and_a_delivered_one_is_not_repeated() {
    let (stage, receiver) = (Stage::start().await, Receiver::start().await);
    let shim = stage.shim("127.0.0.1:0", &receiver.url, &stage.log());
    let listen = shim.webhooks.split('/').nth(2).unwrap().to_owned();
    stage.subscribe(&shim, &[1, 1, 1, 1, 1, 1, 1, 1]);

    // Killed before the receipt: the sandbox comes again.
    drop(shim);
    stage.event("meeting.started", "m").await;
    let shim = stage.shim(&listen, &receiver.url, &stage.log());
    assert_eq!(receiver.pushes(1).await.len(), 1);

    // Killed between attempts: the receiver was out of order.
    receiver.answers(Some(StatusCode::INTERNAL_SERVER_ERROR));
    stage.event("meeting.ended", "m").await;
    receiver.pushes(2).await;
    drop(shim);
    receiver.answers(Some(StatusCode::OK));
    let shim = stage.shim(&listen, &receiver.url, &stage.log());
    let pushes = receiver.pushes(3).await;
    assert_eq!(pushes[1].body, pushes[2].body);

    // Killed during an attempt, after which nothing is known: it is made again.
    receiver.answers(None);
    stage.event("meeting.started", "n").await;
    receiver.pushes(4).await;
    drop(shim);
    receiver.answers(Some(StatusCode::OK));
    let shim = stage.shim(&listen, &receiver.url, &stage.log());
    let pushes = receiver.pushes(5).await;
    assert_eq!(pushes[3].body, pushes[4].body);

    // What was delivered is not pushed again, whoever is killed, nor if v2 sends it again.
    assert_eq!(stage.webhook(&shim, "meeting.ended", "n", 1).await, 200);
    receiver.pushes(6).await;
    drop(shim);
    let shim = stage.shim(&listen, &receiver.url, &stage.log());
    assert_eq!(stage.webhook(&shim, "meeting.ended", "n", 1).await, 200);
    stage.event("meeting.started", "last").await;
    let pushes = receiver.pushes(7).await;
    assert!(pushes[6].body.contains("uuid=last"), "{pushes:?}");
}

#[tokio::test]
async fn a_pause_survives_a_kill_and_the_meeting_waits_behind_it() {
    const PAUSE: Duration = Duration::from_secs(2);
    let (stage, receiver) = (Stage::start().await, Receiver::start().await);
    let url = &receiver.url;
    let settings = format!("[[receiver]]\nurl = {url:?}\nrecording_pause = 2\n");
    let (shim, _) = stage.with_file(&settings);
    stage.subscribe(&shim, &[]);
    let begun = Instant::now();
    for event in ["recording.completed", "meeting.ended"] {
        stage.event(event, "m").await;
        stage
            .logged(&format!("Webhook event=\"{event}\" outcome=\"stored\""))
            .await;
    }
    drop(shim);
    let _shim = stage.with_file(&settings);
    let pushes = receiver.pushes(2).await;
    assert!(begun.elapsed() >= PAUSE);
    assert!(
        pushes[0]
            .body
            .starts_with("type=RECORDING_MEETING_COMPLETED")
    );
    assert!(pushes[1].body.contains("status=ENDED"));
}

#[tokio::test]
async fn faulty_webhooks_are_refused_or_pushed_once() {
    let (stage, receiver) = (Stage::start().await, Receiver::start().await);
    let shim = stage.shim("127.0.0.1:0", &receiver.url, &stage.log());
    for (fault, outcome) in [
        (WebhookFault::WrongSignature, "wrong_signature"),
        (WebhookFault::OldTimestamp, "stale"),
    ] {
        let forger = Stage::start().await;
        forger.subscribe_with(&shim, &[], &[fault]);
        forger.event("meeting.started", "forged").await;
        stage.logged(outcome).await;
    }
    let faults = [
        WebhookFault::Repeat,
        WebhookFault::Reorder,
        WebhookFault::Deadline,
    ];
    stage.subscribe_with(&shim, &[0], &faults);
    for meeting in ["first", "second", "third", "fourth"] {
        stage.event("meeting.started", meeting).await;
    }
    let pushes = receiver.pushes(4).await;
    let mut meetings: Vec<_> = pushes
        .iter()
        .map(|push| form(push, &STATUS)[1].clone())
        .collect();
    meetings.sort_unstable();
    assert_eq!(meetings, ["first", "fourth", "second", "third"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_list_resend_and_try() {
    let (stage, receiver) = (Stage::start().await, Receiver::start().await);
    let run = |arguments: &[&str], receiver: &str| {
        let output = stage.command(arguments, receiver).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        (
            output.status.code(),
            text,
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    // A test goes past the queue.
    let (code, text, _) = run(&["notifications", "test"], &receiver.url);
    assert_eq!(code, Some(0), "{text}");
    let pushes = receiver.pushes(2).await;
    assert_eq!(form(&pushes[0], &STATUS)[2], "STARTED");
    assert_eq!(form(&pushes[1], &STATUS)[2], "ENDED");
    receiver.answers(Some(StatusCode::FOUND));
    let (code, text, _) = run(&["notifications", "test"], &receiver.url);
    assert_eq!(code, Some(1));
    assert!(text.contains("redirects are not followed"), "{text}");

    let settings = format!(
        "[[receiver]]\nurl = {:?}\nattempts = 1\nwaits = [5]\n",
        receiver.url
    );
    let (shim, config) = stage.with_file(&settings);
    stage.subscribe(&shim, &[]);
    stage.event("meeting.started", "dead").await;
    receiver.pushes(5).await;
    let list = ["notifications", "list", "--config", &config];
    let listed = async {
        loop {
            let (code, text, error) = run(&list, "");
            assert_eq!(code, Some(0), "{error}");
            if text.contains("1 given up") {
                return text;
            }
            tokio::task::yield_now().await;
        }
    };
    let listed = timeout(PATIENCE, listed).await.unwrap();
    assert!(listed.contains("\tSTARTED\t"), "{listed}");
    assert!(!listed.contains("s3cret"), "{listed}");
    receiver.answers(Some(StatusCode::NO_CONTENT));
    let id = listed.split('\t').next().unwrap();
    let retry = ["notifications", "retry", id, "--config", &config];
    let (code, text, error) = run(&retry, "");
    assert_eq!(code, Some(0), "{error}");
    assert!(text.starts_with("1 queued again"), "{text}");
    assert!(receiver.pushes(6).await[5].body.contains("uuid=dead"));
}

#[tokio::test]
async fn a_listener_without_a_secret_token_is_refused() {
    let stage = Stage::start().await;
    for token in ["", " \n"] {
        let file = stage.folder.path().join("token");
        std::fs::write(&file, token).unwrap();
        let mut command = stage.command(&["check-config"], "http://127.0.0.1:1/");
        command.env("SHIM_WEBHOOKS_LISTEN", "127.0.0.1:0");
        command.env_remove("SHIM_WEBHOOKS_SECRET_TOKEN");
        if !token.is_empty() {
            command.env("SHIM_WEBHOOKS_SECRET_TOKEN_FILE", &file);
        }
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains("secret token"), "{error}");
    }
}
