//! Names, judged once and then found where they were expected.

use std::{collections::HashMap, sync::Arc};

use crate::names::Meaning;

/// Names that are remembered: more than the APIs have, and few enough for names that somebody makes
/// up.
const MAX_NAMES: usize = 4096;

/// A longer name is none of the APIs'.
const MAX_LENGTH: usize = 64;

/// What is known of a name.
#[derive(Clone, Copy)]
pub(super) struct Named {
    /// What it says about its value.
    pub(super) meaning: Meaning,
    /// The name itself may be written as it is.
    pub(super) stays: bool,
}

/// Remembers names. Documents of a kind have the same names in the same order, so the one that came
/// behind the last one before is tried first.
#[derive(Default)]
pub(super) struct Lookup {
    entries: Vec<Entry>,
    numbers: HashMap<Arc<str>, usize>,
    /// The name that was found last.
    last: usize,
}

struct Entry {
    name: Arc<str>,
    named: Named,
    /// The name that came behind it.
    next: usize,
}

impl Lookup {
    /// What is known of a name; `judge` tells if it was never asked for.
    pub(super) fn find(&mut self, name: &str, judge: impl FnOnce() -> Named) -> Named {
        let expected = self.entries.get(self.last).map(|last| last.next);
        let expected = expected.filter(|number| self.is(*number, name));
        let known = expected.or_else(|| self.numbers.get(name).copied());
        let number = known.unwrap_or(self.entries.len());
        if let Some(last) = self.entries.get_mut(self.last) {
            last.next = number;
        }
        if let Some(entry) = self.entries.get(number) {
            self.last = number;
            return entry.named;
        }
        let named = judge();
        if number < MAX_NAMES && name.len() <= MAX_LENGTH {
            self.last = number;
            let name: Arc<str> = name.into();
            self.numbers.insert(Arc::clone(&name), number);
            self.entries.push(Entry {
                name,
                named,
                next: 0,
            });
        }
        named
    }

    fn is(&self, number: usize, name: &str) -> bool {
        let entry = self.entries.get(number);
        entry.is_some_and(|entry| *entry.name == *name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(stays: bool) -> Named {
        Named {
            meaning: Meaning::Plain,
            stays,
        }
    }

    #[test]
    fn names_are_found_in_any_order() {
        let mut lookup = Lookup::default();
        let stays = |name: &str| name.len() > 1;
        for name in [
            "a", "bb", "c", "a", "bb", "c", "c", "bb", "a", "a", "c", "dd", "bb",
        ] {
            let found = lookup.find(name, || named(stays(name)));
            assert_eq!(found.stays, stays(name), "{name}");
        }
        assert_eq!(lookup.entries.len(), 4);
    }

    #[test]
    fn names_that_somebody_makes_up_are_not_all_kept() {
        let mut lookup = Lookup::default();
        for number in 0..2 * MAX_NAMES {
            let name = number.to_string();
            assert!(lookup.find(&name, || named(true)).stays);
            assert!(!lookup.find("known", || named(false)).stays);
        }
        assert_eq!(lookup.entries.len(), MAX_NAMES);
        let mut lookup = Lookup::default();
        assert!(
            lookup
                .find(&"long".repeat(MAX_LENGTH), || named(true))
                .stays
        );
        assert!(lookup.entries.is_empty());
    }
}
