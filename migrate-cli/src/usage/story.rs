//! The content of the report: each consumer and each operation with its verdict, and the audit's
//! findings.

use std::collections::{BTreeMap, BTreeSet};

use recording::usage::{Consumer, Judgement, Ledger, Outcomes, Rule, Verdict, day_name};
use serde::Serialize;

use super::{Code, brownouts::BrownoutStory, code::Place};
use migrate_audit::traffic::Joined;

/// The whole story.
///
/// As JSON it is one object with `schema` 1: members may be added; renaming or removing one raises
/// `schema`.
#[derive(Debug, Serialize)]
pub(crate) struct Story {
    pub(crate) schema: u32,
    /// What it is about: `v1`, or what was asked for.
    pub(crate) subject: String,
    pub(crate) observed: Observed,
    pub(crate) rule: Rule,
    /// The rule in words.
    pub(crate) rule_text: String,
    /// True if the rule says so of every consumer, and the ledger was kept long enough.
    pub(crate) can_be_switched_off: bool,
    pub(crate) consumers: Vec<ConsumerStory>,
    pub(crate) operations: Vec<OperationStory>,
    /// What the windows showed in which v1 was off on purpose.
    pub(crate) brownouts: BrownoutStory,
    /// What code and traffic have in common; null without an audit.
    pub(crate) code: Option<CodeStory>,
}

/// What the ledger could see.
#[derive(Debug, Serialize)]
pub(crate) struct Observed {
    /// Days on which it was kept.
    pub(crate) days: i64,
    /// The first of them; null without one.
    pub(crate) first: Option<String>,
    pub(crate) last: Option<String>,
    /// Days between them on which it was not kept.
    pub(crate) days_missing: i64,
    /// Requests that are not in it.
    pub(crate) requests_missing: u64,
}

/// One consumer.
#[derive(Debug, Serialize)]
pub(crate) struct ConsumerStory {
    #[serde(flatten)]
    pub(crate) judgement: Judgement,
    pub(crate) requests: u64,
    #[serde(flatten)]
    pub(crate) consumer: Consumer,
}

/// One operation, of all consumers.
#[derive(Debug, Serialize)]
pub(crate) struct OperationStory {
    pub(crate) operation: String,
    /// That of the consumer with most to do; null without a call.
    pub(crate) verdict: Option<Verdict>,
    /// The day of the last request; null without a call.
    pub(crate) last: Option<String>,
    pub(crate) requests: u64,
    pub(crate) consumers: usize,
    pub(crate) outcomes: Outcomes,
    /// What the code says; null without an audit.
    pub(crate) code: Option<InCode>,
    /// Where the code uses it.
    pub(crate) places: Vec<Place>,
}

/// What code and traffic say of an operation.
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

/// Code and traffic together, as `migrate audit --access-log` has it.
#[derive(Debug, Serialize)]
pub(crate) struct CodeStory {
    #[serde(flatten)]
    pub(crate) joined: Joined,
    /// Uses in the code that name no operation: unknown callers may be theirs.
    pub(crate) nameless: usize,
}

impl Story {
    pub(crate) fn new(ledger: Ledger, rule: Rule, code: Option<&Code>) -> Self {
        let operations = operations(&ledger, rule, code);
        let joined = code.map(|code| CodeStory {
            joined: joined(&operations, code),
            nameless: code.nameless,
        });
        let observed = Observed::of(&ledger);
        let brownouts = BrownoutStory::of(&ledger.brownouts, &ledger.consumers);
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
            .map(|(judgement, consumer)| ConsumerStory {
                judgement,
                requests: total(&consumer),
                consumer,
            })
            .collect();
        // Most to do first, the latest first.
        consumers.sort_by(|one, other| {
            let verdicts = one.judgement.verdict.cmp(&other.judgement.verdict);
            verdicts.then_with(|| other.consumer.last.cmp(&one.consumer.last))
        });
        let is_gone = |story: &ConsumerStory| {
            matches!(story.judgement.verdict, Verdict::Safe | Verdict::Refused)
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

    /// How many consumers have a verdict.
    pub(crate) fn count(&self, verdict: Verdict) -> usize {
        let is = |story: &&ConsumerStory| story.judgement.verdict == verdict;
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

/// Requests of the rule's period that the ledger lost; their consumers are unknown.
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

fn operations(ledger: &Ledger, rule: Rule, code: Option<&Code>) -> Vec<OperationStory> {
    let mut stories: BTreeMap<&str, OperationStory> = BTreeMap::new();
    // Who is refused calls nothing.
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
            let story = stories
                .entry(operation)
                .or_insert_with(|| OperationStory::nobody_calls(operation));
            let verdict = story
                .verdict
                .map_or(judgement.verdict, |verdict| verdict.min(judgement.verdict));
            story.verdict = Some(verdict);
            story.last = story.last.take().max(Some(judgement.since));
            story.outcomes.add(&used.outcomes);
            story.consumers += 1;
        }
    }
    for story in stories.values_mut() {
        story.requests = story.outcomes.total();
        story.code = code.map(|_| InCode::UnknownCaller);
    }
    for (operation, places) in code.into_iter().flat_map(|code| &code.places) {
        let story = stories
            .entry(operation)
            .or_insert_with(|| OperationStory::nobody_calls(operation));
        let is_called = story.consumers > 0;
        story.code = Some(if is_called {
            InCode::Called
        } else {
            InCode::NoTraffic
        });
        story.places.clone_from(places);
    }
    stories.into_values().collect()
}

impl OperationStory {
    fn nobody_calls(operation: &str) -> Self {
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

fn joined(operations: &[OperationStory], code: &Code) -> Joined {
    let called: BTreeSet<_> = operations
        .iter()
        .filter(|story| story.consumers > 0)
        .map(|story| story.operation.as_str())
        .collect();
    let in_code = code.places.keys().map(String::as_str).collect();
    Joined::of(&in_code, &called)
}
