//! The interface of state engines: atomic operations on names and encrypted values.
//!
//! Only the holder of the key can compute names and decrypt values. Each operation is one
//! transaction, script or round trip.

use std::{fmt, num::NonZeroU32, time::Duration};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use shim_upstream::Pace;

use super::{Name, StateError, queue};

/// Id of a run of a write: the fencing token of its lease.
pub type Run = u128;

/// The future of an operation.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, StateError>>;

/// Time to live of page cursors: less than the 15 minutes for which v2 accepts them.
pub const CURSOR_TIME: Duration = Duration::from_secs(10 * 60);

/// Minimum time for which an unfinished write can be resumed, from its start.
pub const UNFINISHED_TIME: Duration = Duration::from_secs(24 * 60 * 60);

/// Time for which the response of a finished write is kept for waiting requests.
pub const ANSWER_TIME: Duration = Duration::from_secs(10);

/// Time to live of a generation: longer than that of any response cached under it.
pub const GENERATION_TIME: Duration = Duration::from_secs(2 * 60 * 60);

/// A write of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Write {
    /// The v2 account; an engine may group names by it.
    pub account: Name,
    /// The name of the write.
    pub name: Name,
}

/// Result of starting a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// This run has the lease; with the journal of an unfinished earlier run.
    Leased(Option<Bytes>),
    /// Another run has the lease.
    Busy {
        /// That run.
        run: Run,
        /// Remaining time of its lease.
        left: Duration,
    },
}

/// How a run ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The write is finished, with the response for waiting requests.
    Finished(Bytes),
    /// The write is unfinished, with its journal. The next equal request resumes it.
    Unfinished(Bytes),
}

/// Progress of another request's run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It finished with this response.
    Finished(Bytes),
    /// It has the lease.
    Running,
    /// It ended unfinished, or its lease expired.
    Gone,
}

/// Time to live of the count of a day's calls: longer than the day on the clock of any process.
pub const DAY_TIME: Duration = Duration::from_secs(26 * 60 * 60);

/// One v2 call against the limits of its account.
#[derive(Clone, Debug)]
pub struct Reservation {
    /// The v2 account; an engine may group the other names by it.
    pub account: Name,
    /// The rate limit, if there is one.
    pub pace: Option<(Name, Pace)>,
    /// The name of the day's count and its limit, if there is one.
    pub daily: Option<(Name, u64)>,
    /// The name under which v2's refusals of this call are stored.
    pub refusal: Name,
    /// The subject of the call, if it has one.
    pub subject: Option<Subject>,
    /// The maximum wait.
    pub most: Duration,
}

/// Keyed hash of the subject of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject(i64);

/// Matches every subject.
pub(super) const ANY_SUBJECT: i64 = 0;

impl From<Name> for Subject {
    fn from(Name(name): Name) -> Self {
        // 63 bits, and never `ANY_SUBJECT`.
        Self(i64::try_from(name >> 65).unwrap_or(i64::MAX).max(1))
    }
}

impl Subject {
    /// The number of a subject, [`ANY_SUBJECT`] for none.
    pub(super) fn number(subject: Option<Self>) -> i64 {
        subject.map_or(ANY_SUBJECT, |Self(number)| number)
    }
}

/// The processes that share an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Processes {
    /// Their number; `None` if it has never been counted.
    pub count: Option<NonZeroU32>,
    /// True if probably all of them can reach the engine.
    pub is_complete: bool,
}

/// Storage of state. Every operation is atomic, also among processes that share the engine.
pub trait Engine: fmt::Debug + Send + Sync {
    /// Its name in `/status` and the log.
    fn kind(&self) -> &'static str;

    /// True while it cannot be reached.
    fn is_down(&self) -> bool {
        false
    }

    /// The processes that share it; `None` if only this process uses it.
    fn processes(&self) -> Option<Processes>;

    /// The cursors of a list of an account, and the account's generation, in one round trip.
    fn list(&self, list: Name, account: Name) -> Answer<'_, (Option<Bytes>, u64)>;

    /// Stores the cursors of a list of an account for [`CURSOR_TIME`].
    fn save_cursors(&self, list: Name, account: Name, cursors: Bytes) -> Answer<'_, ()>;

    /// The value under a name.
    fn value(&self, name: Name) -> Answer<'_, Option<Bytes>>;

    /// Sets the value under a name, with a time to live.
    fn set_value(&self, name: Name, value: Bytes, time: Duration) -> Answer<'_, ()>;

    /// The number of writes to the account so far.
    fn generation(&self, account: Name) -> Answer<'_, u64>;

    /// Counts a write to the account that has no run to [`end`](Self::end).
    fn advance(&self, account: Name) -> Answer<'_, ()>;

    /// Leases a write to a run. `journal` is stored unless an earlier run left one. Idempotent: a
    /// run whose reply was lost may start again with the same journal.
    fn begin(&self, write: Write, run: Run, lease: Duration, journal: Bytes) -> Answer<'_, Begun>;

    /// Renews the lease and optionally replaces the journal. False if the lease is lost.
    fn step(
        &self,
        write: Write,
        run: Run,
        lease: Duration,
        journal: Option<Bytes>,
    ) -> Answer<'_, bool>;

    /// Counts a write to the account and ends a run. If the lease was lost, only counts and returns
    /// false.
    fn end(&self, write: Write, run: Run, ending: Ending) -> Answer<'_, bool>;

    /// Progress of a run that [`begin`](Self::begin) reported as busy.
    fn progress(&self, write: Write, run: Run) -> Answer<'_, Progress>;

    /// True if a write has started and not finished, so that an equal request would resume it.
    fn is_open(&self, write: Write) -> Answer<'_, bool>;

    /// Reserves a call and returns the wait before it. Returns `None` and reserves nothing if the
    /// wait would be too long, the daily limit is reached, or v2 refuses the call.
    fn reserve(&self, reservation: Reservation) -> Answer<'_, Option<Duration>>;

    /// Stores for some time that v2 refuses a call of an account for a subject. If another subject
    /// is refused already, the call is refused for all.
    fn refused(
        &self,
        account: Name,
        refusal: Name,
        subject: Option<Subject>,
        time: Duration,
    ) -> Answer<'_, ()>;

    /// Counts a failure and returns the count, which resets `window` after the first failure.
    fn fail(&self, who: Name, window: Duration) -> Answer<'_, u64>;

    /// The current count of failures.
    fn failures(&self, who: Name) -> Answer<'_, u64>;

    /// Appends a message to its group, unless one with the same id came within
    /// [`queue::SEEN_TIME`].
    fn put(&self, queue: Name, message: queue::NewMessage, now: i64) -> Answer<'_, queue::Put>;

    /// True if a message with this id came within [`queue::SEEN_TIME`].
    fn has_seen(&self, queue: Name, id: Name, now: i64) -> Answer<'_, bool>;

    /// Leases the group whose first message has been due the longest, and returns that message.
    fn claim(
        &self,
        queue: Name,
        now: i64,
        lease: Duration,
        owner: Run,
    ) -> Answer<'_, Option<queue::Claimed>>;

    /// Extends a lease to `lease` after `now`. False if the lease was lost.
    fn renew(
        &self,
        queue: Name,
        claimed: queue::Claim,
        now: i64,
        lease: Duration,
    ) -> Answer<'_, bool>;

    /// Settles a claimed message. False if the lease was lost; then only
    /// [`queue::Settlement::Done`] has an effect: the message is deleted.
    fn settle(
        &self,
        queue: Name,
        claimed: queue::Claim,
        settlement: queue::Settlement,
        now: i64,
    ) -> Answer<'_, bool>;

    /// Due time of the next message, in milliseconds since 1970.
    fn next_due(&self, queue: Name) -> Answer<'_, Option<i64>>;

    /// Dead letters, oldest first.
    fn dead_letters(&self, queue: Name, limit: usize) -> Answer<'_, Vec<queue::DeadLetter>>;

    /// Requeues dead letters that died until `now`, at the ends of their groups; returns their
    /// number. Letters beyond [`queue::MAX_WAITING`] stay dead.
    fn requeue(&self, queue: Name, which: queue::Dead, now: i64) -> Answer<'_, usize>;

    /// Numbers of messages.
    fn counts(&self, queue: Name) -> Answer<'_, queue::Counts>;
}
