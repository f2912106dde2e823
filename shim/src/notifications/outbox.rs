//! The queues of the receivers: a notification is stored for each receiver that wants it.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use mappings::{
    Catalog, Links, Site,
    notification::{Event, Push},
};
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

/// All receivers and their queues. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    targets: Arc<RwLock<Targets>>,
}

/// The receivers between two reloads, and queues that are left of receivers before.
pub type Targets = Arc<[Arc<Target>]>;

/// A receiver and its queue.
#[derive(Debug)]
pub struct Target {
    /// The receiver.
    pub config: ReceiverConfig,
    /// Its URL without the query.
    pub label: String,
    pub(super) queue: Queue,
    /// The URL by which its queue and its messages are named.
    named: Url,
    /// Something was stored.
    pub(super) stored: Notify,
    /// What it has is pushed, and nothing is added.
    pub is_retired: bool,
    /// The same receiver under another URL or key: its queues are emptied first, so that order holds, and
    /// what they had is not stored again.
    pub(super) before: Vec<Arc<Self>>,
}

/// A notification as it waits in a queue, sealed.
#[derive(Clone, Deserialize, Serialize)]
pub struct Message {
    /// Names the event in the log.
    pub event: String,
    /// v1's name of the notification.
    pub notification: String,
    /// How the body is written.
    pub is_json: bool,
    /// The body.
    pub body: String,
    /// When it may be pushed, in milliseconds since 1970.
    #[serde(default)]
    pub not_before: i64,
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It waits to be pushed.
    Stored,
    /// All of it was taken before.
    Repeat,
    /// No receiver wants it.
    Unwanted,
    /// A queue is full.
    Full,
}

/// A notification that was given up.
pub struct Dead {
    /// Its name for [`Outbox::put_back`].
    pub id: Name,
    /// The label of the receiver.
    pub receiver: String,
    /// When it was given up, in milliseconds since 1970.
    pub at: i64,
    /// What it is; `None` if another version of the shim wrote it.
    pub message: Option<Message>,
}

/// What a queue holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The label of the receiver.
    pub receiver: String,
    /// How many notifications wait, and how many were given up.
    pub counts: Counts,
}

impl Outbox {
    /// A queue for each receiver. Receivers are distinguished by their whole URL.
    pub fn new(receivers: &[ReceiverConfig], state: &State) -> Self {
        let outbox = Self::default();
        outbox.replace(outbox.with(receivers, state));
        outbox
    }

    /// The receivers, and what is left of those before.
    pub fn targets(&self) -> Targets {
        // Replaced as a whole: no panic leaves it half done.
        let targets = self.targets.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&targets)
    }

    /// What [`targets`](Self::targets) would be with other receivers: a receiver that is gone keeps
    /// its queue until that is empty. If nothing but the query of its URL changed, as with a secret
    /// there, the new URL gets what is queued.
    pub fn with(&self, receivers: &[ReceiverConfig], state: &State) -> Targets {
        let before = self.targets();
        let queues = receivers.iter().map(|config| {
            let name = format!("notifications {}", config.url);
            (config, state.queue(&name), state.previous_queue(&name))
        });
        let queues: Vec<_> = queues.collect();
        let is_left = |old: &&Arc<Target>| {
            let mut kept = queues.iter();
            !kept.any(|(_, queue, previous)| {
                old.queue.is(queue) || previous.as_ref().is_some_and(|one| old.queue.is(one))
            })
        };
        let mut targets = Vec::new();
        let mut left: Vec<(&Arc<Target>, Option<usize>)> = Vec::new();
        for old in before.iter().filter(is_left) {
            let mut same = receivers
                .iter()
                .enumerate()
                .filter(|(_, config)| config.label() == old.label)
                .map(|(at, _)| at);
            left.push((old, same.next().filter(|_| same.next().is_none())));
        }
        for (at, (config, queue, previous)) in queues.into_iter().enumerate() {
            let moved = left.iter().filter(|(_, to)| *to == Some(at));
            let moved = moved.map(|(old, _)| (old.queue.clone(), &old.named));
            let previous = previous.map(|queue| (queue, &config.url));
            let before: Vec<_> = moved
                .chain(previous)
                .map(|(queue, named)| Arc::new(Target::retired(config, queue, named)))
                .collect();
            targets.extend(before.iter().cloned());
            targets.push(Arc::new(Target {
                before,
                ..Target::new(config, queue)
            }));
        }
        let gone = left.iter().filter(|(_, to)| to.is_none());
        targets.extend(gone.map(|(old, _)| {
            let target = Target::retired(&old.config, old.queue.clone(), &old.named);
            Arc::new(target)
        }));
        targets.into()
    }

    /// Goes on with other receivers.
    pub fn replace(&self, targets: Targets) {
        let mut current = self.targets.write().unwrap_or_else(PoisonError::into_inner);
        *current = targets;
    }

    /// Stores an event for all receivers that want it; durable when it returns. `links` are the shim's
    /// own to files of the event's account. After an error, or
    /// if a queue is full, what was stored is recognised when the event comes again.
    ///
    /// # Errors
    ///
    /// If the state engine fails.
    pub async fn store(
        &self,
        event: &Event<'_>,
        links: Option<&Arc<dyn Links>>,
        now: i64,
    ) -> Result<Stored, StateError> {
        let mut outcome = Stored::Unwanted;
        let account = event.account();
        let targets = self.targets();
        for target in targets.iter().filter(|target| target.hears(&account)) {
            let site = Site {
                links: links.cloned(),
                ..target.config.site.clone()
            };
            for push in event.pushes(&site, now / 1000) {
                if !target.wants(&push) {
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

    /// How many notifications wait, by the label of the receiver.
    ///
    /// # Errors
    ///
    /// If the state engine fails.
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

    /// Notifications that were given up, at most `limit` of each receiver, oldest first.
    ///
    /// # Errors
    ///
    /// If the state engine fails.
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

    /// Appends notifications that were given up to their queues again, all if `ids` is `None`;
    /// returns how many.
    ///
    /// # Errors
    ///
    /// If the state engine fails.
    pub async fn put_back(&self, ids: Option<&[Name]>, now: i64) -> Result<usize, StateError> {
        let mut count = 0;
        for target in self.targets().iter() {
            count += target.queue.put_back(ids, now).await?;
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
            named: config.url.clone(),
            stored: Notify::new(),
            config: config.clone(),
            is_retired: false,
            before: Vec::new(),
        }
    }

    /// What is left in a queue, pushed to a receiver.
    fn retired(config: &ReceiverConfig, queue: Queue, named: &Url) -> Self {
        Self {
            named: named.clone(),
            is_retired: true,
            ..Self::new(config, queue)
        }
    }

    /// The made-up notifications that try the receiver.
    pub fn samples(&self, catalog: &Catalog, now: i64) -> Vec<Message> {
        let pushes =
            Event::samples(catalog).flat_map(|event| event.pushes(&self.config.site, now / 1000));
        let wanted = pushes.filter(|push| self.wants(push));
        wanted.map(|push| self.message(&push, now)).collect()
    }

    fn hears(&self, account: &str) -> bool {
        let accounts = &self.config.accounts;
        let hears = accounts.is_empty() || accounts.iter().any(|known| known == account);
        hears && !self.is_retired
    }

    fn wants(&self, push: &Push<'_>) -> bool {
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
        for before in &self.before {
            if before.queue.has_seen(before.id(push), now).await? {
                return Ok(Put::Repeat);
            }
        }
        let meeting = Key::new([push.meeting.as_bytes()]);
        // A message of texts, a switch and a number always serialises.
        let body = serde_json::to_vec(&self.message(push, now)).unwrap_or_default();
        let put = self.queue.put(self.id(push), meeting, &body, now).await?;
        if put == Put::Stored {
            self.stored.notify_one();
        }
        Ok(put)
    }

    /// What repeats are recognised by. Ids are unique in the engine: each receiver has its own.
    fn id(&self, push: &Push<'_>) -> Key {
        let id = Key::new([push.repeat.as_bytes()]);
        Key::new([self.named.as_str().as_bytes(), id.as_bytes()])
    }

    /// The wait before the attempt after this one, counted from 1.
    pub(super) fn wait(&self, attempt: u32) -> Duration {
        let waits = &self.config.waits;
        let at = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
        let wait = waits.get(at).or(waits.last());
        wait.copied().unwrap_or(Duration::from_secs(60))
    }
}
