//! The rate limits of a v2 account: calls wait for their turn instead of being refused by v2.
//!
//! v2 counts by rate label and second; the limits depend on the account's price plan and come from
//! the catalog. Callers wait first in, first out, within their deadline. A call that v2 itself
//! refuses for longer is not made again for a while: about one user only, because some of v2's daily
//! limits are for each user, or about anybody once v2 refused it for a second one.

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

use crate::{rate_label::RateLabel, request::Subject};

/// From here on a wait that v2 asks for is not one that a caller can sit out.
const LONG: Duration = Duration::from_secs(5);

/// A call that v2 refuses for long is made again so often, whatever time v2 named: clocks differ.
const RECHECK: Duration = Duration::from_secs(60);

/// The rate budget of one v2 account.
#[derive(Debug)]
pub struct Budget {
    buckets: Option<[Bucket; 4]>,
    /// Calls that v2 refuses, by method and template. As many as plans have.
    refused: Mutex<HashMap<(Method, Arc<str>), Refusal>>,
}

/// Until when v2 refuses a call.
#[derive(Clone, Copy, Debug, Default)]
struct Refusal {
    /// About this subject.
    one: Option<(Subject, Instant)>,
    /// About any.
    all: Option<Instant>,
}

impl Refusal {
    fn add(&mut self, subject: Option<Subject>, until: Instant) {
        match (subject, self.one) {
            (Some(subject), None) => self.one = Some((subject, until)),
            (Some(subject), Some((known, _))) if subject == known => {
                self.one = Some((subject, until));
            }
            _ => self.all = Some(until),
        }
    }

    /// True if it still refuses anything.
    fn stands(&mut self, now: Instant) -> bool {
        self.one = self.one.filter(|(_, until)| now < *until);
        self.all = self.all.filter(|until| now < *until);
        self.one.is_some() || self.all.is_some()
    }

    fn is_about(&self, subject: Option<Subject>) -> bool {
        self.all.is_some() || (subject.is_some() && self.one.map(|(known, _)| known) == subject)
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
    pub(crate) async fn turn(&self, label: RateLabel, until: Instant) -> Result<(), Exhausted> {
        match self.bucket(label) {
            Some(bucket) => bucket.turn(until).await,
            None => Ok(()),
        }
    }

    /// Notes that v2 refused a call for its limits, and for how long if it said so.
    pub(crate) fn refused(
        &self,
        (method, template): (Method, &Arc<str>),
        subject: Option<Subject>,
        after: Option<Duration>,
    ) {
        let after = after.unwrap_or(RECHECK);
        if after >= LONG {
            let now = Instant::now();
            let mut refused = lock(&self.refused);
            let refusal = refused.entry((method, Arc::clone(template))).or_default();
            refusal.stands(now);
            refusal.add(subject, now + after.min(RECHECK));
        }
    }

    /// True if v2 is known to refuse a call about a subject for long.
    pub(crate) fn refuses(
        &self,
        (method, template): (Method, &Arc<str>),
        subject: Option<Subject>,
    ) -> bool {
        let mut refused = lock(&self.refused);
        if refused.is_empty() {
            return false;
        }
        let now = Instant::now();
        refused.retain(|_, refusal| refusal.stands(now));
        let refusal = refused.get(&(method, Arc::clone(template)));
        refusal.is_some_and(|refusal| refusal.is_about(subject))
    }

    /// How many calls of a label could be made at once; `None` without a limit.
    pub fn level(&self, label: RateLabel) -> Option<u32> {
        self.bucket(label).map(Bucket::level)
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
