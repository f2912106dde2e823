//! The memory of this process: caches bounded in time and size.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _, ready};
use moka::sync::Cache;

use super::{Key, Space, Store};

/// How long the tokens of pages are remembered: less than the 15 minutes that v2 honours them.
const CURSOR_TIME: Duration = Duration::from_secs(10 * 60);

/// How long a write that was not finished can be taken up again.
const UNFINISHED_TIME: Duration = Duration::from_secs(24 * 60 * 60);

/// Bytes of page tokens: some ten thousand lists.
const CURSOR_BYTES: u64 = 16 << 20;

/// Bytes of unfinished writes: names of calls, some hundred thousand of them.
const UNFINISHED_BYTES: u64 = 16 << 20;

/// What a cache keeps beside the value, roughly.
const OVERHEAD: usize = 200;

/// The memory of this process.
#[derive(Debug)]
pub struct InMemory {
    answers: Cache<Key, Bytes>,
    cursors: Cache<Key, Bytes>,
    unfinished: Cache<Key, Bytes>,
}

impl InMemory {
    /// A memory whose answers live for some time and take some bytes.
    pub fn new(answer_time: Duration, answer_bytes: u64) -> Self {
        Self {
            answers: cache(answer_time, answer_bytes),
            cursors: cache(CURSOR_TIME, CURSOR_BYTES),
            unfinished: cache(UNFINISHED_TIME, UNFINISHED_BYTES),
        }
    }

    fn space(&self, space: Space) -> &Cache<Key, Bytes> {
        match space {
            Space::Answers => &self.answers,
            Space::Cursors => &self.cursors,
            Space::Unfinished => &self.unfinished,
        }
    }
}

impl Store for InMemory {
    fn load(&self, space: Space, key: Key) -> BoxFuture<'_, Option<Bytes>> {
        ready(self.space(space).get(&key)).boxed()
    }

    fn save(&self, space: Space, key: Key, value: Bytes) -> BoxFuture<'_, ()> {
        self.space(space).insert(key, value);
        ready(()).boxed()
    }

    fn forget(&self, space: Space, key: Key) -> BoxFuture<'_, ()> {
        self.space(space).invalidate(&key);
        ready(()).boxed()
    }
}

fn cache(time: Duration, bytes: u64) -> Cache<Key, Bytes> {
    Cache::builder()
        .time_to_live(time)
        .max_capacity(bytes)
        .weigher(|_, value: &Bytes| u32::try_from(value.len() + OVERHEAD).unwrap_or(u32::MAX))
        .build()
}
