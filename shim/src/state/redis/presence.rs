//! How many replicas there are, by their signs of life in Redis.

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

/// The interval of signs of life.
const BEAT: Duration = Duration::from_secs(1);

/// A replica counts for this long after its last sign of life.
pub(super) const COUNTED: Duration = Duration::from_secs(15);

/// All replicas that are alive have connected again this long after the first one: longer than the
/// longest pause between two attempts.
const SETTLED: Duration = Duration::from_secs(10);

/// The replicas, as far as this one knows.
#[derive(Debug, Default)]
pub(super) struct Presence {
    /// 0 before the first answer.
    count: AtomicU32,
    /// False while other replicas may not reach Redis.
    is_complete: AtomicBool,
}

impl Presence {
    /// Gives signs of life, which return the number of replicas, for as long as the presence is used.
    pub(super) fn start<F>(runtime: &Handle, sign: impl Fn() -> F + Send + 'static) -> Arc<Self>
    where
        F: Future<Output = Result<u32, StateError>> + Send + 'static,
    {
        let presence = Arc::new(Self::default());
        runtime.spawn(beat(Arc::downgrade(&presence), sign));
        presence
    }

    pub(super) fn processes(&self) -> Processes {
        Processes {
            count: NonZeroU32::new(self.count.load(Ordering::Relaxed)),
            is_complete: self.is_complete.load(Ordering::Relaxed),
        }
    }
}

async fn beat<F>(presence: Weak<Presence>, sign: impl Fn() -> F)
where
    F: Future<Output = Result<u32, StateError>>,
{
    let mut settled = Instant::now();
    while let Some(presence) = presence.upgrade() {
        if let Ok(count) = sign().await {
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
        sleep(BEAT).await;
    }
}
