//! The page cursors of lists.

use super::{Key, State, StateError, keyring::Space};

/// Tokens of pages by page number.
pub(crate) type Cursors = Vec<(u32, String)>;

impl State {
    /// The cursors of a list of a tenant, if they are remembered.
    pub(crate) async fn cursors(&self, tenant: &Key, list: &str) -> Option<Cursors> {
        let parts = [tenant.as_bytes().as_slice(), list.as_bytes()];
        let name = self.name(Space::List, &parts);
        let account = self.name(Space::Account, &[tenant.as_bytes()]);
        let (found, _) = self.survived(self.engine().list(name, account).await)?;
        serde_json::from_slice(&self.unseal(name, &found?)?).ok()
    }

    /// Remembers the cursors of a list of a tenant.
    pub(crate) async fn save_cursors(&self, tenant: &Key, list: &str, cursors: &Cursors) {
        let parts = [tenant.as_bytes().as_slice(), list.as_bytes()];
        let name = self.name(Space::List, &parts);
        let written = serde_json::to_vec(cursors).unwrap_or_default();
        if let Some(sealed) = self.survived(self.seal(name, &written)) {
            self.survived(self.engine().save_cursors(name, sealed).await);
        }
    }

    /// Logs why the engine failed where that costs time only.
    fn survived<T>(&self, result: Result<T, StateError>) -> Option<T> {
        result
            .inspect_err(|error| {
                let engine = self.engine().kind();
                tracing::warn!(engine, %error, "State cannot be used");
            })
            .ok()
    }
}
