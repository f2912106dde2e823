//! The last webhooks and pushes, for the operator's page.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use super::observer::{DeliveryOutcome, DeliveryRecord, Observer, RequestRecord, WebhookRecord};

/// Attempts that are kept.
const KEPT: usize = 100;

/// Keeps the last attempts to push a notification, and counts webhooks.
#[derive(Debug, Default)]
pub struct Deliveries(Mutex<Seen>);

/// What is shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Webhooks by event and what became of them.
    pub(crate) webhooks: BTreeMap<(String, &'static str), u64>,
    /// The last attempts, the newest first.
    pub(crate) attempts: VecDeque<Attempt>,
}

/// An attempt to push a notification.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    /// Milliseconds since 1970.
    pub(crate) at: i64,
    pub(crate) event: String,
    pub(crate) notification: String,
    pub(crate) receiver: String,
    pub(crate) number: u32,
    pub(crate) outcome: DeliveryOutcome,
    pub(crate) failure: Option<String>,
}

impl Deliveries {
    /// A copy.
    pub(crate) fn seen(&self) -> Seen {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Deliveries {
    fn served(&self, _: &RequestRecord<'_>) {}

    fn webhook(&self, record: &WebhookRecord<'_>) {
        let event = record.event.unwrap_or("other").to_owned();
        *self
            .lock()
            .webhooks
            .entry((event, record.outcome))
            .or_default() += 1;
    }

    fn delivered(&self, record: &DeliveryRecord<'_>) {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let at = i64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(i64::MAX);
        let mut seen = self.lock();
        seen.attempts.push_front(Attempt {
            at,
            event: record.event.to_owned(),
            notification: record.notification.to_owned(),
            receiver: record.receiver.to_owned(),
            number: record.attempt,
            outcome: record.outcome,
            failure: record.failure.clone(),
        });
        seen.attempts.truncate(KEPT);
    }
}
