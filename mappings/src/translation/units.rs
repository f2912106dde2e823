//! Fan-out: calls made once per list entry, parameter element or month of a range.

use std::{collections::VecDeque, ops::Range};

use time::Date;

use super::{CallId, Translation};
use crate::catalog::operation::{self, Each, FanOut};

/// Item of a fan-out.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Unit {
    /// Entry of a list, by index.
    Entry { list: String, at: usize },
    /// Elements of a parameter.
    Elements {
        parameter: String,
        range: Range<usize>,
    },
    /// First and last day.
    Window(Date, Date),
}

/// Items of a fan-out with their progress.
#[derive(Default)]
pub(super) struct Units {
    pub all: Vec<Unit>,
    /// Indexes of the items not yet started.
    pub waiting: VecDeque<usize>,
    /// Indexes of the items done.
    pub done: Vec<usize>,
}

/// Maximum number of concurrent writes of one call.
const WRITES_AT_ONCE: usize = 4;

impl Unit {
    /// Number of elements in the item.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Elements { range, .. } => range.len(),
            Self::Entry { .. } | Self::Window(..) => 1,
        }
    }
}

impl Units {
    /// Number of elements, and of those done.
    pub(super) fn counts(&self) -> (usize, usize) {
        let all = self.all.iter().map(Unit::size).sum();
        (all, self.size_of(&self.done))
    }

    /// Number of elements in these items.
    pub(super) fn size_of(&self, numbers: &[usize]) -> usize {
        let units = numbers.iter().filter_map(|at| self.all.get(*at));
        units.map(Unit::size).sum()
    }
}

impl<'a> Translation<'a> {
    /// Items of a call's fan-out.
    fn units_of(&self, each: &Each) -> Units {
        let all = match &each.of {
            FanOut::Entries { list } => {
                let entries = self.root.list(list).unwrap_or_default();
                let entries = entries.iter().enumerate();
                let matching = entries.filter(|(_, entry)| self.fits(entry, &each.only));
                matching
                    .map(|(at, _)| Unit::Entry {
                        list: list.clone(),
                        at,
                    })
                    .collect()
            }
            FanOut::Elements { parameter, batch } => {
                let count = self.given.elements(parameter).len();
                (0..count)
                    .step_by(*batch)
                    .map(|begin| Unit::Elements {
                        parameter: parameter.clone(),
                        range: begin..begin.saturating_add(*batch).min(count),
                    })
                    .collect()
            }
            FanOut::Windows => self.windows(),
        };
        Units {
            waiting: (0..all.len()).collect(),
            all,
            done: Vec::new(),
        }
    }

    /// Starts a fan-out; returns the number of queued requests.
    pub(super) fn begin_units(
        &mut self,
        index: usize,
        call: &'a operation::Call,
        each: &'a Each,
    ) -> usize {
        let units = self.units_of(each);
        if let Some(error) = each.otherwise.as_ref().filter(|_| units.all.is_empty()) {
            let failure = self.mapper(None).named(error);
            self.fail(index, failure);
            return 0;
        }
        if let Some(progress) = self.progress.get_mut(index) {
            progress.units = Some(units);
        }
        self.release(index, call)
    }

    /// Queues waiting items up to the concurrency limit.
    pub(super) fn release(&mut self, index: usize, call: &'a operation::Call) -> usize {
        let at_once = match &call.each {
            Some(each) if each.one_by_one => 1,
            Some(_) if !call.method.is_read() => WRITES_AT_ONCE,
            _ => usize::MAX,
        };
        let mut made = 0;
        loop {
            let Some(progress) = self.progress.get_mut(index) else {
                return made;
            };
            if progress.open >= at_once {
                return made;
            }
            let units = progress.units.as_mut();
            let Some(at) = units.and_then(|units| units.waiting.pop_front()) else {
                return made;
            };
            let id = CallId {
                call: index,
                item: Some(at),
            };
            if let Some(request) = self.prepare(id, call) {
                self.queue_request(id, call, request);
                if let Some(progress) = self.progress.get_mut(index) {
                    progress.open += 1;
                }
                made += 1;
            }
        }
    }

    /// Item that a request is made for.
    pub(super) fn unit(&self, id: CallId) -> Option<&Unit> {
        let units = self.progress.get(id.call)?.units.as_ref()?;
        units.all.get(id.item?)
    }

    /// List entry that a request is made for.
    pub(super) fn entry_of(&self, id: CallId) -> Option<&super::entry::Entry<'a>> {
        match self.unit(id)? {
            Unit::Entry { list, at } => self.root.list(list)?.get(*at),
            Unit::Elements { .. } | Unit::Window(..) => None,
        }
    }
}
