//! A queue with groups: messages of one group are delivered in order and one at a time, at least
//! once. Bodies are sealed. Times are handed in, in milliseconds since 1970.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use super::{Engine, Key, Name, State, StateError, engine::Run, keyring::Space};

/// For how long the id of a message is remembered, so that a repeat is recognised.
pub const SEEN_TIME: Duration = Duration::from_secs(24 * 60 * 60);

/// For how long a dead message is kept.
pub const DEAD_TIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Messages that may wait.
pub const MAX_WAITING: u64 = 200_000;

/// Dead messages that are kept: one more takes the place of the oldest.
pub const MAX_DEAD: u64 = 200_000;

/// Dead messages that one transaction puts back, so that it holds up no other for long.
const PUT_BACK_AT_ONCE: usize = 200;

/// A message to be stored, sealed.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// What repeats are recognised by.
    pub id: Name,
    /// What is delivered in order.
    pub group: Name,
    /// The sealed body.
    pub body: Bytes,
}

/// What became of a new message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is stored.
    Stored,
    /// One with this id came within the last 24 h.
    Repeat,
    /// [`MAX_WAITING`] messages wait.
    Full,
}

/// A lease of one message and its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The message.
    pub id: Name,
    /// Its group.
    pub group: Name,
    /// The fence.
    pub owner: Run,
}

/// A message to be delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// Its lease.
    pub claim: Claim,
    /// Its body; empty if no key opens it.
    pub body: Bytes,
    /// How often it was put off before.
    pub attempts: u32,
}

/// What becomes of a claimed message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// It was delivered and is deleted, also by who lost the lease: nobody delivers it again. The
    /// group stays leased then.
    Done,
    /// It is delivered again from this time on; its group waits.
    RetryAt(i64),
    /// It was not attempted, and is delivered from this time on; its group waits.
    PutOff(i64),
    /// It is given up and kept for [`DEAD_TIME`]; its group goes on.
    Dead,
}

/// A message that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The message.
    pub id: Name,
    /// Its body; empty if no key opens it.
    pub body: Bytes,
    /// When it was given up.
    pub at: i64,
}

/// Which dead messages are put back.
#[derive(Clone, Debug)]
pub enum Dead {
    /// These.
    Named(Vec<Name>),
    /// This many, oldest first.
    Oldest(usize),
}

/// How many messages a queue has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// To be delivered.
    pub waiting: u64,
    /// Given up.
    pub dead: u64,
}

/// One queue of the state engine. There is no fallback: an engine that cannot be reached is an error.
#[derive(Clone, Debug)]
pub struct Queue {
    pub(super) state: State,
    pub(super) name: Name,
    /// It and its messages are named by the previous key.
    pub(super) is_previous: bool,
}

impl Queue {
    pub(super) fn new(state: State, name: &str) -> Self {
        let name = state.name(Space::Queue, &[name.as_bytes()]);
        Self {
            state,
            name,
            is_previous: false,
        }
    }

    /// The queue as it was named under the previous key.
    pub(super) fn previous(state: State, name: &str) -> Option<Self> {
        let keyring = &state.0.keyring;
        let name = keyring.previous_name(Space::Queue, &[name.as_bytes()])?;
        Some(Self {
            state,
            name,
            is_previous: true,
        })
    }

    /// True if both are the same queue.
    pub fn is(&self, other: &Self) -> bool {
        self.name == other.name
    }

    /// Stores a message; it is durable when this returns.
    ///
    /// # Errors
    ///
    /// If the engine cannot store it.
    pub async fn put(&self, id: Key, group: Key, body: &[u8], now: i64) -> Result<Put, StateError> {
        let id = self.message(id);
        let group = self.state.name(Space::Group, &[group.as_bytes()]);
        let body = self.state.seal(id, body)?;
        let message = NewMessage { id, group, body };
        self.engine().put(self.name, message, now).await
    }

    /// True if a message of this id was stored within [`SEEN_TIME`].
    ///
    /// # Errors
    ///
    /// If the engine cannot be reached.
    pub async fn has_seen(&self, id: Key, now: i64) -> Result<bool, StateError> {
        let id = self.message(id);
        self.engine().has_seen(self.name, id, now).await
    }

    /// Claims the next message that is due. Its group is leased until the message is settled or the
    /// lease ends.
    ///
    /// # Errors
    ///
    /// If the engine cannot be reached.
    pub async fn claim(&self, now: i64, lease: Duration) -> Result<Option<Claimed>, StateError> {
        let owner = super::fresh_run();
        let claimed = self.engine().claim(self.name, now, lease, owner).await?;
        let Some(mut claimed) = claimed else {
            return Ok(None);
        };
        claimed.body = self.opened(claimed.claim.id, &claimed.body);
        Ok(Some(claimed))
    }

    /// Extends a lease; it ends `lease` after `now`. False if it was lost.
    ///
    /// # Errors
    ///
    /// If the engine cannot be reached.
    pub async fn renew(&self, claim: Claim, now: i64, lease: Duration) -> Result<bool, StateError> {
        self.engine().renew(self.name, claim, now, lease).await
    }

    /// Settles a claimed message. False if its lease was lost.
    ///
    /// # Errors
    ///
    /// If the engine cannot be reached.
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

    /// When [`claim`](Self::claim) would next find a message, in milliseconds since 1970.
    ///
    /// # Errors
    ///
    /// If the engine cannot be reached.
    pub async fn next_due(&self) -> Result<Option<i64>, StateError> {
        self.engine().next_due(self.name).await
    }

    /// Dead messages, oldest first.
    ///
    /// # Errors
    ///
    /// If the engine cannot be reached.
    pub async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter>, StateError> {
        let mut letters = self.engine().dead_letters(self.name, limit).await?;
        for letter in &mut letters {
            letter.body = self.opened(letter.id, &letter.body);
        }
        Ok(letters)
    }

    /// Appends dead messages to their groups again, all that died until `now` if `ids` is `None`;
    /// returns how many. Those for which there is no place stay dead.
    ///
    /// # Errors
    ///
    /// If the engine cannot be reached.
    pub async fn put_back(&self, ids: Option<&[Name]>, now: i64) -> Result<usize, StateError> {
        let mut count = 0;
        if let Some(ids) = ids {
            for ids in ids.chunks(PUT_BACK_AT_ONCE) {
                let ids = Dead::Named(ids.to_vec());
                count += self.engine().put_back(self.name, ids, now).await?;
            }
            return Ok(count);
        }
        loop {
            let oldest = Dead::Oldest(PUT_BACK_AT_ONCE);
            let put = self.engine().put_back(self.name, oldest, now).await?;
            count += put;
            if put == 0 {
                return Ok(count);
            }
        }
    }

    /// How many messages there are.
    ///
    /// # Errors
    ///
    /// If the engine cannot be reached.
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
