//! Sums of notes that are not written yet.

use std::collections::BTreeMap;

use recording::usage::{OTHERS, Outcomes};

use super::{brownouts::NotedWindow, day, note::FinishedNote};
use crate::observe::observer::Ending;

/// Who calls, as the ledger tells callers apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Caller {
    /// Empty for requests that were refused before anybody knew whose they are.
    pub(super) key: String,
    pub(super) address: String,
    pub(super) agent: String,
}

/// What a caller does with its parameters.
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

/// From the first to the last request, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) first: i64,
    pub(super) last: i64,
}

/// What one caller does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    /// By operation and day.
    pub(super) calls: BTreeMap<(String, i32), Calls>,
    /// By operation, role and name.
    pub(super) parameters: BTreeMap<(String, Role, String), Uses>,
}

/// The sums of all callers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Table {
    callers: BTreeMap<Caller, Sums>,
    windows: Vec<NotedWindow>,
    /// Those of the callers that were refused.
    refused: usize,
    max_callers: usize,
    max_sums: usize,
    sums: usize,
    requests: u64,
}

/// Callers that were refused can be anybody: of so many callers they take one place, and leave the
/// others to those who are known.
const REFUSED_SHARE: usize = 10;

/// How many callers may be ones that were refused.
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

    /// All callers of the key that are not told apart.
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
    fn at(moment: i64) -> Self {
        Self {
            first: moment,
            last: moment,
        }
    }

    fn add(&mut self, moment: i64) {
        self.first = self.first.min(moment);
        self.last = self.last.max(moment);
    }
}

impl Table {
    /// An empty table for so many callers and sums.
    pub(super) fn new(max_callers: usize, max_sums: usize) -> Self {
        Self {
            max_callers,
            max_sums,
            ..Self::default()
        }
    }

    /// True if the caller is there already, so that nothing new would be kept of it.
    pub(super) fn knows(&self, noted: &FinishedNote) -> bool {
        self.callers.contains_key(&Caller::of(noted))
    }

    /// False if there is no room.
    pub(super) fn add(&mut self, noted: FinishedNote) -> bool {
        if self.sums >= self.max_sums {
            return false;
        }
        let mut caller = Caller::of(&noted);
        if !self.callers.contains_key(&caller) {
            let (there, most) = if caller.is_refused() {
                (self.refused, max_refused(self.max_callers))
            } else {
                (self.callers.len() - self.refused, self.max_callers)
            };
            if there >= most {
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

    /// The windows since the last writing, in place of what was kept of them.
    pub(super) fn keep_windows(&mut self, windows: Vec<NotedWindow>) {
        self.windows = windows;
    }

    pub(super) fn windows(&self) -> &[NotedWindow] {
        &self.windows
    }

    pub(super) fn is_empty(&self) -> bool {
        self.callers.is_empty() && self.windows.is_empty()
    }

    /// How many requests are summed up.
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

    /// How many requests are in it.
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
            for name in names.iter() {
                let parameter = (operation.clone(), role, name.to_owned());
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
        calls.outcomes.add(&one(ending));
        calls.span.add(at);
    }
}

fn one(ending: Ending) -> Outcomes {
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
