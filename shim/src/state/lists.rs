//! Page cursors of lists, and the generation of a v2 account.

use super::{Key, Name, State, StateError, keyring::Space};

/// Page tokens by page number.
pub(crate) type Cursors = Vec<(u32, String)>;

impl State {
    /// The cursors of a list of a tenant, if they are stored, and the generation of its account,
    /// unless the engine fails.
    pub(crate) async fn list(
        &self,
        tenant: &Key,
        list: &str,
        account: &Key,
    ) -> (Option<Cursors>, Option<u64>) {
        let parts = [tenant.as_bytes().as_slice(), list.as_bytes()];
        let name = self.name(Space::List, &parts);
        let account = self.name(Space::Account, &[account.as_bytes()]);
        let Some((found, generation)) = self.logged(self.engine().list(name, account).await) else {
            return (None, None);
        };
        let opened = found.and_then(|sealed| self.unseal(name, &sealed));
        let cursors = opened.and_then(|opened| serde_json::from_slice(&opened).ok());
        (cursors, Some(generation))
    }

    /// Stores the cursors of a list of a tenant.
    pub(crate) async fn save_cursors(
        &self,
        tenant: &Key,
        list: &str,
        account: &Key,
        cursors: &Cursors,
    ) {
        let parts = [tenant.as_bytes().as_slice(), list.as_bytes()];
        let name = self.name(Space::List, &parts);
        let account = self.name(Space::Account, &[account.as_bytes()]);
        let written = serde_json::to_vec(cursors).unwrap_or_default();
        if let Some(sealed) = self.logged(self.seal(name, &written)) {
            self.logged(self.engine().save_cursors(name, account, sealed).await);
        }
    }

    /// The number of writes to the account; `None` if the engine fails.
    pub(crate) async fn generation(&self, account: &Key) -> Option<u64> {
        let account = self.name(Space::Account, &[account.as_bytes()]);
        self.logged(self.engine().generation(account).await)
    }

    /// Records a write to the account by another program: cached responses may be out of date.
    pub(crate) async fn wrote_elsewhere(&self, account: &Key) {
        self.wrote(self.name(Space::Account, &[account.as_bytes()]))
            .await;
    }

    /// Records a write to the account that ran on another engine.
    pub(super) async fn wrote(&self, account: Name) {
        self.logged(self.engine().advance(account).await);
    }

    /// Turns a failure of the engine that only costs time into `None`, and logs it.
    pub(super) fn logged<T>(&self, result: Result<T, StateError>) -> Option<T> {
        result.inspect_err(|error| self.log_failure(error)).ok()
    }
}
