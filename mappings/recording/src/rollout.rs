//! Figures of a rollout's current step, as shown by the shim's operations address.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::comparison::Verdict;

/// Figures of a rollout step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Name of the rollout.
    pub name: String,
    /// Other side: base URL, or folder of mappings.
    pub other: String,
    /// Current share in percent.
    pub percent: u8,
    /// Configured share in percent.
    pub configured_percent: u8,
    /// Start of the step: RFC 3339, UTC.
    pub since: String,
    /// Rollback by the shim, if any.
    pub left: Option<Left>,
    /// Measured share of responses from the other side; null without a response.
    pub share: Option<f64>,
    /// Share of compared responses without an unexpected difference; null without a comparison.
    pub consistency: Option<f64>,
    /// Compared responses by verdict.
    pub compared: BTreeMap<Verdict, u64>,
    /// Figures of both sides.
    pub sides: Sides,
    /// Counts over the most recent responses of the other side.
    pub recently: Recently,
}

/// Rollback to this side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// Time: RFC 3339, UTC.
    pub at: String,
    /// Share before the rollback, in percent.
    pub percent: u8,
    /// Limit of the step that was exceeded.
    pub reason: String,
}

/// Both sides.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sides {
    /// This shim.
    pub this: Side,
    /// Target of the rollout.
    pub other: Side,
}

/// One side.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Side {
    /// Requests received.
    pub answers: u64,
    /// Requests without a response.
    pub errors: u64,
    /// 99th percentile of recent response times in milliseconds; null without a response.
    pub p99_ms: Option<f64>,
}

/// Counts over the most recent responses of the other side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recently {
    /// Number of responses.
    pub answers: usize,
    /// Responses with an unexpected difference.
    pub unexpected: usize,
    /// Requests without a response.
    pub errors: usize,
    /// Responses slower than the limit for the 99th percentile.
    pub slow: usize,
}

impl Figures {
    /// Number of compared responses.
    pub fn compared(&self) -> u64 {
        self.compared.values().sum()
    }

    /// Number of compared responses with an unexpected difference.
    pub fn unexpected(&self) -> u64 {
        let unexpected = self.compared.get(&Verdict::Unexpected);
        unexpected.copied().unwrap_or_default()
    }
}
