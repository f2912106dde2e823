//! The page of one operation.

use mappings::fidelity::Fidelity;

use super::{
    super::{
        OperationPage,
        answer::{AnswerEntry, AnswerField, Source},
        calls::{CallEntry, query_parts},
        errors::{ErrorEntry, ErrorScope},
        operation::ServiceKind,
        parameters::{ParameterEntry, ParameterPlace, RequestPart},
        wording::{all_of, counted, one_of},
    },
    counts, fidelity,
};
use crate::sheet::{Row, Sheet, faint, strong, tied};

/// Up to so many parameters are shown in full without being asked for.
const FEW: usize = 12;
/// Up to so many names of parameters are listed where they are the condition of a call.
const NAMES: usize = 4;

/// Writes the page. With `all`, every parameter and field has its row; else those that are exact
/// are only named or counted.
pub(crate) fn operation(sheet: &mut Sheet, page: &OperationPage<'_>, all: bool) {
    let effect = if page.read { "read" } else { "write" };
    let repeat = match page.repeat {
        Some("safe") => " · safe to repeat",
        _ => "",
    };
    sheet.ends(&strong(page.name), &faint(&format!("{effect}{repeat}")));
    sheet.paragraph(2, page.summary);
    if !page.aliases.is_empty() {
        sheet.paragraph(2, &format!("Also called as {}.", all_of(page.aliases)));
    }
    if let Some(repeat) = page.repeat.filter(|repeat| *repeat != "safe") {
        sheet.paragraph(2, &format!("Repeated: {repeat}."));
    }
    if let Some(note) = page.note {
        sheet.hanging("  Note: ", &format!("{note}."));
    }
    calls(sheet, page);
    parameters(sheet, page, all);
    if let Some(answer) = &page.answer {
        self::answer(sheet, answer, all);
    }
    errors(sheet, &page.errors);
    options(sheet, page);
    list(sheet, "scopes needed", page.scopes.iter().map(|scope| tied(scope)).collect());
    list(sheet, "sources", page.sources.iter().map(|s| (*s).to_owned()).collect());
    sheet.blank();
    sheet.line(faint(&format!("  catalog  mappings/api/{}", page.catalog)));
}

fn heading(sheet: &mut Sheet, title: &str, rest: &str) {
    sheet.blank();
    sheet.hanging(&format!("  {}", strong(title)), rest);
}

fn list(sheet: &mut Sheet, title: &str, items: Vec<String>) {
    if items.is_empty() {
        return;
    }
    heading(sheet, title, "");
    for item in items {
        sheet.paragraph(4, &item);
    }
}

// ---- calls -----------------------------------------------------------------------------------

fn calls(sheet: &mut Sheet, page: &OperationPage<'_>) {
    if let Some(replacement) = &page.replacement {
        heading(sheet, "v2 today", " (the shim does not serve this operation yet)");
        for request in &replacement.requests {
            sheet.line(format!("    {request}"));
        }
        if replacement.requests.is_empty() {
            sheet.line("    nothing");
        }
        if replacement.composite {
            sheet.paragraph(4, "Several calls, or one for each item, are needed.");
        }
        return;
    }
    if page.service == ServiceKind::Refused {
        heading(sheet, "v2 today", ": nothing; the answer is always an error");
        return;
    }
    let steps = page.calls.iter().map(|call| call.step).max().unwrap_or(0);
    let number = page.calls.len();
    heading(sheet, "v2 today", &match (number, steps) {
        (1, _) => ", one call".to_owned(),
        (_, 1) => format!(", {number} calls at the same time"),
        _ => format!(", {number} calls in {steps} steps; those of a step at the same time"),
    });
    let mut rows = Vec::new();
    for (at, call) in in_steps(&page.calls).into_iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| in_steps(&page.calls).get(at).copied());
        let begins = before.is_none_or(|before| before.step != call.step);
        let mut cells = Vec::new();
        if steps > 1 {
            cells.push(if begins { format!("{}", call.step) } else { " ".to_owned() });
        }
        cells.push(call.name.to_owned());
        cells.push(faint(call.label));
        cells.push(tied(&format!("{} {}", call.method, call.filled)));
        rows.push(Row {
            cells,
            below: below(call),
        });
    }
    sheet.rows(4, if steps > 1 { 3 } else { 2 }, &rows);
}

fn in_steps<'p, 'a>(calls: &'p [CallEntry<'a>]) -> Vec<&'p CallEntry<'a>> {
    let mut calls: Vec<_> = calls.iter().collect();
    calls.sort_by_key(|call| call.step);
    calls
}

/// What else is to be said of a call.
fn below(call: &CallEntry<'_>) -> Vec<String> {
    let mut lines: Vec<String> = query_parts(call).into_iter().collect();
    if let Some(body) = &call.body {
        lines.push(body.to_string());
    }
    let mut when = Vec::new();
    match call.carries.as_slice() {
        [] => {}
        names if names.len() <= NAMES => when.push(format!("{} is given", one_of(names))),
        names => when.push(format!("one of its {} parameters is given", names.len())),
    }
    if !call.when.is_empty() {
        when.push(call.when.join(", or if "));
    }
    if !when.is_empty() {
        lines.push(format!("only if {}", when.join(", and if ")));
    }
    if let Some(each) = call.each {
        lines.push(format!("once for each item of {each}"));
    }
    if !call.after.is_empty() {
        lines.push(format!("after {}", all_of(&call.after)));
    }
    lines.extend(call.note.map(str::to_owned));
    if call.may_fail {
        lines.push("if it fails, its part of the answer is missing".to_owned());
    }
    lines
}

// ---- parameters ------------------------------------------------------------------------------

fn parameters(sheet: &mut Sheet, page: &OperationPage<'_>, all: bool) {
    let number = page.parameters.len();
    if number == 0 {
        return;
    }
    let mapped = page.parameters.iter().any(|parameter| parameter.fidelity.is_some());
    if !mapped {
        heading(sheet, "parameters", &format!(": {number}, without field mappings yet"));
        let names = |required: bool| {
            let parameters = page.parameters.iter();
            let names = parameters.filter(|parameter| parameter.required == required);
            names.map(|parameter| parameter.name).collect::<Vec<_>>().join(", ")
        };
        let rows = [("required", names(true)), ("optional", names(false))];
        let rows = rows.into_iter().filter(|(_, names)| !names.is_empty());
        let rows: Vec<_> = rows
            .map(|(word, names)| Row {
                cells: vec![word.to_owned(), names],
                below: Vec::new(),
            })
            .collect();
        return sheet.rows(4, 0, &rows);
    }
    let summary = format!(": {number} · {}", counts(page.parameter_counts));
    heading(sheet, "parameters", &summary);
    let in_full = |parameter: &&ParameterEntry<'_>| {
        all || number <= FEW
            || parameter.required
            || parameter.fidelity != Some(Fidelity::Exact)
    };
    let rows: Vec<_> = page.parameters.iter().filter(in_full).map(parameter).collect();
    sheet.rows(4, 2, &rows);
    let others: Vec<_> = page.parameters.iter().filter(|p| !in_full(p)).collect();
    if !others.is_empty() {
        let names: Vec<_> = others.iter().map(|parameter| parameter.name).collect();
        let text = format!("{} (--all shows each with its place in v2)", names.join(", "));
        sheet.hanging(&format!("    {}  ", fine_exact(names.len())), &text);
    }
}

fn fine_exact(number: usize) -> String {
    format!("{number} {}", fidelity(Fidelity::Exact))
}

fn parameter(entry: &ParameterEntry<'_>) -> Row {
    let mut about = entry.r#type.clone().unwrap_or_default();
    if entry.required {
        let required = match entry.or.as_slice() {
            [] => "required".to_owned(),
            others => format!("required, or {}", one_of(others)),
        };
        about = format!("{}; {about}", strong(&required));
    }
    let mut below: Vec<String> = entry.places.iter().map(place).collect();
    if !entry.conversion.is_empty() && !entry.places.is_empty() {
        if let Some(first) = below.first_mut() {
            *first = format!("{first} ({})", entry.conversion);
        }
    }
    below.extend(entry.reason.map(str::to_owned));
    Row {
        cells: vec![
            entry.name.to_owned(),
            entry.fidelity.map(fidelity).unwrap_or_default(),
            about,
        ],
        below,
    }
}

fn place(place: &ParameterPlace<'_>) -> String {
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

// ---- answer ----------------------------------------------------------------------------------

fn answer(sheet: &mut Sheet, answer: &AnswerEntry<'_>, all: bool) {
    let number = counted(answer.counts.total(), "field");
    heading(sheet, "answer", &format!(": {number} · {}", counts(answer.counts)));
    fields(sheet, &answer.fields, all);
    if let Some(items) = &answer.items {
        let number = counted(items.counts.total(), "field");
        let title = format!("  each of {}: {number} · {}", items.list, counts(items.counts));
        sheet.line(title);
        fields(sheet, &items.fields, all);
    }
    let exact = answer.counts.exact + answer.items.as_ref().map_or(0, |i| i.counts.exact);
    if !all && exact > 0 {
        sheet.line(faint("    --all shows every field with its place in v2"));
    }
}

fn fields(sheet: &mut Sheet, fields: &[AnswerField<'_>], all: bool) {
    let shown = fields.iter().filter(|field| all || field.fidelity != Fidelity::Exact);
    let rows: Vec<_> = shown.map(|field| answer_field(field, all)).collect();
    sheet.rows(4, 2, &rows);
}

fn answer_field(field: &AnswerField<'_>, all: bool) -> Row {
    let reason = field.reason.unwrap_or_default().to_owned();
    if !all {
        return Row {
            cells: vec![field.name.to_owned(), fidelity(field.fidelity), reason],
            below: Vec::new(),
        };
    }
    let sources: Vec<_> = field.sources.iter().map(Source::in_short).collect();
    let mut from = sources.join(", else ");
    if !field.conversion.is_empty() && !from.is_empty() {
        from += &format!(" ({})", field.conversion);
    }
    let mut below = vec![from, reason];
    below.retain(|line| !line.is_empty());
    let first = if below.is_empty() { String::new() } else { below.remove(0) };
    Row {
        cells: vec![field.name.to_owned(), fidelity(field.fidelity), first],
        below,
    }
}

// ---- errors, options -------------------------------------------------------------------------

fn errors(sheet: &mut Sheet, errors: &[ErrorEntry<'_>]) {
    if errors.is_empty() {
        return;
    }
    heading(sheet, "errors", ": v1's code and text, and what causes it");
    let mut rows: Vec<Row> = Vec::new();
    let mut last: Option<(ErrorScope, Option<i64>, &Option<String>)> = None;
    for error in errors {
        let key = (error.scope, error.code, &error.message);
        let cause = error.cause.in_words();
        if last == Some(key)
            && let Some(cause_so_far) = rows.last_mut().and_then(|row| row.below.first_mut())
        {
            cause_so_far.push_str(&format!("; {cause}"));
            continue;
        }
        last = Some(key);
        let code = error.code.map_or_else(|| "as v2".to_owned(), |code| code.to_string());
        let message = error.message.clone().unwrap_or_else(|| "v2's own text".to_owned());
        rows.push(Row {
            cells: vec![code, message],
            below: vec![format!("← {cause}")],
        });
    }
    for row in &mut rows {
        row.below = row.below.iter().map(|cause| faint(cause)).collect();
    }
    sheet.rows(4, 1, &rows);
}

fn options(sheet: &mut Sheet, page: &OperationPage<'_>) {
    if page.options.is_empty() {
        return;
    }
    heading(sheet, "options", ": what a site may choose in [options] of its configuration");
    let rows: Vec<_> = page
        .options
        .iter()
        .map(|option| {
            let default = match &option.default {
                serde_json::Value::Bool(true) => "on".to_owned(),
                serde_json::Value::Bool(false) => "off".to_owned(),
                other => other.as_str().unwrap_or_default().to_owned(),
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
            Row {
                cells: vec![option.name.to_owned(), choices],
                below: vec![option.about.to_owned()],
            }
        })
        .collect();
    sheet.rows(4, 1, &rows);
}
