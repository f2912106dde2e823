//! Document of an operation page.

use mappings::fidelity::Fidelity;
use migrate_report::{
    Document,
    document::{Cell, Row, Table},
    layout::unbroken,
    words::count,
};
use serde_json::Value;

use super::{
    super::{
        OperationPage,
        answer::{AnswerField, Source},
        calls::{CallEntry, query_parts},
        errors::ErrorEntry,
        guide::Guide,
        operation::{OptionEntry, ServiceKind},
        parameters::{ParameterEntry, ParameterPlace, RequestPart},
        wording::{all_of, breakable, one_of},
    },
    TOOL, counts, fidelity, fidelity_row, group_by,
    topic::guide,
};

/// Number of parameters shown in full without `--all`.
const MAX_IN_FULL: usize = 12;
/// Maximum number of parameters listed in a call condition.
const MAX_NAMES: usize = 4;

/// Builds the document. With `all`, exact parameters and fields get a row each; otherwise they are
/// only listed or counted.
pub(crate) fn operation(page: &OperationPage<'_>, all: bool) -> Document<'static> {
    let effect = if page.read { "read" } else { "write" };
    let repeat = match page.repeat {
        Some("safe") => ", safe to repeat",
        _ => "",
    };
    let mut document = Document::page(TOOL, page.name, &format!("{effect}{repeat}"));
    document.paragraph(page.summary);
    document.paragraph(match page.service {
        ServiceKind::Served => "Served by the shim.",
        ServiceKind::Refused => "The shim always returns an error: v2 has no equivalent.",
        ServiceKind::NotServed => "Not served by the shim yet.",
    });
    if let Some(option) = page.enabled_by {
        document.paragraph(format!(
            "It is disabled and returns an error unless a key's settings enable `{option}`."
        ));
    }
    if !page.aliases.is_empty() {
        document.paragraph(format!("Also called as {}.", all_of(page.aliases)));
    }
    if let Some(repeat) = page.repeat.filter(|repeat| *repeat != "safe") {
        document.paragraph(format!("If repeated: {repeat}."));
    }
    if let Some(note) = page.note {
        document.paragraph(format!("Note: {note}."));
    }
    if let Some(known) = Guide::find(page.name) {
        guide(&mut document, known);
    }
    for parameter in &page.parameters {
        if let Some(hint) = Guide::hint(parameter.name) {
            document.paragraph(hint);
        }
    }
    calls(&mut document, page);
    for variant in &page.variants {
        let choices = variant.options.iter().map(|(name, value)| {
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            format!("options.{name} = {value}")
        });
        let choices: Vec<_> = choices.collect();
        let title = format!("v2 calls with {}", choices.join(" and "));
        let requests = variant.requests.iter().map(|request| unbroken(request));
        let scopes = format!("scopes: {}", all_of(&variant.scopes));
        document.list(&title, requests.chain([scopes]));
    }
    parameters(&mut document, page, all);
    answer(&mut document, page, all);
    let mut rows = Vec::new();
    for group in group_by(&page.errors, |error| (error.code, error.message.clone())) {
        rows.extend(error_row(&group));
    }
    let heading = "errors: v1's code and text, then the causes";
    document.section(heading, Table::plain(rows));
    document.section(
        "options: what a site may choose in [options] of its configuration",
        Table::plain(page.options.iter().map(option).collect()),
    );
    let scopes = page.scopes.iter().copied();
    document.list("scopes: what the OAuth app needs", scopes);
    document.list("sources", page.sources.iter().copied());
    document.list("catalog", [format!("mappings/api/{}", page.catalog)]);
    document
}

// ---- calls -------------------------------------------------------------------------------------

fn calls(document: &mut Document<'_>, page: &OperationPage<'_>) {
    if let Some(replacement) = &page.replacement {
        let requests = replacement.requests.iter().map(|request| unbroken(request));
        let none = replacement.requests.is_empty().then(|| "none".to_owned());
        document.list("v2 calls", requests.chain(none));
        if replacement.composite {
            document.paragraph("Several calls, or one for each item, are needed.");
        }
        return;
    }
    let steps = page.calls.iter().map(|call| call.step).max().unwrap_or(0);
    let is_optional = |call: &CallEntry<'_>| !call.when.is_empty() || !call.carries.is_empty();
    let up_to = if page.calls.iter().any(is_optional) {
        "up to "
    } else {
        ""
    };
    let title = match (page.calls.len(), steps) {
        (0 | 1, _) => String::new(),
        (number, 1) => format!(": {up_to}{number} at the same time"),
        (number, _) => format!(": {up_to}{number} in {steps} steps"),
    };
    let may_fail = page.calls.iter().any(|call| call.may_fail);
    let mut calls: Vec<_> = page.calls.iter().collect();
    calls.sort_by_key(|call| call.step);
    let mut before = 0;
    let rows = calls.into_iter().map(|call| {
        let shown = match std::mem::replace(&mut before, call.step) {
            last if last == call.step => String::new(),
            _ => call.step.to_string(),
        };
        let request = format!("{} {}", call.method, call.filled);
        let row = [Cell::from(shown), Cell::name(call.name), request.into()];
        let row = Row::new(row.into_iter().skip(usize::from(steps < 2)));
        row.with_below(below(call, page.read && may_fail))
    });
    let table = Table::plain(rows.collect());
    document.section(format!("v2 calls{title}"), table);
    if may_fail {
        document
            .paragraph("If a call that may fail fails, its fields are missing from the answer.");
    }
}

/// Lines below a call: query, body, then conditions and notes.
fn below(call: &CallEntry<'_>, decides: bool) -> Vec<String> {
    let mut lines: Vec<String> = query_parts(call).into_iter().collect();
    lines.extend(call.body.as_ref().map(breakable));
    let mut facts = vec![format!("{} rate limit", call.label)];
    if call.may_fail {
        facts.push("may fail".to_owned());
    } else if decides {
        facts.push("decides success".to_owned());
    }
    if let Some(each) = call.each {
        let which = call.each_where.as_deref();
        let which = which.map_or(String::new(), |which| format!(", if its {which}"));
        facts.push(format!("once for each item of {each}{which}"));
    }
    let several = call.several.as_ref();
    facts.extend(several.map(|several| format!("once for {several}")));
    if !call.after.is_empty() {
        facts.push(format!("after {}", all_of(&call.after)));
    }
    let mut when = Vec::new();
    match call.carries.as_slice() {
        [] => {}
        names if names.len() <= MAX_NAMES => when.push(format!("{} is given", one_of(names))),
        names => when.push(format!("one of its {} parameters is given", names.len())),
    }
    if !call.when.is_empty() {
        when.push(call.when.join(", or if "));
    }
    if !when.is_empty() {
        facts.push(format!("only if {}", when.join(", and if ")));
    }
    facts.extend(call.note.map(str::to_owned));
    lines.push(facts.join("; "));
    lines
}

// ---- parameters --------------------------------------------------------------------------------

fn parameters(document: &mut Document<'_>, page: &OperationPage<'_>, all: bool) {
    let parameters = &page.parameters;
    let number = parameters.len();
    if parameters
        .iter()
        .all(|parameter| parameter.fidelity.is_none())
    {
        let names = |word: &str, required: bool| {
            let parameters = parameters.iter();
            let names: Vec<_> = parameters
                .filter(|parameter| parameter.required == required)
                .map(|parameter| parameter.name)
                .collect();
            (!names.is_empty()).then(|| Row::new([word.to_owned(), names.join(", ")]))
        };
        let rows = [names("required", true), names("optional", false)];
        let rows = rows.into_iter().flatten().collect();
        let heading = format!("parameters: {number}, without field mappings yet");
        return document.section(heading, Table::plain(rows));
    }
    let in_full = |parameter: &&ParameterEntry<'_>| {
        all || number <= MAX_IN_FULL
            || parameter.required
            || parameter.fidelity != Some(Fidelity::Exact)
    };
    let (shown, others): (Vec<_>, Vec<_>) = parameters.iter().partition(in_full);
    let mut rows = Vec::new();
    // Unsupported parameters with the same reason share a row.
    let is_gone = |entry: &ParameterEntry<'_>| !all && entry.fidelity == Some(Fidelity::None);
    for group in group_by(&shown, |entry| {
        let own = (!is_gone(entry)).then_some(entry.name);
        (own, entry.reason.filter(|_| own.is_none()))
    }) {
        let names: Vec<_> = group.iter().map(|entry| entry.name).collect();
        match group.as_slice() {
            [entry] => rows.push(parameter(entry)),
            _ => rows.extend({ group.first() }.map(|first| {
                fidelity_row(Fidelity::None, &names, first.reason.unwrap_or_default())
            })),
        }
    }
    if !others.is_empty() {
        let names: Vec<_> = others.iter().map(|parameter| parameter.name).collect();
        rows.push(Row::new([
            fidelity(Fidelity::Exact),
            format!("{} more", names.len()).into(),
            format!("{} (--all shows each)", names.join(", ")).into(),
        ]));
    }
    let heading = format!("parameters: {number}, {}", counts(page.parameter_counts));
    document.section(heading, Table::plain(rows));
}

fn parameter(entry: &ParameterEntry<'_>) -> Row {
    let mut about = entry.r#type.clone().unwrap_or_default();
    if entry.required {
        let required = match entry.or.as_slice() {
            [] => "required".to_owned(),
            others => format!("required, or {}", one_of(others)),
        };
        about = format!("{required}; {about}");
    }
    let mut below: Vec<String> = entry.places.iter().map(place).collect();
    if let Some(first) = below.first_mut().filter(|_| !entry.conversion.is_empty()) {
        *first = format!("{first} ({})", entry.conversion);
    }
    below.extend(entry.reason.map(str::to_owned));
    let word = entry.fidelity.map(fidelity).unwrap_or_default();
    Row::new([word, Cell::name(entry.name), about.into()]).with_below(below)
}

/// Destination of a parameter: `→ create: user_info.email`.
pub(crate) fn place(place: &ParameterPlace<'_>) -> String {
    let calls = all_of(&place.calls);
    let at = place.at.as_deref().unwrap_or_default();
    match place.part {
        RequestPart::Path => format!("→ path of {calls}"),
        RequestPart::Query => format!("→ {calls}: ?{at}"),
        RequestPart::Body => format!("→ {calls}: {at}"),
        RequestPart::File => format!("→ {calls}: the file"),
        RequestPart::Filter => format!("→ {calls}: only where {at} is the same"),
        RequestPart::Check => format!("→ must be in {at} of what {calls} finds"),
    }
}

// ---- answer ------------------------------------------------------------------------------------

fn answer(document: &mut Document<'_>, page: &OperationPage<'_>, all: bool) {
    let Some(answer) = &page.answer else { return };
    let mut shapes = vec![("answer".to_owned(), answer.counts, &answer.fields)];
    shapes.extend(answer.lists.iter().map(|list| {
        let each = if list.is_list { "each of " } else { "" };
        (format!("{each}{}", list.list), list.counts, &list.fields)
    }));
    for (title, sums, fields) in shapes {
        document.heading(format!(
            "{title}: {}, {}",
            count(sums.total(), "field", "fields"),
            counts(sums)
        ));
        document.table(Table::plain(if all {
            fields.iter().map(answer_field).collect()
        } else {
            field_rows(page, fields)
        }));
    }
    if !all {
        document.paragraph("--all shows every field with its place in v2.");
    }
}

/// Rows of the fields that are not exact, grouped by reason.
fn field_rows(page: &OperationPage<'_>, fields: &[AnswerField<'_>]) -> Vec<Row> {
    let is_above = |field: &AnswerField<'_>| {
        let same = |entry: &ParameterEntry<'_>| {
            (entry.name, entry.fidelity, entry.reason)
                == (field.name, Some(field.fidelity), field.reason)
        };
        page.parameters.iter().any(same)
    };
    let mut rows = Vec::new();
    for kind in [Fidelity::Lossy, Fidelity::None] {
        let fields: Vec<_> = fields
            .iter()
            .filter(|field| field.fidelity == kind)
            .collect();
        let groups = group_by(&fields, |field| {
            (is_above(field), (!is_above(field)).then_some(field.reason))
        });
        rows.extend(groups.iter().filter_map(|group| {
            let names: Vec<_> = group.iter().map(|field| field.name).collect();
            let first = group.first()?;
            let reason = first.reason.unwrap_or_default();
            let reason = if is_above(first) {
                "as the parameter"
            } else {
                reason
            };
            Some(fidelity_row(kind, &names, reason))
        }));
    }
    rows
}

fn answer_field(field: &AnswerField<'_>) -> Row {
    let sources: Vec<_> = field.sources.iter().map(Source::in_short).collect();
    let mut from = sources.join(", else ");
    if !field.conversion.is_empty() && !from.is_empty() {
        from = format!("{from} ({})", field.conversion);
    }
    let (about, below) = if from.is_empty() {
        (field.reason.unwrap_or("nothing fills it").to_owned(), None)
    } else {
        (format!("← {from}"), field.reason)
    };
    Row::new([
        fidelity(field.fidelity),
        Cell::name(field.name),
        about.into(),
    ])
    .with_below(below)
}

// ---- errors and options --------------------------------------------------------------------------

/// Row of an error with all its causes.
fn error_row(group: &[&ErrorEntry<'_>]) -> Option<Row> {
    let first = group.first()?;
    let code = first
        .code
        .map_or_else(|| "as v2".to_owned(), |code| code.to_string());
    let message = first.message.as_deref().unwrap_or("v2's own text");
    let causes: Vec<_> = group.iter().map(|error| error.cause.in_words()).collect();
    Some(Row::new([code, message.to_owned()]).with_below([format!("← {}", causes.join("; "))]))
}

fn option(option: &OptionEntry<'_>) -> Row {
    let default = match &option.default {
        Value::Bool(true) => "on".to_owned(),
        Value::Bool(false) => "off".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let others: Vec<_> = option
        .values
        .iter()
        .filter(|value| **value != default)
        .map(String::as_str)
        .collect();
    let choices = if others.is_empty() {
        default
    } else {
        format!("{default} (else {})", one_of(&others))
    };
    Row::new([
        Cell::name(option.name),
        format!("{choices}: {}", option.about).into(),
    ])
}
