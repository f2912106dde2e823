//! State of a sandbox, behind one lock.

use std::ops::{Deref, DerefMut};

use super::account::Account;
use super::engine::{Store, seeded_store};
use super::faults::Faults;
use super::webhooks::Webhooks;

/// Account, engine store, and armed faults.
pub(crate) struct State {
    account: Account,
    /// Filled on first use.
    pub(crate) store: Option<Store>,
    /// Armed faults, oldest first.
    pub(crate) faults: Vec<Faults>,
    pub(crate) webhooks: Webhooks,
}

impl State {
    pub(crate) fn new(account: Account) -> Self {
        Self {
            account,
            store: None,
            faults: Vec::new(),
            webhooks: Webhooks::default(),
        }
    }

    /// The account and the engine's store.
    pub(crate) fn parts(&mut self) -> (&mut Account, &mut Store) {
        let Self { account, store, .. } = self;
        let store = store.get_or_insert_with(|| seeded_store(account));
        (account, store)
    }
}

impl Deref for State {
    type Target = Account;

    fn deref(&self) -> &Account {
        &self.account
    }
}

impl DerefMut for State {
    fn deref_mut(&mut self) -> &mut Account {
        &mut self.account
    }
}
