//! Documents of `migrate usage`.

use migrate_report::{
    Document,
    document::{Cell, Records, Row, Table},
    layout::unbroken,
    words::{count, first},
};
use recording::usage::{OperationUse, ParameterUse, Verdict, day_name};
use time::Date;

use super::{
    UsageReport,
    code::Place,
    owners::{OwnedOperation, OwnerReport},
    report::{ConsumerEntry, InCode, OperationEntry},
};

/// Maximum number of code locations listed per operation.
const MAX_PLACES: usize = 3;

const COLUMNS: [&str; 18] = [
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
    "brownout",
];

/// Builds the report. With `all`, lists exact parameters, too.
pub(crate) fn document(report: &UsageReport, all: bool) -> Document<'_> {
    let mut document = Document {
        tool: "migrate usage",
        title: format!("Who still calls {}", report.subject),
        is_good: report.can_be_switched_off,
        summary: end(report),
        records: records(report),
        ..Document::default()
    };
    document.paragraph(observed(report));
    document.paragraph(&report.rule_text);
    if let Some(brownouts) = report.brownouts.sentence() {
        document.paragraph(brownouts);
    }
    let mut consumers = Table::new(["verdict", "last call", "calls#", "key"]);
    consumers.rows = report
        .consumers
        .iter()
        .map(|entry| consumer(entry, all))
        .collect();
    if consumers.rows.is_empty() {
        document.paragraph("No calls.");
    }
    document.section("Callers", consumers);
    let mut operations = Table::new(["operation", "verdict", "last call", "calls#", "callers#"]);
    let is_long = report.observed.days >= report.rule.live_days;
    operations.rows = report
        .operations
        .iter()
        .map(|used| operation(used, is_long))
        .collect();
    document.section("Operations", operations);
    let unknown = |code: &&super::report::CodeSummary| {
        code.nameless > 0 && !code.joined.unknown_callers.is_empty()
    };
    if let Some(code) = report.code.as_ref().filter(unknown) {
        document.paragraph(format!(
            "{} of v1 in the code name no operation: an unknown caller may be one of them.",
            count(code.nameless, "use", "uses")
        ));
    }
    document
}

fn observed(report: &UsageReport) -> String {
    let observed = &report.observed;
    let mut text = match (&observed.first, &observed.last) {
        (Some(first), Some(last)) => format!(
            "observed on {}, {first} to {last}",
            count(observed.days, "day", "days")
        ),
        _ => "no observed days".to_owned(),
    };
    if observed.days_missing > 0 {
        let missing = count(observed.days_missing, "day", "days");
        text.extend(["; no ledger on ", &missing, " in between"]);
    }
    if observed.requests_missing > 0 {
        let missing = count(observed.requests_missing, "request is", "requests are");
        text.extend(["; ", &missing, " missing"]);
    }
    text
}

fn consumer(entry: &ConsumerEntry, all: bool) -> Row {
    let ConsumerEntry {
        judgement,
        requests,
        consumer,
    } = entry;
    let from = format!("from {} {}", consumer.address, consumer.user_agent);
    let mut below = vec![from.trim_end().to_owned()];
    below.extend(judgement.reason());
    below.extend(
        consumer
            .operations
            .iter()
            .map(|used| operation_use(used, all)),
    );
    let key = consumer.key.as_deref().unwrap_or("(none)");
    let cells = [
        verdict(judgement.verdict),
        judgement.since.as_str().into(),
        requests.to_string().into(),
        key.into(),
    ];
    Row::new(cells).with_below(below)
}

fn operation_use(used: &OperationUse, all: bool) -> String {
    let outcomes = &used.outcomes;
    let name = used.operation.as_deref().unwrap_or("(no operation of v1)");
    let mut text = format!("{name} {}", outcomes.total());
    let others: Vec<_> = [
        ("errors", outcomes.error),
        ("not served", outcomes.not_served),
        ("refused", outcomes.refused),
        ("in trouble", outcomes.trouble),
        ("in brownouts", outcomes.brownout),
    ]
    .into_iter()
    .filter(|(_, count)| *count > 0)
    .map(|(name, count)| format!("{count} {name}"))
    .collect();
    if !others.is_empty() {
        text += &unbroken(&format!(" ({})", others.join(", ")));
    }
    for (title, uses) in [
        ("with", all.then_some(&used.parameters)),
        ("not supported:", Some(&used.lossy)),
        ("unknown:", Some(&used.unknown)),
    ] {
        if let Some(uses) = uses.filter(|uses| !uses.is_empty()) {
            text.extend(["; ", title, " ", &names(uses, ", ")]);
        }
    }
    text
}

fn names(uses: &[ParameterUse], between: &str) -> String {
    let names: Vec<_> = uses.iter().map(|used| used.name.as_str()).collect();
    names.join(between)
}

/// Row of an operation. Code without calls is called dead only if the ledger was kept long enough.
fn operation(entry: &OperationEntry, is_long: bool) -> Row {
    let code = entry.code.map(|code| match code {
        InCode::Called => format!("in the code: {}", named(&entry.places)),
        InCode::UnknownCaller => "not in the code: unknown caller".to_owned(),
        InCode::NoTraffic if is_long => {
            format!("in the code: {}; dead code?", named(&entry.places))
        }
        InCode::NoTraffic => format!("in the code: {}; no call yet", named(&entry.places)),
    });
    let last = entry.last.clone().unwrap_or_default();
    let cells = [
        entry.operation.as_str().into(),
        entry.verdict.map_or_else(|| "no call".into(), verdict),
        last.into(),
        entry.requests.to_string().into(),
        entry.consumers.to_string().into(),
    ];
    Row::new(cells).with_below(code)
}

fn named(places: &[Place]) -> String {
    let places = places.iter();
    let places = places.map(|place| format!("{}:{}", place.path, place.line));
    first(places, MAX_PLACES).join(" ")
}

fn verdict(verdict: Verdict) -> Cell {
    Cell::from(verdict.words()).toned(match verdict {
        Verdict::Live => "bad",
        Verdict::Dormant => "warn",
        Verdict::Safe => "good",
        Verdict::Refused => "",
    })
}

fn end(report: &UsageReport) -> String {
    let counts: Vec<_> = [
        Verdict::Live,
        Verdict::Dormant,
        Verdict::Safe,
        Verdict::Refused,
    ]
    .into_iter()
    .map(|verdict| (report.count(verdict), verdict))
    .filter(|(count, _)| *count > 0)
    .map(|(count, verdict)| match verdict {
        Verdict::Dormant => format!("{count} dormant"),
        other => format!("{count} {}", other.words()),
    })
    .collect();
    let counts = counts.join(", ");
    let left = report.count(Verdict::Live) + report.count(Verdict::Dormant);
    let subject = &report.subject;
    let (observed, wanted) = (report.observed.days, report.rule.safe_days);
    let conclusion = if report.can_be_switched_off {
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

/// Builds the report by owner.
pub(crate) fn owners_document<'a>(
    owners: &[OwnerReport],
    subject: &str,
    since: Option<Date>,
) -> Document<'a> {
    let since = since.map_or_else(String::new, |day| format!(" since {}", day_name(day)));
    let calling = owners.iter().filter(|owner| owner.requests > 0).count();
    let mut document = Document {
        tool: "migrate usage",
        title: format!("Who still calls {subject}{since}, by owner"),
        is_good: calling == 0,
        summary: match calling {
            0 => format!("no calls to {subject}{since}"),
            calling => format!(
                "{} still calling {subject}",
                count(calling, "owner", "owners")
            ),
        },
        records: owner_records(owners),
        ..Document::default()
    };
    for owner in owners {
        let columns = ["operation", "calls#", "in brownouts#", "last call", "in v2"];
        let mut table = Table::new(columns);
        table.rows = owner.operations.iter().map(owned).collect();
        let keys: Vec<_> = owner.keys.iter().map(String::as_str).collect();
        document.heading(owner.owner.as_deref().unwrap_or("(no owner)"));
        document.paragraph(match (&owner.last, owner.brownout) {
            (None, _) => "No calls; used in code only.".to_owned(),
            (Some(last), hit) => format!(
                "{} by {}, the last on {last}; {hit} in brownouts.",
                count(owner.requests, "request", "requests"),
                keys.join(", ")
            ),
        });
        document.table(table);
    }
    document
}

fn owned(used: &OwnedOperation) -> Row {
    let number = |number: u64| Cell::from(number.to_string());
    let cells = [
        used.operation.as_str().into(),
        number(used.requests),
        number(used.brownout),
        used.last
            .clone()
            .unwrap_or_else(|| "no call".to_owned())
            .into(),
        used.v2.as_str().into(),
    ];
    let below = (!used.places.is_empty()).then(|| format!("in the code: {}", named(&used.places)));
    Row::new(cells).with_below(below)
}

fn owner_records(owners: &[OwnerReport]) -> Records {
    let rows = owners.iter().flat_map(|owner| {
        owner.operations.iter().map(|used| {
            vec![
                owner.owner.clone().unwrap_or_default(),
                used.operation.clone(),
                used.requests.to_string(),
                used.brownout.to_string(),
                used.last.clone().unwrap_or_default(),
                used.v2.clone(),
                named(&used.places),
            ]
        })
    });
    Records {
        columns: [
            "owner",
            "operation",
            "requests",
            "brownout",
            "last",
            "v2",
            "places",
        ]
        .into(),
        rows: rows.collect(),
    }
}

/// One CSV row per consumer and operation.
fn records(report: &UsageReport) -> Records {
    let rows = report.consumers.iter().flat_map(|entry| {
        let consumer = &entry.consumer;
        consumer.operations.iter().map(move |used| {
            let outcomes = &used.outcomes;
            vec![
                entry.judgement.verdict.name().to_owned(),
                entry.judgement.since.clone(),
                consumer.key.clone().unwrap_or_default(),
                consumer.address.clone(),
                consumer.user_agent.clone(),
                used.operation.clone().unwrap_or_default(),
                outcomes.total().to_string(),
                outcomes.answered.to_string(),
                outcomes.error.to_string(),
                outcomes.not_served.to_string(),
                outcomes.refused.to_string(),
                outcomes.trouble.to_string(),
                used.first.clone(),
                used.last.clone(),
                names(&used.parameters, " "),
                names(&used.lossy, " "),
                names(&used.unknown, " "),
                outcomes.brownout.to_string(),
            ]
        })
    });
    Records {
        columns: COLUMNS.into(),
        rows: rows.collect(),
    }
}
