//! Stages of a graceful shutdown.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tokio_util::sync::CancellationToken;

/// Grace period for a request in transit when its connection should be closed.
pub(super) const LINGER: Duration = Duration::from_millis(500);

/// Time for a client to read its last response.
pub(super) const FAREWELL: Duration = Duration::from_secs(3);

/// State of the shutdown: running, draining, then closing.
#[derive(Debug, Default)]
pub(super) struct Shutdown {
    is_draining: AtomicBool,
    closing: CancellationToken,
}

impl Shutdown {
    /// Begins to drain: each connection ends after its next response.
    pub(super) fn drain(&self) {
        self.is_draining.store(true, Ordering::SeqCst);
    }

    /// Begins to close: no connection is accepted any more, and idle ones are closed.
    pub(super) fn close(&self) {
        self.closing.cancel();
    }

    pub(super) fn is_draining(&self) -> bool {
        self.is_draining.load(Ordering::Relaxed)
    }

    /// Resolves when closing begins.
    pub(super) async fn closing(&self) {
        self.closing.cancelled().await;
    }
}
