//! The connection to Redis: one for all, made again by a task of its own.

use std::{
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use redis::{RedisError, RedisResult};
use tokio::{
    runtime::Handle,
    time::{Instant, sleep, timeout},
};

use super::connection::{Connection, Refusal, Source};
use crate::state::StateError;

/// The connection counts as lost after this time without an answer, counted from the first timeout.
const SILENCE: Duration = Duration::from_millis(75);

/// What is left for an answer that has arrived while this process had no processor.
const GRACE: Duration = Duration::from_millis(5);

/// The first and the longest pause between two attempts to connect.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(8));

/// The connections, and how they are made. Clones are the same.
#[derive(Clone)]
pub(super) struct Link(Arc<Inner>);

struct Inner {
    source: Source,
    /// Whether there is a connection for commands that block it.
    waits: bool,
    /// `None` while the engine is down.
    connections: Mutex<Option<Connections>>,
    /// The first timeout since the last answer.
    silent_since: Mutex<Option<Instant>>,
    /// True while the first attempt is made to replace a lost connection.
    is_replacing: AtomicBool,
    runtime: Handle,
}

#[derive(Clone)]
struct Connections {
    common: Connection,
    waiting: Option<Connection>,
}

impl Link {
    pub(super) fn open(source: Source, waits: bool) -> Result<Self, StateError> {
        let link = Self(Arc::new(Inner {
            source,
            waits,
            connections: Mutex::default(),
            silent_since: Mutex::default(),
            is_replacing: AtomicBool::new(false),
            runtime: Handle::current(),
        }));
        match link.0.runtime.block_on(link.0.connect()) {
            Ok(connections) => *link.lock() = Some(connections),
            Err(Refusal::Fatal(why)) => return Err(StateError::Redis(why)),
            Err(Refusal::Unreachable(why)) => {
                tracing::warn!(why, "Redis cannot be reached; starting without it");
                link.reconnect();
            }
        }
        Ok(link)
    }

    pub(super) fn runtime(&self) -> &Handle {
        &self.0.runtime
    }

    /// True from the first failed attempt to replace a lost connection on.
    pub(super) fn is_down(&self) -> bool {
        self.lock().is_none() && !self.0.is_replacing.load(Ordering::Acquire)
    }

    /// Runs an operation on the connection, within a timeout; fails at once while there is none.
    pub(super) async fn within<T, F: Future<Output = RedisResult<T>>>(
        &self,
        limit: Duration,
        operation: impl FnOnce(Connection) -> F,
    ) -> Result<T, StateError> {
        let connections = self.lock().clone().ok_or(StateError::Down)?;
        self.timed(limit, operation(connections.common)).await
    }

    /// The same on the connection that only operations share which block it.
    pub(super) async fn blocking<T, F: Future<Output = RedisResult<T>>>(
        &self,
        limit: Duration,
        operation: impl FnOnce(Connection) -> F,
    ) -> Result<T, StateError> {
        let connections = self.lock().clone().ok_or(StateError::Down)?;
        let connection = connections.waiting.unwrap_or(connections.common);
        self.timed(limit, operation(connection)).await
    }

    async fn timed<T>(
        &self,
        limit: Duration,
        operation: impl Future<Output = RedisResult<T>>,
    ) -> Result<T, StateError> {
        let mut operation = pin!(operation);
        let mut answer = timeout(limit, &mut operation).await;
        if answer.is_err() {
            answer = timeout(GRACE, &mut operation).await;
        }
        match answer {
            Ok(Ok(value)) => {
                self.heard();
                Ok(value)
            }
            Ok(Err(error)) => {
                if is_lost(&error) {
                    self.lost(&error.to_string());
                }
                Err(StateError::Redis(error.to_string()))
            }
            Err(_) => {
                if self.is_silent(limit) {
                    self.lost("it does not answer in time");
                }
                Err(StateError::Down)
            }
        }
    }

    fn heard(&self) {
        *lock(&self.0.silent_since) = None;
    }

    /// Notes a timeout. True if no answer came for long.
    fn is_silent(&self, limit: Duration) -> bool {
        let now = Instant::now();
        let mut silent_since = lock(&self.0.silent_since);
        let since = silent_since.get_or_insert(now);
        now.duration_since(*since) + limit > SILENCE
    }

    /// Gives the connection up and makes another one in the background.
    fn lost(&self, why: &str) {
        // Of several operations that fail at once, the first one reconnects.
        let mut connections = self.lock();
        if connections.take().is_some() {
            self.0.is_replacing.store(true, Ordering::Release);
            drop(connections);
            tracing::warn!(why, "Redis is lost; state is local until it is back");
            self.reconnect();
        }
    }

    fn reconnect(&self) {
        let link = self.clone();
        self.0.runtime.spawn(async move {
            let (mut pause, longest) = PAUSES;
            // A failover or a restart may be over already.
            let mut connected = link.0.connect().await;
            if connected.is_err() {
                link.0.is_replacing.store(false, Ordering::Release);
            }
            while connected.is_err() {
                sleep(pause).await;
                pause = longest.min(pause * 2);
                connected = link.0.connect().await;
            }
            if let Ok(connections) = connected {
                link.heard();
                *link.lock() = Some(connections);
                link.0.is_replacing.store(false, Ordering::Release);
                tracing::info!("Redis is back");
            }
        });
    }

    fn lock(&self) -> MutexGuard<'_, Option<Connections>> {
        lock(&self.0.connections)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing is left half done in it by a panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    async fn connect(&self) -> Result<Connections, Refusal> {
        let common = self.source.connect().await?;
        let waiting = if self.waits {
            Some(self.source.connect().await?)
        } else {
            None
        };
        Ok(Connections { common, waiting })
    }
}

/// True if another connection may do better.
fn is_lost(error: &RedisError) -> bool {
    error.is_io_error()
        || error.is_connection_dropped()
        || matches!(
            error.code(),
            Some("READONLY" | "LOADING" | "MASTERDOWN" | "CLUSTERDOWN")
        )
}
