//! What is taken, refused, and answered to v2.

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use proptest::prelude::*;
use tower_service::Service as _;

use super::*;
use crate::{
    notifications::{
        MAX_BODY, PATH, Webhooks, router,
        signature::{SignatureError, verify},
    },
    state::{queue::MAX_WAITING, tests::state_on},
};

const TOKEN: &str = "S3cr3tTokenForTests";

/// The contract's signed example.
const STARTED: &str = r#"{"event":"meeting.started","payload":{"account_id":"aC7kPq2XT1eWm9dF0sLbNg","object":{"duration":60,"start_time":"2026-01-15T10:00:00Z","timezone":"Europe/Berlin","topic":"Rücksprache","id":"98765432101","type":2,"uuid":"/ab+Cd12EfGh3456IjKl7w==","host_id":"hQ3vT8sLRWi2mZ0pYxAbCd"}},"event_ts":1700000000123}"#;
const SIGNATURE: &str = "v0=dfbc7dd0e68ed70f0ce728de2320429db70d42f3d889d102b8092258e86cebe7";

struct Stage {
    router: Router,
    outbox: Outbox,
    noted: Arc<RecordingObserver>,
    clock: TestClock,
}

impl Stage {
    fn new(tokens: &[&str]) -> Self {
        Self::on(&state(), tokens)
    }

    fn on(state: &State, tokens: &[&str]) -> Self {
        let catalog = catalog();
        let (outbox, noted, clock) = (
            outbox(state, &catalog),
            Arc::<RecordingObserver>::default(),
            TestClock::new(),
        );
        let webhooks = Webhooks::new(
            catalog,
            tokens.iter().map(|token| (*token).into()).collect(),
            outbox.clone(),
            Arc::clone(&noted) as _,
            clock.clock(),
        );
        Self {
            router: router(Arc::new(webhooks)),
            outbox,
            noted,
            clock,
        }
    }

    async fn post(&self, body: impl Into<Body>, headers: &[(&str, &str)]) -> (StatusCode, String) {
        let request = headers
            .iter()
            .fold(Request::post(PATH), |request, (name, value)| {
                request.header(*name, *value)
            });
        let response = self
            .router
            .clone()
            .call(request.body(body.into()).unwrap())
            .await
            .unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    /// Signed as v2 signs, at the time of the clock.
    async fn send(&self, body: &str) -> StatusCode {
        let time = (self.clock.now() / 1000).to_string();
        let signature = sign(TOKEN, &time, body);
        let headers = [
            ("x-zm-signature", signature.as_str()),
            ("x-zm-request-timestamp", &time),
        ];
        self.post(body.to_owned(), &headers).await.0
    }

    async fn waiting(&self) -> u64 {
        self.outbox.waiting().await.unwrap()[0].counts.waiting
    }

    fn outcomes(&self) -> Vec<&'static str> {
        self.noted.webhooks.lock().unwrap().clone()
    }
}

fn sign(token: &str, time: &str, body: &str) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(token.as_bytes()).unwrap();
    mac.update(format!("v0:{time}:{body}").as_bytes());
    let digits = bytes::Bytes::copy_from_slice(&mac.finalize().into_bytes());
    format!("v0={digits:x}")
}

#[tokio::test]
async fn signed_event_is_stored_once() {
    let stage = Stage::new(&[TOKEN]);
    let headers = [
        ("x-zm-signature", SIGNATURE),
        ("x-zm-request-timestamp", "1700000000"),
    ];
    assert_eq!(stage.post(STARTED, &headers).await.0, StatusCode::OK);
    assert_eq!(stage.post(STARTED, &headers).await.0, StatusCode::OK);
    // A new signature over the same event.
    stage.clock.set(NOW + 60_000);
    assert_eq!(stage.send(STARTED).await, StatusCode::OK);
    assert_eq!(stage.waiting().await, 1);
    assert_eq!(stage.outcomes(), ["stored", "repeat", "repeat"]);
}

#[tokio::test]
async fn forged_and_stale_events_are_refused() {
    let stage = Stage::new(&[TOKEN]);
    let time = "1700000000";
    let other = sign("other", time, STARTED);
    let upper = SIGNATURE.to_uppercase();
    for headers in [
        &[][..],
        &[("x-zm-signature", SIGNATURE)],
        &[("x-zm-request-timestamp", time)],
        &[("x-zm-signature", "v0="), ("x-zm-request-timestamp", time)],
        &[("x-zm-signature", &other), ("x-zm-request-timestamp", time)],
        &[("x-zm-signature", &upper), ("x-zm-request-timestamp", time)],
        &[
            ("x-zm-signature", SIGNATURE),
            ("x-zm-request-timestamp", "1700000001"),
        ],
        &[
            ("x-zm-signature", SIGNATURE),
            ("x-zm-request-timestamp", "soon"),
        ],
    ] {
        assert_eq!(
            stage.post(STARTED, headers).await.0,
            StatusCode::UNAUTHORIZED,
            "{headers:?}"
        );
    }
    let changed = STARTED.replace("98765432101", "98765432102");
    let headers = [
        ("x-zm-signature", SIGNATURE),
        ("x-zm-request-timestamp", time),
    ];
    assert_eq!(
        stage.post(changed, &headers).await.0,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(stage.waiting().await, 0);
}

#[test]
fn timestamps_are_seconds_or_milliseconds_within_the_tolerance() {
    let tokens = [TOKEN.into()];
    let verdict = |time: &str| {
        let signature = sign(TOKEN, time, "{}");
        let verify = verify(
            &tokens,
            Some(signature.as_bytes()),
            Some(time.as_bytes()),
            b"{}",
            NOW,
        );
        verify.map(drop)
    };
    let seconds = NOW / 1000;
    for (time, is_taken) in [
        (seconds, true),
        (seconds - 90 * 60, true),
        (seconds - 90 * 60 - 1, false),
        (seconds + 5 * 60, true),
        (seconds + 5 * 60 + 1, false),
    ] {
        for time in [time.to_string(), (time * 1000).to_string()] {
            let wanted = if is_taken {
                Ok(())
            } else {
                Err(SignatureError::Stale)
            };
            assert_eq!(verdict(&time), wanted, "{time}");
        }
    }
    for time in [
        "",
        "-1700000000",
        "+1700000000",
        "1.7e9",
        "99999999999999999999",
    ] {
        assert_eq!(verdict(time), Err(SignatureError::Stale), "{time}");
    }
}

#[tokio::test]
async fn both_tokens_are_valid_while_one_is_replaced() {
    let stage = Stage::new(&["next", TOKEN]);
    assert_eq!(stage.send(STARTED).await, StatusCode::OK);
    let old = Stage::new(&["next"]);
    assert_eq!(old.send(STARTED).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn tokens_are_replaced_while_it_runs() {
    let (catalog, state) = (catalog(), state());
    let webhooks = Arc::new(Webhooks::new(
        Arc::clone(&catalog),
        vec!["old".into()],
        outbox(&state, &catalog),
        Arc::<RecordingObserver>::default(),
        TestClock::new().clock(),
    ));
    let mut router = router(Arc::clone(&webhooks));
    let mut send = async |token: &str| {
        let time = (NOW / 1000).to_string();
        let request = Request::post(PATH)
            .header("x-zm-signature", sign(token, &time, STARTED))
            .header("x-zm-request-timestamp", time);
        let request = request.body(Body::from(STARTED)).unwrap();
        router.call(request).await.unwrap().status()
    };
    assert_eq!(send("old").await, StatusCode::OK);
    webhooks.replace_tokens(vec!["new".into()]);
    assert_eq!(send("old").await, StatusCode::UNAUTHORIZED);
    assert_eq!(send("new").await, StatusCode::OK);
}

#[tokio::test]
async fn validation_is_answered_only_if_signed_and_plain() {
    let stage = Stage::new(&[TOKEN]);
    let body = r#"{"payload":{"plainToken":"Zk3pW9xQTt6sV1mBn0LcRg"},"event_ts":1700000000456,"event":"endpoint.url_validation"}"#;
    let signature = "v0=1e2638195a8061916ca527672180571d2ebceb08652e45e35cfed52fa1cfd75f";
    let headers = [
        ("x-zm-signature", signature),
        ("x-zm-request-timestamp", "1700000000"),
    ];
    let (status, answer) = stage.post(body, &headers).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        serde_json::from_str::<Value>(&answer).unwrap(),
        json!({
            "plainToken": "Zk3pW9xQTt6sV1mBn0LcRg",
            "encryptedToken": "a9814d6dca6bd37f4403c71ec15d61077e8e8ddd23a69d31331a1bd481436f66",
        })
    );
    assert_eq!(stage.post(body, &[]).await.0, StatusCode::UNAUTHORIZED);
    // A text that is what an event's signature is made from would make this an oracle.
    for plain in ["v0:1700000000:{}", "", "a b", &"a".repeat(129), "ä"] {
        let body =
            json!({ "event": "endpoint.url_validation", "payload": { "plainToken": plain } });
        assert_eq!(
            stage.send(&body.to_string()).await,
            StatusCode::BAD_REQUEST,
            "{plain}"
        );
    }
}

#[tokio::test]
async fn malformed_oversized_and_other_requests_are_refused() {
    let stage = Stage::new(&[TOKEN]);
    for body in [
        "",
        "{",
        "[]",
        "{}",
        r#"{"event":1}"#,
        r#"{"event":"meeting.started"}"#,
    ] {
        assert_eq!(stage.send(body).await, StatusCode::BAD_REQUEST, "{body}");
    }
    let large = " ".repeat(MAX_BODY + 1);
    assert_eq!(stage.send(&large).await, StatusCode::PAYLOAD_TOO_LARGE);
    let chunks = futures_util::stream::iter([Ok::<_, std::io::Error>(large)]);
    let chunked = stage.post(Body::from_stream(chunks), &[]).await.0;
    assert_eq!(chunked, StatusCode::PAYLOAD_TOO_LARGE);
    let mut router = stage.router.clone();
    for (request, status) in [
        (Request::get(PATH), StatusCode::METHOD_NOT_ALLOWED),
        (Request::post("/"), StatusCode::NOT_FOUND),
    ] {
        let request = request.body(Body::empty()).unwrap();
        assert_eq!(router.call(request).await.unwrap().status(), status);
    }
    assert_eq!(stage.waiting().await, 0);
}

#[tokio::test(start_paused = true)]
async fn v2_comes_again_after_slow_bodies_and_beyond_those_at_a_time() {
    let stage = Stage::new(&[TOKEN]);
    let endless = || {
        let body = futures_util::stream::pending::<std::io::Result<String>>();
        stage.post(Body::from_stream(body), &[])
    };
    let endless = futures_util::future::join_all((0..64).map(|_| endless()));
    let (late, beyond) = tokio::join!(endless, stage.send(STARTED));
    assert_eq!(beyond, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        late.iter()
            .all(|(status, _)| *status == StatusCode::SERVICE_UNAVAILABLE)
    );
    let outcomes = stage.outcomes();
    assert_eq!(
        (outcomes[0], &outcomes[1..]),
        ("overload", &["late"; 64][..])
    );
    // A paused clock would jump to the deadline while the engine's thread works.
    tokio::time::resume();
    assert_eq!(stage.send(STARTED).await, StatusCode::OK);
}

#[tokio::test]
async fn v2_comes_again_while_the_queue_is_full() {
    let (engine, bench) = state_on("sqlite").await.unwrap();
    let stage = Stage::on(&engine, &[TOKEN]);
    let first = webhook("meeting.started", "m", 1).to_string();
    assert_eq!(stage.send(&first).await, StatusCode::OK);
    let file = rusqlite::Connection::open(bench.file()).unwrap();
    let set = |waiting: u64| {
        let set = "UPDATE queue SET waiting = ?1";
        file.execute(set, [waiting.cast_signed()]).unwrap();
    };
    set(MAX_WAITING);
    let second = webhook("meeting.ended", "m", 2).to_string();
    assert_eq!(stage.send(&second).await, StatusCode::SERVICE_UNAVAILABLE);
    // A repeat needs no room.
    assert_eq!(stage.send(&first).await, StatusCode::OK);
    set(1);
    assert_eq!(stage.send(&second).await, StatusCode::OK);
    assert_eq!(stage.outcomes(), ["stored", "full", "repeat", "stored"]);
    assert_eq!(stage.waiting().await, 2);
}

#[tokio::test]
async fn v2_comes_again_while_the_state_engine_is_down() {
    let Some((engine, mut bench)) = state_on("redis").await else {
        return;
    };
    let stage = Stage::on(&engine, &[TOKEN]);
    let body = webhook("meeting.started", "m", 1).to_string();
    bench.kill_server();
    assert_eq!(stage.send(&body).await, StatusCode::SERVICE_UNAVAILABLE);
    bench.start_server();
    let stored = async {
        while stage.send(&body).await != StatusCode::OK {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let patience = Duration::from_secs(60);
    tokio::time::timeout(patience, stored).await.unwrap();
    let outcomes = stage.outcomes();
    assert_eq!(outcomes[0], "not_stored");
    assert_eq!(outcomes.last(), Some(&"stored"));
}

#[tokio::test]
async fn events_without_a_counterpart_are_accepted_and_counted() {
    let stage = Stage::new(&[TOKEN]);
    for event in [
        "meeting.participant_joined",
        "app_deauthorized",
        "webinar.started",
    ] {
        let body = webhook(event, "m", 1).to_string();
        assert_eq!(stage.send(&body).await, StatusCode::OK);
    }
    assert_eq!(stage.outcomes(), ["no_counterpart", "alert", "no_receiver"]);
    assert_eq!(stage.waiting().await, 0);
}

#[tokio::test]
async fn receivers_get_their_accounts_and_notifications_only() {
    let (catalog, state) = (catalog(), state());
    let ended = ReceiverConfig {
        notifications: vec!["ENDED".to_owned()],
        ..receiver("http://127.0.0.1:1/a", &catalog)
    };
    let other = ReceiverConfig {
        accounts: vec!["other".to_owned()],
        ..receiver("http://127.0.0.1:1/b", &catalog)
    };
    let all = receiver("http://127.0.0.1:1/c", &catalog);
    let outbox = Outbox::new(&[ended, other, all], &state);
    for event in ["meeting.started", "meeting.ended"] {
        let body = webhook(event, "m", 1).to_string();
        let event = mappings::notification::Event::read(&catalog, body.as_bytes()).unwrap();
        outbox.store(&event, None, NOW).await.unwrap();
    }
    let waiting = outbox.waiting().await.unwrap();
    let counts: Vec<_> = waiting.iter().map(|queue| queue.counts.waiting).collect();
    assert_eq!(counts, [1, 0, 2]);
}

proptest! {
    #[test]
    fn signer_never_panics(
        signature in proptest::option::of(any::<Vec<u8>>()),
        timestamp in proptest::option::of(any::<Vec<u8>>()),
        body in any::<Vec<u8>>(),
        now in any::<i64>(),
    ) {
        let tokens = [TOKEN.into()];
        let verify = verify(&tokens, signature.as_deref(), timestamp.as_deref(), &body, now);
        prop_assert!(verify.is_err());
    }
}
