//! Content of the usage report: consumers and operations with verdicts, and the audit's findings.

use std::collections::{BTreeMap, BTreeSet};

use recording::usage::{Consumer, Judgement, Ledger, Outcomes, Rule, Verdict, day_name};
use serde::Serialize;

use super::{Code, brownouts::BrownoutSummary, code::Place};
use migrate_audit::traffic::Joined;

/// The usage report.
///
/// Its JSON has `schema` 1. Members may be added; renaming or removing one changes `schema`.
#[derive(Debug, Serialize)]
pub(crate) struct UsageReport {
    pub(crate) schema: u32,
    /// Subject: `v1`, or the selected operation or key.
    pub(crate) subject: String,
    pub(crate) observed: Observed,
    pub(crate) rule: Rule,
    /// The rule as text.
    pub(crate) rule_text: String,
    /// True if every consumer is safe to switch off and the ledger covers enough days.
    pub(crate) can_be_switched_off: bool,
    pub(crate) consumers: Vec<ConsumerEntry>,
    pub(crate) operations: Vec<OperationEntry>,
    /// Summary of brownouts.
    pub(crate) brownouts: BrownoutSummary,
    /// Comparison of code and traffic; null without an audit.
    pub(crate) code: Option<CodeSummary>,
}

/// Coverage of the ledger.
#[derive(Debug, Serialize)]
pub(crate) struct Observed {
    /// Days with a ledger.
    pub(crate) days: i64,
    /// First day; null if there is none.
    pub(crate) first: Option<String>,
    pub(crate) last: Option<String>,
    /// Days in between without a ledger.
    pub(crate) days_missing: i64,
    /// Requests missing in the ledger.
    pub(crate) requests_missing: u64,
}

#[derive(Debug, Serialize)]
pub(crate) struct ConsumerEntry {
    #[serde(flatten)]
    pub(crate) judgement: Judgement,
    pub(crate) requests: u64,
    #[serde(flatten)]
    pub(crate) consumer: Consumer,
}

/// An operation, over all consumers.
#[derive(Debug, Serialize)]
pub(crate) struct OperationEntry {
    pub(crate) operation: String,
    /// Most urgent verdict of its consumers; null without calls.
    pub(crate) verdict: Option<Verdict>,
    /// Day of the last request; null without calls.
    pub(crate) last: Option<String>,
    pub(crate) requests: u64,
    pub(crate) consumers: usize,
    pub(crate) outcomes: Outcomes,
    /// Comparison with the code; null without an audit.
    pub(crate) code: Option<InCode>,
    /// Code locations.
    pub(crate) places: Vec<Place>,
}

/// Occurrence of an operation in code and traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum InCode {
    /// In the code, and called.
    Called,
    /// Called, but not in the code.
    UnknownCaller,
    /// In the code, but not called.
    NoTraffic,
}

/// Comparison of code and traffic, as in `migrate audit --access-log`.
#[derive(Debug, Serialize)]
pub(crate) struct CodeSummary {
    #[serde(flatten)]
    pub(crate) joined: Joined,
    /// Uses in code without an operation, which may explain unknown callers.
    pub(crate) nameless: usize,
}

impl UsageReport {
    pub(crate) fn new(ledger: Ledger, rule: Rule, code: Option<&Code>) -> Self {
        let operations = operations(&ledger, rule, code);
        let joined = code.map(|code| CodeSummary {
            joined: joined(&operations, code),
            nameless: code.nameless,
        });
        let observed = Observed::of(&ledger);
        let brownouts = BrownoutSummary::of(&ledger.brownouts, &ledger.consumers);
        let subject = ledger.subject.clone();
        let is_observed = rule.is_observed(&ledger);
        let missing = missing(&ledger, rule);
        let judgements: Vec<_> = ledger
            .consumers
            .iter()
            .map(|consumer| rule.consumer(&ledger, consumer))
            .collect();
        let consumers = judgements.into_iter().zip(ledger.consumers);
        let mut consumers: Vec<_> = consumers
            .map(|(judgement, consumer)| ConsumerEntry {
                judgement,
                requests: total(&consumer),
                consumer,
            })
            .collect();
        // Most urgent verdict first, then latest call first.
        consumers.sort_by(|one, other| {
            let verdicts = one.judgement.verdict.cmp(&other.judgement.verdict);
            verdicts.then_with(|| other.consumer.last.cmp(&one.consumer.last))
        });
        let is_gone = |entry: &ConsumerEntry| {
            matches!(entry.judgement.verdict, Verdict::Safe | Verdict::Refused)
        };
        Self {
            schema: 1,
            subject,
            rule,
            rule_text: rule.words(),
            can_be_switched_off: is_observed && missing == 0 && consumers.iter().all(is_gone),
            observed,
            consumers,
            operations,
            brownouts,
            code: joined,
        }
    }

    /// Number of consumers with a verdict.
    pub(crate) fn count(&self, verdict: Verdict) -> usize {
        let is = |entry: &&ConsumerEntry| entry.judgement.verdict == verdict;
        self.consumers.iter().filter(is).count()
    }
}

impl Observed {
    fn of(ledger: &Ledger) -> Self {
        let first = ledger.spans.iter().map(|(first, _)| *first).min();
        let last = ledger.spans.iter().map(|(_, last)| *last).max();
        let days = ledger.observed();
        let between = first
            .zip(last)
            .map(|(first, last)| (last - first).whole_days() + 1);
        let all = ledger.gaps.values().copied();
        Self {
            days,
            first: first.map(day_name),
            last: last.map(day_name),
            days_missing: between.map_or(0, |between| between - days),
            requests_missing: all.fold(ledger.unwritten, u64::saturating_add),
        }
    }
}

/// Requests missing in the ledger within the rule's period; their consumers are unknown.
fn missing(ledger: &Ledger, rule: Rule) -> u64 {
    let from = ledger
        .today
        .and_then(|today| today.checked_sub(time::Duration::days(rule.safe_days)));
    from.map_or(0, |from| ledger.missing_since(from))
}

fn total(consumer: &Consumer) -> u64 {
    let operations = consumer.operations.iter();
    operations.fold(0, |sum, used| sum.saturating_add(used.outcomes.total()))
}

fn operations(ledger: &Ledger, rule: Rule, code: Option<&Code>) -> Vec<OperationEntry> {
    let mut entries: BTreeMap<&str, OperationEntry> = BTreeMap::new();
    // Rejected logins are not calls.
    let known = ledger
        .consumers
        .iter()
        .filter(|consumer| consumer.key.is_some());
    for consumer in known {
        for used in &consumer.operations {
            let Some(operation) = &used.operation else {
                continue;
            };
            let judgement = rule.judge(ledger, consumer, &used.last);
            let entry = entries
                .entry(operation)
                .or_insert_with(|| OperationEntry::without_calls(operation));
            let verdict = entry
                .verdict
                .map_or(judgement.verdict, |verdict| verdict.min(judgement.verdict));
            entry.verdict = Some(verdict);
            entry.last = entry.last.take().max(Some(judgement.since));
            entry.outcomes.add(&used.outcomes);
            entry.consumers += 1;
        }
    }
    for entry in entries.values_mut() {
        entry.requests = entry.outcomes.total();
        entry.code = code.map(|_| InCode::UnknownCaller);
    }
    for (operation, places) in code.into_iter().flat_map(|code| &code.places) {
        let entry = entries
            .entry(operation)
            .or_insert_with(|| OperationEntry::without_calls(operation));
        let is_called = entry.consumers > 0;
        entry.code = Some(if is_called {
            InCode::Called
        } else {
            InCode::NoTraffic
        });
        entry.places.clone_from(places);
    }
    entries.into_values().collect()
}

impl OperationEntry {
    fn without_calls(operation: &str) -> Self {
        Self {
            operation: operation.to_owned(),
            verdict: None,
            last: None,
            requests: 0,
            consumers: 0,
            outcomes: Outcomes::default(),
            code: None,
            places: Vec::new(),
        }
    }
}

fn joined(operations: &[OperationEntry], code: &Code) -> Joined {
    let called: BTreeSet<_> = operations
        .iter()
        .filter(|entry| entry.consumers > 0)
        .map(|entry| entry.operation.as_str())
        .collect();
    let in_code = code.places.keys().map(String::as_str).collect();
    Joined::of(&in_code, &called)
}
