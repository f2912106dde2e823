//! Rate limits of a v2 account. Calls wait for their turn instead of being rejected by v2.
//!
//! v2 counts calls by rate label and second, some labels also by day; the limits depend on the
//! account's price plan and come from the catalog. Callers wait within their deadline: first in,
//! first out within a tenant, round robin between the tenants of an account. After a long rejection
//! by v2, the same call is not repeated for a while: at first for the same user only, because some
//! daily limits are per user, and for all users once v2 rejected it for a second one.
//!
//! A [`SharedBudget`] counts for several processes. Each process requests one call at a time per
//! label, so that none holds a backlog of reservations when the shared count is lost. Without the
//! shared count, each process uses an equal share of the rate.

mod daily;
mod pace;
mod shared;

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Arc, Mutex},
    time::Duration,
};

use daily::DayCount;
use mappings::{Method, RateLabel, catalog::Rates};
use pace::Due;
pub use pace::Pace;
pub use shared::{AccountDigest, DailyLimit, Reserved, SharedBudget, SharedCall};
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep, timeout_at},
};

use crate::{lock, request::Subject};

/// Shortest wait requested by v2 that exceeds what a caller can wait for.
const LONG: Duration = Duration::from_secs(5);

/// Maximum time for which a rejected call is suppressed, even if v2 names a later time, because
/// clocks differ.
const RECHECK: Duration = Duration::from_secs(60);

/// Share of v2's rate used by several processes together. They use separate connections, so calls
/// spaced evenly may arrive less evenly.
const COMMON_SHARE: f64 = 0.9;

/// One value per label.
#[derive(Debug)]
struct ByLabel<T>([T; 4]);

impl<T> ByLabel<T> {
    fn new(of: impl FnMut(RateLabel) -> T) -> Self {
        Self(RateLabel::ALL.map(of))
    }

    fn get(&self, label: RateLabel) -> &T {
        let [light, medium, heavy, intensive] = &self.0;
        match label {
            RateLabel::Light => light,
            RateLabel::Medium => medium,
            RateLabel::Heavy => heavy,
            RateLabel::ResourceIntensive => intensive,
        }
    }
}

/// No turn became available in time, or v2 rejects the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exhausted;

/// The rate budget of one v2 account.
#[derive(Debug)]
pub struct Budget {
    limits: Option<ByLabel<Limit>>,
    days: ByLabel<DayCount>,
    shared: Option<Shared>,
    /// Rejected calls by method and template; bounded by the number of calls in plans.
    refused: Mutex<HashMap<(Method, Arc<str>), Refusal>>,
}

/// Budget shared with other processes.
#[derive(Debug)]
struct Shared {
    account: AccountDigest,
    budget: Arc<dyn SharedBudget>,
}

/// Rate limit of one label with its queue.
#[derive(Debug)]
struct Limit {
    calls: u32,
    period: Duration,
    pace: Pace,
    due: Due,
    /// Schedule of this process while the shared count is unavailable.
    part_due: Due,
    /// Label under which daily calls are counted, and their limit.
    daily: Option<(RateLabel, u32)>,
    /// Held by the next call; at most one call per tenant waits for it.
    head: Semaphore,
}

/// Queues of one tenant, one per label.
#[derive(Debug)]
pub(crate) struct TenantQueues(ByLabel<Semaphore>);

/// Call that needs a turn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BudgetCall<'a> {
    pub(crate) label: RateLabel,
    pub(crate) method: Method,
    pub(crate) template: &'a Arc<str>,
    pub(crate) subject: Option<Subject>,
}

/// Expiry of a rejection by v2.
#[derive(Clone, Copy, Debug, Default)]
struct Refusal {
    /// For this subject.
    one: Option<(Subject, Instant)>,
    /// For all subjects.
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

    /// Removes expired parts; true if any remain.
    fn retain_active(&mut self, now: Instant) -> bool {
        self.one = self.one.filter(|(_, until)| now < *until);
        self.all = self.all.filter(|until| now < *until);
        self.one.is_some() || self.all.is_some()
    }

    fn is_about(&self, subject: Option<Subject>) -> bool {
        self.all.is_some() || (subject.is_some() && self.one.map(|(known, _)| known) == subject)
    }
}

impl TenantQueues {
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

    /// Pace of one of several processes; no burst, because bursts would add up.
    fn part(&self, processes: NonZeroU32) -> Pace {
        let calls = f64::from(self.calls) * COMMON_SHARE / f64::from(processes.get());
        Pace::new(calls, self.period, 1)
    }
}

impl Shared {
    async fn reserve(
        &self,
        call: &BudgetCall<'_>,
        (pace, daily): (Option<Pace>, Option<DailyLimit>),
        until: Instant,
    ) -> Reserved {
        let most = until.saturating_duration_since(Instant::now());
        let call = self.call(call, (pace, daily), most);
        self.budget.reserve(&call).await
    }

    fn call<'a>(
        &'a self,
        call: &BudgetCall<'a>,
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
    /// Without `rates`, only v2's own rejections limit calls. `shared` is the budget shared with
    /// other processes.
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

    /// Waits for a turn.
    ///
    /// # Errors
    ///
    /// If no turn becomes available until `until`, or v2 rejects the call.
    pub(crate) async fn turn(
        &self,
        call: &BudgetCall<'_>,
        queues: &TenantQueues,
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
                let turn = timeout_at(until, self.limited(call, limit, queues, until));
                turn.await.unwrap_or(Err(Exhausted))
            }
        }
    }

    async fn limited(
        &self,
        call: &BudgetCall<'_>,
        limit: &Limit,
        queues: &TenantQueues,
        until: Instant,
    ) -> Result<(), Exhausted> {
        let _own = queues.0.get(call.label).acquire().await;
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
                // Keeps the local count usable as a fallback.
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

    /// Records a rejection by v2, and its duration if given.
    pub(crate) async fn refused(&self, call: &BudgetCall<'_>, after: Option<Duration>) {
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

    fn note(&self, call: &BudgetCall<'_>, time: Duration) {
        let now = Instant::now();
        let mut refused = lock(&self.refused);
        let refusal = refused
            .entry((call.method, Arc::clone(call.template)))
            .or_default();
        refusal.retain_active(now);
        refusal.add(call.subject, now + time);
    }

    /// True if this process suppresses the call after a rejection.
    pub(crate) fn refuses(&self, call: &BudgetCall<'_>) -> bool {
        let mut refused = lock(&self.refused);
        if refused.is_empty() {
            return false;
        }
        let now = Instant::now();
        refused.retain(|_, refusal| refusal.retain_active(now));
        let refusal = refused.get(&(call.method, Arc::clone(call.template)));
        refusal.is_some_and(|refusal| refusal.is_about(call.subject))
    }

    /// Number of calls of a label that could be made at once, as far as this process knows; `None`
    /// without a limit.
    pub fn level(&self, label: RateLabel) -> Option<u32> {
        let limit = self.limits.as_ref()?.get(label);
        Some(limit.due.level(limit.pace))
    }
}

/// Waits for a turn. Cancellation takes nothing.
async fn turn_of(due: &Due, pace: Pace) {
    while let Err(early) = due.take(pace) {
        sleep(early).await;
    }
}

#[cfg(test)]
mod tests;
