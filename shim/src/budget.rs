//! How many calls v2 takes from an account, so that the shim waits its turn instead of being
//! refused.
//!
//! v2 counts by rate label and second, and how much it takes depends on the account's plan. Callers
//! wait in the order in which they came, within their deadline. What v2 itself refuses for longer,
//! as with its daily limits, is not asked again for a while.

mod bucket;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bucket::Bucket;
use mappings::Method;
use tokio::time::Instant;

use crate::{config::Plan, label::Label, store::Key};

/// From here on a wait that v2 asks for is not one that a caller can sit out.
const LONG: Duration = Duration::from_secs(5);

/// An endpoint that v2 refuses for long is asked again so often, whatever time v2 named: some of
/// its daily limits are for one user only, and clocks differ.
const RECHECK: Duration = Duration::from_secs(60);

/// Calls by second that v2's documents give for a plan: light, medium, heavy; and
/// resource-intensive ones by minute.
fn rates(plan: Plan) -> Option<[u32; 4]> {
    match plan {
        Plan::Free => Some([4, 2, 1, 10]),
        Plan::Pro => Some([30, 20, 10, 10]),
        Plan::Business => Some([80, 60, 40, 20]),
        Plan::Unlimited => None,
    }
}

/// What one v2 account may use.
#[derive(Debug)]
pub(crate) struct Budget {
    buckets: Option<[Bucket; 4]>,
    /// Endpoints that v2 refuses, by method and template, and until when. As many as plans have.
    refused: Mutex<HashMap<(Method, Arc<str>), Instant>>,
}

/// The budgets of all accounts: tenants with the same one share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Budgets(HashMap<Key, (Plan, Arc<Budget>)>);

/// There is no turn in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exhausted;

impl Budgets {
    /// The budget of an account: the one of `before` if that has it, on the same plan. Among
    /// tenants of one account, the plan of the first counts.
    pub(crate) fn of_account(&mut self, account: Key, plan: Plan, before: &Self) -> Arc<Budget> {
        let (_, budget) = self.0.entry(account).or_insert_with(|| {
            let kept = before.0.get(&account).filter(|(known, _)| *known == plan);
            let new = || (plan, Arc::new(Budget::new(plan)));
            kept.cloned().unwrap_or_else(new)
        });
        Arc::clone(budget)
    }
}

impl Budget {
    pub(crate) fn new(plan: Plan) -> Self {
        let second = Duration::from_secs(1);
        let buckets = rates(plan).map(|[light, medium, heavy, intensive]| {
            [
                Bucket::new(light, second),
                Bucket::new(medium, second),
                Bucket::new(heavy, second),
                Bucket::new(intensive, Duration::from_secs(60)),
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
