//! State shared by the tenants of one v2 account: rate budget and circuit breaker.

use std::{collections::HashMap, sync::Arc};

use mappings::catalog::Rates;

use crate::{
    breaker::Breaker,
    budget::{AccountDigest, Budget, SharedBudget},
};

/// Rate budget and circuit breaker of one v2 account.
#[derive(Debug)]
pub struct Account {
    /// The rate budget.
    pub budget: Budget,
    /// The circuit breaker.
    pub breaker: Breaker,
}

/// All accounts.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    accounts: HashMap<AccountDigest, (Option<Rates>, Arc<Account>)>,
    shared: Option<Arc<dyn SharedBudget>>,
}

impl Account {
    /// Without `rates`, only v2's own rejections limit calls. See [`Budget::new`] for `shared`.
    pub fn new(
        rates: Option<Rates>,
        shared: Option<(AccountDigest, Arc<dyn SharedBudget>)>,
    ) -> Self {
        Self {
            budget: Budget::new(rates, shared),
            breaker: Breaker::new(),
        }
    }
}

impl Accounts {
    /// Creates an empty set; `shared` is the budget shared with other processes.
    pub fn new(shared: Option<Arc<dyn SharedBudget>>) -> Self {
        Self {
            accounts: HashMap::new(),
            shared,
        }
    }

    /// The account of a digest: the one in `before` if its rates are unchanged, else a new one. If
    /// tenants of one account configure different rates, the first ones are used.
    pub fn account(
        &mut self,
        digest: AccountDigest,
        rates: Option<Rates>,
        before: &Self,
    ) -> Arc<Account> {
        let (_, account) = self.accounts.entry(digest).or_insert_with(|| {
            let known = before.accounts.get(&digest);
            let kept = known.filter(|(known, _)| *known == rates);
            let shared = self.shared.clone().map(|shared| (digest, shared));
            let new = || (rates, Arc::new(Account::new(rates, shared)));
            kept.cloned().unwrap_or_else(new)
        });
        Arc::clone(account)
    }

    /// True while the breakers of all used accounts are open; false if none is used.
    pub fn are_down(&self) -> bool {
        let breakers = || self.accounts.values().map(|(_, account)| &account.breaker);
        breakers().any(Breaker::is_open)
            && breakers().all(|breaker| breaker.is_open() || !breaker.is_used())
    }
}

#[cfg(test)]
mod tests {
    use mappings::Catalog;

    use super::*;

    fn rates(plan: &str) -> Option<Rates> {
        Catalog::embedded().unwrap().rates().get(plan).copied()
    }

    fn digest(name: &str) -> AccountDigest {
        std::array::from_fn(|at| name.as_bytes().get(at).copied().unwrap_or(0))
    }

    #[test]
    fn tenants_share_their_account() {
        let (mut accounts, none) = (Accounts::default(), Accounts::default());
        let mut of = |name| accounts.account(digest(name), rates("pro"), &none);
        let (one, other, again) = (of("one"), of("other"), of("one"));
        assert!(Arc::ptr_eq(&one, &again));
        assert!(!Arc::ptr_eq(&one, &other));

        let mut later = Accounts::default();
        let mut of = |name, plan| later.account(digest(name), plan, &accounts);
        assert!(Arc::ptr_eq(&one, &of("one", rates("pro"))));
        assert!(
            !Arc::ptr_eq(&other, &of("other", rates("free"))),
            "another plan"
        );
    }
}
