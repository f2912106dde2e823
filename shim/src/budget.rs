//! How many calls v2 takes from an account, so that the shim waits its turn instead of being
//! refused.
//!
//! v2 counts by rate label and second, and how much it takes depends on the account's plan, as the
//! catalog has it. Callers wait in the order in which they came, within their deadline. What v2
//! itself refuses for longer, as with its daily limits, is not asked again for a while.

mod bucket;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bucket::Bucket;
use mappings::{Method, catalog::Rates};
use tokio::time::Instant;

use crate::{label::Label, store::Key};

/// From here on a wait that v2 asks for is not one that a caller can sit out.
const LONG: Duration = Duration::from_secs(5);

/// An endpoint that v2 refuses for long is asked again so often, whatever time v2 named: some of
/// its daily limits are for one user only, and clocks differ.
const RECHECK: Duration = Duration::from_secs(60);

/// What one v2 account may use.
#[derive(Debug)]
pub(crate) struct Budget {
    buckets: Option<[Bucket; 4]>,
    /// Endpoints that v2 refuses, by method and template, and until when. As many as plans have.
    refused: Mutex<HashMap<(Method, Arc<str>), Instant>>,
}

/// The budgets of all accounts: tenants with the same one share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Budgets(HashMap<Key, (Option<Rates>, Arc<Budget>)>);

/// There is no turn in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exhausted;

impl Budgets {
    /// The budget of an account: the one of `before` if that has it, with the same rates.
    /// Among tenants of one account, the plan of the first counts.
    pub(crate) fn of_account(
        &mut self,
        account: Key,
        rates: Option<Rates>,
        before: &Self,
    ) -> Arc<Budget> {
        let (_, budget) = self.0.entry(account).or_insert_with(|| {
            let kept = before.0.get(&account).filter(|(known, _)| *known == rates);
            let new = || (rates, Arc::new(Budget::new(rates)));
            kept.cloned().unwrap_or_else(new)
        });
        Arc::clone(budget)
    }
}

impl Budget {
    /// The budget of an account with these rates; without any, v2's own refusals are all that is
    /// heeded.
    pub(crate) fn new(rates: Option<Rates>) -> Self {
        let second = Duration::from_secs(1);
        let buckets = rates.map(|rates| {
            [
                Bucket::new(rates.light, second),
                Bucket::new(rates.medium, second),
                Bucket::new(rates.heavy, second),
                Bucket::new(rates.resource_intensive, Duration::from_secs(60)),
            ]
        });
        Self {
            buckets,
            refused: Mutex::default(),
        }
    }

    /// Waits for a turn to make a call, behind those who came before.
    ///
    /// # Errors
    ///
    /// If there is none until then.
    pub(crate) async fn turn(
        &self,
        label: Label,
        method: Method,
        template: &Arc<str>,
        until: Instant,
    ) -> Result<(), Exhausted> {
        if self.is_refused(method, template) {
            return Err(Exhausted);
        }
        match self.bucket(label) {
            Some(bucket) => bucket.turn(until).await,
            None => Ok(()),
        }
    }

    /// v2 refused a call for its limits, and said for how long, if it did.
    pub(crate) fn refused(&self, method: Method, template: &Arc<str>, after: Option<Duration>) {
        let after = after.unwrap_or(RECHECK);
        if after >= LONG {
            let until = Instant::now() + after.min(RECHECK);
            let mut refused = lock(&self.refused);
            refused.insert((method, Arc::clone(template)), until);
        }
    }

    /// The calls of a label that could be made at once; `None` without a limit.
    pub(crate) fn level(&self, label: Label) -> Option<u32> {
        self.bucket(label).map(Bucket::level)
    }

    fn is_refused(&self, method: Method, template: &Arc<str>) -> bool {
        let mut refused = lock(&self.refused);
        if refused.is_empty() {
            return false;
        }
        refused.retain(|_, until| Instant::now() < *until);
        refused.contains_key(&(method, Arc::clone(template)))
    }

    fn bucket(&self, label: Label) -> Option<&Bucket> {
        let [light, medium, heavy, intensive] = self.buckets.as_ref()?;
        Some(match label {
            Label::Light => light,
            Label::Medium => medium,
            Label::Heavy => heavy,
            Label::ResourceIntensive => intensive,
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing is left half done in it by a panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
