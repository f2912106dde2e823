//! One step of a rollout: counts its answers, and finds when the other side must be left.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    time::Duration,
};

use recording::{comparison::Verdict, rollout::Recently};

use crate::settings::Allowed;

/// Answers of a side whose times are kept, for the 99th percentile.
const TIMES: usize = 1000;

/// The answers since the last change of the share.
#[derive(Debug)]
pub(super) struct Stage {
    allowed: Allowed,
    /// The last answers of the other side.
    last: VecDeque<Judged>,
    pub(super) this: SideFigures,
    pub(super) other: SideFigures,
    pub(super) compared: BTreeMap<Verdict, u64>,
}

/// One answer of the other side, or the lack of one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judged {
    pub(super) is_failed: bool,
    /// `None` if it was not compared.
    pub(super) verdict: Option<Verdict>,
    pub(super) elapsed: Duration,
}

/// What is known of the answers of one side.
#[derive(Debug, Default)]
pub(super) struct SideFigures {
    pub(super) answers: u64,
    pub(super) errors: u64,
    times: VecDeque<Duration>,
}

/// What a step does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Excess {
    /// Unexpected differences.
    Unexpected(Counted),
    /// Requests that were not answered.
    Errors(Counted),
    /// More than one in a hundred of the answers took longer than this.
    P99(Duration, Counted),
}

/// How many of the last answers, and how many are allowed.
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

    /// Counts an answer of the other side. It must be left if that gives an excess.
    pub(super) fn note(&mut self, judged: Judged) -> Option<Excess> {
        self.other.note(judged.elapsed, judged.is_failed);
        if let Some(verdict) = judged.verdict {
            *self.compared.entry(verdict).or_default() += 1;
        }
        self.last.push_back(judged);
        if self.last.len() > self.allowed.answers {
            self.last.pop_front();
        }
        self.excess()
    }

    pub(super) fn recently(&self) -> Recently {
        let count = |is_it: fn(&Judged, &Allowed) -> bool| {
            let last = self.last.iter();
            last.filter(|judged| is_it(judged, &self.allowed)).count()
        };
        Recently {
            answers: self.last.len(),
            unexpected: count(|judged, _| judged.verdict == Some(Verdict::Unexpected)),
            errors: count(|judged, _| judged.is_failed),
            slow: count(|judged, allowed| allowed.p99.is_some_and(|most| judged.elapsed > most)),
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
        // One in a hundred of a full window may be slower: more, and its 99th percentile is above.
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

    /// The 99th percentile of the last answers; `None` without one.
    pub(super) fn p99(&self) -> Option<Duration> {
        let mut times: Vec<_> = self.times.iter().copied().collect();
        times.sort_unstable();
        let at = (times.len() * 99).div_ceil(100).checked_sub(1)?;
        times.get(at).copied()
    }
}

impl Excess {
    /// One word.
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

    fn judged(verdict: Verdict) -> Judged {
        Judged {
            is_failed: false,
            verdict: Some(verdict),
            elapsed: Duration::from_millis(10),
        }
    }

    #[test]
    fn one_difference_more_than_allowed_is_an_excess() {
        let mut stage = Stage::new(ALLOWED);
        for _ in 0..500 {
            assert_eq!(stage.note(judged(Verdict::Lossy)), None);
        }
        assert_eq!(stage.note(judged(Verdict::Unexpected)), None);
        assert_eq!(stage.note(judged(Verdict::Unexpected)), None);
        let excess = stage.note(judged(Verdict::Unexpected)).unwrap();
        assert_eq!(excess.as_str(), "unexpected");
        assert_eq!(
            excess.to_string(),
            "3 of the last 100 answers with unexpected differences, and 2 are allowed"
        );
    }

    #[test]
    fn only_the_last_answers_are_judged() {
        let mut stage = Stage::new(ALLOWED);
        for _ in 0..50 {
            assert_eq!(stage.note(judged(Verdict::Unexpected)), None);
            for _ in 0..49 {
                assert_eq!(stage.note(judged(Verdict::Same)), None);
            }
        }
        assert_eq!(stage.compared[&Verdict::Unexpected], 50);
        assert_eq!(stage.recently().unexpected, 2);
    }

    #[test]
    fn failures_and_slow_answers_are_excesses() {
        let mut stage = Stage::new(ALLOWED);
        let failed = Judged {
            is_failed: true,
            verdict: None,
            ..judged(Verdict::Same)
        };
        assert_eq!(stage.note(failed), None);
        assert_eq!(stage.note(failed).unwrap().as_str(), "errors");

        let mut stage = Stage::new(ALLOWED);
        let slow = Judged {
            elapsed: Duration::from_millis(51),
            ..judged(Verdict::Same)
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
