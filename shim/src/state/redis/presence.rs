//! Number of replicas, from their heartbeats in Redis.

use std::{
    num::NonZeroU32,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::{
    runtime::Handle,
    time::{Instant, sleep},
};

use crate::state::{StateError, engine::Processes};

/// Interval of heartbeats.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// Time for which a replica counts after its last heartbeat.
pub(super) const COUNTED: Duration = Duration::from_secs(15);

/// Time after the first reconnection until all live replicas have reconnected: longer than the
/// longest pause between two attempts.
const SETTLED: Duration = Duration::from_secs(10);

/// The number of replicas, as this one last saw it.
#[derive(Debug, Default)]
pub(super) struct Presence {
    /// 0 before the first heartbeat.
    count: AtomicU32,
    /// False while other replicas may still be reconnecting.
    is_complete: AtomicBool,
}

impl Presence {
    /// Sends heartbeats, which return the number of replicas, until the presence is dropped.
    pub(super) fn start<F>(
        runtime: &Handle,
        heartbeat: impl Fn() -> F + Send + 'static,
    ) -> Arc<Self>
    where
        F: Future<Output = Result<u32, StateError>> + Send + 'static,
    {
        let presence = Arc::new(Self::default());
        runtime.spawn(beat(Arc::downgrade(&presence), heartbeat));
        presence
    }

    pub(super) fn processes(&self) -> Processes {
        Processes {
            count: NonZeroU32::new(self.count.load(Ordering::Relaxed)),
            is_complete: self.is_complete.load(Ordering::Relaxed),
        }
    }
}

async fn beat<F>(presence: Weak<Presence>, heartbeat: impl Fn() -> F)
where
    F: Future<Output = Result<u32, StateError>>,
{
    let mut settled = Instant::now();
    while let Some(presence) = presence.upgrade() {
        if let Ok(count) = heartbeat().await {
            let known = presence.count.load(Ordering::Relaxed);
            let is_back = known > 0 && count >= known;
            if is_back || Instant::now() >= settled {
                presence.count.store(count, Ordering::Relaxed);
                presence.is_complete.store(true, Ordering::Relaxed);
            }
        } else {
            presence.is_complete.store(false, Ordering::Relaxed);
            settled = Instant::now() + SETTLED;
        }
        drop(presence);
        sleep(HEARTBEAT).await;
    }
}
