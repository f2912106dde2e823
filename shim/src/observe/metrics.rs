//! Prometheus metrics.
//!
//! Label values are names of the catalog or constants, so that clients cannot increase the number
//! of series.

mod process;
mod sampled;
mod second_v1;

use std::collections::BTreeSet;

use mappings::{Catalog, Outcome, WarningKind};
use prometheus::{
    Encoder as _, Error, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry,
    TextEncoder, core::Collector,
};
use shim_upstream::{CallRecord, RetryCounts};

use super::observer::{
    DeliveryRecord, Observer, RequestRecord, RolloutRecord, ShadowRecord, WebhookRecord,
};
pub(crate) use sampled::Readings;
use sampled::Sampled;
use second_v1::{RolloutCounters, ShadowCounters};

/// Upper bounds in seconds, up to the 15 after which v1's clients give up.
const BUCKETS: [f64; 12] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0,
];

/// Reasons of retries.
const REASONS: [&str; 3] = ["failure", "limit", "token"];

/// Label value for names that are not in the catalog.
const OTHER: &str = "other";

/// Counters of one shim. Each shim has its own registry; nothing is global.
pub struct Metrics {
    registry: Registry,
    /// Names of v1 fields. Other names may come from clients and are not used as labels.
    fields: BTreeSet<String>,
    requests: IntCounterVec,
    request_seconds: HistogramVec,
    calls: IntCounterVec,
    call_seconds: HistogramVec,
    retries: IntCounterVec,
    lossy: IntCounterVec,
    unknown: IntCounterVec,
    unfinished: IntCounterVec,
    shadow: ShadowCounters,
    rollouts: RolloutCounters,
    sampled: Sampled,
    webhooks: IntCounterVec,
    pushes: IntCounterVec,
}

impl Metrics {
    /// Registers all metrics.
    ///
    /// # Errors
    ///
    /// If the definition of a metric is invalid, which is a bug.
    pub fn new(catalog: &Catalog) -> Result<Self, Error> {
        let registry = Registry::new();
        let build = gauge(
            &registry,
            "shim_build_info",
            "Always 1; the label is the version, with the commit if it is known",
            &["version"],
        )?;
        build.with_label_values(&[env!("BUILD_VERSION")]).set(1);

        let retries = counter(
            &registry,
            "shim_v2_retries_total",
            "Retries of v2 calls, by reason",
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
                "v1 requests by operation and outcome",
                &["operation", "outcome"],
            )?,
            request_seconds: seconds(
                &registry,
                "shim_request_duration_seconds",
                "Time from the head of a v1 request to its response",
                &["operation"],
            )?,
            calls: counter(
                &registry,
                "shim_v2_calls_total",
                "v2 calls by rate label, endpoint and HTTP status, or the failure if there is no status",
                &["label", "method", "template", "status"],
            )?,
            call_seconds: seconds(
                &registry,
                "shim_v2_call_duration_seconds",
                "Duration of v2 calls, including waits",
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
                "Parameters that the operation does not have, by name if another operation has it",
                &["parameter"],
            )?,
            unfinished: counter(
                &registry,
                "shim_unfinished_writes_total",
                "Writes that v2 completed in part; repeating the request completes them",
                &["operation"],
            )?,
            shadow: ShadowCounters::new(&registry)?,
            webhooks: counter(
                &registry,
                "shim_webhooks_total",
                "Webhooks from v2 by event and outcome",
                &["event", "outcome"],
            )?,
            pushes: counter(
                &registry,
                "shim_notifications_total",
                "Attempts to push a notification, by receiver and outcome",
                &["notification", "receiver", "outcome"],
            )?,
            rollouts: RolloutCounters::new(&registry)?,
            sampled: Sampled::new(&registry)?,
            registry,
        })
    }

    /// Returns all metrics in the Prometheus text format.
    ///
    /// # Errors
    ///
    /// If a metric cannot be encoded, which is a bug.
    pub(crate) fn render(&self, readings: &Readings) -> Result<Vec<u8>, Error> {
        self.sampled.take(readings);
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

impl Observer for Metrics {
    fn served(&self, record: &RequestRecord<'_>) {
        let operation = record.operation.unwrap_or(OTHER);
        self.requests
            .with_label_values(&[operation, record.ending.as_str()])
            .inc();
        self.request_seconds
            .with_label_values(&[operation])
            .observe(record.elapsed.as_secs_f64());
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
            self.unknown
                .with_label_values(&[OTHER])
                .inc_by(nameless as u64);
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
        self.call_seconds
            .with_label_values(&[call.label])
            .observe(call.elapsed.as_secs_f64());
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
        self.rollouts.count(record);
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
        self.shadow.count(record);
    }
}

fn counter(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> Result<IntCounterVec, Error> {
    register(registry, IntCounterVec::new(Opts::new(name, help), labels)?)
}

fn gauge(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> Result<IntGaugeVec, Error> {
    register(registry, IntGaugeVec::new(Opts::new(name, help), labels)?)
}

fn seconds(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> Result<HistogramVec, Error> {
    let options = HistogramOpts::new(name, help).buckets(BUCKETS.to_vec());
    register(registry, HistogramVec::new(options, labels)?)
}

fn register<M: Collector + Clone + 'static>(registry: &Registry, metric: M) -> Result<M, Error> {
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    /// Metric names in a text.
    fn names(text: &str) -> BTreeSet<&str> {
        let is_name = |char: char| char.is_ascii_alphanumeric() || char == '_';
        let words = text.split(|char| !is_name(char));
        words.filter(|word| word.starts_with("shim_")).collect()
    }

    /// Metric names in string literals. Other code is skipped: a crate name can have the same
    /// prefix.
    fn described() -> BTreeSet<&'static str> {
        let (code, _) = include_str!("metrics.rs").split_once("mod tests").unwrap();
        let files = [
            code,
            include_str!("metrics/sampled.rs"),
            include_str!("metrics/second_v1.rs"),
        ];
        let literals = files.map(|code| code.split('"').skip(1).step_by(2));
        literals.into_iter().flatten().flat_map(names).collect()
    }

    #[test]
    fn the_dashboard_shows_all_metrics_and_no_others() {
        let dashboard: Value = serde_json::from_str(include_str!("../../grafana.json")).unwrap();
        let panels = dashboard["panels"].as_array().unwrap();
        let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64()).collect();
        assert_eq!(ids.len(), panels.len(), "each panel has its own id");
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
