//! The figures of a rollout's current step, as the operations address of a shim shows them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::comparison::Verdict;

/// The figures of a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// The rollout.
    pub name: String,
    /// The other side: its base URL, or the folder of its mappings.
    pub other: String,
    /// The share that holds now.
    pub percent: u8,
    /// The share in the settings.
    pub configured_percent: u8,
    /// When the step began: RFC 3339, UTC.
    pub since: String,
    /// Why the other side was left, if the shim left it.
    pub left: Option<Left>,
    /// Measured share of the answers that the other side gave; null without an answer.
    pub share: Option<f64>,
    /// Share of the compared answers without an unexpected difference; null without a comparison.
    pub consistency: Option<f64>,
    /// Answers by verdict.
    pub compared: BTreeMap<Verdict, u64>,
    /// The figures of both sides.
    pub sides: Sides,
    /// Counts in the last answers of the other side.
    pub recently: Recently,
}

/// Why the other side was left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// When: RFC 3339, UTC.
    pub at: String,
    /// From which share.
    pub percent: u8,
    /// What the step did not allow.
    pub reason: String,
}

/// Both sides.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sides {
    /// The shim that has the rollout.
    pub this: Side,
    /// Where it moves callers to.
    pub other: Side,
}

/// One side.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Side {
    /// Requests that it was given.
    pub answers: u64,
    /// Requests that it did not answer.
    pub errors: u64,
    /// The 99th percentile of its last answers in milliseconds; null without one.
    pub p99_ms: Option<f64>,
}

/// Counts in the last answers of the other side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recently {
    /// How many there are.
    pub answers: usize,
    /// With an unexpected difference.
    pub unexpected: usize,
    /// Not answered.
    pub errors: usize,
    /// Above the limit for the 99th percentile.
    pub slow: usize,
}

impl Figures {
    /// How many answers were compared.
    pub fn compared(&self) -> u64 {
        self.compared.values().sum()
    }

    /// How many of them differ unexpectedly.
    pub fn unexpected(&self) -> u64 {
        let unexpected = self.compared.get(&Verdict::Unexpected);
        unexpected.copied().unwrap_or_default()
    }
}
