//! One stage of a rollout: counts answers and detects when a limit is exceeded.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    time::Duration,
};

use recording::{comparison::Verdict, rollout::Recently};

use crate::settings::Allowed;

/// Number of latest response times kept per side for the 99th percentile.
const TIMES: usize = 1000;

/// Answers since the last change of the share.
#[derive(Debug)]
pub(super) struct Stage {
    allowed: Allowed,
    /// Sliding window over the answers of the other side.
    last: VecDeque<Sample>,
    pub(super) this: SideFigures,
    pub(super) other: SideFigures,
    pub(super) compared: BTreeMap<Verdict, u64>,
}

/// One answer of the other side, or its failure.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) is_failed: bool,
    /// `None` if not compared.
    pub(super) verdict: Option<Verdict>,
    pub(super) elapsed: Duration,
}

/// Statistics of one side.
#[derive(Debug, Default)]
pub(super) struct SideFigures {
    pub(super) answers: u64,
    pub(super) errors: u64,
    times: VecDeque<Duration>,
}

/// An exceeded limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Excess {
    /// Unexpected differences.
    Unexpected(Counted),
    /// Unanswered requests.
    Errors(Counted),
    /// More than one answer in a hundred took longer than this.
    P99(Duration, Counted),
}

/// Count within the window, its limit, and the size of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    count: usize,
    allowed: usize,
    answers: usize,
}

impl Stage {
    pub(super) fn new(allowed: Allowed) -> Self {
        Self {
            allowed,
            last: VecDeque::new(),
            this: SideFigures::default(),
            other: SideFigures::default(),
            compared: BTreeMap::new(),
        }
    }

    /// Counts an answer of the other side; returns the limit that it exceeds, if any.
    pub(super) fn note(&mut self, sample: Sample) -> Option<Excess> {
        self.other.note(sample.elapsed, sample.is_failed);
        if let Some(verdict) = sample.verdict {
            *self.compared.entry(verdict).or_default() += 1;
        }
        self.last.push_back(sample);
        if self.last.len() > self.allowed.answers {
            self.last.pop_front();
        }
        self.excess()
    }

    pub(super) fn recently(&self) -> Recently {
        let count = |matches: fn(&Sample, &Allowed) -> bool| {
            let last = self.last.iter();
            last.filter(|sample| matches(sample, &self.allowed)).count()
        };
        Recently {
            answers: self.last.len(),
            unexpected: count(|sample, _| sample.verdict == Some(Verdict::Unexpected)),
            errors: count(|sample, _| sample.is_failed),
            slow: count(|sample, allowed| allowed.p99.is_some_and(|most| sample.elapsed > most)),
        }
    }

    fn excess(&self) -> Option<Excess> {
        let Allowed {
            answers: window,
            unexpected,
            errors,
            p99,
        } = self.allowed;
        let recently = self.recently();
        let beyond = |count, allowed| {
            let answers = recently.answers;
            (count > allowed).then_some(Counted {
                count,
                allowed,
                answers,
            })
        };
        // A full window may contain one percent of slower answers; with more, its 99th percentile
        // exceeds the limit.
        let slow = |most| Some(Excess::P99(most, beyond(recently.slow, window / 100)?));
        let is_wrong = beyond(recently.unexpected, unexpected).map(Excess::Unexpected);
        is_wrong
            .or_else(|| beyond(recently.errors, errors).map(Excess::Errors))
            .or_else(|| p99.and_then(slow))
    }
}

impl SideFigures {
    pub(super) fn note(&mut self, elapsed: Duration, is_failed: bool) {
        self.answers += 1;
        self.errors += u64::from(is_failed);
        self.times.push_back(elapsed);
        if self.times.len() > TIMES {
            self.times.pop_front();
        }
    }

    /// 99th percentile of the latest response times; `None` if empty.
    pub(super) fn p99(&self) -> Option<Duration> {
        let mut times: Vec<_> = self.times.iter().copied().collect();
        times.sort_unstable();
        let at = (times.len() * 99).div_ceil(100).checked_sub(1)?;
        times.get(at).copied()
    }
}

impl Excess {
    /// The reason as one word, for metrics.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Unexpected(_) => "unexpected",
            Self::Errors(_) => "errors",
            Self::P99(..) => "p99",
        }
    }
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, counted) = match self {
            Self::Unexpected(counted) => ("with unexpected differences".to_owned(), counted),
            Self::Errors(counted) => ("failed".to_owned(), counted),
            Self::P99(most, counted) => {
                (format!("took more than {} ms", most.as_millis()), counted)
            }
        };
        let Counted {
            count,
            allowed,
            answers,
        } = counted;
        write!(
            f,
            "{count} of the last {answers} answers {what}, and {allowed} are allowed"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWED: Allowed = Allowed {
        answers: 100,
        unexpected: 2,
        errors: 1,
        p99: Some(Duration::from_millis(50)),
    };

    fn sample(verdict: Verdict) -> Sample {
        Sample {
            is_failed: false,
            verdict: Some(verdict),
            elapsed: Duration::from_millis(10),
        }
    }

    #[test]
    fn exceeding_the_allowed_differences_is_an_excess() {
        let mut stage = Stage::new(ALLOWED);
        for _ in 0..500 {
            assert_eq!(stage.note(sample(Verdict::Lossy)), None);
        }
        assert_eq!(stage.note(sample(Verdict::Unexpected)), None);
        assert_eq!(stage.note(sample(Verdict::Unexpected)), None);
        let excess = stage.note(sample(Verdict::Unexpected)).unwrap();
        assert_eq!(excess.as_str(), "unexpected");
        assert_eq!(
            excess.to_string(),
            "3 of the last 100 answers with unexpected differences, and 2 are allowed"
        );
    }

    #[test]
    fn only_answers_in_the_window_count() {
        let mut stage = Stage::new(ALLOWED);
        for _ in 0..50 {
            assert_eq!(stage.note(sample(Verdict::Unexpected)), None);
            for _ in 0..49 {
                assert_eq!(stage.note(sample(Verdict::Same)), None);
            }
        }
        assert_eq!(stage.compared[&Verdict::Unexpected], 50);
        assert_eq!(stage.recently().unexpected, 2);
    }

    #[test]
    fn failures_and_slow_answers_are_excesses() {
        let mut stage = Stage::new(ALLOWED);
        let failed = Sample {
            is_failed: true,
            verdict: None,
            ..sample(Verdict::Same)
        };
        assert_eq!(stage.note(failed), None);
        assert_eq!(stage.note(failed).unwrap().as_str(), "errors");

        let mut stage = Stage::new(ALLOWED);
        let slow = Sample {
            elapsed: Duration::from_millis(51),
            ..sample(Verdict::Same)
        };
        assert_eq!(stage.note(slow), None);
        let excess = stage.note(slow).unwrap();
        assert_eq!(
            excess.to_string(),
            "2 of the last 2 answers took more than 50 ms, and 1 are allowed"
        );
    }

    #[test]
    fn the_99th_percentile_is_exact_for_a_hundred() {
        let mut figures = SideFigures::default();
        assert_eq!(figures.p99(), None);
        for millis in 1..=100 {
            figures.note(Duration::from_millis(millis), false);
        }
        assert_eq!(figures.p99(), Some(Duration::from_millis(99)));
    }
}
