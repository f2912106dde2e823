//! When a consumer is live, when it is dormant, and when its v1 can be switched off.

use serde::Serialize;
use time::Date;

use super::{Consumer, Ledger, day_name, day_of};

/// Days within which a caller that called is live.
pub const LIVE_DAYS: i64 = 7;

/// Observed days without a call after which a caller may be gone: a quarter and a week.
pub const SAFE_DAYS: i64 = 100;

/// The thresholds. A monthly job is dormant most of the time, and not gone.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Rule {
    /// A consumer that called within this many days is live.
    pub live_days: i64,
    /// A consumer without a call on this many observed days may be gone: a quarter and a week.
    pub safe_days: i64,
}

/// What the rule says. Ordered by how much there is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It calls.
    Live,
    /// It has not called for a while; that may be its habit.
    Dormant,
    /// It has not called for long enough to count as gone.
    Safe,
    /// Its calls are refused, so that switching v1 off changes nothing for it.
    Refused,
}

/// What the rule says, and why.
#[derive(Clone, Debug, Serialize)]
pub struct Judgement {
    /// What the rule says.
    pub verdict: Verdict,
    /// The day of the last request.
    pub since: String,
    /// Whole days without a request that were observed.
    pub silent_days: i64,
    /// How many of them the rule wants before it says that it is safe.
    pub wanted_days: i64,
    /// Unrecorded requests that may have been its own.
    pub missing: u64,
}

impl Verdict {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Dormant => "dormant since",
            Self::Safe => "safe to switch off",
            Self::Refused => "refused",
        }
    }

    /// One word, for programs.
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
    /// The rule itself, in words.
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

    /// Judges a consumer by its last request for anything.
    pub fn consumer(&self, ledger: &Ledger, consumer: &Consumer) -> Judgement {
        self.judge(ledger, consumer, &consumer.last)
    }

    /// Judges a consumer by a last request.
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

    /// True if the ledger was kept long enough for the rule to call any caller gone.
    pub fn is_observed(&self, ledger: &Ledger) -> bool {
        ledger.observed() >= self.safe_days
    }
}

impl Judgement {
    /// Why it is not safe, if it is dormant.
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
