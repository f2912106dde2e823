//! Classifies consumers: live, dormant, or safe to switch off.

use serde::Serialize;
use time::Date;

use super::{Consumer, Ledger, day_name, day_of};

/// A caller is live for this many days after its last call.
pub const LIVE_DAYS: i64 = 7;

/// Observed days without a call after which a caller counts as gone: a quarter and a week.
pub const SAFE_DAYS: i64 = 100;

/// Thresholds. Monthly jobs are dormant most of the time, but not gone.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Rule {
    /// A consumer is live for this many days after its last call.
    pub live_days: i64,
    /// Observed days without a call after which a consumer counts as gone.
    pub safe_days: i64,
}

/// Classification of a consumer, ordered by the work left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Called recently.
    Live,
    /// Has not called for a while, but may call again.
    Dormant,
    /// Has not called for long enough to count as gone.
    Safe,
    /// All its calls are rejected, so switching v1 off changes nothing for it.
    Refused,
}

/// Verdict with its figures.
#[derive(Clone, Debug, Serialize)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Day of the last request.
    pub since: String,
    /// Observed whole days without a request.
    pub silent_days: i64,
    /// Observed days without a request required for [`Verdict::Safe`].
    pub wanted_days: i64,
    /// Missing requests that may have been from this consumer.
    pub missing: u64,
}

impl Verdict {
    /// Description for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Dormant => "dormant since",
            Self::Safe => "safe to switch off",
            Self::Refused => "refused",
        }
    }

    /// Identifier for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Dormant => "dormant",
            Self::Safe => "safe",
            Self::Refused => "refused",
        }
    }
}

impl Default for Rule {
    fn default() -> Self {
        Self {
            live_days: LIVE_DAYS,
            safe_days: SAFE_DAYS,
        }
    }
}

impl Rule {
    /// Description of the rule.
    pub fn words(&self) -> String {
        let Self {
            live_days,
            safe_days,
        } = self;
        format!(
            "live: called in the last {live_days} days. safe to switch off: no calls for at least \
             {safe_days} recorded days and for twice its longest pause, with no gap in the ledger since. \
             dormant: all others."
        )
    }

    /// Classifies a consumer by its last request.
    pub fn consumer(&self, ledger: &Ledger, consumer: &Consumer) -> Judgement {
        self.judge(ledger, consumer, &consumer.last)
    }

    /// Classifies a consumer by the time of a last request.
    pub fn judge(&self, ledger: &Ledger, consumer: &Consumer, last: &str) -> Judgement {
        let last = day_of(last).unwrap_or(Date::MAX);
        let silent_days = ledger.observed_after(last);
        let twice = i64::from(consumer.longest_pause_days).saturating_mul(2);
        let wanted_days = self.safe_days.max(twice);
        let missing = ledger.missing_since(last);
        let age = ledger.today.map_or(0, |today| (today - last).whole_days());
        let verdict = if consumer.key.is_none() {
            Verdict::Refused
        } else if age <= self.live_days {
            Verdict::Live
        } else if silent_days >= wanted_days && missing == 0 {
            Verdict::Safe
        } else {
            Verdict::Dormant
        };
        Judgement {
            verdict,
            since: day_name(last),
            silent_days,
            wanted_days,
            missing,
        }
    }

    /// True if the ledger covers enough days for any caller to be safe.
    pub fn is_observed(&self, ledger: &Ledger) -> bool {
        ledger.observed() >= self.safe_days
    }
}

impl Judgement {
    /// Reason why a dormant consumer is not safe.
    pub fn reason(&self) -> Option<String> {
        if self.verdict != Verdict::Dormant {
            return None;
        }
        let Self {
            silent_days,
            wanted_days,
            missing,
            ..
        } = self;
        Some(if silent_days < wanted_days {
            format!(
                "silent on {silent_days} of the {wanted_days} observed days that the rule wants"
            )
        } else {
            format!(
                "silent on {silent_days} observed days, but {missing} requests are missing since"
            )
        })
    }
}
