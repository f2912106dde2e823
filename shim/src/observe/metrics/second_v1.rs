//! Counters of shadows and rollouts.

use prometheus::{Error, HistogramVec, IntCounterVec, Registry};

use super::{counter, seconds};
use crate::{
    observe::observer::{RolloutRecord, ShadowRecord},
    settings::Side,
};

/// Counters of the comparison with a shadow.
pub(super) struct ShadowCounters {
    compared: IntCounterVec,
    differences: IntCounterVec,
    not_compared: IntCounterVec,
    answers: IntCounterVec,
}

/// Counters of the sides of rollouts.
pub(super) struct RolloutCounters {
    answers: IntCounterVec,
    seconds: HistogramVec,
    compared: IntCounterVec,
    left: IntCounterVec,
}

impl ShadowCounters {
    pub(super) fn new(registry: &Registry) -> Result<Self, Error> {
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
                "Fields that differ from the shadow, by verdict",
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
                "Responses to clients with answer = shadow, by the side that they came from",
                &["side"],
            )?,
        })
    }

    pub(super) fn count(&self, record: &ShadowRecord<'_>) {
        match record {
            ShadowRecord::Compared {
                operation,
                verdict,
                differences,
            } => {
                self.compared
                    .with_label_values(&[operation, verdict.as_str()])
                    .inc();
                for (verdict, count) in *differences {
                    self.differences
                        .with_label_values(&[operation, verdict.as_str()])
                        .inc_by(*count);
                }
            }
            ShadowRecord::NotCompared { operation, reason } => {
                self.not_compared
                    .with_label_values(&[operation, *reason])
                    .inc();
            }
            ShadowRecord::Answered { side } => {
                let side = match side {
                    Side::Shim => "shim",
                    Side::Shadow => "shadow",
                };
                self.answers.with_label_values(&[side]).inc();
            }
            ShadowRecord::Found { .. } => {}
        }
    }
}

impl RolloutCounters {
    pub(super) fn new(registry: &Registry) -> Result<Self, Error> {
        Ok(Self {
            answers: counter(
                registry,
                "shim_rollout_answers_total",
                "v1 requests under a rollout, by the side that served them",
                &["rollout", "side", "outcome"],
            )?,
            seconds: seconds(
                registry,
                "shim_rollout_answer_duration_seconds",
                "Time from a request to the response of a side",
                &["rollout", "side"],
            )?,
            compared: counter(
                registry,
                "shim_rollout_compared_total",
                "Moved reads compared on both sides, by the worst verdict of their fields",
                &["rollout", "verdict"],
            )?,
            left: counter(
                registry,
                "shim_rollout_left_total",
                "Number of times a rollout went back to this side, by the limit that was exceeded",
                &["rollout", "excess"],
            )?,
        })
    }

    pub(super) fn count(&self, record: &RolloutRecord<'_>) {
        match record {
            RolloutRecord::Answered {
                rollout,
                side,
                is_failed,
                elapsed,
            } => {
                let side = side.as_str();
                let outcome = if *is_failed { "failed" } else { "answered" };
                let answers = &self.answers;
                answers.with_label_values(&[rollout, side, outcome]).inc();
                let seconds = self.seconds.with_label_values(&[rollout, side]);
                seconds.observe(elapsed.as_secs_f64());
            }
            RolloutRecord::Compared {
                rollout, verdict, ..
            } => {
                let compared = [rollout, verdict.as_str()];
                self.compared.with_label_values(&compared).inc();
            }
            RolloutRecord::Left {
                rollout, excess, ..
            } => self.left.with_label_values(&[rollout, excess]).inc(),
            RolloutRecord::Step { .. } | RolloutRecord::Followed { .. } => {}
        }
    }
}
