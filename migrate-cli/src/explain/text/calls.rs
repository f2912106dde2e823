//! The v2 calls of an operation.

use super::super::{
    OperationPage,
    calls::{CallEntry, query_parts},
    operation::ServiceKind,
    wording::{all_of, breakable, one_of},
};
use migrate_report::sheet::{Row, Sheet, faint, strong, tied};

/// How many parameters are named as the condition of a call.
const NAMES: usize = 4;

/// Writes the calls, or what replaces them.
pub(super) fn calls(sheet: &mut Sheet, page: &OperationPage<'_>) {
    if let Some(replacement) = &page.replacement {
        sheet.heading("v2 today", " (the shim does not serve this operation yet)");
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
        sheet.heading("v2 today", ": nothing; the answer is always an error");
        return;
    }
    let steps = page.calls.iter().map(|call| call.step).max().unwrap_or(0);
    let number = page.calls.len();
    let is_optional = |call: &CallEntry<'_>| !call.when.is_empty() || !call.carries.is_empty();
    let up_to = if page.calls.iter().any(is_optional) {
        "up to "
    } else {
        ""
    };
    let title = match (number, steps) {
        (1, _) => ", one call".to_owned(),
        (_, 1) => format!(", {up_to}{number} calls at the same time"),
        _ => format!(", {up_to}{number} calls in {steps} steps; those of a step at the same time"),
    };
    sheet.heading("v2 today", &title);
    let may_fail = page.calls.iter().any(|call| call.may_fail);
    let mut rows = Vec::new();
    let mut step_before = 0;
    for call in in_steps(&page.calls) {
        let mut cells = Vec::new();
        if steps > 1 {
            let begins = step_before != call.step;
            cells.push(if begins {
                call.step.to_string()
            } else {
                String::new()
            });
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
    lines.extend(call.body.as_ref().map(breakable));
    let mut facts = Vec::new();
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
    facts.extend(
        call.several
            .as_ref()
            .map(|several| format!("once for {several}")),
    );
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
