//! Unwritten sums of notes.

use std::collections::BTreeMap;

use recording::usage::{OTHERS, Outcomes};

use super::{brownouts::NotedWindow, day, note::FinishedNote};
use crate::observe::observer::Ending;

/// A caller as distinguished by the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Caller {
    /// Empty for requests refused before authentication.
    pub(super) key: String,
    pub(super) address: String,
    pub(super) agent: String,
}

/// Role of a parameter in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    Given,
    Lossy,
    Unknown,
}

/// Requests of one caller for one operation on one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Calls {
    pub(super) outcomes: Outcomes,
    pub(super) span: Span,
}

/// Requests with one parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Uses {
    pub(super) requests: u64,
    pub(super) span: Span,
}

/// First and last request, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) first: i64,
    pub(super) last: i64,
}

/// Sums of one caller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    /// By operation and day.
    pub(super) calls: BTreeMap<(String, i32), Calls>,
    /// By operation, role and name.
    pub(super) parameters: BTreeMap<(String, Role, String), Uses>,
}

/// Sums of all callers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Table {
    callers: BTreeMap<Caller, Sums>,
    windows: Vec<NotedWindow>,
    /// Number of refused callers among `callers`.
    refused: usize,
    max_callers: usize,
    max_sums: usize,
    sums: usize,
    requests: u64,
}

/// Anyone can be a refused caller, so they get at most one in this many entries.
const REFUSED_SHARE: usize = 10;

/// Maximum number of refused callers.
pub(super) fn max_refused(max_callers: usize) -> usize {
    (max_callers / REFUSED_SHARE).max(1)
}

impl Caller {
    fn of(noted: &FinishedNote) -> Self {
        Self {
            key: noted.key.as_deref().unwrap_or_default().to_owned(),
            address: noted
                .address
                .map_or_else(String::new, |address| address.to_string()),
            agent: noted.agent.clone(),
        }
    }

    /// The combined caller for all others of the same key.
    pub(super) fn others(&self) -> Self {
        Self {
            key: self.key.clone(),
            address: OTHERS.to_owned(),
            agent: OTHERS.to_owned(),
        }
    }

    pub(super) fn is_refused(&self) -> bool {
        self.key.is_empty()
    }
}

impl Role {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Lossy => "lossy",
            Self::Unknown => "unknown",
        }
    }
}

impl Span {
    pub(super) fn at(moment: i64) -> Self {
        Self {
            first: moment,
            last: moment,
        }
    }

    fn add(&mut self, moment: i64) {
        self.merge(Self::at(moment));
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}

impl Calls {
    pub(super) fn merge(&mut self, other: &Self) {
        self.outcomes.add(&other.outcomes);
        self.span.merge(other.span);
    }
}

impl Table {
    /// An empty table with limits of callers and sums.
    pub(super) fn new(max_callers: usize, max_sums: usize) -> Self {
        Self {
            max_callers,
            max_sums,
            ..Self::default()
        }
    }

    /// Returns whether the caller of a note is present.
    pub(super) fn contains(&self, noted: &FinishedNote) -> bool {
        self.callers.contains_key(&Caller::of(noted))
    }

    /// Adds a note; false if the table is full.
    pub(super) fn add(&mut self, noted: FinishedNote) -> bool {
        if self.sums >= self.max_sums {
            return false;
        }
        let mut caller = Caller::of(&noted);
        if !self.callers.contains_key(&caller) {
            let (count, limit) = if caller.is_refused() {
                (self.refused, max_refused(self.max_callers))
            } else {
                (self.callers.len() - self.refused, self.max_callers)
            };
            if count >= limit {
                caller = caller.others();
            }
        }
        if !self.callers.contains_key(&caller) {
            self.refused += usize::from(caller.is_refused());
        }
        let sums = self.callers.entry(caller).or_default();
        let before = sums.len();
        sums.add(noted);
        self.sums += sums.len() - before;
        self.requests += 1;
        true
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Caller, &Sums)> {
        self.callers.iter()
    }

    /// Replaces the windows since the last write.
    pub(super) fn set_windows(&mut self, windows: Vec<NotedWindow>) {
        self.windows = windows;
    }

    pub(super) fn windows(&self) -> &[NotedWindow] {
        &self.windows
    }

    pub(super) fn is_empty(&self) -> bool {
        self.callers.is_empty() && self.windows.is_empty()
    }

    /// Number of requests in the sums.
    pub(super) fn requests(&self) -> u64 {
        self.requests
    }

    pub(super) fn clear(&mut self) {
        self.callers.clear();
        self.windows.clear();
        self.refused = 0;
        self.sums = 0;
        self.requests = 0;
    }
}

impl Sums {
    fn len(&self) -> usize {
        self.calls.len() + self.parameters.len()
    }

    /// Number of requests in the sums.
    pub(super) fn requests(&self) -> u64 {
        let calls = self.calls.values();
        calls.map(|calls| calls.outcomes.total()).sum()
    }

    fn add(&mut self, noted: FinishedNote) {
        let FinishedNote {
            operation,
            ending,
            at,
            given,
            lossy,
            unknown,
            ..
        } = noted;
        let operation = operation.unwrap_or_default();
        for (role, names) in [
            (Role::Given, given),
            (Role::Lossy, lossy),
            (Role::Unknown, unknown),
        ] {
            for name in names {
                let parameter = (operation.clone(), role, name);
                let uses = self.parameters.entry(parameter).or_insert(Uses {
                    requests: 0,
                    span: Span::at(at),
                });
                uses.requests += 1;
                uses.span.add(at);
            }
        }
        let calls = self.calls.entry((operation, day(at))).or_insert(Calls {
            outcomes: Outcomes::default(),
            span: Span::at(at),
        });
        calls.outcomes.add(&single(ending));
        calls.span.add(at);
    }
}

fn single(ending: Ending) -> Outcomes {
    let mut outcomes = Outcomes::default();
    *match ending {
        Ending::Answered => &mut outcomes.answered,
        Ending::Error => &mut outcomes.error,
        Ending::NotServed => &mut outcomes.not_served,
        Ending::Refused => &mut outcomes.refused,
        Ending::Trouble => &mut outcomes.trouble,
        Ending::Brownout => &mut outcomes.brownout,
    } = 1;
    outcomes
}
