//! What is not counted as it happens but read off when somebody asks.

use std::sync::{Mutex, PoisonError};

use prometheus::{Error, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry};
use shim_upstream::RateLabel;

use super::{counter, gauge, process::ProcessMetrics};
use crate::observe::ledger::LedgerCounts;

/// The state of the shim and the process at the time of a scrape.
pub(crate) struct Readings {
    /// False once a shutdown has begun.
    pub(crate) is_ready: bool,
    /// True while the state engine cannot be reached.
    pub(crate) is_state_degraded: bool,
    /// In seconds since 1970, with TLS.
    pub(crate) certificate_expires: Option<i64>,
    /// True while v2 is known to be down.
    pub(crate) is_cut_off: bool,
    /// Requests under way, and how many there may be.
    pub(crate) requests: (usize, usize),
    /// Open connections, and how many there may be.
    pub(crate) connections: (usize, usize),
    /// For each tenant, whether its last token request succeeded.
    pub(crate) tokens: Vec<bool>,
    /// The calls that could be made at once, by account and label.
    pub(crate) budget_levels: Vec<(usize, RateLabel, u32)>,
    /// The exchanges that were written, dropped and thinned out, if any are recorded.
    pub(crate) recorded: Option<(u64, u64, u64)>,
    /// What became of requests in the ledger, if there is one.
    pub(crate) ledger: Option<LedgerCounts>,
    /// Log lines that could not be written since the start.
    pub(crate) dropped_log_lines: u64,
    /// The share of callers that each rollout moves now.
    pub(crate) rollouts: Vec<(String, u8)>,
    /// Notifications that wait and that were given up, by receiver.
    pub(crate) queued: Vec<(String, u64, u64)>,
}

/// The metrics that are set from [`Readings`].
pub(super) struct Sampled {
    ready: IntGauge,
    state_degraded: IntGauge,
    certificate_expires: IntGaugeVec,
    breaker: IntGauge,
    requests: [IntGauge; 2],
    connections: [IntGauge; 2],
    tokens: IntGaugeVec,
    budget: IntGaugeVec,
    recorded: IntCounterVec,
    ledger: IntCounterVec,
    dropped_log_lines: IntCounter,
    rollouts: IntGaugeVec,
    queued: IntGaugeVec,
    process: ProcessMetrics,
    /// One scrape at a time: a counter grows by what its source has more.
    sampling: Mutex<()>,
}

impl Sampled {
    pub(super) fn new(registry: &Registry) -> Result<Self, Error> {
        let single = |name, help| {
            let gauge = IntGauge::new(name, help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok::<_, Error>(gauge)
        };
        let dropped_log_lines = IntCounter::new(
            "shim_log_lines_dropped_total",
            "Log lines that were not written: standard error was full, closed or too slow",
        )?;
        registry.register(Box::new(dropped_log_lines.clone()))?;
        Ok(Self {
            ready: single("shim_ready", "As /readyz: 0 once the shim is stopping")?,
            state_degraded: single(
                "shim_state_degraded",
                "1 while the state engine cannot be reached",
            )?,
            certificate_expires: gauge(
                registry,
                "shim_tls_certificate_expires_seconds",
                "When the TLS certificate expires, in seconds since 1970",
                &[],
            )?,
            breaker: single(
                "shim_v2_breaker_open",
                "1 while v2 is down and calls fail at once",
            )?,
            requests: [
                single("shim_requests_in_flight", "v1 requests under way")?,
                single("shim_requests_max", "limits.requests")?,
            ],
            connections: [
                single("shim_connections_open", "Open connections of v1 clients")?,
                single(
                    "shim_connections_max",
                    "limits.connections, or what the open files allow",
                )?,
            ],
            tokens: gauge(
                registry,
                "shim_token_ok",
                "0 after a failed token request, by tenant (from 1)",
                &["tenant"],
            )?,
            budget: gauge(
                registry,
                "shim_v2_budget_calls",
                "v2 calls that could be made at once, by account (from 1) and rate label",
                &["account", "label"],
            )?,
            recorded: counter(
                registry,
                "shim_recorded_exchanges_total",
                "Exchanges that were written, left out as alike, or dropped because the disk is slow or full or there are too many",
                &["outcome"],
            )?,
            ledger: counter(
                registry,
                "shim_ledger_requests_total",
                "Requests in the usage ledger, those of them whose callers are not told apart, and those that are missing there",
                &["outcome"],
            )?,
            dropped_log_lines,
            rollouts: gauge(
                registry,
                "shim_rollout_percent",
                "Share of the callers that the other side answers now",
                &["rollout"],
            )?,
            queued: gauge(
                registry,
                "shim_notifications_queued",
                "Notifications in the queues: waiting, or dead after their last attempt",
                &["receiver", "state"],
            )?,
            process: ProcessMetrics::new(registry)?,
            sampling: Mutex::default(),
        })
    }

    /// Brings all of them up to date.
    pub(super) fn take(&self, readings: &Readings) {
        let _sampling = self.sampling.lock().unwrap_or_else(PoisonError::into_inner);
        self.ready.set(readings.is_ready.into());
        self.state_degraded.set(readings.is_state_degraded.into());
        if let Some(expires) = readings.certificate_expires {
            let none: [&str; 0] = [];
            let gauge = self.certificate_expires.with_label_values(&none);
            gauge.set(expires);
        }
        self.breaker.set(readings.is_cut_off.into());
        for (gauges, (now, most)) in [
            (&self.requests, readings.requests),
            (&self.connections, readings.connections),
        ] {
            for (gauge, count) in gauges.iter().zip([now, most]) {
                gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
            }
        }
        // A reload may have removed tenants.
        self.tokens.reset();
        for (is_ok, tenant) in readings.tokens.iter().zip(1..) {
            let tenant = u64::to_string(&tenant);
            let gauge = self.tokens.with_label_values(&[tenant]);
            gauge.set((*is_ok).into());
        }
        for (account, label, level) in &readings.budget_levels {
            let budget = [&account.to_string(), label.as_str()];
            self.budget.with_label_values(&budget).set((*level).into());
        }
        raise(&self.dropped_log_lines, readings.dropped_log_lines);
        if let Some((written, dropped, thinned)) = readings.recorded {
            let counts = [
                ("written", written),
                ("dropped", dropped),
                ("thinned", thinned),
            ];
            raise_each(&self.recorded, counts);
        }
        if let Some(LedgerCounts {
            written,
            folded,
            dropped,
        }) = readings.ledger
        {
            let counts = [
                ("written", written),
                ("folded", folded),
                ("dropped", dropped),
            ];
            raise_each(&self.ledger, counts);
        }
        for (rollout, percent) in &readings.rollouts {
            let gauge = self.rollouts.with_label_values(&[rollout]);
            gauge.set((*percent).into());
        }
        for (receiver, waiting, dead) in &readings.queued {
            for (state, count) in [("waiting", waiting), ("dead", dead)] {
                let count = i64::try_from(*count).unwrap_or(i64::MAX);
                let queued = self.queued.with_label_values(&[receiver.as_str(), state]);
                queued.set(count);
            }
        }
        self.process.sample();
    }
}

fn raise_each(counters: &IntCounterVec, counts: [(&str, u64); 3]) {
    for (outcome, count) in counts {
        raise(&counters.with_label_values(&[outcome]), count);
    }
}

/// Brings a counter to the count that its source has.
fn raise(counter: &IntCounter, count: u64) {
    counter.inc_by(count.saturating_sub(counter.get()));
}
