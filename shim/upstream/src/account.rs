//! What the tenants of one v2 account share: its rate budget and its circuit breaker.

use std::{collections::HashMap, sync::Arc};

use mappings::catalog::Rates;

use crate::{breaker::Breaker, budget::Budget};

/// The limits and the health of one v2 account.
#[derive(Debug)]
pub struct Account {
    /// The rate budget.
    pub budget: Budget,
    /// The circuit breaker.
    pub breaker: Breaker,
}

/// Names a v2 account without telling which: a digest.
pub type AccountDigest = [u8; 32];

/// All accounts.
#[derive(Clone, Debug, Default)]
pub struct Accounts(HashMap<AccountDigest, (Option<Rates>, Arc<Account>)>);

impl Account {
    /// An account with these rates; without rates, only v2's own refusals count.
    pub fn new(rates: Option<Rates>) -> Self {
        Self {
            budget: Budget::new(rates),
            breaker: Breaker::new(),
        }
    }
}

impl Accounts {
    /// The account of a digest: the one in `before` if its rates are the same, else a new one.
    /// Among tenants of one account, the rates of the first count.
    pub fn account(
        &mut self,
        digest: AccountDigest,
        rates: Option<Rates>,
        before: &Self,
    ) -> Arc<Account> {
        let (_, account) = self.0.entry(digest).or_insert_with(|| {
            let kept = before.0.get(&digest).filter(|(known, _)| *known == rates);
            let new = || (rates, Arc::new(Account::new(rates)));
            kept.cloned().unwrap_or_else(new)
        });
        Arc::clone(account)
    }

    /// True while all accounts in use are known to be down, one at least.
    pub fn are_down(&self) -> bool {
        let breakers = || self.0.values().map(|(_, account)| &account.breaker);
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
    fn tenants_of_one_account_share_it() {
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
