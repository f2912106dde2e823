//! Counts for the pages of the operator: by operation and by name, since the start.
//!
//! Bounded by the catalog: names that clients make up are counted together.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use mappings::{Warning, WarningKind};

use super::observer::{Ending, Observer, RequestRecord};

/// What no operation of the catalog was called with.
const UNKNOWN: &str = "(unknown operation)";

/// Minutes that are remembered one by one.
const MINUTES: usize = 60;

/// Ten buckets for each tenfold: a time is known to a quarter of itself.
const BUCKETS_PER_DECADE: f64 = 10.0;

/// From a tenth of a millisecond up to 100 seconds.
const BUCKETS: usize = 60;

/// Counts what was served.
#[derive(Debug)]
pub struct Traffic {
    since: i64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    operations: BTreeMap<String, OperationTraffic>,
    lost: BTreeMap<(String, String, &'static str), Lost>,
    /// By operation and name; without a name if no operation has it.
    unknown: BTreeMap<(String, Option<String>), u64>,
    minutes: VecDeque<Minute>,
}

/// The requests of an operation.
#[derive(Clone, Debug)]
pub(crate) struct OperationTraffic {
    pub(crate) requests: u64,
    /// Errors of v1 that are the callers' own.
    pub(crate) errors: u64,
    pub(crate) not_served: u64,
    /// Errors that are v2's or the shim's trouble.
    pub(crate) trouble: u64,
    pub(crate) refused: u64,
    pub(crate) calls: u64,
    /// Milliseconds since 1970.
    pub(crate) last: i64,
    times: [u64; BUCKETS],
}

/// A parameter that was not supported, or a field that was missing.
#[derive(Clone, Debug)]
pub(crate) struct Lost {
    pub(crate) count: u64,
    pub(crate) reason: String,
    pub(crate) last: i64,
}

#[derive(Clone, Copy, Debug)]
struct Minute {
    /// Since 1970.
    number: i64,
    requests: u64,
    failed: u64,
}

/// All that was counted.
#[derive(Clone, Debug)]
pub(crate) struct TrafficCounts {
    pub(crate) since: i64,
    pub(crate) operations: BTreeMap<String, OperationTraffic>,
    /// By operation, name and kind of loss.
    pub(crate) lost: BTreeMap<(String, String, &'static str), Lost>,
    pub(crate) unknown: BTreeMap<(String, Option<String>), u64>,
    /// Of each minute, the last one last: requests, and those that failed.
    pub(crate) minutes: Vec<(u64, u64)>,
}

impl Default for Traffic {
    fn default() -> Self {
        Self {
            since: unix_millis(),
            state: Mutex::default(),
        }
    }
}

impl Traffic {
    /// What was counted so far.
    pub(crate) fn seen(&self) -> TrafficCounts {
        let now = unix_millis() / 60_000;
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let of_minute = |number: i64| {
            let known = state.minutes.iter().find(|known| known.number == number);
            known.map_or((0, 0), |known| (known.requests, known.failed))
        };
        let first = (self.since / 60_000).max(now - i64::try_from(MINUTES).unwrap_or(0) + 1);
        TrafficCounts {
            since: self.since,
            operations: state.operations.clone(),
            lost: state.lost.clone(),
            unknown: state.unknown.clone(),
            minutes: (first..=now).map(of_minute).collect(),
        }
    }
}

impl Observer for Traffic {
    fn served(&self, record: &RequestRecord<'_>) {
        let now = unix_millis();
        let operation = record.operation.unwrap_or(UNKNOWN);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_failed = record.ending != Ending::Answered;
        state.count_minute(now / 60_000, is_failed);

        if !state.operations.contains_key(operation) {
            let new = OperationTraffic::default();
            state.operations.insert(operation.to_owned(), new);
        }
        if let Some(traffic) = state.operations.get_mut(operation) {
            traffic.count(record, now);
        }
        for warning in record.warnings {
            state.lose(operation, warning, now);
        }
        let nameless = record.unknown.saturating_sub(record.misplaced.len());
        let named = record.misplaced.iter().map(|name| (Some(*name), 1));
        let nameless = (nameless > 0).then_some((None, nameless as u64));
        for (name, count) in named.chain(nameless) {
            let key = (operation.to_owned(), name.map(str::to_owned));
            *state.unknown.entry(key).or_default() += count;
        }
    }
}

impl State {
    fn count_minute(&mut self, number: i64, is_failed: bool) {
        if self.minutes.back().is_none_or(|last| last.number < number) {
            if self.minutes.len() == MINUTES {
                self.minutes.pop_front();
            }
            self.minutes.push_back(Minute {
                number,
                requests: 0,
                failed: 0,
            });
        }
        if let Some(minute) = self.minutes.back_mut() {
            minute.requests += 1;
            minute.failed += u64::from(is_failed);
        }
    }

    fn lose(&mut self, operation: &str, warning: &Warning, now: i64) {
        let kind = match warning.kind {
            WarningKind::NotHonoured => "not supported",
            WarningKind::LeftOut => "left out of the answer",
            WarningKind::Unreadable => "missing in the answer",
            WarningKind::Guessed => "charset guessed",
        };
        for field in warning.field.split(", ") {
            let key = (operation.to_owned(), field.to_owned(), kind);
            let lost = self.lost.entry(key).or_insert_with(|| Lost {
                count: 0,
                reason: String::new(),
                last: 0,
            });
            lost.count += 1;
            lost.last = now;
            lost.reason.clone_from(&warning.reason);
        }
    }
}

impl Default for OperationTraffic {
    fn default() -> Self {
        Self {
            requests: 0,
            errors: 0,
            not_served: 0,
            trouble: 0,
            refused: 0,
            calls: 0,
            last: 0,
            times: [0; BUCKETS],
        }
    }
}

impl OperationTraffic {
    fn count(&mut self, record: &RequestRecord<'_>, now: i64) {
        self.requests += 1;
        self.calls += u64::from(record.calls);
        self.last = now;
        match record.ending {
            Ending::Answered => {}
            Ending::Refused => self.refused += 1,
            Ending::NotServed => self.not_served += 1,
            Ending::Error | Ending::Brownout => self.errors += 1,
            Ending::Trouble => self.trouble += 1,
        }
        if let Some(bucket) = self.times.get_mut(bucket(record.elapsed)) {
            *bucket += 1;
        }
    }

    /// The time that so many of a hundred requests stayed below, to a quarter of itself.
    pub(crate) fn percentile(&self, percent: u64) -> Duration {
        let wanted = (self.requests * percent).div_ceil(100).max(1);
        let mut sum = 0;
        let at = self.times.iter().position(|count| {
            sum += count;
            sum >= wanted
        });
        upper(at.unwrap_or(BUCKETS - 1))
    }

    /// v2 calls for one request, on average.
    pub(crate) fn calls_per_request(&self) -> f64 {
        #[expect(
            clippy::cast_precision_loss,
            reason = "an average is shown to one decimal"
        )]
        let (calls, requests) = (self.calls as f64, self.requests.max(1) as f64);
        calls / requests
    }
}

fn bucket(elapsed: Duration) -> usize {
    let decades = (elapsed.as_secs_f64() / 0.0001).log10();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from 0 to 59 by the bounds"
    )]
    let at = (decades * BUCKETS_PER_DECADE).ceil().clamp(0.0, 59.0) as usize;
    at
}

fn upper(bucket: usize) -> Duration {
    let bucket = u32::try_from(bucket).unwrap_or_default();
    let decades = f64::from(bucket) / BUCKETS_PER_DECADE;
    Duration::from_secs_f64(0.0001 * 10_f64.powf(decades))
}

fn unix_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use shim_upstream::RequestId;

    fn served(traffic: &Traffic, elapsed: Duration, ending: Ending, warnings: &[Warning]) {
        traffic.served(&RequestRecord {
            id: RequestId::fresh(),
            method: "POST",
            operation: Some("user/get"),
            is_served: true,
            ending,
            refusal: None,
            error: None,
            calls: 3,
            elapsed,
            unknown: 3,
            misplaced: BTreeSet::from(["dept"]),
            unfinished: None,
            key: None,
            address: None,
            warnings,
            failures: Vec::new(),
        });
    }

    #[test]
    fn times_are_known_to_a_quarter() {
        let traffic = Traffic::default();
        for millis in 1..=100 {
            served(
                &traffic,
                Duration::from_millis(millis),
                Ending::Answered,
                &[],
            );
        }
        let seen = traffic.seen();
        let operation = &seen.operations["user/get"];
        for (percent, millis) in [(50, 50.0), (99, 99.0), (100, 100.0)] {
            let told = operation.percentile(percent).as_secs_f64() * 1000.0;
            assert!(
                (millis..=millis * 1.26).contains(&told),
                "p{percent} {told}"
            );
        }
        assert!((operation.calls_per_request() - 3.0).abs() < 0.001);
    }

    #[test]
    fn extreme_times_have_a_place() {
        for seconds in [0, 1, 100, 100_000] {
            assert!(bucket(Duration::from_secs(seconds)) < BUCKETS);
        }
    }

    #[test]
    fn losses_errors_and_unknown_names_are_counted() {
        let traffic = Traffic::default();
        let warning = Warning {
            kind: WarningKind::NotHonoured,
            field: "track_id, zpk".to_owned(),
            reason: "gone".to_owned(),
        };
        served(
            &traffic,
            Duration::ZERO,
            Ending::Answered,
            std::slice::from_ref(&warning),
        );
        served(&traffic, Duration::ZERO, Ending::Trouble, &[warning]);
        let seen = traffic.seen();
        let lost = |name: &str| {
            let key = ("user/get".to_owned(), name.to_owned(), "not supported");
            seen.lost[&key].count
        };
        assert_eq!((lost("track_id"), lost("zpk")), (2, 2));
        let unknown: Vec<_> = seen.unknown.values().copied().collect();
        assert_eq!(unknown, [4, 2]);
        let operation = &seen.operations["user/get"];
        assert_eq!((operation.errors, operation.trouble), (0, 1));
        let minutes = seen.minutes.iter();
        assert_eq!(minutes.map(|(requests, _)| requests).sum::<u64>(), 2);
    }
}
