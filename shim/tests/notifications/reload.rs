//! SIGHUP: other receivers and secret tokens, and nothing that was queued is lost.

use axum::http::StatusCode;

use crate::stage::{Receiver, STATUS, Stage, TOKEN, form};

fn settings(token: &str, receivers: &[&str]) -> String {
    let receivers = receivers.iter().map(|url| {
        // More attempts than the test takes.
        format!("[[receiver]]\nurl = {url:?}\nattempts = 1000\nwaits = [1]\n")
    });
    let receivers: String = receivers.collect();
    format!("[webhooks]\nsecret_token = {token:?}\n{receivers}")
}

#[tokio::test]
async fn other_receivers_and_tokens_are_taken_over_without_a_loss() {
    let (stage, first, gone, added) = (
        Stage::start().await,
        Receiver::start().await,
        Receiver::start().await,
        Receiver::start().await,
    );
    for receiver in [&first, &gone] {
        receiver.answers(Some(StatusCode::SERVICE_UNAVAILABLE));
    }
    let (shim, config) = stage.with_file(&settings(TOKEN, &[&first.url, &gone.url]));
    stage.subscribe(&shim, &[1, 1, 1, 1, 1]);
    for (time, event) in ["meeting.started", "meeting.ended"].iter().enumerate() {
        assert_eq!(stage.webhook(&shim, event, "m", time).await, 200);
    }
    for receiver in [&first, &gone] {
        receiver.pushes(1).await;
    }

    // A mistake changes nothing.
    std::fs::write(&config, settings("next", &["nowhere"])).unwrap();
    shim.reload();
    stage.logged("Reload failed").await;

    // The query of a URL is another one, a receiver is gone, one is new.
    let moved = first.url.replace("s3cret", "next-s3cret");
    std::fs::write(&config, settings("next", &[&moved, &added.url])).unwrap();
    shim.reload();
    stage.logged("Reloaded mappings").await;
    for receiver in [&first, &gone] {
        receiver.answers(Some(StatusCode::OK));
    }
    // The old token signs no more: the sandbox is refused.
    stage.event("meeting.started", "old token").await;
    stage.logged("wrong_signature").await;
    stage.subscribe_with_token(&shim, "next");
    stage.event("meeting.started", "m").await;

    for (receiver, last, path) in [
        (&first, 3, "/zoom?secret=next-s3cret"),
        (&gone, 2, "/zoom?secret=s3cret"),
        (&added, 1, "/zoom?secret=s3cret"),
    ] {
        let delivered = receiver.accepted(last).await;
        let delivered: Vec<_> = delivered
            .iter()
            .map(|push| (form(push, &STATUS)[2].clone(), push.path.as_str()))
            .collect();
        let in_order = ["STARTED", "ENDED", "STARTED"];
        let expected = in_order.iter().take(last);
        let expected: Vec<_> = expected
            .map(|status| ((*status).to_owned(), path))
            .collect();
        assert_eq!(delivered, expected);
    }
    let log = stage.logged("Notification pushed").await;
    assert!(!log.contains("s3cret") && !log.contains(TOKEN), "{log}");
}
