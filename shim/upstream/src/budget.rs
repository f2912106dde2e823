//! The rate limits of a v2 account: calls wait for their turn instead of being refused by v2.
//!
//! v2 counts by rate label and second, some labels by day, too; the limits depend on the account's price
//! plan and come from the catalog. Callers wait within their deadline: those of one tenant first in,
//! first out, the tenants of an account in turn. A call that v2 itself refuses for longer is not made
//! again for a while: about one user only, because some of v2's daily limits are for each user, or about
//! anybody once v2 refused it for a second one.
//!
//! A [`SharedBudget`] counts for several processes. Each asks it for one call at a time and label, so
//! that no process has a backlog of reservations when the count is lost. Then each process keeps to its
//! part of the rate.

mod daily;
mod pace;
mod shared;

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use daily::DayCount;
use mappings::{Method, catalog::Rates};
use pace::Due;
pub use pace::Pace;
pub use shared::{AccountDigest, DailyLimit, Reserved, SharedBudget, SharedCall};
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep, timeout_at},
};

use crate::{
    rate_label::{ByLabel, RateLabel},
    request::Subject,
};

/// From here on a wait that v2 asks for is not one that a caller can sit out.
const LONG: Duration = Duration::from_secs(5);

/// A call that v2 refuses for long is made again so often, whatever time v2 named: clocks differ.
const RECHECK: Duration = Duration::from_secs(60);

/// The share of v2's rate that processes together use. They send over connections of their own: what
/// was spread over time arrives less so.
const COMMON_SHARE: f64 = 0.9;

/// No turn came up in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exhausted;

/// The rate budget of one v2 account.
#[derive(Debug)]
pub struct Budget {
    limits: Option<ByLabel<Limit>>,
    days: ByLabel<DayCount>,
    shared: Option<Shared>,
    /// Calls that v2 refuses, by method and template. As many as plans have.
    refused: Mutex<HashMap<(Method, Arc<str>), Refusal>>,
}

/// The count that other processes use, too.
#[derive(Debug)]
struct Shared {
    account: AccountDigest,
    budget: Arc<dyn SharedBudget>,
}

/// The limit of one label, and its queue of waiting calls.
#[derive(Debug)]
struct Limit {
    calls: u32,
    period: Duration,
    pace: Pace,
    due: Due,
    /// The pace of this process while processes cannot count together.
    part_due: Due,
    /// The label that a day's calls are counted under, and their number.
    daily: Option<(RateLabel, u32)>,
    /// Its holder is next; one call of each tenant queues behind it.
    head: Semaphore,
}

/// The calls of one tenant, in a line for each label.
#[derive(Debug)]
pub(crate) struct Lines(ByLabel<Semaphore>);

/// A call that needs a turn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) label: RateLabel,
    pub(crate) method: Method,
    pub(crate) template: &'a Arc<str>,
    pub(crate) subject: Option<Subject>,
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

impl Lines {
    pub(crate) fn new() -> Self {
        Self(ByLabel::new(|_| Semaphore::new(1)))
    }
}

impl Limit {
    fn new(rates: &Rates, label: RateLabel, is_shared: bool) -> Self {
        let second = Duration::from_secs(1);
        let heavy_daily = rates.heavy_daily.map(|calls| (RateLabel::Heavy, calls));
        let (calls, period, daily) = match label {
            RateLabel::Light => (
                rates.light,
                second,
                rates.light_daily.map(|calls| (label, calls)),
            ),
            RateLabel::Medium => {
                let daily = rates.medium_daily.map(|calls| (label, calls));
                (rates.medium, second, daily)
            }
            RateLabel::Heavy => (rates.heavy, second, heavy_daily),
            RateLabel::ResourceIntensive => (rates.resource_intensive, 60 * second, heavy_daily),
        };
        let calls = calls.get();
        let pace = if is_shared {
            Pace::new(f64::from(calls) * COMMON_SHARE, period, calls / 10)
        } else {
            Pace::new(f64::from(calls), period, calls / 5)
        };
        Self {
            calls,
            period,
            pace,
            due: Due::default(),
            part_due: Due::default(),
            daily: daily.map(|(label, calls)| (label, calls.get())),
            head: Semaphore::new(1),
        }
    }

    /// The pace of one of several processes. Without a burst: each would have its own.
    fn part(&self, processes: NonZeroU32) -> Pace {
        let calls = f64::from(self.calls) * COMMON_SHARE / f64::from(processes.get());
        Pace::new(calls, self.period, 1)
    }
}

impl Shared {
    async fn reserve(
        &self,
        call: &Wanted<'_>,
        (pace, daily): (Option<Pace>, Option<DailyLimit>),
        until: Instant,
    ) -> Reserved {
        let most = until.saturating_duration_since(Instant::now());
        let call = self.call(call, (pace, daily), most);
        self.budget.reserve(&call).await
    }

    fn call<'a>(
        &'a self,
        call: &Wanted<'a>,
        (pace, daily): (Option<Pace>, Option<DailyLimit>),
        most: Duration,
    ) -> SharedCall<'a> {
        SharedCall {
            account: &self.account,
            label: call.label,
            pace,
            daily,
            method: call.method,
            template: call.template,
            subject: call.subject.map(Subject::number),
            most,
        }
    }
}

impl Budget {
    /// The budget of an account with these rates; without rates, only v2's own refusals count. With
    /// `shared`, other processes make calls for the account, too.
    pub fn new(
        rates: Option<Rates>,
        shared: Option<(AccountDigest, Arc<dyn SharedBudget>)>,
    ) -> Self {
        let shared = shared.map(|(account, budget)| Shared { account, budget });
        let is_shared = shared.is_some();
        let limits = rates.map(|rates| ByLabel::new(|label| Limit::new(&rates, label, is_shared)));
        Self {
            limits,
            days: ByLabel::new(|_| DayCount::default()),
            shared,
            refused: Mutex::default(),
        }
    }

    /// Waits for a turn to make a call.
    ///
    /// # Errors
    ///
    /// If no turn comes up until then, or v2 refuses the call.
    pub(crate) async fn turn(
        &self,
        call: &Wanted<'_>,
        lines: &Lines,
        until: Instant,
    ) -> Result<(), Exhausted> {
        let limit = self.limits.as_ref().map(|limits| limits.get(call.label));
        match (limit, &self.shared) {
            (None, None) => Ok(()),
            (None, Some(shared)) => match shared.reserve(call, (None, None), until).await {
                Reserved::Refused => Err(Exhausted),
                Reserved::After(_) | Reserved::Unreachable => Ok(()),
            },
            (Some(limit), _) => {
                let turn = timeout_at(until, self.limited(call, limit, lines, until));
                turn.await.unwrap_or(Err(Exhausted))
            }
        }
    }

    async fn limited(
        &self,
        call: &Wanted<'_>,
        limit: &Limit,
        lines: &Lines,
        until: Instant,
    ) -> Result<(), Exhausted> {
        let _own = lines.0.get(call.label).acquire().await;
        let _head = limit.head.acquire().await;
        let daily = limit
            .daily
            .map(|(label, calls)| DailyLimit::today(label, calls));
        let Some(shared) = &self.shared else {
            turn_of(&limit.due, limit.pace).await;
            return self.count(daily);
        };
        let part = || limit.part(shared.budget.processes());
        let is_common = shared.budget.is_common();
        if !is_common {
            turn_of(&limit.part_due, part()).await;
        }
        match shared.reserve(call, (Some(limit.pace), daily), until).await {
            Reserved::After(wait) => {
                limit.due.granted(limit.pace, wait);
                sleep(wait).await;
                // For the time when only this process counts.
                let _ = self.count(daily);
                Ok(())
            }
            Reserved::Refused => Err(Exhausted),
            Reserved::Unreachable => {
                if is_common {
                    turn_of(&limit.part_due, part()).await;
                }
                self.count(daily)
            }
        }
    }

    fn count(&self, daily: Option<DailyLimit>) -> Result<(), Exhausted> {
        match daily {
            Some(limit) if !self.days.get(limit.label).take(limit) => Err(Exhausted),
            _ => Ok(()),
        }
    }

    /// Notes that v2 refused a call for its limits, and for how long if it said so.
    pub(crate) async fn refused(&self, call: &Wanted<'_>, after: Option<Duration>) {
        let after = after.unwrap_or(RECHECK);
        if after < LONG {
            return;
        }
        let time = after.min(RECHECK);
        self.note(call, time);
        if let Some(shared) = &self.shared {
            let call = shared.call(call, (None, None), Duration::ZERO);
            shared.budget.refused(&call, time).await;
        }
    }

    fn note(&self, call: &Wanted<'_>, time: Duration) {
        let now = Instant::now();
        let mut refused = lock(&self.refused);
        let refusal = refused
            .entry((call.method, Arc::clone(call.template)))
            .or_default();
        refusal.stands(now);
        refusal.add(call.subject, now + time);
    }

    /// True if this process knows that v2 refuses a call for long.
    pub(crate) fn refuses(&self, call: &Wanted<'_>) -> bool {
        let mut refused = lock(&self.refused);
        if refused.is_empty() {
            return false;
        }
        let now = Instant::now();
        refused.retain(|_, refusal| refusal.stands(now));
        let refusal = refused.get(&(call.method, Arc::clone(call.template)));
        refusal.is_some_and(|refusal| refusal.is_about(call.subject))
    }

    /// How many calls of a label could be made at once, as far as this process knows; `None` without
    /// a limit.
    pub fn level(&self, label: RateLabel) -> Option<u32> {
        let limit = self.limits.as_ref()?.get(label);
        Some(limit.due.level(limit.pace))
    }
}

/// Waits for a turn at a pace. Whoever gives up has taken nothing.
async fn turn_of(due: &Due, pace: Pace) {
    while let Err(early) = due.take(pace) {
        sleep(early).await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing is left half done in it by a panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
