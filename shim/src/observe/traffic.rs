//! Traffic counts since the start for the operations pages, by operation and by name.
//!
//! Bounded by the catalog: unknown names are counted together.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use mappings::{Warning, WarningKind};
use parking_lot::Mutex;

use super::observer::{Ending, Observer, RequestRecord};
use crate::clock::unix_millis;

/// Label for requests that name no operation of the catalog.
const UNKNOWN: &str = "(unknown operation)";

/// Number of minutes with counts of their own.
const MINUTES: usize = 60;

/// Histogram buckets per factor of ten, for a relative error below 26 %.
const BUCKETS_PER_DECADE: f64 = 10.0;

/// Covers 0.1 ms to 100 s.
const BUCKETS: usize = 60;

/// Counts served requests.
#[derive(Debug)]
pub struct Traffic(Mutex<State>);

#[derive(Debug)]
struct State {
    /// Without minutes.
    counts: TrafficCounts,
    minutes: VecDeque<Minute>,
}

/// Counts of one operation.
#[derive(Clone, Debug)]
pub(crate) struct OperationTraffic {
    pub(crate) requests: u64,
    /// v1 errors caused by the caller.
    pub(crate) errors: u64,
    pub(crate) not_served: u64,
    /// Errors caused by v2 or the shim.
    pub(crate) trouble: u64,
    pub(crate) refused: u64,
    pub(crate) calls: u64,
    /// Milliseconds since 1970.
    pub(crate) last: i64,
    times: [u64; BUCKETS],
}

/// An unsupported parameter, or a field missing in responses.
#[derive(Clone, Debug)]
pub(crate) struct Lost {
    pub(crate) count: u64,
    pub(crate) reason: String,
    pub(crate) last: i64,
}

#[derive(Clone, Copy, Debug)]
struct Minute {
    /// Minutes since 1970.
    number: i64,
    requests: u64,
    failed: u64,
}

/// All counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrafficCounts {
    /// Milliseconds since 1970.
    pub(crate) since: i64,
    pub(crate) operations: BTreeMap<String, OperationTraffic>,
    /// By operation, name and kind of loss.
    pub(crate) lost: BTreeMap<(String, String, &'static str), Lost>,
    /// By operation and name; the name is `None` if no operation has it.
    pub(crate) unknown: BTreeMap<(String, Option<String>), u64>,
    /// Requests and failed requests per minute, oldest first.
    pub(crate) minutes: Vec<(u64, u64)>,
}

impl Default for Traffic {
    fn default() -> Self {
        let counts = TrafficCounts {
            since: unix_millis(),
            ..TrafficCounts::default()
        };
        Self(Mutex::new(State {
            counts,
            minutes: VecDeque::new(),
        }))
    }
}

impl Traffic {
    /// Returns a copy of the counts.
    pub(crate) fn counts(&self) -> TrafficCounts {
        let now = unix_millis() / 60_000;
        let state = self.0.lock();
        let of_minute = |number: i64| {
            let known = state.minutes.iter().find(|known| known.number == number);
            known.map_or((0, 0), |known| (known.requests, known.failed))
        };
        let mut counts = state.counts.clone();
        let first = (counts.since / 60_000).max(now - i64::try_from(MINUTES).unwrap_or(0) + 1);
        counts.minutes = (first..=now).map(of_minute).collect();
        counts
    }
}

impl Observer for Traffic {
    fn served(&self, record: &RequestRecord<'_>) {
        let now = unix_millis();
        let operation = record.operation.unwrap_or(UNKNOWN);
        let mut state = self.0.lock();
        let is_failed = record.ending != Ending::Answered;
        state.count_minute(now / 60_000, is_failed);

        let counts = &mut state.counts;
        let traffic = counts.operations.entry(operation.to_owned());
        traffic.or_default().count(record, now);
        for warning in record.warnings {
            counts.lose(operation, warning, now);
        }
        let nameless = record.unknown.saturating_sub(record.misplaced.len());
        let named = record.misplaced.iter().map(|name| (Some(*name), 1));
        let nameless = (nameless > 0).then_some((None, nameless as u64));
        for (name, count) in named.chain(nameless) {
            let key = (operation.to_owned(), name.map(str::to_owned));
            *counts.unknown.entry(key).or_default() += count;
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
}

impl TrafficCounts {
    fn lose(&mut self, operation: &str, warning: &Warning, now: i64) {
        let kind = match warning.kind {
            WarningKind::NotHonoured => "not supported",
            WarningKind::LeftOut => "left out of the answer",
            WarningKind::Unreadable => "missing in the answer",
            WarningKind::Guessed => "assumed",
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

    /// Upper bound of the given percentile of response times, with a relative error below 26 %.
    pub(crate) fn percentile(&self, percent: u64) -> Duration {
        let wanted = (self.requests * percent).div_ceil(100).max(1);
        let mut sum = 0;
        let at = self.times.iter().position(|count| {
            sum += count;
            sum >= wanted
        });
        upper(at.unwrap_or(BUCKETS - 1))
    }

    /// Average number of v2 calls per request.
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
    fn percentiles_have_a_bounded_error() {
        let traffic = Traffic::default();
        for millis in 1..=100 {
            served(
                &traffic,
                Duration::from_millis(millis),
                Ending::Answered,
                &[],
            );
        }
        let counts = traffic.counts();
        let operation = &counts.operations["user/get"];
        for (percent, millis) in [(50, 50.0), (99, 99.0), (100, 100.0)] {
            let shown = operation.percentile(percent).as_secs_f64() * 1000.0;
            assert!(
                (millis..=millis * 1.26).contains(&shown),
                "p{percent} {shown}"
            );
        }
        assert!((operation.calls_per_request() - 3.0).abs() < 0.001);
    }

    #[test]
    fn extreme_times_fit_a_bucket() {
        for seconds in [0, 1, 100, 100_000] {
            assert!(bucket(Duration::from_secs(seconds)) < BUCKETS);
        }
    }

    #[test]
    fn counts_losses_errors_and_unknown_names() {
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
        let counts = traffic.counts();
        let lost = |name: &str| {
            let key = ("user/get".to_owned(), name.to_owned(), "not supported");
            counts.lost[&key].count
        };
        assert_eq!((lost("track_id"), lost("zpk")), (2, 2));
        let unknown: Vec<_> = counts.unknown.values().copied().collect();
        assert_eq!(unknown, [4, 2]);
        let operation = &counts.operations["user/get"];
        assert_eq!((operation.errors, operation.trouble), (0, 1));
        let minutes = counts.minutes.iter();
        assert_eq!(minutes.map(|(requests, _)| requests).sum::<u64>(), 2);
    }
}
