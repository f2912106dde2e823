//! Metrics that are sampled when they are scraped.

use parking_lot::Mutex;
use prometheus::{Error, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry};
use shim_upstream::RateLabel;

use super::{counter, gauge, process::ProcessMetrics, register};
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
    /// Requests in flight, and their limit.
    pub(crate) requests: (usize, usize),
    /// Open connections, and their limit.
    pub(crate) connections: (usize, usize),
    /// For each tenant, whether its last token request succeeded.
    pub(crate) tokens: Vec<bool>,
    /// Calls that the budget allows at once, by account and label.
    pub(crate) budget_levels: Vec<(usize, RateLabel, u32)>,
    /// Numbers of exchanges written, dropped and thinned out, if exchanges are recorded.
    pub(crate) recorded: Option<(u64, u64, u64)>,
    /// Counts of the usage ledger, if there is one.
    pub(crate) ledger: Option<LedgerCounts>,
    /// Log lines that could not be written since the start.
    pub(crate) dropped_log_lines: u64,
    /// Current percentage of callers that each rollout moves.
    pub(crate) rollouts: Vec<(String, u8)>,
    /// Numbers of waiting and dead notifications, by receiver.
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
    /// Serializes scrapes, because counters are increased by a difference.
    sampling: Mutex<()>,
}

impl Sampled {
    pub(super) fn new(registry: &Registry) -> Result<Self, Error> {
        let single = |name, help| register(registry, IntGauge::new(name, help)?);
        let dropped_log_lines = IntCounter::new(
            "shim_log_lines_dropped_total",
            "Log lines that were not written: standard error was full, closed or too slow",
        )?;
        Ok(Self {
            ready: single("shim_ready", "Like /readyz: 0 after a shutdown has begun")?,
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
                single("shim_requests_in_flight", "v1 requests in flight")?,
                single("shim_requests_max", "limits.requests")?,
            ],
            connections: [
                single("shim_connections_open", "Open connections of v1 clients")?,
                single(
                    "shim_connections_max",
                    "limits.connections, or fewer if the limit of open files is lower",
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
                "v2 calls that the budget allows at once, by account (from 1) and rate label",
                &["account", "label"],
            )?,
            recorded: counter(
                registry,
                "shim_recorded_exchanges_total",
                "Exchanges that were written, thinned out because they are similar, or dropped because the disk is slow or full or there are too many",
                &["outcome"],
            )?,
            ledger: counter(
                registry,
                "shim_ledger_requests_total",
                "Requests written to the usage ledger, requests among them with a combined caller, and requests that were dropped",
                &["outcome"],
            )?,
            dropped_log_lines: register(registry, dropped_log_lines)?,
            rollouts: gauge(
                registry,
                "shim_rollout_percent",
                "Current percentage of callers that the rollout moves to the other side",
                &["rollout"],
            )?,
            queued: gauge(
                registry,
                "shim_notifications_queued",
                "Notifications in the queues: waiting, or dead after the last attempt",
                &["receiver", "state"],
            )?,
            process: ProcessMetrics::new(registry)?,
            sampling: Mutex::default(),
        })
    }

    /// Updates all metrics.
    pub(super) fn take(&self, readings: &Readings) {
        let _sampling = self.sampling.lock();
        self.ready.set(readings.is_ready.into());
        self.state_degraded.set(readings.is_state_degraded.into());
        if let Some(expires) = readings.certificate_expires {
            self.certificate_expires
                .with_label_values::<&str>(&[])
                .set(expires);
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
            self.tokens
                .with_label_values(&[u64::to_string(&tenant)])
                .set((*is_ok).into());
        }
        for (account, label, level) in &readings.budget_levels {
            let budget = [&account.to_string(), label.as_str()];
            self.budget.with_label_values(&budget).set((*level).into());
        }
        raise(&self.dropped_log_lines, readings.dropped_log_lines);
        if let Some((written, dropped, thinned)) = readings.recorded {
            raise_to(&self.recorded, "written", written);
            raise_to(&self.recorded, "dropped", dropped);
            raise_to(&self.recorded, "thinned", thinned);
        }
        if let Some(counts) = readings.ledger {
            raise_to(&self.ledger, "written", counts.written);
            raise_to(&self.ledger, "folded", counts.folded);
            raise_to(&self.ledger, "dropped", counts.dropped);
        }
        for (rollout, percent) in &readings.rollouts {
            self.rollouts
                .with_label_values(&[rollout])
                .set((*percent).into());
        }
        for (receiver, waiting, dead) in &readings.queued {
            for (state, count) in [("waiting", waiting), ("dead", dead)] {
                let count = i64::try_from(*count).unwrap_or(i64::MAX);
                self.queued
                    .with_label_values(&[receiver.as_str(), state])
                    .set(count);
            }
        }
        self.process.sample();
    }
}

fn raise_to(counters: &IntCounterVec, outcome: &str, count: u64) {
    raise(&counters.with_label_values(&[outcome]), count);
}

/// Increases a counter to a count.
fn raise(counter: &IntCounter, count: u64) {
    counter.inc_by(count.saturating_sub(counter.get()));
}
