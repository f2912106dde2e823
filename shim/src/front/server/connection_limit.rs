//! Limits open connections. When the limit is reached, the connection that has been idle longest is
//! closed; if none is idle, a new connection waits.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as _, Frame, Incoming, SizeHint};

use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore, SemaphorePermit},
    time::{self, Instant},
};

/// Retry interval: an evicted connection that just received a request is kept, and another one is
/// evicted.
const RETRY: Duration = Duration::from_millis(20);

/// An idle connection goes before one that waits for a request's body only after this time: its first
/// request may be on the way.
const FRESH: u64 = 1_000;

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
    /// Those of them whose body is not there yet.
    incomplete: AtomicUsize,
    /// True once a request had a valid key and secret.
    has_valid_key: AtomicBool,
    /// Places for requests until then.
    unknown: Semaphore,
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

/// Requests at a time over HTTP/2 until one of the connection had a valid key and secret. Together, all
/// connections of the default limit have fewer than there is room for short bodies: bodies that never
/// end leave room for others.
const UNKNOWN_STREAMS: usize = 3;

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
            incomplete: AtomicUsize::new(0),
            has_valid_key: AtomicBool::new(false),
            unknown: Semaphore::new(UNKNOWN_STREAMS),
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
        let now = clock(self.started);
        let waiting = connections.iter().filter_map(|(number, connection)| {
            let since = connection.idle_since.load(Ordering::Relaxed);
            let has_request = connection.requests.load(Ordering::Relaxed) > 0;
            let is_fresh = now.saturating_sub(since) < FRESH;
            let order = (has_request || is_fresh, since, number);
            (connection.is_waiting() && since != EVICTED).then_some((order, connection))
        });
        if let Some((_, connection)) = waiting.min_by_key(|(order, _)| *order) {
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

    /// Resolves when the slot is needed for another connection; not while a request is in work.
    pub(super) async fn evicted(&self) {
        loop {
            self.connection.evicted.notified().await;
            if self.connection.is_waiting() {
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

impl ActiveRequest {
    /// Its body: until the end of it is there, the request waits.
    pub(super) fn receive(&self, body: Incoming) -> Body {
        if body.is_end_stream() {
            return Body::new(body);
        }
        self.connection.incomplete.fetch_add(1, Ordering::Relaxed);
        let incomplete = Some(Incomplete(Arc::clone(&self.connection)));
        Body::new(Arriving { body, incomplete })
    }

    /// A place for it; over HTTP/2 there are few until one had a valid key and secret.
    pub(super) async fn place(&self, is_http2: bool) -> Option<SemaphorePermit<'_>> {
        let is_known = || self.connection.has_valid_key.load(Ordering::Relaxed);
        if !is_http2 || is_known() {
            return None;
        }
        // The semaphore is never closed.
        self.connection.unknown.acquire().await.ok()
    }

    /// It had a valid key and secret.
    pub(super) fn has_valid_key(&self) {
        self.connection.has_valid_key.store(true, Ordering::Relaxed);
    }
}

impl Connection {
    /// True if no request is in work: there is none, or none whose body is there.
    fn is_waiting(&self) -> bool {
        let requests = self.requests.load(Ordering::Relaxed);
        requests <= self.incomplete.load(Ordering::Relaxed)
    }
}

/// A request body that counts as absent until its end is there.
struct Arriving {
    body: Incoming,
    incomplete: Option<Incomplete>,
}

/// A request whose body is not there yet, until it is dropped.
struct Incomplete(Arc<Connection>);

impl hyper::body::Body for Arriving {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if frame.is_none() || self.body.is_end_stream() {
            self.incomplete = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Incomplete {
    fn drop(&mut self) {
        self.0.incomplete.fetch_sub(1, Ordering::Relaxed);
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
    async fn closes_a_connection_whose_request_has_no_body_yet_after_the_idle_ones() {
        let limit = Arc::new(ConnectionLimit::new(2));
        let (slow, idle) = (limit.acquire().await, limit.acquire().await);
        let _request = slow.begin_request();
        slow.connection.incomplete.fetch_add(1, Ordering::Relaxed);
        time::sleep(Duration::from_millis(FRESH)).await;
        limit.evict_one();
        assert!(slow.evicted().now_or_never().is_none());
        idle.evicted().await;
        limit.evict_one();
        slow.evicted().await;
    }

    #[tokio::test(start_paused = true)]
    async fn keeps_a_new_connection_while_others_hold_requests_without_bodies() {
        let limit = Arc::new(ConnectionLimit::new(2));
        let slow = limit.acquire().await;
        let _request = slow.begin_request();
        slow.connection.incomplete.fetch_add(1, Ordering::Relaxed);
        time::sleep(Duration::from_secs(5)).await;
        let new = limit.acquire().await;
        limit.evict_one();
        assert!(new.evicted().now_or_never().is_none());
        slow.evicted().await;
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
