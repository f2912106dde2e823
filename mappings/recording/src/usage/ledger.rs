//! Merges usage documents: observed days and callers.

use std::collections::{BTreeMap, BTreeSet};

use time::Date;

use super::{Brownout, Consumer, Gap, Kept, OperationUse, ParameterUse, Usage, UsageError, day_of};

/// Merged content of one or several ledgers.
/// Each of several shims sees only part of the requests, so a day counts as observed only if all of
/// them kept their ledgers on it.
#[derive(Debug)]
pub struct Ledger {
    /// Scope in words: `v1`, or the filter of [`Self::narrow`].
    pub subject: String,
    /// Day of the newest document.
    pub today: Option<Date>,
    /// Observed days: first and last day of each span.
    pub spans: Vec<(Date, Date)>,
    /// Days with missing requests, and their number.
    pub gaps: BTreeMap<Date, u64>,
    /// Requests not yet written to the ledger.
    pub unwritten: u64,
    /// Brownouts.
    pub brownouts: Vec<Brownout>,
    /// Callers by key, address and user agent.
    pub consumers: Vec<Consumer>,
}

impl Ledger {
    /// Merges documents.
    ///
    /// # Errors
    /// If a document has an invalid date.
    pub fn of(documents: Vec<Usage>) -> Result<Self, UsageError> {
        let mut ledger = Self {
            subject: "v1".to_owned(),
            today: None,
            spans: Vec::new(),
            gaps: BTreeMap::new(),
            unwritten: 0,
            brownouts: Vec::new(),
            consumers: Vec::new(),
        };
        let mut consumers = BTreeMap::new();
        let mut shared = BTreeSet::new();
        for (number, document) in documents.into_iter().enumerate() {
            let today = day(&document.at)?;
            ledger.today = ledger.today.max(Some(today));
            ledger.unwritten = ledger.unwritten.saturating_add(document.unwritten);
            // Shims with a common ledger each report all of it.
            if document.ledger.is_some_and(|name| !shared.insert(name)) {
                continue;
            }
            let spans = spans(&document.kept)?;
            ledger.spans = if number == 0 {
                spans
            } else {
                common(&ledger.spans, &spans)
            };
            for Gap {
                day: name,
                requests,
            } in &document.kept.gaps
            {
                let missing = ledger.gaps.entry(day(name)?).or_default();
                *missing = missing.saturating_add(*requests);
            }
            for brownout in document.brownouts {
                merge_brownout(&mut ledger.brownouts, brownout);
            }
            for consumer in document.consumers {
                for moment in [&consumer.first, &consumer.last] {
                    day(moment)?;
                }
                for used in &consumer.operations {
                    day(&used.last)?;
                }
                let who = (
                    consumer.key.clone(),
                    consumer.address.clone(),
                    consumer.user_agent.clone(),
                );
                match consumers.get_mut(&who) {
                    Some(known) => merge(known, consumer),
                    None => {
                        consumers.insert(who, consumer);
                    }
                }
            }
        }
        ledger.consumers = consumers.into_values().collect();
        Ok(ledger)
    }

    /// Keeps only data about an operation or a key.
    pub fn narrow(&mut self, operation: Option<&str>, key: Option<&str>) {
        self.consumers
            .retain(|consumer| key.is_none() || consumer.key.as_deref() == key);
        self.brownouts.retain(|brownout| {
            let has = |names: &[String], wanted: Option<&str>| {
                names.is_empty()
                    || wanted.is_none_or(|wanted| names.iter().any(|name| name == wanted))
            };
            has(&brownout.keys, key) && has(&brownout.operations, operation)
        });
        if let Some(key) = key {
            self.subject = format!("{} for the key {key}", self.subject);
        }
        let Some(operation) = operation else {
            return;
        };
        self.subject = self.subject.replacen("v1", &format!("v1's {operation}"), 1);
        for consumer in &mut self.consumers {
            consumer
                .operations
                .retain(|used| used.operation.as_deref() == Some(operation));
            let uses = &consumer.operations;
            consumer.first = uses
                .iter()
                .map(|used| used.first.clone())
                .min()
                .unwrap_or_default();
            consumer.last = uses
                .iter()
                .map(|used| used.last.clone())
                .max()
                .unwrap_or_default();
        }
        self.consumers
            .retain(|consumer| !consumer.operations.is_empty());
    }

    /// Number of observed days.
    pub fn observed(&self) -> i64 {
        self.spans
            .iter()
            .map(|(first, last)| length(*first, *last))
            .sum()
    }

    /// Number of whole days observed after a day and before today.
    pub fn observed_after(&self, day: Date) -> i64 {
        let Some(yesterday) = self.today.and_then(Date::previous_day) else {
            return 0;
        };
        let Some(next) = day.next_day() else { return 0 };
        let days = self.spans.iter().map(|(first, last)| {
            let (first, last) = ((*first).max(next), (*last).min(yesterday));
            length(first, last).max(0)
        });
        days.sum()
    }

    /// Number of missing requests since a day, including it.
    pub fn missing_since(&self, day: Date) -> u64 {
        let missing = self.gaps.range(day..).map(|(_, requests)| *requests);
        missing.fold(self.unwritten, u64::saturating_add)
    }
}

/// Day of a timestamp.
fn day(text: &str) -> Result<Date, UsageError> {
    day_of(text).ok_or_else(|| UsageError::Day(text.to_owned()))
}

/// Number of days, both ends included.
fn length(first: Date, last: Date) -> i64 {
    (last - first).whole_days() + 1
}

fn spans(kept: &Kept) -> Result<Vec<(Date, Date)>, UsageError> {
    let spans = kept.spans.iter();
    spans
        .map(|(first, last)| Ok((day(first)?, day(last)?)))
        .collect()
}

/// Intersection of two lists of spans.
fn common(one: &[(Date, Date)], other: &[(Date, Date)]) -> Vec<(Date, Date)> {
    let pairs = one
        .iter()
        .flat_map(|one| other.iter().map(move |other| (one, other)));
    let mut both: Vec<_> = pairs
        .map(|(one, other)| (one.0.max(other.0), one.1.min(other.1)))
        .filter(|(first, last)| first <= last)
        .collect();
    both.sort_unstable();
    both
}

/// Merges another ledger's data of the same consumer.
fn merge(known: &mut Consumer, other: Consumer) {
    known.first = known.first.clone().min(other.first);
    known.last = known.last.clone().max(other.last);
    known.owner = known.owner.take().or(other.owner);
    // The actual pause may be shorter. Overestimating it only makes the verdict more cautious.
    known.longest_pause_days = known.longest_pause_days.max(other.longest_pause_days);
    for used in other.operations {
        let same = |known: &&mut OperationUse| known.operation == used.operation;
        match known.operations.iter_mut().find(same) {
            None => known.operations.push(used),
            Some(known) => {
                known.outcomes.add(&used.outcomes);
                known.first = known.first.clone().min(used.first);
                known.last = known.last.clone().max(used.last);
                merge_parameters(&mut known.parameters, used.parameters);
                merge_parameters(&mut known.lossy, used.lossy);
                merge_parameters(&mut known.unknown, used.unknown);
            }
        }
    }
}

fn merge_parameters(known: &mut Vec<ParameterUse>, others: Vec<ParameterUse>) {
    for other in others {
        match known.iter_mut().find(|known| known.name == other.name) {
            None => known.push(other),
            Some(known) => known.requests = known.requests.saturating_add(other.requests),
        }
    }
}

/// Adds a brownout, or extends the observed part of a known one.
fn merge_brownout(known: &mut Vec<Brownout>, other: Brownout) {
    let is_same = |one: &&mut Brownout| {
        (&one.begins, &one.ends, &one.keys, &one.operations)
            == (&other.begins, &other.ends, &other.keys, &other.operations)
    };
    match known.iter_mut().find(is_same) {
        Some(one) => {
            one.first = one.first.clone().min(other.first);
            one.last = one.last.clone().max(other.last);
        }
        None => known.push(other),
    }
}
