//! One line for each operation of each consumer, with a header.

use migrate_report::csv;
use recording::usage::ParameterUse;

use super::{Story, shown};

const COLUMNS: [&str; 17] = [
    "verdict",
    "since",
    "key",
    "address",
    "user_agent",
    "operation",
    "requests",
    "answered",
    "error",
    "not_served",
    "refused",
    "trouble",
    "first",
    "last",
    "parameters",
    "lossy",
    "unknown",
];

pub(super) fn write(story: &Story) -> anyhow::Result<String> {
    let records = story.consumers.iter().flat_map(|told| {
        let consumer = &told.consumer;
        consumer.operations.iter().map(move |used| {
            let outcomes = &used.outcomes;
            [
                told.judgement.verdict.name().to_owned(),
                told.judgement.since.clone(),
                shown(consumer.key.as_deref().unwrap_or_default()),
                shown(&consumer.address),
                shown(&consumer.user_agent),
                shown(used.operation.as_deref().unwrap_or_default()),
                outcomes.total().to_string(),
                outcomes.answered.to_string(),
                outcomes.error.to_string(),
                outcomes.not_served.to_string(),
                outcomes.refused.to_string(),
                outcomes.trouble.to_string(),
                used.first.clone(),
                used.last.clone(),
                names(&used.parameters),
                names(&used.lossy),
                names(&used.unknown),
            ]
        })
    });
    let mut out = Vec::new();
    csv::write(&mut out, COLUMNS, records)?;
    Ok(String::from_utf8(out)?)
}

fn names(uses: &[ParameterUse]) -> String {
    let names: Vec<_> = uses.iter().map(|used| shown(&used.name)).collect();
    names.join(" ")
}
