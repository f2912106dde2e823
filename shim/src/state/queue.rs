//! A queue with groups. Messages of a group are delivered in order and one at a time, at least
//! once. Bodies are encrypted. Times are parameters, in milliseconds since 1970.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use super::{Engine, Key, Name, State, StateError, engine::Run, keyring::Space};

/// Time for which message ids are kept to recognize repeats.
pub const SEEN_TIME: Duration = Duration::from_secs(24 * 60 * 60);

/// Time for which a dead letter is kept.
pub const DEAD_TIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Maximum number of waiting messages.
pub const MAX_WAITING: u64 = 200_000;

/// Maximum number of dead letters. One more replaces the oldest.
pub const MAX_DEAD: u64 = 200_000;

/// Dead letters requeued by one transaction, so that it does not block others for long.
const REQUEUED_AT_ONCE: usize = 200;

/// An encrypted message to be stored.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// Identity, by which repeats are recognized.
    pub id: Name,
    /// The group, within which order is kept.
    pub group: Name,
    /// The encrypted body.
    pub body: Bytes,
}

/// Result of storing a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is stored.
    Stored,
    /// A message with this id came within the last 24 h.
    Repeat,
    /// [`MAX_WAITING`] messages are waiting.
    Full,
}

/// A lease of a message and its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The message.
    pub id: Name,
    /// Its group.
    pub group: Name,
    /// Fencing token.
    pub owner: Run,
}

/// A message to be delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// Its lease.
    pub claim: Claim,
    /// Its body; empty if no key decrypts it.
    pub body: Bytes,
    /// Number of failed attempts.
    pub attempts: u32,
}

/// How a claimed message is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// Delivered. The message is deleted, even if the lease was lost, so that it is not delivered
    /// again; the group then stays leased to the other process.
    Done,
    /// Failed. The group waits until this time, then the message is delivered again.
    RetryAt(i64),
    /// Not attempted. The group waits until this time.
    PutOff(i64),
    /// Given up. The message is kept for [`DEAD_TIME`], and the group continues.
    Dead,
}

/// A message that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The message.
    pub id: Name,
    /// Its body; empty if no key decrypts it.
    pub body: Bytes,
    /// Time at which it was given up.
    pub at: i64,
}

/// Selection of dead letters.
#[derive(Clone, Debug)]
pub enum Dead {
    /// The letters with these ids.
    Named(Vec<Name>),
    /// This many, oldest first.
    Oldest(usize),
}

/// Numbers of messages in a queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Waiting for delivery.
    pub waiting: u64,
    /// Dead letters.
    pub dead: u64,
}

/// A queue in the state engine. It has no fallback: if the engine cannot be reached, operations
/// fail.
#[derive(Clone, Debug)]
pub struct Queue {
    pub(super) state: State,
    pub(super) name: Name,
    /// True if it and its messages are named with the previous key.
    pub(super) is_previous: bool,
}

impl Queue {
    /// True if both are the same queue.
    pub fn is(&self, other: &Self) -> bool {
        self.name == other.name
    }

    /// Stores a message durably.
    ///
    /// # Errors
    ///
    /// Fails if the engine cannot store it.
    pub async fn put(&self, id: Key, group: Key, body: &[u8], now: i64) -> Result<Put, StateError> {
        let id = self.message(id);
        let group = self.state.name(Space::Group, &[group.as_bytes()]);
        let body = self.state.seal(id, body)?;
        let message = NewMessage { id, group, body };
        self.engine().put(self.name, message, now).await
    }

    /// True if a message with this id was stored within [`SEEN_TIME`].
    ///
    /// # Errors
    ///
    /// Fails if the engine cannot be reached.
    pub async fn has_seen(&self, id: Key, now: i64) -> Result<bool, StateError> {
        let id = self.message(id);
        self.engine().has_seen(self.name, id, now).await
    }

    /// Claims the next due message. Its group is leased until the message is settled or the lease
    /// expires.
    ///
    /// # Errors
    ///
    /// Fails if the engine cannot be reached.
    pub async fn claim(&self, now: i64, lease: Duration) -> Result<Option<Claimed>, StateError> {
        let owner = super::new_run();
        let claimed = self.engine().claim(self.name, now, lease, owner).await?;
        let Some(mut claimed) = claimed else {
            return Ok(None);
        };
        claimed.body = self.opened(claimed.claim.id, &claimed.body);
        Ok(Some(claimed))
    }

    /// Extends a lease to `lease` after `now`. False if the lease was lost.
    ///
    /// # Errors
    ///
    /// Fails if the engine cannot be reached.
    pub async fn renew(&self, claim: Claim, now: i64, lease: Duration) -> Result<bool, StateError> {
        self.engine().renew(self.name, claim, now, lease).await
    }

    /// Settles a claimed message. False if the lease was lost.
    ///
    /// # Errors
    ///
    /// Fails if the engine cannot be reached.
    pub async fn settle(
        &self,
        claim: Claim,
        settlement: Settlement,
        now: i64,
    ) -> Result<bool, StateError> {
        self.engine()
            .settle(self.name, claim, settlement, now)
            .await
    }

    /// Time at which [`claim`](Self::claim) would next find a message, in milliseconds since 1970.
    ///
    /// # Errors
    ///
    /// Fails if the engine cannot be reached.
    pub async fn next_due(&self) -> Result<Option<i64>, StateError> {
        self.engine().next_due(self.name).await
    }

    /// Dead letters, oldest first.
    ///
    /// # Errors
    ///
    /// Fails if the engine cannot be reached.
    pub async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter>, StateError> {
        let mut letters = self.engine().dead_letters(self.name, limit).await?;
        for letter in &mut letters {
            letter.body = self.opened(letter.id, &letter.body);
        }
        Ok(letters)
    }

    /// Requeues dead letters at the ends of their groups: those with these ids, or all that died
    /// until `now`. Returns their number. Letters for which the queue has no room stay dead.
    ///
    /// # Errors
    ///
    /// Fails if the engine cannot be reached.
    pub async fn requeue(&self, ids: Option<&[Name]>, now: i64) -> Result<usize, StateError> {
        let mut count = 0;
        if let Some(ids) = ids {
            for ids in ids.chunks(REQUEUED_AT_ONCE) {
                let ids = Dead::Named(ids.to_vec());
                count += self.engine().requeue(self.name, ids, now).await?;
            }
            return Ok(count);
        }
        loop {
            let oldest = Dead::Oldest(REQUEUED_AT_ONCE);
            let put = self.engine().requeue(self.name, oldest, now).await?;
            count += put;
            if put == 0 {
                return Ok(count);
            }
        }
    }

    /// Numbers of messages.
    ///
    /// # Errors
    ///
    /// Fails if the engine cannot be reached.
    pub async fn counts(&self) -> Result<Counts, StateError> {
        self.engine().counts(self.name).await
    }

    fn message(&self, id: Key) -> Name {
        let parts: [&[u8]; 1] = [id.as_bytes()];
        let previous = self
            .is_previous
            .then(|| (self.state.0.keyring).previous_name(Space::Message, &parts))
            .flatten();
        previous.unwrap_or_else(|| self.state.name(Space::Message, &parts))
    }

    fn engine(&self) -> &Arc<dyn Engine> {
        self.state.engine()
    }

    fn opened(&self, id: Name, body: &[u8]) -> Bytes {
        self.state.unseal(id, body).unwrap_or_default()
    }
}
