//! What a state engine does: atomic operations on names and sealed values.
//!
//! An engine sees names that only the holder of the key can make and values that only the holder can
//! open. Each operation is one transaction, script or round trip.

use std::{fmt, num::NonZeroU32, time::Duration};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use shim_upstream::Pace;

use super::{Name, StateError, queue};

/// A run of a write: the fence of its lease.
pub type Run = u128;

/// The answer of an engine.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, StateError>>;

/// For how long page cursors are remembered: less than the 15 minutes for which v2 accepts them.
pub const CURSOR_TIME: Duration = Duration::from_secs(10 * 60);

/// For how long an unfinished write can be resumed, at least from its beginning.
pub const UNFINISHED_TIME: Duration = Duration::from_secs(24 * 60 * 60);

/// For how long the answer of a finished write is kept for the requests that waited for it.
pub const ANSWER_TIME: Duration = Duration::from_secs(10);

/// For how long a generation is remembered: longer than any answer that is cached under it.
pub const GENERATION_TIME: Duration = Duration::from_secs(2 * 60 * 60);

/// A write of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Write {
    /// The v2 account, by which an engine may keep names together.
    pub account: Name,
    /// The write.
    pub name: Name,
}

/// What a request that wants to run a write finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// The write is leased to this run. With the journal of an unfinished earlier run.
    Yours(Option<Bytes>),
    /// Another run has the lease, for at most this much longer.
    Busy {
        /// That run.
        run: Run,
        /// What is left of its lease.
        left: Duration,
    },
}

/// What becomes of a write at the end of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Finished; the answer is for the requests that waited for it.
    Finished(Bytes),
    /// Unfinished, with its journal: the next equal request resumes it.
    Unfinished(Bytes),
}

/// How far a run of another request is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It finished with this answer.
    Finished(Bytes),
    /// It has its lease.
    Running,
    /// It ended unfinished, or its lease ran out.
    Gone,
}

/// For how long the calls of a day are counted: until the next day has begun for everyone.
pub const DAY_TIME: Duration = Duration::from_secs(26 * 60 * 60);

/// One v2 call against the limits of its account.
#[derive(Clone, Debug)]
pub struct Reservation {
    /// The v2 account, by which an engine may keep the other names together.
    pub account: Name,
    /// The rate limit, if there is one.
    pub pace: Option<(Name, Pace)>,
    /// The count of the day, if there is a limit, and that limit.
    pub daily: Option<(Name, u64)>,
    /// What a refusal of this call is remembered under.
    pub refusal: Name,
    /// Whom the call is about, if anybody.
    pub subject: Option<Subject>,
    /// The longest acceptable wait.
    pub most: Duration,
}

/// Whom a call is about: a number that only the holder of the key can make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject(i64);

/// Stands for any subject.
pub(super) const ANYBODY: i64 = 0;

impl From<Name> for Subject {
    fn from(Name(name): Name) -> Self {
        // 63 bits; none of them is anybody.
        Self(i64::try_from(name >> 65).unwrap_or(i64::MAX).max(1))
    }
}

impl Subject {
    /// The number of a subject, [`ANYBODY`] for none.
    pub(super) fn number(subject: Option<Self>) -> i64 {
        subject.map_or(ANYBODY, |Self(number)| number)
    }
}

/// The processes that share an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Processes {
    /// How many there are; `None` if that was never known.
    pub count: Option<NonZeroU32>,
    /// True if all of them can be expected to reach the engine.
    pub is_complete: bool,
}

/// Where state is kept. Every operation is atomic, also among processes that share the engine.
pub trait Engine: fmt::Debug + Send + Sync {
    /// Its name in `/status` and the log.
    fn kind(&self) -> &'static str;

    /// True while it cannot be reached.
    fn is_down(&self) -> bool {
        false
    }

    /// The processes that share it; `None` if it is this process's alone.
    fn processes(&self) -> Option<Processes>;

    /// The cursors of a list of an account, and the account's generation, in one round trip.
    fn list(&self, list: Name, account: Name) -> Answer<'_, (Option<Bytes>, u64)>;

    /// Remembers the cursors of a list of an account for [`CURSOR_TIME`].
    fn save_cursors(&self, list: Name, account: Name, cursors: Bytes) -> Answer<'_, ()>;

    /// What is kept under a name.
    fn kept(&self, name: Name) -> Answer<'_, Option<Bytes>>;

    /// Keeps something for a time, in place of what was kept under the name.
    fn keep(&self, name: Name, value: Bytes, time: Duration) -> Answer<'_, ()>;

    /// The number of writes to the account so far.
    fn generation(&self, account: Name) -> Answer<'_, u64>;

    /// Counts a write to the account beside [`end`](Self::end).
    fn advance(&self, account: Name) -> Answer<'_, ()>;

    /// Takes the lease of a write. `journal` is remembered if no earlier run left one. A run that got
    /// no answer may begin again with the same journal.
    fn begin(&self, write: Write, run: Run, lease: Duration, journal: Bytes) -> Answer<'_, Begun>;

    /// Renews the lease, with a new journal if one is given. False if the lease is lost.
    fn step(
        &self,
        write: Write,
        run: Run,
        lease: Duration,
        journal: Option<Bytes>,
    ) -> Answer<'_, bool>;

    /// Counts a write to the account, and ends a run. False if its lease was lost; only the count
    /// is changed then.
    fn end(&self, write: Write, run: Run, ending: Ending) -> Answer<'_, bool>;

    /// How far a run is that [`begin`](Self::begin) reported as busy.
    fn progress(&self, write: Write, run: Run) -> Answer<'_, Progress>;

    /// True if a write has begun and not finished: an equal request would resume it.
    fn is_open(&self, write: Write) -> Answer<'_, bool>;

    /// Reserves a call; the answer is how long to wait before it, or `None` if the wait would be too
    /// long, the day's calls are used up, or v2 refuses the call. Nothing is taken then.
    fn reserve(&self, reservation: Reservation) -> Answer<'_, Option<Duration>>;

    /// Remembers for some time that v2 refuses a call of an account about a subject; about anybody
    /// if it is refused about another one already.
    fn refused(
        &self,
        account: Name,
        refusal: Name,
        subject: Option<Subject>,
        time: Duration,
    ) -> Answer<'_, ()>;

    /// Counts a failure; all are forgotten `window` after the first one.
    fn fail(&self, who: Name, window: Duration) -> Answer<'_, u64>;

    /// The failures that are remembered.
    fn failures(&self, who: Name) -> Answer<'_, u64>;

    /// Appends a message to its group, unless one of its id came within [`queue::SEEN_TIME`].
    fn put(&self, queue: Name, message: queue::NewMessage, now: i64) -> Answer<'_, queue::Put>;

    /// True if a message of this id came within [`queue::SEEN_TIME`].
    fn has_seen(&self, queue: Name, id: Name, now: i64) -> Answer<'_, bool>;

    /// Leases the group whose first message has been due for longest, and returns that message.
    fn claim(
        &self,
        queue: Name,
        now: i64,
        lease: Duration,
        owner: Run,
    ) -> Answer<'_, Option<queue::Claimed>>;

    /// Extends a lease to `lease` after `now`. False if it was lost.
    fn renew(
        &self,
        queue: Name,
        claimed: queue::Claim,
        now: i64,
        lease: Duration,
    ) -> Answer<'_, bool>;

    /// Settles a claimed message. False if its lease was lost; a delivered message is deleted even
    /// then, and nothing else is changed.
    fn settle(
        &self,
        queue: Name,
        claimed: queue::Claim,
        settlement: queue::Settlement,
        now: i64,
    ) -> Answer<'_, bool>;

    /// When the next message is due, in milliseconds since 1970.
    fn next_due(&self, queue: Name) -> Answer<'_, Option<i64>>;

    /// Dead messages, oldest first.
    fn dead_letters(&self, queue: Name, limit: usize) -> Answer<'_, Vec<queue::DeadLetter>>;

    /// Appends dead messages that died until `now` to their groups again; returns how many. Those
    /// beyond [`queue::MAX_WAITING`] stay dead.
    fn put_back(&self, queue: Name, which: queue::Dead, now: i64) -> Answer<'_, usize>;

    /// How many messages there are.
    fn counts(&self, queue: Name) -> Answer<'_, queue::Counts>;
}
