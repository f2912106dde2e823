//! The shared connection to Redis, and its replacement in the background.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use redis::{RedisError, RedisResult};
use tokio::{
    runtime::Handle,
    time::{Instant, sleep, timeout},
};

use super::connection::{ConnectError, Connection, Connector};
use crate::state::StateError;

/// Time without a reply, from the first timeout, after which the connection counts as lost.
const SILENCE: Duration = Duration::from_millis(75);

/// Extra time for a reply that arrived while this process was not scheduled.
const GRACE: Duration = Duration::from_millis(5);

/// First and longest pause between two attempts to connect.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(8));

/// The connections and their replacement. Clones share them.
#[derive(Clone)]
pub(super) struct Link(Arc<Inner>);

struct Inner {
    source: Connector,
    /// True if blocking commands get a connection of their own.
    has_blocking: bool,
    /// `None` while the engine is down.
    connections: Mutex<Option<Connections>>,
    /// Time of the first timeout since the last reply.
    silent_since: Mutex<Option<Instant>>,
    /// True during the first attempt to replace a lost connection.
    is_replacing: AtomicBool,
    runtime: Handle,
}

#[derive(Clone)]
struct Connections {
    common: Connection,
    blocking: Option<Connection>,
}

impl Link {
    pub(super) fn open(source: Connector, has_blocking: bool) -> Result<Self, StateError> {
        let link = Self(Arc::new(Inner {
            source,
            has_blocking,
            connections: Mutex::default(),
            silent_since: Mutex::default(),
            is_replacing: AtomicBool::new(false),
            runtime: Handle::current(),
        }));
        match link.0.runtime.block_on(link.0.connect()) {
            Ok(connections) => *link.0.connections.lock() = Some(connections),
            Err(ConnectError::Fatal(why)) => return Err(StateError::Redis(why)),
            Err(ConnectError::Unreachable(why)) => {
                tracing::warn!(why, "Redis cannot be reached; starting without it");
                link.reconnect();
            }
        }
        Ok(link)
    }

    pub(super) fn runtime(&self) -> &Handle {
        &self.0.runtime
    }

    /// True while there is no connection, from the first failed attempt to replace a lost one.
    pub(super) fn is_down(&self) -> bool {
        self.0.connections.lock().is_none() && !self.0.is_replacing.load(Ordering::Acquire)
    }

    /// Runs an operation on the shared connection, with a timeout. Fails at once without a
    /// connection.
    pub(super) async fn within<T, F: Future<Output = RedisResult<T>>>(
        &self,
        limit: Duration,
        operation: impl FnOnce(Connection) -> F,
    ) -> Result<T, StateError> {
        let connections = self.0.connections.lock().clone().ok_or(StateError::Down)?;
        self.timed(limit, operation(connections.common)).await
    }

    /// Runs an operation that blocks the connection, on the connection for such operations.
    pub(super) async fn blocking<T, F: Future<Output = RedisResult<T>>>(
        &self,
        limit: Duration,
        operation: impl FnOnce(Connection) -> F,
    ) -> Result<T, StateError> {
        let connections = self.0.connections.lock().clone().ok_or(StateError::Down)?;
        let connection = connections.blocking.unwrap_or(connections.common);
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
                self.mark_alive();
                Ok(value)
            }
            Ok(Err(error)) => {
                if is_connection_lost(&error) {
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

    fn mark_alive(&self) {
        *self.0.silent_since.lock() = None;
    }

    /// Records a timeout. True if there was no reply for too long.
    fn is_silent(&self, limit: Duration) -> bool {
        let now = Instant::now();
        let mut silent_since = self.0.silent_since.lock();
        let since = silent_since.get_or_insert(now);
        now.duration_since(*since) + limit > SILENCE
    }

    /// Drops the connection and replaces it in the background.
    fn lost(&self, why: &str) {
        // Of several operations that fail at the same time, only the first one reconnects.
        let mut connections = self.0.connections.lock();
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
            // A failover or a restart may already be over.
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
                link.mark_alive();
                *link.0.connections.lock() = Some(connections);
                link.0.is_replacing.store(false, Ordering::Release);
                tracing::info!("Redis is back");
            }
        });
    }
}

impl Inner {
    async fn connect(&self) -> Result<Connections, ConnectError> {
        let common = self.source.connect().await?;
        let blocking = if self.has_blocking {
            Some(self.source.connect().await?)
        } else {
            None
        };
        Ok(Connections { common, blocking })
    }
}

/// True if another connection may work.
fn is_connection_lost(error: &RedisError) -> bool {
    error.is_io_error()
        || error.is_connection_dropped()
        || matches!(
            error.code(),
            Some("READONLY" | "LOADING" | "MASTERDOWN" | "CLUSTERDOWN")
        )
}
