//! The page of one operation.

use mappings::fidelity::Fidelity;

use super::{
    super::{
        OperationPage,
        answer::{AnswerEntry, AnswerField, Source},
        calls::{CallEntry, query_parts},
        errors::ErrorEntry,
        operation::ServiceKind,
        parameters::{ParameterEntry, ParameterPlace, RequestPart},
        wording::{all_of, counted, one_of},
    },
    counts, fidelity,
};
use crate::sheet::{Row, Sheet, display_width, faint, strong, tied};

/// Up to so many parameters are shown in full without being asked for.
const FEW: usize = 12;
/// How wide the texts of errors are, if they are not longer: so the causes stand below each other.
const MESSAGE: usize = 40;
/// Where the texts of errors begin.
const INDENT: usize = 10;
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
        self::answer(sheet, page, answer, all);
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
    let is_optional = |call: &CallEntry<'_>| !call.when.is_empty() || !call.carries.is_empty();
    let up_to = if page.calls.iter().any(is_optional) { "up to " } else { "" };
    let title = match (number, steps) {
        (1, _) => ", one call".to_owned(),
        (_, 1) => format!(", {up_to}{number} calls at the same time"),
        _ => format!(", {up_to}{number} calls in {steps} steps; those of a step at the same time"),
    };
    heading(sheet, "v2 today", &title);
    let may_fail = page.calls.iter().any(|call| call.may_fail);
    let mut rows = Vec::new();
    let mut step_before = 0;
    for call in in_steps(&page.calls) {
        let mut cells = Vec::new();
        if steps > 1 {
            let begins = step_before != call.step;
            cells.push(if begins { call.step.to_string() } else { String::new() });
            step_before = call.step;
        }
        cells.push(strong(call.name));
        cells.push(tied(&format!("{} {}", call.method, call.filled)));
        cells.push(faint(call.label));
        rows.push(Row {
            cells,
            below: below(call, page.read && may_fail),
        });
    }
    sheet.rows(4, if steps > 1 { 2 } else { 1 }, &rows);
    if may_fail {
        let legend = "(may fail: what only this call knows is then missing from the answer)";
        sheet.line(faint(&format!("    {legend}")));
    }
}

fn in_steps<'p, 'a>(calls: &'p [CallEntry<'a>]) -> Vec<&'p CallEntry<'a>> {
    let mut calls: Vec<_> = calls.iter().collect();
    calls.sort_by_key(|call| call.step);
    calls
}

/// What else is to be said of a call: what it sends, then when it is made and what for.
fn below(call: &CallEntry<'_>, decides: bool) -> Vec<String> {
    let mut lines: Vec<String> = query_parts(call).into_iter().collect();
    lines.extend(call.body.as_ref().map(ToString::to_string));
    let mut facts = Vec::new();
    if call.may_fail {
        facts.push("may fail".to_owned());
    } else if decides {
        facts.push("decides success".to_owned());
    }
    if let Some(each) = call.each {
        facts.push(format!("once for each item of {each}"));
    }
    if !call.after.is_empty() {
        facts.push(format!("after {}", all_of(&call.after)));
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
        facts.push(format!("only if {}", when.join(", and if ")));
    }
    facts.extend(call.note.map(str::to_owned));
    if !facts.is_empty() {
        lines.push(facts.join("; "));
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
    let shown: Vec<_> = page.parameters.iter().filter(in_full).collect();
    let mut rows: Vec<Row> = Vec::new();
    for entry in &shown {
        let group: Vec<_> = shown.iter().filter(|other| is_dropped_alike(entry, other)).collect();
        match group.as_slice() {
            [first, _, ..] if !all => {
                if first.name == entry.name {
                    let names = group.iter().map(|entry| entry.name);
                    rows.push(group_row(Fidelity::None, entry.reason, &names.collect::<Vec<_>>()));
                }
            }
            _ => rows.push(parameter(entry)),
        }
    }
    sheet.rows(4, 1, &rows);
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

/// True if two parameters go nowhere for the same reason.
fn is_dropped_alike(one: &ParameterEntry<'_>, other: &ParameterEntry<'_>) -> bool {
    one.fidelity == Some(Fidelity::None)
        && other.fidelity == Some(Fidelity::None)
        && one.reason == other.reason
}

/// Several fields with the same fate.
fn group_row(kind: Fidelity, reason: Option<&str>, names: &[&str]) -> Row {
    let title = format!("{}: {}", counted(names.len(), "field"), reason.unwrap_or_default());
    Row {
        cells: vec![fidelity(kind), title],
        below: vec![names.join(", ")],
    }
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
    if !entry.conversion.is_empty() && !entry.places.is_empty() {
        if let Some(first) = below.first_mut() {
            *first = format!("{first} ({})", entry.conversion);
        }
    }
    below.extend(entry.reason.map(str::to_owned));
    Row {
        cells: vec![
            entry.fidelity.map(fidelity).unwrap_or_default(),
            format!("{}: {about}", strong(entry.name)),
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

fn answer(sheet: &mut Sheet, page: &OperationPage<'_>, answer: &AnswerEntry<'_>, all: bool) {
    let number = counted(answer.counts.total(), "field");
    heading(sheet, "answer", &format!(": {number} · {}", counts(answer.counts)));
    fields(sheet, page, &answer.fields, all);
    if let Some(items) = &answer.items {
        let number = counted(items.counts.total(), "field");
        let title = format!("  each of {}: {number} · {}", items.list, counts(items.counts));
        sheet.line(title);
        fields(sheet, page, &items.fields, all);
    }
    let exact = answer.counts.exact + answer.items.as_ref().map_or(0, |i| i.counts.exact);
    if !all && exact > 0 {
        sheet.line(faint("    --all shows every field with its place in v2"));
    }
}

fn fields(sheet: &mut Sheet, page: &OperationPage<'_>, fields: &[AnswerField<'_>], all: bool) {
    if all {
        let rows: Vec<_> = fields.iter().map(answer_field).collect();
        return sheet.rows(4, 1, &rows);
    }
    let said_above = |field: &AnswerField<'_>| {
        page.parameters.iter().any(|parameter| {
            parameter.name == field.name
                && parameter.fidelity == Some(field.fidelity)
                && parameter.reason == field.reason
        })
    };
    let mut rows = Vec::new();
    for kind in [Fidelity::Lossy, Fidelity::None] {
        let fields = fields.iter().filter(|field| field.fidelity == kind);
        let (said, new): (Vec<_>, Vec<_>) = fields.partition(|field| said_above(field));
        if !said.is_empty() {
            let names: Vec<_> = said.iter().map(|field| field.name).collect();
            let text = format!("as the parameters: {}", names.join(", "));
            rows.push(Row {
                cells: vec![fidelity(kind), text],
                below: Vec::new(),
            });
        }
        let mut told: Vec<&str> = Vec::new();
        for field in &new {
            let reason = field.reason.unwrap_or_default();
            let alike = new.iter().filter(|other| other.reason == field.reason);
            let names: Vec<_> = alike.map(|field| field.name).collect();
            if told.contains(&reason) {
                continue;
            }
            told.push(reason);
            rows.push(match names.as_slice() {
                [name] => Row {
                    cells: vec![fidelity(kind), format!("{}: {reason}", strong(name))],
                    below: Vec::new(),
                },
                names => group_row(kind, field.reason, names),
            });
        }
    }
    sheet.rows(4, 1, &rows);
}

fn answer_field(field: &AnswerField<'_>) -> Row {
    let sources: Vec<_> = field.sources.iter().map(Source::in_short).collect();
    let mut from = sources.join(", else ");
    if !field.conversion.is_empty() && !from.is_empty() {
        from += &format!(" ({})", field.conversion);
    }
    Row {
        cells: vec![fidelity(field.fidelity), format!("{} ← {from}", strong(field.name))],
        below: field.reason.map(str::to_owned).into_iter().collect(),
    }
}

// ---- errors, options -------------------------------------------------------------------------

fn errors(sheet: &mut Sheet, errors: &[ErrorEntry<'_>]) {
    if errors.is_empty() {
        return;
    }
    heading(sheet, "errors", ": v1's code and text, and what causes it");
    let mut told: Vec<(Option<i64>, &Option<String>)> = Vec::new();
    let mut rows: Vec<Row> = Vec::new();
    for error in errors {
        let same = |other: &&ErrorEntry<'_>| {
            (other.code, &other.message) == (error.code, &error.message)
        };
        if told.contains(&(error.code, &error.message)) {
            continue;
        }
        told.push((error.code, &error.message));
        let causes: Vec<_> = errors.iter().filter(same).map(|e| e.cause.in_words()).collect();
        let code = error.code.map_or_else(|| "as v2".to_owned(), |code| code.to_string());
        let message = error.message.as_deref().unwrap_or("v2's own text");
        rows.push(error_row(sheet.width(), code, message, &causes.join("; ")));
    }
    sheet.rows(4, 1, &rows);
}

/// The cause stands beside the text if there is room, else below it.
fn error_row(width: usize, code: String, message: &str, cause: &str) -> Row {
    let cause = format!("← {cause}");
    let beside = format!("{message:<MESSAGE$}  {}", faint(&tied(&cause)));
    if INDENT + display_width(&beside) <= width {
        return Row {
            cells: vec![code, beside],
            below: Vec::new(),
        };
    }
    Row {
        cells: vec![code, message.to_owned()],
        below: vec![cause],
    }
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
                cells: vec![strong(option.name), format!("{choices}: {}", option.about)],
                below: Vec::new(),
            }
        })
        .collect();
    sheet.rows(4, 1, &rows);
}
