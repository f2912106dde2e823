//! Limits open connections. When the limit is reached, the connection that has been idle longest is
//! closed; if none is idle, a new connection waits.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::{self, Instant},
};

/// Retry interval: an evicted connection that just received a request is kept, and another one is
/// evicted.
const RETRY: Duration = Duration::from_millis(20);

/// `idle_since` of a connection that was evicted already.
const EVICTED: u64 = u64::MAX;

/// The limit, and the connections within it.
pub(super) struct ConnectionLimit {
    slots: Arc<Semaphore>,
    connections: Mutex<HashMap<u64, Arc<Connection>>>,
    acquired: AtomicU64,
    /// The origin of `idle_since`.
    started: Instant,
}

struct Connection {
    /// Requests in progress.
    requests: AtomicUsize,
    /// The end of its last request, in milliseconds since the limit was made.
    idle_since: AtomicU64,
    evicted: Notify,
}

/// The slot of one connection, until it is dropped.
pub(super) struct Slot {
    limit: Arc<ConnectionLimit>,
    number: u64,
    connection: Arc<Connection>,
    _permit: Option<OwnedSemaphorePermit>,
}

/// One request in progress, until it is dropped.
pub(super) struct ActiveRequest {
    connection: Arc<Connection>,
    started: Instant,
}

impl ConnectionLimit {
    pub(super) fn new(most: usize) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(most)),
            connections: Mutex::default(),
            acquired: AtomicU64::new(0),
            started: Instant::now(),
        }
    }

    /// A slot, as soon as one is free or a connection can be evicted.
    pub(super) async fn acquire(self: &Arc<Self>) -> Slot {
        let permit = self.permit().await;
        let number = self.acquired.fetch_add(1, Ordering::Relaxed);
        let connection = Arc::new(Connection {
            requests: AtomicUsize::new(0),
            idle_since: AtomicU64::new(clock(self.started)),
            evicted: Notify::new(),
        });
        self.lock().insert(number, Arc::clone(&connection));
        Slot {
            limit: Arc::clone(self),
            number,
            connection,
            _permit: permit,
        }
    }

    async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        loop {
            if let Ok(permit) = Arc::clone(&self.slots).try_acquire_owned() {
                return Some(permit);
            }
            self.evict_one();
            let free = Arc::clone(&self.slots).acquire_owned();
            if let Ok(permit) = time::timeout(RETRY, free).await {
                // The semaphore is never closed.
                return permit.ok();
            }
        }
    }

    fn evict_one(&self) {
        let connections = self.lock();
        let idle = connections.iter().filter_map(|(number, connection)| {
            let since = connection.idle_since.load(Ordering::Relaxed);
            let is_idle = connection.requests.load(Ordering::Relaxed) == 0 && since != EVICTED;
            is_idle.then_some((since, number, connection))
        });
        if let Some((_, _, connection)) = idle.min_by_key(|(since, number, _)| (*since, *number)) {
            connection.idle_since.store(EVICTED, Ordering::Relaxed);
            connection.evicted.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Arc<Connection>>> {
        // Nothing is left half done in it by a panic.
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    /// A request has begun.
    pub(super) fn begin_request(&self) -> ActiveRequest {
        self.connection.requests.fetch_add(1, Ordering::Relaxed);
        ActiveRequest {
            connection: Arc::clone(&self.connection),
            started: self.limit.started,
        }
    }

    /// Resolves when the slot is needed for another connection; not while a request is in progress.
    pub(super) async fn evicted(&self) {
        loop {
            self.connection.evicted.notified().await;
            if self.idle().is_some() {
                return;
            }
        }
    }

    /// For how long the connection has been idle; `None` while a request is in progress.
    pub(super) fn idle(&self) -> Option<Duration> {
        if self.connection.requests.load(Ordering::Relaxed) > 0 {
            return None;
        }
        let since = self.connection.idle_since.load(Ordering::Relaxed);
        let idle = clock(self.limit.started).saturating_sub(since);
        Some(Duration::from_millis(idle))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.limit.lock().remove(&self.number);
    }
}

impl Drop for ActiveRequest {
    fn drop(&mut self) {
        let now = clock(self.started);
        self.connection.idle_since.store(now, Ordering::Relaxed);
        self.connection.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Milliseconds since the limit was made.
fn clock(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(EVICTED - 1)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn closes_the_connection_that_was_idle_longest() {
        let limit = Arc::new(ConnectionLimit::new(2));
        let first = limit.acquire().await;
        let second = limit.acquire().await;
        time::sleep(Duration::from_secs(1)).await;
        drop(first.begin_request()); // it has just asked for something

        let new = {
            let acquiring = limit.acquire();
            tokio::pin!(acquiring);
            assert!(acquiring.as_mut().now_or_never().is_none());
            second.evicted().await;
            assert!(first.evicted().now_or_never().is_none());
            drop(second);
            acquiring.await
        };
        assert!(new.evicted().now_or_never().is_none());
        assert_eq!(limit.lock().len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn keeps_a_connection_with_a_request_in_progress() {
        let limit = Arc::new(ConnectionLimit::new(1));
        let slot = limit.acquire().await;
        let request = slot.begin_request();
        let acquiring = limit.acquire();
        tokio::pin!(acquiring);
        let soon = Duration::from_secs(5);
        assert!(time::timeout(soon, acquiring.as_mut()).await.is_err());
        assert!(slot.evicted().now_or_never().is_none());
        drop(request);
        let closing = async {
            slot.evicted().await;
            drop(slot);
        };
        let (_acquired, ()) = tokio::join!(acquiring, closing);
    }

    #[tokio::test(start_paused = true)]
    async fn keeps_an_evicted_connection_that_has_just_received_a_request() {
        let limit = Arc::new(ConnectionLimit::new(1));
        let slot = limit.acquire().await;
        limit.evict_one();
        let request = slot.begin_request();
        assert!(slot.evicted().now_or_never().is_none());
        drop(request);
        limit.evict_one();
        slot.evicted().await;
    }
}
