//! The report for people.

#![expect(
    clippy::format_push_string,
    reason = "a report is written once, and `write!` would add errors that cannot happen"
)]

use recording::usage::{OperationUse, ParameterUse};

use super::{Page, Story, shown};
use crate::usage::{
    story::{ConsumerStory, InCode, OperationStory},
    verdict::Verdict,
};
use migrate_report::sheet::{Row, Sheet, alarm, caution, faint, fine, strong, tied};
use migrate_report::words::count;

/// Places in the code that are named for one operation; the others are counted.
const MAX_PLACES: usize = 3;

pub(super) fn write(story: &Story, page: Page) -> String {
    let mut sheet = Sheet::new(page.width);
    sheet.paragraph(0, &observed(story));
    sheet.paragraph(0, &story.rule_text);
    sheet.blank();
    if story.consumers.is_empty() {
        sheet.line("nobody called");
    } else {
        let mut rows = vec![head_of(&["verdict", "last call", "calls", "key"])];
        rows.extend(story.consumers.iter().map(|told| consumer(told, page)));
        sheet.rows(0, 1, &rows);
    }
    if !story.operations.is_empty() {
        sheet.blank();
        let head = ["operation", "verdict", "last call", "calls", "callers"];
        let mut rows = vec![head_of(&head)];
        rows.extend(story.operations.iter().map(operation));
        sheet.rows(0, 1, &rows);
    }
    sheet.blank();
    if let Some(code) = &story.code
        && code.nameless > 0
        && !code.joined.unknown_callers.is_empty()
    {
        let text = format!(
            "{} of v1 in the code name no operation: an unknown caller may be one of them",
            count(code.nameless, "use", "uses")
        );
        sheet.paragraph(0, &text);
    }
    sheet.paragraph(0, &end(story));
    sheet.into_text()
}

fn observed(story: &Story) -> String {
    let observed = &story.observed;
    let mut text = match (&observed.first, &observed.last) {
        (Some(first), Some(last)) => format!(
            "observed on {}, {first} to {last}",
            count(observed.days, "day", "days")
        ),
        _ => "observed on no day".to_owned(),
    };
    if observed.days_missing > 0 {
        let missing = count(observed.days_missing, "day", "days");
        text += &format!("; not on {missing} between");
    }
    if observed.requests_missing > 0 {
        let missing = count(observed.requests_missing, "request is", "requests are");
        text += &format!("; {missing} missing");
    }
    text
}

fn head_of(cells: &[&str]) -> Row {
    Row {
        cells: cells.iter().map(|cell| strong(cell)).collect(),
        below: Vec::new(),
    }
}

fn consumer(told: &ConsumerStory, page: Page) -> Row {
    let ConsumerStory {
        judgement,
        requests,
        consumer,
    } = told;
    let (address, agent) = (shown(&consumer.address), shown(&consumer.user_agent));
    let mut below = vec![faint(format!("from {address} {agent}").trim_end())];
    below.extend(judgement.reason());
    let operations = consumer.operations.iter();
    below.extend(operations.map(|used| operation_use(used, page)));
    Row {
        cells: vec![
            verdict(judgement.verdict),
            judgement.since.clone(),
            requests.to_string(),
            shown(consumer.key.as_deref().unwrap_or("(none)")),
        ],
        below,
    }
}

fn operation_use(used: &OperationUse, page: Page) -> String {
    let outcomes = &used.outcomes;
    let mut text = shown(used.operation.as_deref().unwrap_or("(no operation of v1)"));
    text += &format!(" {}", outcomes.total());
    let others: Vec<_> = [
        ("errors", outcomes.error),
        ("not served", outcomes.not_served),
        ("refused", outcomes.refused),
        ("in trouble", outcomes.trouble),
    ]
    .into_iter()
    .filter(|(_, count)| *count > 0)
    .map(|(name, count)| format!("{count} {name}"))
    .collect();
    if !others.is_empty() {
        text += &tied(&format!(" ({})", others.join(", ")));
    }
    for (title, uses) in [
        ("with", page.all.then_some(&used.parameters)),
        ("not honoured:", Some(&used.lossy)),
        ("unknown:", Some(&used.unknown)),
    ] {
        if let Some(uses) = uses.filter(|uses| !uses.is_empty()) {
            text += &format!("; {title} {}", names(uses));
        }
    }
    text
}

fn names(uses: &[ParameterUse]) -> String {
    let names: Vec<_> = uses.iter().map(|used| shown(&used.name)).collect();
    names.join(", ")
}

fn operation(story: &OperationStory) -> Row {
    let code = story.code.map(|code| match code {
        InCode::Called => format!("in the code: {}", places(story)),
        InCode::UnknownCaller => caution("not in the code: an unknown caller"),
        InCode::NoTraffic => {
            format!("in the code: {}; {}", places(story), caution("dead code?"))
        }
    });
    Row {
        cells: vec![
            shown(&story.operation),
            story.verdict.map_or_else(|| "no call".to_owned(), verdict),
            story.last.clone().unwrap_or_default(),
            story.requests.to_string(),
            story.consumers.to_string(),
        ],
        below: code.into_iter().collect(),
    }
}

fn places(story: &OperationStory) -> String {
    let named = story.places.iter().take(MAX_PLACES);
    let named = named.map(|place| format!("{}:{}", shown(&place.path), place.line));
    let text = named.collect::<Vec<_>>().join(" ");
    match story.places.len().saturating_sub(MAX_PLACES) {
        0 => text,
        more => text + &tied(&format!(" and {more} more")),
    }
}

fn verdict(verdict: Verdict) -> String {
    let words = verdict.words();
    match verdict {
        Verdict::Live => alarm(words),
        Verdict::Dormant => caution(words),
        Verdict::Safe => fine(words),
        Verdict::Refused => words.to_owned(),
    }
}

fn end(story: &Story) -> String {
    let counts: Vec<_> = [
        Verdict::Live,
        Verdict::Dormant,
        Verdict::Safe,
        Verdict::Refused,
    ]
    .into_iter()
    .map(|verdict| (story.count(verdict), verdict))
    .filter(|(count, _)| *count > 0)
    .map(|(count, verdict)| match verdict {
        Verdict::Dormant => format!("{count} dormant"),
        other => format!("{count} {}", other.words()),
    })
    .collect();
    let counts = counts.join(", ");
    let left = story.count(Verdict::Live) + story.count(Verdict::Dormant);
    let subject = shown(&story.subject);
    let (observed, wanted) = (story.observed.days, story.rule.safe_days);
    let conclusion = if story.can_be_switched_off {
        format!("{subject} can be switched off, by this rule")
    } else if left > 0 {
        format!("{subject} cannot be switched off yet")
    } else if observed < wanted {
        format!(
            "not known yet whether {subject} can be switched off: observed on {observed} of {wanted} days"
        )
    } else {
        format!(
            "not known whether {subject} can be switched off: requests are missing in the ledger"
        )
    };
    if counts.is_empty() {
        conclusion
    } else {
        format!("{counts}: {conclusion}")
    }
}
