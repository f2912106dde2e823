//! The current shares of rollouts.

use std::time::Duration;

use bytes::Bytes;

use super::{State, keyring::Space};

/// Time for which a share is kept without a process that renews it.
const SHARE_TIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);

impl State {
    /// The stored share of a rollout; `None` if it cannot be read now.
    pub(crate) async fn share(&self, rollout: &str) -> Option<Option<Bytes>> {
        // Called every second. Other operations log the outage.
        if self.is_degraded() {
            return None;
        }
        let parts = [rollout.as_bytes()];
        let previous = self.0.keyring.previous_name(Space::Rollout, &parts);
        let names = [Some(self.name(Space::Rollout, &parts)), previous];
        for name in names.into_iter().flatten() {
            let kept = self.logged(self.engine().value(name).await)?;
            if let Some(kept) = kept.and_then(|sealed| self.unseal(name, &sealed)) {
                return Some(Some(kept));
            }
        }
        Some(None)
    }

    /// Stores the share of a rollout; false if it cannot be stored now.
    pub(crate) async fn save_share(&self, rollout: &str, share: &[u8]) -> bool {
        let name = self.name(Space::Rollout, &[rollout.as_bytes()]);
        let Some(sealed) = self.logged(self.seal(name, share)) else {
            return false;
        };
        let kept = self.engine().set_value(name, sealed, SHARE_TIME).await;
        self.logged(kept).is_some()
    }
}
