//! The shares of rollouts.

use std::time::Duration;

use bytes::Bytes;

use super::{State, keyring::Space};

/// For how long a share is kept after the last process that has it.
const SHARE_TIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);

impl State {
    /// The share that is kept of a rollout; `None` if it cannot be read now.
    pub(crate) async fn share(&self, rollout: &str) -> Option<Option<Bytes>> {
        // It is asked every second: an outage is logged by those who need it.
        if self.is_degraded() {
            return None;
        }
        let parts = [rollout.as_bytes()];
        let previous = self.0.keyring.previous_name(Space::Rollout, &parts);
        let names = [Some(self.name(Space::Rollout, &parts)), previous];
        for name in names.into_iter().flatten() {
            let kept = self.ok(self.engine().kept(name).await)?;
            if let Some(kept) = kept.and_then(|sealed| self.unseal(name, &sealed)) {
                return Some(Some(kept));
            }
        }
        Some(None)
    }

    /// Keeps the share of a rollout; false if it cannot be kept now.
    pub(crate) async fn save_share(&self, rollout: &str, share: &[u8]) -> bool {
        let name = self.name(Space::Rollout, &[rollout.as_bytes()]);
        let Some(sealed) = self.ok(self.seal(name, share)) else {
            return false;
        };
        let kept = self.engine().keep(name, sealed, SHARE_TIME).await;
        self.ok(kept).is_some()
    }
}
