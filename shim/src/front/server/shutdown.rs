//! The stages of a graceful shutdown, and how connections learn of them.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tokio_util::sync::CancellationToken;

/// For a request that is on its way when its connection should be closed.
pub(super) const LINGER: Duration = Duration::from_millis(500);

/// For a client to take its last response.
pub(super) const FAREWELL: Duration = Duration::from_secs(3);

/// Running, then draining, then closing.
#[derive(Debug, Default)]
pub(super) struct Shutdown {
    is_draining: AtomicBool,
    closing: CancellationToken,
}

impl Shutdown {
    /// From now on, a response is the last one of its connection.
    pub(super) fn drain(&self) {
        self.is_draining.store(true, Ordering::SeqCst);
    }

    /// From now on, no connection is accepted, and idle ones are closed.
    pub(super) fn close(&self) {
        self.closing.cancel();
    }

    pub(super) fn is_draining(&self) -> bool {
        self.is_draining.load(Ordering::Relaxed)
    }

    /// Resolves at the last stage.
    pub(super) async fn closing(&self) {
        self.closing.cancelled().await;
    }
}
