//! One line for each operation of each consumer, with a header.

use recording::usage::ParameterUse;

use super::{Story, shown};

pub(super) fn write(story: &Story) -> anyhow::Result<String> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record([
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
    ])?;
    for told in &story.consumers {
        let consumer = &told.consumer;
        for used in &consumer.operations {
            let outcomes = &used.outcomes;
            table.write_record([
                told.judgement.verdict.name(),
                &told.judgement.since,
                &cell(consumer.key.as_deref().unwrap_or_default()),
                &cell(&consumer.address),
                &cell(&consumer.user_agent),
                &cell(used.operation.as_deref().unwrap_or_default()),
                &outcomes.total().to_string(),
                &outcomes.answered.to_string(),
                &outcomes.error.to_string(),
                &outcomes.not_served.to_string(),
                &outcomes.refused.to_string(),
                &outcomes.trouble.to_string(),
                &used.first,
                &used.last,
                &names(&used.parameters),
                &names(&used.lossy),
                &names(&used.unknown),
            ])?;
        }
    }
    let bytes = table
        .into_inner()
        .map_err(csv::IntoInnerError::into_error)?;
    Ok(String::from_utf8(bytes)?)
}

/// A spreadsheet takes a text that begins with one of these for a formula, and a client may call
/// itself what it likes.
fn cell(text: &str) -> String {
    let text = shown(text);
    if text.starts_with(['=', '+', '-', '@']) {
        format!("'{text}")
    } else {
        text
    }
}

fn names(uses: &[ParameterUse]) -> String {
    let names: Vec<_> = uses.iter().map(|used| used.name.as_str()).collect();
    cell(&names.join(" "))
}
