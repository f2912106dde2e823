//! The rate limits of a v2 account: calls wait for their turn instead of being refused by v2.
//!
//! v2 counts by rate label and second; the limits depend on the account's price plan and come from
//! the catalog. Callers wait first in, first out, within their deadline. An endpoint that v2 itself
//! refuses for longer, as with its daily limits, is not called again for a while.

mod bucket;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bucket::Bucket;
pub use bucket::Exhausted;
use mappings::{Method, catalog::Rates};
use tokio::time::Instant;

use crate::rate_label::RateLabel;

/// From here on a wait that v2 asks for is not one that a caller can sit out.
const LONG: Duration = Duration::from_secs(5);

/// An endpoint that v2 refuses for long is asked again so often, whatever time v2 named: some of
/// its daily limits are for one user only, and clocks differ.
const RECHECK: Duration = Duration::from_secs(60);

/// The rate budget of one v2 account.
#[derive(Debug)]
pub struct Budget {
    buckets: Option<[Bucket; 4]>,
    /// Endpoints that v2 refuses, by method and template, and until when. As many as plans have.
    refused: Mutex<HashMap<(Method, Arc<str>), Instant>>,
}

/// Names a v2 account without telling which: a digest.
pub type AccountDigest = [u8; 32];

/// The budgets of all accounts. Tenants of the same account share one.
#[derive(Clone, Debug, Default)]
pub struct Budgets(HashMap<AccountDigest, (Option<Rates>, Arc<Budget>)>);

impl Budgets {
    /// The budget of an account: the one in `before` if its rates are the same, else a new one.
    /// Among tenants of one account, the rates of the first count.
    pub fn of_account(
        &mut self,
        account: AccountDigest,
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
    /// The budget of an account with these rates; without rates, only v2's own refusals count.
    pub fn new(rates: Option<Rates>) -> Self {
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
    /// If no turn comes up until then.
    pub async fn turn(
        &self,
        label: RateLabel,
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

    /// Notes that v2 refused a call for its limits, and for how long if it said so.
    pub fn refused(&self, method: Method, template: &Arc<str>, after: Option<Duration>) {
        let after = after.unwrap_or(RECHECK);
        if after >= LONG {
            let until = Instant::now() + after.min(RECHECK);
            let mut refused = lock(&self.refused);
            refused.insert((method, Arc::clone(template)), until);
        }
    }

    /// How many calls of a label could be made at once; `None` without a limit.
    pub fn level(&self, label: RateLabel) -> Option<u32> {
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

    fn bucket(&self, label: RateLabel) -> Option<&Bucket> {
        let [light, medium, heavy, intensive] = self.buckets.as_ref()?;
        Some(match label {
            RateLabel::Light => light,
            RateLabel::Medium => medium,
            RateLabel::Heavy => heavy,
            RateLabel::ResourceIntensive => intensive,
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing is left half done in it by a panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
