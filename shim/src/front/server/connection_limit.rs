//! Limits open connections. When the limit is reached, the connection that has been idle longest is
//! closed; if none is idle, a new connection waits.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as _, Frame, Incoming, SizeHint};

use parking_lot::Mutex;
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore, SemaphorePermit},
    time::{self, Instant},
};

/// Retry interval: an evicted connection that has just received a request stays, and another one is
/// evicted.
const RETRY: Duration = Duration::from_millis(20);

/// Grace period of idle connections, in milliseconds: younger ones are evicted only after those
/// that wait for a request body, because their first request may be in transit.
const FRESH: u64 = 1_000;

/// `idle_since` of an evicted connection.
const EVICTED: u64 = u64::MAX;

/// Number of open connections. Clones share the count.
#[derive(Clone, Debug, Default)]
pub struct OpenConnections(Arc<AtomicUsize>);

impl OpenConnections {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// A connection limit and the open connections.
pub(super) struct ConnectionLimit {
    open: OpenConnections,
    slots: Arc<Semaphore>,
    connections: Mutex<HashMap<u64, Arc<Connection>>>,
    acquired: AtomicU64,
    /// Origin of `idle_since`.
    started: Instant,
}

struct Connection {
    /// Requests in progress.
    requests: AtomicUsize,
    /// Requests whose body has not fully arrived.
    incomplete: AtomicUsize,
    /// True once a request was authenticated.
    has_valid_key: AtomicBool,
    /// Limits concurrent requests until then.
    unauthenticated: Semaphore,
    /// End of the last request, in milliseconds since `started` of the limit.
    idle_since: AtomicU64,
    evicted: Notify,
}

/// One connection's share of the limit, until dropped.
pub(super) struct Slot {
    limit: Arc<ConnectionLimit>,
    number: u64,
    connection: Arc<Connection>,
    _permit: Option<OwnedSemaphorePermit>,
}

/// Concurrent requests on an HTTP/2 connection before one was authenticated. All connections of the
/// default limit together need fewer than the permits for short bodies, so that endless bodies
/// leave room for others.
const UNAUTHENTICATED_STREAMS: usize = 3;

/// A request in progress, until dropped.
pub(super) struct ActiveRequest {
    connection: Arc<Connection>,
    started: Instant,
}

impl ConnectionLimit {
    /// `open` counts the slots in use.
    pub(super) fn new(limit: usize, open: OpenConnections) -> Self {
        Self {
            open,
            slots: Arc::new(Semaphore::new(limit)),
            connections: Mutex::default(),
            acquired: AtomicU64::new(0),
            started: Instant::now(),
        }
    }

    /// Waits for a slot, evicting an idle connection if necessary.
    pub(super) async fn acquire(self: &Arc<Self>) -> Slot {
        let permit = self.permit().await;
        let number = self.acquired.fetch_add(1, Ordering::Relaxed);
        let connection = Arc::new(Connection {
            requests: AtomicUsize::new(0),
            incomplete: AtomicUsize::new(0),
            has_valid_key: AtomicBool::new(false),
            unauthenticated: Semaphore::new(UNAUTHENTICATED_STREAMS),
            idle_since: AtomicU64::new(clock(self.started)),
            evicted: Notify::new(),
        });
        self.connections
            .lock()
            .insert(number, Arc::clone(&connection));
        self.open.0.fetch_add(1, Ordering::Relaxed);
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
        let connections = self.connections.lock();
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
}

impl Slot {
    /// Counts the begin of a request.
    pub(super) fn begin_request(&self) -> ActiveRequest {
        self.connection.requests.fetch_add(1, Ordering::Relaxed);
        ActiveRequest {
            connection: Arc::clone(&self.connection),
            started: self.limit.started,
        }
    }

    /// Resolves when the slot is needed by another connection; never while a complete request is
    /// being served.
    pub(super) async fn evicted(&self) {
        loop {
            self.connection.evicted.notified().await;
            if self.connection.is_waiting() {
                return;
            }
        }
    }

    /// Time since the last request; `None` while one is in progress.
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
    /// Wraps the body, so that the request counts as incomplete until the body has arrived.
    pub(super) fn receive(&self, body: Incoming) -> Body {
        if body.is_end_stream() {
            return Body::new(body);
        }
        self.connection.incomplete.fetch_add(1, Ordering::Relaxed);
        let incomplete = Some(Incomplete(Arc::clone(&self.connection)));
        Body::new(Arriving { body, incomplete })
    }

    /// Waits for a permit, which only unauthenticated HTTP/2 connections need.
    pub(super) async fn permit(&self, is_http2: bool) -> Option<SemaphorePermit<'_>> {
        let is_authenticated = || self.connection.has_valid_key.load(Ordering::Relaxed);
        if !is_http2 || is_authenticated() {
            return None;
        }
        // The semaphore is never closed.
        self.connection.unauthenticated.acquire().await.ok()
    }

    /// Marks the connection as authenticated.
    pub(super) fn has_valid_key(&self) {
        self.connection.has_valid_key.store(true, Ordering::Relaxed);
    }
}

impl Connection {
    /// Returns whether no request is being served: none at all, or only incomplete ones.
    fn is_waiting(&self) -> bool {
        let requests = self.requests.load(Ordering::Relaxed);
        requests <= self.incomplete.load(Ordering::Relaxed)
    }
}

/// A request body; its request counts as incomplete until the last frame.
struct Arriving {
    body: Incoming,
    incomplete: Option<Incomplete>,
}

/// Counts one incomplete request until dropped.
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
        self.limit.connections.lock().remove(&self.number);
        self.limit.open.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for ActiveRequest {
    fn drop(&mut self) {
        let now = clock(self.started);
        self.connection.idle_since.store(now, Ordering::Relaxed);
        self.connection.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Milliseconds since `started`.
fn clock(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(EVICTED - 1)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn closes_the_connection_that_was_idle_longest() {
        let limit = Arc::new(ConnectionLimit::new(2, OpenConnections::default()));
        let first = limit.acquire().await;
        let second = limit.acquire().await;
        time::sleep(Duration::from_secs(1)).await;
        drop(first.begin_request()); // resets its idle time

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
        assert_eq!(limit.connections.lock().len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn keeps_a_connection_with_a_request_in_progress() {
        let limit = Arc::new(ConnectionLimit::new(1, OpenConnections::default()));
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
        let limit = Arc::new(ConnectionLimit::new(2, OpenConnections::default()));
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
        let limit = Arc::new(ConnectionLimit::new(2, OpenConnections::default()));
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
        let limit = Arc::new(ConnectionLimit::new(1, OpenConnections::default()));
        let slot = limit.acquire().await;
        limit.evict_one();
        let request = slot.begin_request();
        assert!(slot.evicted().now_or_never().is_none());
        drop(request);
        limit.evict_one();
        slot.evicted().await;
    }
}
