//! Recent webhooks and pushes, for the operations pages.

use std::collections::{BTreeMap, VecDeque};

use parking_lot::Mutex;

use super::observer::{DeliveryOutcome, DeliveryRecord, Observer, RequestRecord, WebhookRecord};
use crate::clock::unix_millis;

/// Maximum number of attempts kept.
const KEPT: usize = 100;

/// Keeps the most recent attempts to push a notification, and counts webhooks.
#[derive(Debug, Default)]
pub struct Deliveries(Mutex<DeliveryLog>);

/// A copy of the counts and attempts.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeliveryLog {
    /// Webhook counts by event and outcome.
    pub(crate) webhooks: BTreeMap<(String, &'static str), u64>,
    /// Most recent attempts, newest first.
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
    pub(crate) fn snapshot(&self) -> DeliveryLog {
        self.0.lock().clone()
    }
}

impl Observer for Deliveries {
    fn served(&self, _: &RequestRecord<'_>) {}

    fn webhook(&self, record: &WebhookRecord<'_>) {
        let event = record.event.unwrap_or("other").to_owned();
        *self
            .0
            .lock()
            .webhooks
            .entry((event, record.outcome))
            .or_default() += 1;
    }

    fn delivered(&self, record: &DeliveryRecord<'_>) {
        let mut log = self.0.lock();
        log.attempts.push_front(Attempt {
            at: unix_millis(),
            event: record.event.to_owned(),
            notification: record.notification.to_owned(),
            receiver: record.receiver.to_owned(),
            number: record.attempt,
            outcome: record.outcome,
            failure: record.failure.clone(),
        });
        log.attempts.truncate(KEPT);
    }
}
