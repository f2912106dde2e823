//! The connection to Redis: one for all, made again by a task of its own.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use redis::{RedisError, RedisResult};
use tokio::{
    runtime::Handle,
    time::{sleep, timeout},
};

use super::connection::{Connection, Refusal, Source};
use crate::state::StateError;

/// Timeouts in a row after which the connection counts as lost.
const MOST_TIMEOUTS: u32 = 3;

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
    timeouts: AtomicU32,
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
            timeouts: AtomicU32::new(0),
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

    pub(super) fn is_down(&self) -> bool {
        self.lock().is_none()
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
        match timeout(limit, operation).await {
            Ok(Ok(value)) => {
                self.0.timeouts.store(0, Ordering::Relaxed);
                Ok(value)
            }
            Ok(Err(error)) => {
                if is_lost(&error) {
                    self.lost(&error.to_string());
                }
                Err(StateError::Redis(error.to_string()))
            }
            Err(_) => {
                let timeouts = self.0.timeouts.fetch_add(1, Ordering::Relaxed) + 1;
                if timeouts >= MOST_TIMEOUTS {
                    self.lost("it does not answer in time");
                }
                Err(StateError::Down)
            }
        }
    }

    /// Gives the connection up and makes another one in the background.
    fn lost(&self, why: &str) {
        // Of several operations that fail at once, the first one reconnects.
        if self.lock().take().is_some() {
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
            while connected.is_err() {
                sleep(pause).await;
                pause = longest.min(pause * 2);
                connected = link.0.connect().await;
            }
            if let Ok(connections) = connected {
                link.0.timeouts.store(0, Ordering::Relaxed);
                *link.lock() = Some(connections);
                tracing::info!("Redis is back");
            }
        });
    }

    fn lock(&self) -> MutexGuard<'_, Option<Connections>> {
        let connections = self.0.connections.lock();
        connections.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    async fn connect(&self) -> Result<Connections, Refusal> {
        let common = self.source.connect().await?;
        let waiting = match self.waits {
            true => Some(self.source.connect().await?),
            false => None,
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
