//! The page cursors of lists, and the generation of a v2 account.

use super::{Key, Name, State, StateError, keyring::Space};

/// Tokens of pages by page number.
pub(crate) type Cursors = Vec<(u32, String)>;

impl State {
    /// The cursors of a list of a tenant, if they are remembered, and the generation of its account,
    /// if it can be read.
    pub(crate) async fn list(
        &self,
        tenant: &Key,
        list: &str,
        account: &Key,
    ) -> (Option<Cursors>, Option<u64>) {
        let parts = [tenant.as_bytes().as_slice(), list.as_bytes()];
        let name = self.name(Space::List, &parts);
        let account = self.name(Space::Account, &[account.as_bytes()]);
        let Some((found, generation)) = self.ok(self.engine().list(name, account).await) else {
            return (None, None);
        };
        let opened = found.and_then(|sealed| self.unseal(name, &sealed));
        let cursors = opened.and_then(|opened| serde_json::from_slice(&opened).ok());
        (cursors, Some(generation))
    }

    /// Remembers the cursors of a list of a tenant.
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
        if let Some(sealed) = self.ok(self.seal(name, &written)) {
            self.ok(self.engine().save_cursors(name, account, sealed).await);
        }
    }

    /// How often the account was written to; `None` if that cannot be read.
    pub(crate) async fn generation(&self, account: &Key) -> Option<u64> {
        let account = self.name(Space::Account, &[account.as_bytes()]);
        self.ok(self.engine().generation(account).await)
    }

    /// The account was written to by somebody else than this shim: what is remembered may be old.
    pub(crate) async fn wrote_elsewhere(&self, account: &Key) {
        self.wrote(self.name(Space::Account, &[account.as_bytes()]))
            .await;
    }

    /// The account was written to, while another engine stood in for this one.
    pub(super) async fn wrote(&self, account: Name) {
        self.ok(self.engine().advance(account).await);
    }

    /// For what costs time only if the engine fails.
    pub(super) fn ok<T>(&self, result: Result<T, StateError>) -> Option<T> {
        result.inspect_err(|error| self.missed(error)).ok()
    }
}
