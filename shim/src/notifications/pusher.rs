//! Delivers the due messages in the queue of one receiver, at least once. Messages of a meeting are
//! delivered in order, those of different meetings in parallel.

use std::{collections::HashSet, fmt, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tokio::{
    select,
    sync::Semaphore,
    time::{self, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Clock,
    outbox::{Message, Target},
};
use crate::{
    observe::{DeliveryOutcome, DeliveryRecord, Observer},
    state::{
        Name, StateError,
        queue::{Claimed, Settlement},
    },
};

/// Maximum number of meetings of a receiver whose notifications are pushed at the same time.
const PARALLEL: usize = 32;

/// Lease of a message. After a crash, its messages wait this long.
const LEASE: Duration = Duration::from_secs(10);

/// Interval at which a lease is renewed during an attempt.
const RENEW: Duration = Duration::from_secs(3);

/// Maximum time for emptying the queues of predecessors: longer than three attempts.
const PREDECESSOR_TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// Interval at which the queue is checked for messages from other processes.
const POLL: Duration = Duration::from_secs(1);

/// Sends one notification.
pub trait Deliver: Send + Sync {
    /// Sends a notification. Any 2xx status is a success.
    fn deliver(&self, message: Message) -> BoxFuture<'_, Result<(), Failure>>;
}

/// Reason of a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The receiver replied with another status.
    Status(u16),
    /// No response within 30 s.
    Timeout,
    /// No connection, or TLS failed.
    NoConnection,
    /// The connection was interrupted.
    Interrupted,
    /// The host has only private addresses.
    PrivateAddress,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status @ 300..400) => {
                write!(f, "status {status}, and redirects are not followed")
            }
            Self::Status(status) => write!(f, "status {status}"),
            Self::Timeout => f.write_str("no response within 30 s"),
            Self::NoConnection => f.write_str("no connection"),
            Self::Interrupted => f.write_str("the connection broke"),
            Self::PrivateAddress => {
                f.write_str("the host has a private address; set allow_private for the receiver")
            }
        }
    }
}

/// Pushes the notifications of one receiver.
pub struct Pusher {
    target: Arc<Target>,
    client: Box<dyn Deliver>,
    observer: Arc<dyn Observer>,
    clock: Clock,
    /// Delivered messages that are not settled yet, because the engine failed. They are not sent
    /// again.
    delivered: Mutex<HashSet<Name>>,
}

impl Pusher {
    /// A pusher that is not running.
    pub fn new(
        target: Arc<Target>,
        client: impl Deliver + 'static,
        observer: Arc<dyn Observer>,
        clock: Clock,
    ) -> Self {
        Self {
            target,
            client: Box::new(client),
            observer,
            clock,
            delivered: Mutex::default(),
        }
    }

    /// Delivers until `stop`, then waits for attempts in progress.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let places = Arc::new(Semaphore::new(PARALLEL));
        let tasks = TaskTracker::new();
        select! {
            _ = timeout(PREDECESSOR_TIMEOUT, self.wait_for_predecessors()) => {}
            () = stop.cancelled() => return,
        }
        loop {
            let place = select! {
                place = Arc::clone(&places).acquire_owned() => place,
                () = stop.cancelled() => break,
            };
            let wait = match self.claim().await {
                Ok(Some(claimed)) => {
                    let pusher = Arc::clone(&self);
                    tasks.spawn(async move {
                        pusher.push(claimed).await;
                        // The next message of the group may be due.
                        pusher.target.stored.notify_one();
                        drop(place);
                    });
                    continue;
                }
                Ok(None) => self.until_due().await,
                Err(error) => {
                    let receiver = &self.target.label;
                    tracing::error!(receiver, %error, "The queue of notifications cannot be read");
                    POLL
                }
            };
            drop(place);
            select! {
                () = self.target.stored.notified() => {}
                () = time::sleep(wait) => {}
                () = stop.cancelled() => break,
            }
        }
        tasks.close();
        tasks.wait().await;
    }

    /// Claims the next due message.
    ///
    /// # Errors
    ///
    /// Fails if the state engine fails.
    pub async fn claim(&self) -> Result<Option<Claimed>, StateError> {
        self.target.queue.claim((self.clock)(), LEASE).await
    }

    /// Makes one attempt, unless the message is not due yet, and settles the message.
    pub async fn push(&self, claimed: Claimed) {
        let id = claimed.claim.id;
        let is_delivered = self.delivered.lock().contains(&id);
        if is_delivered {
            self.settle(&claimed, Settlement::Done).await;
            return;
        }
        let attempt = claimed.attempts.saturating_add(1);
        let message: Option<Message> = serde_json::from_slice(&claimed.body).ok();
        let Some(message) = message else {
            let receiver = &self.target.label;
            tracing::error!(
                receiver,
                "Another version or key wrote a notification; it is given up"
            );
            self.settle(&claimed, Settlement::Dead).await;
            return;
        };
        if message.not_before > (self.clock)() {
            let later = Settlement::PutOff(message.not_before);
            self.settle(&claimed, later).await;
            return;
        }
        let (event, notification) = (message.event.clone(), message.notification.clone());
        let outcome = select! {
            // The receiver's response counts, even if the lease was lost at the same time.
            biased;
            outcome = self.client.deliver(message) => outcome,
            () = self.hold(&claimed) => {
                let receiver = &self.target.label;
                tracing::warn!(receiver, event, "Another process took over a notification");
                return;
            }
        };
        let (settlement, outcome, failure) = match outcome {
            Ok(()) => (Settlement::Done, DeliveryOutcome::Delivered, None),
            Err(failure) if attempt >= self.target.config.attempts => {
                (Settlement::Dead, DeliveryOutcome::Dead, Some(failure))
            }
            Err(failure) => {
                let wait = self.target.wait(attempt).as_millis();
                let wait = i64::try_from(wait).unwrap_or(i64::MAX);
                let at = (self.clock)().saturating_add(wait);
                (
                    Settlement::RetryAt(at),
                    DeliveryOutcome::Failed,
                    Some(failure),
                )
            }
        };
        if settlement == Settlement::Done {
            self.delivered.lock().insert(id);
        }
        self.observer.delivered(&DeliveryRecord {
            event: &event,
            notification: &notification,
            receiver: &self.target.label,
            attempt,
            outcome,
            failure: failure.map(|failure| failure.to_string()),
        });
        self.settle(&claimed, settlement).await;
    }

    /// Renews a lease until it is lost.
    async fn hold(&self, claimed: &Claimed) {
        loop {
            time::sleep(RENEW).await;
            let now = (self.clock)();
            match self.target.queue.renew(claimed.claim, now, LEASE).await {
                Ok(false) => return,
                Ok(true) => {}
                Err(error) => {
                    let receiver = &self.target.label;
                    tracing::warn!(receiver, %error, "The lease of a notification cannot be renewed");
                }
            }
        }
    }

    /// Settles a message, with retries until the engine can be reached.
    async fn settle(&self, claimed: &Claimed, settlement: Settlement) {
        let id = claimed.claim.id;
        loop {
            let settled = self
                .target
                .queue
                .settle(claimed.claim, settlement, (self.clock)());
            match timeout(LEASE, settled).await {
                // After a lost lease, the new owner settles an undelivered message.
                Ok(Ok(_)) => {
                    self.delivered.lock().remove(&id);
                    return;
                }
                Ok(Err(error)) => {
                    let receiver = &self.target.label;
                    tracing::error!(receiver, %error, "A notification cannot be settled; retrying");
                }
                Err(_) => {}
            }
            time::sleep(POLL).await;
        }
    }

    /// Waits until the queues of the predecessors are empty.
    async fn wait_for_predecessors(&self) {
        for before in &self.target.predecessors {
            while !matches!(before.queue.counts().await, Ok(counts) if counts.waiting == 0) {
                time::sleep(POLL).await;
            }
        }
    }

    async fn until_due(&self) -> Duration {
        let due = self.target.queue.next_due().await.ok().flatten();
        let wait = due.map(|due| due.saturating_sub((self.clock)()));
        let wait = wait.map(|wait| Duration::from_millis(u64::try_from(wait).unwrap_or(0)));
        wait.map_or(POLL, |wait| wait.clamp(Duration::from_millis(10), POLL))
    }
}
