//! Numbers for Prometheus.
//!
//! Every label value is the catalog's or one of a fixed few words, so that what clients send cannot
//! make the number of series grow.

mod process;

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use mappings::{Catalog, Outcome, WarningKind};
use prometheus::{
    Encoder as _, Error, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry, TextEncoder,
};
use shim_upstream::{CallRecord, RateLabel, RetryCounts};

use process::ProcessMetrics;

use super::{
    ledger::LedgerCounts,
    observer::{
        DeliveryRecord, Observer, RequestRecord, RolloutRecord, ShadowRecord, WebhookRecord,
    },
};
use crate::settings::Side;

/// Upper bounds in seconds, up to the 15 after which v1's clients give up.
const BUCKETS: [f64; 12] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0,
];

/// Why calls are sent again.
const REASONS: [&str; 3] = ["failure", "limit", "token"];

/// For what the catalog has no name for.
const OTHER: &str = "other";

/// Counters of one shim. Each shim has its own registry; nothing is global.
pub struct Metrics {
    registry: Registry,
    /// The names of v1's parameters: others come from clients and could be anything.
    fields: BTreeSet<String>,
    requests: IntCounterVec,
    request_seconds: HistogramVec,
    calls: IntCounterVec,
    call_seconds: HistogramVec,
    retries: IntCounterVec,
    lossy: IntCounterVec,
    unknown: IntCounterVec,
    unfinished: IntCounterVec,
    breaker: IntGauge,
    budget: IntGaugeVec,
    recorded: IntCounterVec,
    ledger: IntCounterVec,
    dropped_log_lines: IntCounter,
    ready: IntGauge,
    state_degraded: IntGauge,
    certificate_expires: IntGaugeVec,
    process: ProcessMetrics,
    shadow: ShadowCounters,
    rollouts: RolloutCounters,
    /// One scrape at a time brings the samples up to date.
    sampling: Mutex<()>,
    webhooks: IntCounterVec,
    pushes: IntCounterVec,
    queued: IntGaugeVec,
}

/// What was compared with a shadow.
struct ShadowCounters {
    compared: IntCounterVec,
    differences: IntCounterVec,
    not_compared: IntCounterVec,
    answers: IntCounterVec,
}

/// What the sides of rollouts did.
struct RolloutCounters {
    answers: IntCounterVec,
    seconds: HistogramVec,
    compared: IntCounterVec,
    left: IntCounterVec,
    percent: IntGaugeVec,
}

/// What is not counted but read off when somebody asks.
pub(crate) struct Readings {
    /// False once a shutdown has begun.
    pub(crate) is_ready: bool,
    /// True while the state engine cannot be reached.
    pub(crate) is_state_degraded: bool,
    /// In seconds since 1970, with TLS.
    pub(crate) certificate_expires: Option<i64>,
    /// True while v2 is known to be down.
    pub(crate) is_cut_off: bool,
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

impl Metrics {
    /// Everything at zero, for the operations and calls of a catalog.
    ///
    /// # Errors
    ///
    /// If a metric is not well described, which is a mistake of this file.
    #[expect(clippy::too_many_lines, reason = "one entry for each metric")]
    pub fn new(catalog: &Catalog) -> Result<Self, Error> {
        let registry = Registry::new();
        let build = gauge(
            &registry,
            "shim_build_info",
            "Always 1; the label is the version, with the commit if it is known",
            &["version"],
        )?;
        let switch = |name, help| {
            let gauge = IntGauge::new(name, help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok::<_, Error>(gauge)
        };
        let breaker = switch(
            "shim_v2_breaker_open",
            "1 while v2 is down and calls fail at once",
        )?;
        let dropped_log_lines = IntCounter::new(
            "shim_log_lines_dropped_total",
            "Log lines that were not written: standard error was full, closed or too slow",
        )?;
        registry.register(Box::new(dropped_log_lines.clone()))?;
        let version = env!("BUILD_VERSION");
        build.with_label_values(&[version]).set(1);

        let retries = counter(
            &registry,
            "shim_v2_retries_total",
            "v2 calls sent again, by reason",
            &["reason"],
        )?;
        for reason in REASONS {
            retries.with_label_values(&[reason]);
        }

        let parts = catalog.fields().iter().flat_map(|field| &field.parts);
        Ok(Self {
            fields: parts.map(|part| part.name.clone()).collect(),
            requests: counter(
                &registry,
                "shim_requests_total",
                "v1 requests by operation and how they ended",
                &["operation", "outcome"],
            )?,
            request_seconds: seconds(
                &registry,
                "shim_request_duration_seconds",
                "From the head of a v1 request to its answer",
                &["operation"],
            )?,
            calls: counter(
                &registry,
                "shim_v2_calls_total",
                "v2 calls by rate label, endpoint and HTTP status, or what came instead of one",
                &["label", "method", "template", "status"],
            )?,
            call_seconds: seconds(
                &registry,
                "shim_v2_call_duration_seconds",
                "From the beginning of a v2 call to its end, waits included",
                &["label"],
            )?,
            retries,
            lossy: counter(
                &registry,
                "shim_lossy_parameters_total",
                "v1 fields that were not supported, left out or missing",
                &["field", "kind"],
            )?,
            unknown: counter(
                &registry,
                "shim_unknown_parameters_total",
                "Parameters that their operation does not know, by name if another one knows it",
                &["parameter"],
            )?,
            unfinished: counter(
                &registry,
                "shim_unfinished_writes_total",
                "Writes that v2 did in part; the same request again does the rest",
                &["operation"],
            )?,
            breaker,
            budget: gauge(
                &registry,
                "shim_v2_budget_calls",
                "v2 calls that could be made at once, by account (from 1) and rate label",
                &["account", "label"],
            )?,
            recorded: counter(
                &registry,
                "shim_recorded_exchanges_total",
                "Exchanges that were written, or dropped because the disk is slow or full or there are too many",
                &["outcome"],
            )?,
            ledger: counter(
                &registry,
                "shim_ledger_requests_total",
                "Requests that are in the usage ledger, those of them whose callers are not told apart, and those that are missing there",
                &["outcome"],
            )?,
            dropped_log_lines,
            ready: switch("shim_ready", "As /readyz: 0 once the shim is stopping")?,
            state_degraded: switch(
                "shim_state_degraded",
                "1 while the state engine cannot be reached",
            )?,
            certificate_expires: gauge(
                &registry,
                "shim_tls_certificate_expires_seconds",
                "When the TLS certificate expires, in seconds since 1970",
                &[],
            )?,
            process: ProcessMetrics::new(&registry)?,
            shadow: ShadowCounters::new(&registry)?,
            sampling: Mutex::default(),
            webhooks: counter(
                &registry,
                "shim_webhooks_total",
                "v2's webhooks by event and what became of them",
                &["event", "outcome"],
            )?,
            pushes: counter(
                &registry,
                "shim_notifications_total",
                "Attempts to push a notification, by receiver and how they ended",
                &["notification", "receiver", "outcome"],
            )?,
            rollouts: RolloutCounters::new(&registry)?,
            queued: gauge(
                &registry,
                "shim_notifications_queued",
                "Notifications in the queues: waiting, or dead after their last attempt",
                &["receiver", "state"],
            )?,
            registry,
        })
    }

    /// All numbers in Prometheus' text format.
    ///
    /// # Errors
    ///
    /// If a number cannot be written down, which is a mistake of this file.
    pub(crate) fn render(&self, readings: &Readings) -> Result<Vec<u8>, Error> {
        // A counter grows by what a source has more; of two scrapes at once, only one may add it.
        let sampling = self.sampling.lock().unwrap_or_else(PoisonError::into_inner);
        self.breaker.set(readings.is_cut_off.into());
        self.ready.set(readings.is_ready.into());
        self.state_degraded.set(readings.is_state_degraded.into());
        if let Some(expires) = readings.certificate_expires {
            let none: [&str; 0] = [];
            self.certificate_expires
                .with_label_values(&none)
                .set(expires);
        }
        self.process.sample();
        for (account, label, level) in &readings.budget_levels {
            let budget = [&account.to_string(), label.as_str()];
            self.budget.with_label_values(&budget).set((*level).into());
        }
        raise(&self.dropped_log_lines, readings.dropped_log_lines);
        if let Some((written, dropped, thinned)) = readings.recorded {
            for (outcome, count) in [
                ("written", written),
                ("dropped", dropped),
                ("thinned", thinned),
            ] {
                raise(&self.recorded.with_label_values(&[outcome]), count);
            }
        }
        if let Some(LedgerCounts {
            written,
            folded,
            dropped,
        }) = readings.ledger
        {
            for (outcome, count) in [
                ("written", written),
                ("folded", folded),
                ("dropped", dropped),
            ] {
                raise(&self.ledger.with_label_values(&[outcome]), count);
            }
        }
        for (rollout, percent) in &readings.rollouts {
            let labels = [rollout.as_str()];
            let gauge = self.rollouts.percent.with_label_values(&labels);
            gauge.set((*percent).into());
        }
        for (receiver, waiting, dead) in &readings.queued {
            for (state, count) in [("waiting", waiting), ("dead", dead)] {
                let count = i64::try_from(*count).unwrap_or(i64::MAX);
                let queued = self.queued.with_label_values(&[receiver.as_str(), state]);
                queued.set(count);
            }
        }
        drop(sampling);
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(text)
    }

    fn count_lost(&self, field: &str, kind: WarningKind) {
        let known = self.fields.contains(field);
        let field = if known { field } else { OTHER };
        let kind = match kind {
            WarningKind::NotHonoured => "not_honoured",
            WarningKind::LeftOut => "left_out",
            WarningKind::Unreadable => "missing",
            WarningKind::Guessed => "guessed",
        };
        self.lossy.with_label_values(&[field, kind]).inc();
    }
}

impl ShadowCounters {
    fn new(registry: &Registry) -> Result<Self, Error> {
        Ok(Self {
            compared: counter(
                registry,
                "shim_shadow_compared_total",
                "v1 requests compared with the shadow, by the worst verdict of their fields",
                &["operation", "verdict"],
            )?,
            differences: counter(
                registry,
                "shim_shadow_differences_total",
                "Fields that differ from the shadow's, by verdict",
                &["operation", "verdict"],
            )?,
            not_compared: counter(
                registry,
                "shim_shadow_not_compared_total",
                "v1 requests that were not compared with the shadow, by reason",
                &["operation", "reason"],
            )?,
            answers: counter(
                registry,
                "shim_shadow_answers_total",
                "Answers to clients that were to have the shadow's, by whose they got",
                &["side"],
            )?,
        })
    }
}

impl RolloutCounters {
    fn new(registry: &Registry) -> Result<Self, Error> {
        Ok(Self {
            answers: counter(
                registry,
                "shim_rollout_answers_total",
                "v1 requests that a rollout concerns, by the side that was asked",
                &["rollout", "side", "outcome"],
            )?,
            seconds: seconds(
                registry,
                "shim_rollout_answer_duration_seconds",
                "From a request to the answer of a side",
                &["rollout", "side"],
            )?,
            compared: counter(
                registry,
                "shim_rollout_compared_total",
                "Moved reads that both sides answered, by the worst verdict of their fields",
                &["rollout", "verdict"],
            )?,
            left: counter(
                registry,
                "shim_rollout_left_total",
                "How often the other side was left, by what exceeded the step",
                &["rollout", "excess"],
            )?,
            percent: gauge(
                registry,
                "shim_rollout_percent",
                "Share of the callers that the other side answers now",
                &["rollout"],
            )?,
        })
    }
}

impl Observer for Metrics {
    fn served(&self, record: &RequestRecord<'_>) {
        let operation = record.operation.unwrap_or(OTHER);
        let requests = &self.requests;
        requests
            .with_label_values(&[operation, record.ending.as_str()])
            .inc();
        let elapsed = record.elapsed.as_secs_f64();
        let seconds = &self.request_seconds;
        seconds.with_label_values(&[operation]).observe(elapsed);
        for warning in record.warnings {
            for field in warning.field.split(", ") {
                self.count_lost(field, warning.kind);
            }
        }
        for name in &record.misplaced {
            self.unknown.with_label_values(&[name]).inc();
        }
        if record.unfinished.is_some() {
            self.unfinished.with_label_values(&[operation]).inc();
        }
        let nameless = record.unknown.saturating_sub(record.misplaced.len());
        if nameless > 0 {
            let unknown = self.unknown.with_label_values(&[OTHER]);
            unknown.inc_by(nameless as u64);
        }
    }

    fn called(&self, call: &CallRecord<'_>) {
        let answered;
        let status = match call.outcome {
            Outcome::Answered { status, .. } => {
                answered = status.to_string();
                &answered
            }
            Outcome::Unreadable { .. } => "unreadable",
            Outcome::NoAnswer { .. } => "no_answer",
            Outcome::Refused => "refused",
            Outcome::Limited => "limited",
        };
        self.calls
            .with_label_values(&[call.label, call.method.as_str(), call.template, status])
            .inc();
        let elapsed = call.elapsed.as_secs_f64();
        let seconds = &self.call_seconds;
        seconds.with_label_values(&[call.label]).observe(elapsed);
        let RetryCounts {
            failure,
            limit,
            token,
        } = call.retries;
        for (reason, count) in REASONS.into_iter().zip([failure, limit, token]) {
            if count > 0 {
                let retries = self.retries.with_label_values(&[reason]);
                retries.inc_by(count.into());
            }
        }
    }

    fn rollout(&self, record: &RolloutRecord<'_>) {
        match record {
            RolloutRecord::Answered {
                rollout,
                side,
                is_failed,
                elapsed,
            } => {
                let side = side.as_str();
                let outcome = if *is_failed { "failed" } else { "answered" };
                let answers = &self.rollouts.answers;
                answers.with_label_values(&[rollout, side, outcome]).inc();
                let seconds = self.rollouts.seconds.with_label_values(&[rollout, side]);
                seconds.observe(elapsed.as_secs_f64());
            }
            RolloutRecord::Compared {
                rollout, verdict, ..
            } => {
                let compared = [rollout, verdict.as_str()];
                self.rollouts.compared.with_label_values(&compared).inc();
            }
            RolloutRecord::Left {
                rollout, excess, ..
            } => self
                .rollouts
                .left
                .with_label_values(&[rollout, excess])
                .inc(),
            RolloutRecord::Step { .. } | RolloutRecord::Followed { .. } => {}
        }
    }

    fn webhook(&self, record: &WebhookRecord<'_>) {
        let event = record.event.unwrap_or(OTHER);
        self.webhooks
            .with_label_values(&[event, record.outcome])
            .inc();
    }

    fn delivered(&self, record: &DeliveryRecord<'_>) {
        let labels = [
            record.notification,
            record.receiver,
            record.outcome.as_str(),
        ];
        self.pushes.with_label_values(&labels).inc();
    }

    fn shadowed(&self, record: &ShadowRecord<'_>) {
        match record {
            ShadowRecord::Compared {
                operation,
                verdict,
                differences,
            } => {
                let compared = [operation, verdict.as_str()];
                self.shadow.compared.with_label_values(&compared).inc();
                for (verdict, count) in *differences {
                    let differing = [operation, verdict.as_str()];
                    let differing = self.shadow.differences.with_label_values(&differing);
                    differing.inc_by(*count);
                }
            }
            ShadowRecord::NotCompared { operation, reason } => {
                let labels = [operation, *reason];
                self.shadow.not_compared.with_label_values(&labels).inc();
            }
            ShadowRecord::Answered { side } => {
                let side = match side {
                    Side::Shim => "shim",
                    Side::Shadow => "shadow",
                };
                self.shadow.answers.with_label_values(&[side]).inc();
            }
            ShadowRecord::Found { .. } => {}
        }
    }
}

/// Brings a counter to the count that its source has.
fn raise(counter: &IntCounter, count: u64) {
    counter.inc_by(count.saturating_sub(counter.get()));
}

fn counter(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> Result<IntCounterVec, Error> {
    let counter = IntCounterVec::new(Opts::new(name, help), labels)?;
    registry.register(Box::new(counter.clone()))?;
    Ok(counter)
}

fn gauge(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> Result<IntGaugeVec, Error> {
    let gauge = IntGaugeVec::new(Opts::new(name, help), labels)?;
    registry.register(Box::new(gauge.clone()))?;
    Ok(gauge)
}

fn seconds(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> Result<HistogramVec, Error> {
    let options = HistogramOpts::new(name, help).buckets(BUCKETS.to_vec());
    let histogram = HistogramVec::new(options, labels)?;
    registry.register(Box::new(histogram.clone()))?;
    Ok(histogram)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    /// The names that begin as all of them do.
    fn names(text: &str) -> BTreeSet<&str> {
        let is_name = |char: char| char.is_ascii_alphanumeric() || char == '_';
        let words = text.split(|char| !is_name(char));
        words.filter(|word| word.starts_with("shim_")).collect()
    }

    /// The metric names in this file's string literals; a crate's name can begin like theirs.
    fn described() -> BTreeSet<&'static str> {
        let (code, _) = include_str!("metrics.rs").split_once("mod tests").unwrap();
        let literals = code.split('"').skip(1).step_by(2);
        literals.flat_map(names).collect()
    }

    #[test]
    fn the_dashboard_shows_all_metrics_and_no_others() {
        let dashboard: Value = serde_json::from_str(include_str!("../../grafana.json")).unwrap();
        let panels = dashboard["panels"].as_array().unwrap();
        let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64()).collect();
        assert_eq!(ids.len(), panels.len(), "each panel has an id of its own");
        let panels = panels.iter().filter(|panel| panel["type"] != "row");
        let targets = panels.flat_map(|panel| panel["targets"].as_array().unwrap());
        let shown: BTreeSet<_> = targets
            .flat_map(|target| names(target["expr"].as_str().unwrap()))
            .map(|name| name.trim_end_matches("_bucket"))
            .collect();
        assert_eq!(shown, described());
    }

    #[test]
    fn the_docs_name_all_metrics_and_no_others() {
        assert_eq!(names(include_str!("../../docs/operate.md")), described());
    }
}
