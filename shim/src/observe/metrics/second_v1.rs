//! What is counted where a second v1 answers, too: a shadow, or the other side of a rollout.

use prometheus::{Error, HistogramVec, IntCounterVec, Registry};

use super::{counter, seconds};
use crate::{
    observe::observer::{RolloutRecord, ShadowRecord},
    settings::Side,
};

/// What was compared with a shadow.
pub(super) struct ShadowCounters {
    compared: IntCounterVec,
    differences: IntCounterVec,
    not_compared: IntCounterVec,
    answers: IntCounterVec,
}

/// What the sides of rollouts did.
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

    pub(super) fn count(&self, record: &ShadowRecord<'_>) {
        match record {
            ShadowRecord::Compared {
                operation,
                verdict,
                differences,
            } => {
                let compared = [operation, verdict.as_str()];
                self.compared.with_label_values(&compared).inc();
                for (verdict, count) in *differences {
                    let differing = [operation, verdict.as_str()];
                    let differing = self.differences.with_label_values(&differing);
                    differing.inc_by(*count);
                }
            }
            ShadowRecord::NotCompared { operation, reason } => {
                let labels = [operation, *reason];
                self.not_compared.with_label_values(&labels).inc();
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
