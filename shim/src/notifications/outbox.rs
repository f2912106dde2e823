//! The queues of the receivers. A notification is stored once for each receiver that accepts it.

use std::{sync::Arc, time::Duration};

use mappings::{
    Catalog, Links, Site,
    notification::{Event, Push},
};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use url::Url;

use crate::{
    settings::{BodyStyle, ReceiverConfig},
    state::{
        Key, Name, Queue, State, StateError,
        queue::{Counts, Put},
    },
};

/// All receivers with their queues. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    targets: Arc<RwLock<Targets>>,
}

/// The receivers since the last reload, and earlier receivers whose queues are not empty yet.
pub type Targets = Arc<[Arc<Target>]>;

/// A receiver and its queue.
#[derive(Debug)]
pub struct Target {
    /// The receiver.
    pub config: ReceiverConfig,
    /// Its URL without the query.
    pub label: String,
    pub(super) queue: Queue,
    /// The URL from which the names of its queue and messages are computed.
    queue_url: Url,
    /// Notifies the pusher of new messages.
    pub(super) stored: Notify,
    /// True if it only empties its queue.
    pub is_retired: bool,
    /// The same receiver under an earlier URL or key. These queues are emptied first, so that the
    /// order is kept, and their messages are not stored again.
    pub(super) predecessors: Vec<Arc<Self>>,
}

/// A notification in a queue, encrypted there.
#[derive(Clone, Deserialize, Serialize)]
pub struct Message {
    /// Identifies the event in the log.
    pub event: String,
    /// v1's name of the notification.
    pub notification: String,
    /// True for a JSON body, false for a form.
    pub is_json: bool,
    /// The body.
    pub body: String,
    /// Earliest time of delivery, in milliseconds since 1970.
    #[serde(default)]
    pub not_before: i64,
}

/// Result of storing an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It is stored for delivery.
    Stored,
    /// It was stored before.
    Repeat,
    /// No receiver accepts it.
    Unwanted,
    /// A queue is full.
    Full,
}

/// A dead letter.
pub struct Dead {
    /// Its id for [`Outbox::requeue`].
    pub id: Name,
    /// The label of the receiver.
    pub receiver: String,
    /// Time at which it was given up, in milliseconds since 1970.
    pub at: i64,
    /// Its content; `None` if another version of the shim wrote it.
    pub message: Option<Message>,
}

/// Numbers of notifications in a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The label of the receiver.
    pub receiver: String,
    /// Waiting notifications and dead letters.
    pub counts: Counts,
}

impl Outbox {
    /// One queue per receiver. Receivers are distinguished by their whole URL.
    pub fn new(receivers: &[ReceiverConfig], state: &State) -> Self {
        let outbox = Self::default();
        outbox.replace(outbox.with(receivers, state));
        outbox
    }

    /// The receivers, and earlier ones whose queues are not empty yet.
    pub fn targets(&self) -> Targets {
        // Replaced as a whole, so that no panic can leave it inconsistent.
        let targets = self.targets.read();
        Arc::clone(&targets)
    }

    /// The [`targets`](Self::targets) for other receivers. A removed receiver keeps its queue until
    /// that is empty. If only the query of a URL changed, for example a secret in it, the new URL
    /// inherits the queue.
    pub fn with(&self, receivers: &[ReceiverConfig], state: &State) -> Targets {
        let before = self.targets();
        let queues = receivers.iter().map(|config| {
            let name = format!("notifications {}", config.url);
            (config, state.queue(&name), state.previous_queue(&name))
        });
        let queues: Vec<_> = queues.collect();
        let is_removed = |old: &&Arc<Target>| {
            let mut kept = queues.iter();
            !kept.any(|(_, queue, previous)| {
                old.queue.is(queue) || previous.as_ref().is_some_and(|one| old.queue.is(one))
            })
        };
        let mut targets = Vec::new();
        let mut removed: Vec<(&Arc<Target>, Option<usize>)> = Vec::new();
        for old in before.iter().filter(is_removed) {
            let mut same = receivers
                .iter()
                .enumerate()
                .filter(|(_, config)| config.label() == old.label)
                .map(|(at, _)| at);
            removed.push((old, same.next().filter(|_| same.next().is_none())));
        }
        for (at, (config, queue, previous)) in queues.into_iter().enumerate() {
            let moved = removed.iter().filter(|(_, to)| *to == Some(at));
            let moved = moved.map(|(old, _)| (old.queue.clone(), &old.queue_url));
            let previous = previous.map(|queue| (queue, &config.url));
            let predecessors: Vec<_> = moved
                .chain(previous)
                .map(|(queue, url)| Arc::new(Target::retired(config, queue, url)))
                .collect();
            targets.extend(predecessors.iter().cloned());
            targets.push(Arc::new(Target {
                predecessors,
                ..Target::new(config, queue)
            }));
        }
        let gone = removed.iter().filter(|(_, to)| to.is_none());
        targets.extend(gone.map(|(old, _)| {
            let target = Target::retired(&old.config, old.queue.clone(), &old.queue_url);
            Arc::new(target)
        }));
        targets.into()
    }

    /// Replaces the receivers.
    pub fn replace(&self, targets: Targets) {
        let mut current = self.targets.write();
        *current = targets;
    }

    /// Stores an event durably for all receivers that accept it. `links` are the shim's links to
    /// files of the event's account. After an error, and if a queue is full, the event may be sent
    /// again: stored parts are recognized as repeats.
    ///
    /// # Errors
    ///
    /// Fails if the state engine fails.
    pub async fn store(
        &self,
        event: &Event<'_>,
        links: Option<&Arc<dyn Links>>,
        now: i64,
    ) -> Result<Stored, StateError> {
        let mut outcome = Stored::Unwanted;
        let account = event.account();
        let targets = self.targets();
        for target in targets
            .iter()
            .filter(|target| target.accepts_account(&account))
        {
            let site = Site {
                links: links.cloned(),
                ..target.config.site.clone()
            };
            for push in event.pushes(&site, now / 1000) {
                if !target.accepts(&push) {
                    continue;
                }
                match target.put(&push, now).await? {
                    Put::Stored => outcome = Stored::Stored,
                    Put::Repeat if outcome == Stored::Unwanted => outcome = Stored::Repeat,
                    Put::Repeat => {}
                    Put::Full => return Ok(Stored::Full),
                }
            }
        }
        Ok(outcome)
    }

    /// Numbers of notifications by the label of the receiver.
    ///
    /// # Errors
    ///
    /// Fails if the state engine fails.
    pub async fn waiting(&self) -> Result<Vec<Waiting>, StateError> {
        let mut all: Vec<Waiting> = Vec::new();
        for target in self.targets().iter() {
            let counts = target.queue.counts().await?;
            let known = all.iter_mut().find(|one| one.receiver == target.label);
            if let Some(Waiting { counts: sum, .. }) = known {
                sum.waiting = sum.waiting.saturating_add(counts.waiting);
                sum.dead = sum.dead.saturating_add(counts.dead);
            } else {
                let receiver = target.label.clone();
                all.push(Waiting { receiver, counts });
            }
        }
        Ok(all)
    }

    /// Dead letters, at most `limit` per receiver, oldest first.
    ///
    /// # Errors
    ///
    /// Fails if the state engine fails.
    pub async fn dead(&self, limit: usize) -> Result<Vec<Dead>, StateError> {
        let mut all = Vec::new();
        for target in self.targets().iter() {
            let letters = target.queue.dead_letters(limit).await?;
            all.extend(letters.into_iter().map(|letter| Dead {
                id: letter.id,
                receiver: target.label.clone(),
                at: letter.at,
                message: serde_json::from_slice(&letter.body).ok(),
            }));
        }
        Ok(all)
    }

    /// Requeues dead letters: those with these ids, or all. Returns their number.
    ///
    /// # Errors
    ///
    /// Fails if the state engine fails.
    pub async fn requeue(&self, ids: Option<&[Name]>, now: i64) -> Result<usize, StateError> {
        let mut count = 0;
        for target in self.targets().iter() {
            count += target.queue.requeue(ids, now).await?;
            target.stored.notify_one();
        }
        Ok(count)
    }
}

impl Target {
    fn new(config: &ReceiverConfig, queue: Queue) -> Self {
        Self {
            label: config.label(),
            queue,
            queue_url: config.url.clone(),
            stored: Notify::new(),
            config: config.clone(),
            is_retired: false,
            predecessors: Vec::new(),
        }
    }

    /// A target that empties a queue.
    fn retired(config: &ReceiverConfig, queue: Queue, queue_url: &Url) -> Self {
        Self {
            queue_url: queue_url.clone(),
            is_retired: true,
            ..Self::new(config, queue)
        }
    }

    /// Sample notifications that test the receiver.
    pub fn samples(&self, catalog: &Catalog, now: i64) -> Vec<Message> {
        let pushes =
            Event::samples(catalog).flat_map(|event| event.pushes(&self.config.site, now / 1000));
        let accepted = pushes.filter(|push| self.accepts(push));
        accepted.map(|push| self.message(&push, now)).collect()
    }

    fn accepts_account(&self, account: &str) -> bool {
        let accounts = &self.config.accounts;
        let is_listed = accounts.is_empty() || accounts.iter().any(|known| known == account);
        is_listed && !self.is_retired
    }

    fn accepts(&self, push: &Push<'_>) -> bool {
        let names = &self.config.notifications;
        names.is_empty() || names.contains(&push.notification.name)
    }

    fn message(&self, push: &Push<'_>, now: i64) -> Message {
        let is_json = self.config.style == BodyStyle::Json;
        let digest = Key::new([push.repeat.as_bytes()]);
        let event = digest
            .as_bytes()
            .first_chunk::<8>()
            .copied()
            .unwrap_or_default();
        let pause = i64::try_from(self.config.pause.as_millis()).unwrap_or(i64::MAX);
        Message {
            event: format!("{:016x}", u64::from_be_bytes(event)),
            notification: push.notification.name.clone(),
            is_json,
            body: if is_json { push.json() } else { push.form() },
            not_before: if push.notification.may_pause {
                now.saturating_add(pause)
            } else {
                now
            },
        }
    }

    async fn put(&self, push: &Push<'_>, now: i64) -> Result<Put, StateError> {
        for predecessor in &self.predecessors {
            let id = predecessor.id(push);
            if predecessor.queue.has_seen(id, now).await? {
                return Ok(Put::Repeat);
            }
        }
        let meeting = Key::new([push.meeting.as_bytes()]);
        // Cannot fail: a message has only strings, a boolean and a number.
        let body = serde_json::to_vec(&self.message(push, now)).unwrap_or_default();
        let put = self.queue.put(self.id(push), meeting, &body, now).await?;
        if put == Put::Stored {
            self.stored.notify_one();
        }
        Ok(put)
    }

    /// The id by which repeats are recognized. It includes the receiver, because ids are unique in
    /// the engine.
    fn id(&self, push: &Push<'_>) -> Key {
        let id = Key::new([push.repeat.as_bytes()]);
        Key::new([self.queue_url.as_str().as_bytes(), id.as_bytes()])
    }

    /// The wait after a failed attempt, counted from 1.
    pub(super) fn wait(&self, attempt: u32) -> Duration {
        let waits = &self.config.waits;
        let at = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
        let wait = waits.get(at).or(waits.last());
        wait.copied().unwrap_or(Duration::from_secs(60))
    }
}
