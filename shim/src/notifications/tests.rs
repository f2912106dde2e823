//! Webhooks and pushes with a test clock.

mod pushing;
mod receiving;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use mappings::Catalog;
use serde_json::{Value, json};

use super::{Clock, Outbox};
use crate::{
    observe::{DeliveryOutcome, DeliveryRecord, Observer, RequestRecord, WebhookRecord},
    settings::{BodyStyle, ReceiverConfig},
    state::{AnswerCache, State},
};

/// The time of the contract's signed examples, in milliseconds.
const NOW: i64 = 1_700_000_000_000;

/// A clock that only the test moves.
#[derive(Clone)]
struct TestClock(Arc<AtomicI64>);

impl TestClock {
    fn new() -> Self {
        Self::at(NOW)
    }

    fn at(now: i64) -> Self {
        Self(Arc::new(AtomicI64::new(now)))
    }

    fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    fn set(&self, now: i64) {
        self.0.store(now, Ordering::SeqCst);
    }

    fn clock(&self) -> Clock {
        let clock = self.clone();
        Arc::new(move || clock.now())
    }
}

/// Keeps the outcomes of all records.
#[derive(Default)]
struct RecordingObserver {
    webhooks: Mutex<Vec<&'static str>>,
    deliveries: Mutex<Vec<DeliveryOutcome>>,
}

impl Observer for RecordingObserver {
    fn served(&self, _: &RequestRecord<'_>) {}

    fn webhook(&self, record: &WebhookRecord<'_>) {
        self.webhooks.lock().unwrap().push(record.outcome);
    }

    fn delivered(&self, record: &DeliveryRecord<'_>) {
        self.deliveries.lock().unwrap().push(record.outcome);
    }
}

fn catalog() -> Arc<Catalog> {
    Arc::new(Catalog::embedded().unwrap())
}

fn state() -> State {
    let answers = AnswerCache {
        time: Duration::from_secs(1),
        bytes: 0,
    };
    State::in_memory(answers).unwrap()
}

fn receiver(url: &str, catalog: &Catalog) -> ReceiverConfig {
    ReceiverConfig {
        url: url.parse().unwrap(),
        style: BodyStyle::Form,
        basic: None,
        accounts: Vec::new(),
        notifications: Vec::new(),
        attempts: 3,
        waits: vec![Duration::from_secs(10), Duration::from_secs(60)],
        pause: Duration::ZERO,
        allows_private: false,
        site: mappings::Site {
            options: catalog.options(&std::collections::BTreeMap::new()).unwrap(),
            ..mappings::Site::default()
        },
    }
}

fn outbox(state: &State, catalog: &Catalog) -> Outbox {
    Outbox::new(
        &[receiver("http://127.0.0.1:1/zoom?secret=s3cret", catalog)],
        state,
    )
}

/// A webhook about a meeting.
fn webhook(event: &str, meeting: &str, time: i64) -> Value {
    json!({
        "event": event, "event_ts": time,
        "payload": {
            "account_id": "account",
            "object": { "id": "98765432101", "uuid": meeting, "host_id": "host", "topic": "T0pic" },
        },
    })
}
