//! Text output: the v2 requests as commands, with comments.

use serde_json::json;

use super::{Loss, Refused, Translated, TranslatedCall, form::printable, shell};
use crate::explain::wording::all_of;
use migrate_report::{
    layout::{TextLayout, faint},
    words::count,
};

/// Maximum number of response fields listed.
const MAX_FIELDS: usize = 12;

/// Writes the commands. The whole output is a valid shell script.
pub(crate) fn translated(layout: &mut TextLayout, translated: &Translated<'_>) {
    let number = translated.calls.len();
    let steps = translated
        .calls
        .iter()
        .map(|call| call.step)
        .max()
        .unwrap_or(0);
    let conditional = translated.calls.iter().any(|call| !call.only_if.is_empty());
    let up_to = if conditional { "up to " } else { "" };
    let order = match (number, steps) {
        (0 | 1, _) => "",
        (_, 1) => ", all at the same time",
        _ if steps == number => ", one after the other",
        _ => ", in steps",
    };
    let requests = count(number, "v2 request", "v2 requests");
    let title = format!(
        "{}: {up_to}{requests}{order}. Nothing was sent.",
        translated.operation
    );
    comment(layout, "", &title);
    for variable in &translated.variables {
        comment(layout, &format!("${}: ", variable.name), &variable.about);
    }
    for note in &translated.notes {
        comment(layout, "note: ", note);
    }
    for call in &translated.calls {
        layout.blank();
        let in_steps = steps > 1 && steps < number;
        self::call(layout, translated, call, in_steps);
        let command = shell::command(call, layout.width());
        layout.verbatim(&command);
    }
    layout.blank();
    losses(layout, "not sent: ", &translated.not_sent);
    losses(layout, "differs: ", &translated.changed);
    if !translated.ignored.is_empty() {
        let names: Vec<_> = translated
            .ignored
            .iter()
            .map(|name| printable(name))
            .collect();
        comment(
            layout,
            "ignored: ",
            &format!("{} — unknown to v1 here", names.join(", ")),
        );
    }
    losses(layout, "not in the answer: ", &translated.left_out);
    let fields = &translated.answer;
    let answer = if fields.len() <= MAX_FIELDS {
        fields.join(", ")
    } else {
        format!(
            "{} fields, see migrate explain {}",
            fields.len(),
            translated.operation
        )
    };
    comment(layout, "v1's answer: ", &answer);
}

/// Writes the reason why there is no v2 request.
pub(crate) fn refused(layout: &mut TextLayout, refused: &Refused) {
    comment(layout, "", &refused.reason);
    if let Some(error) = &refused.error {
        let (code, message) = (error.code, printable(&error.message));
        layout.line(json!({ "error": { "code": code, "message": message } }).to_string());
    }
    for request in &refused.v2 {
        comment(layout, "in v2: ", request);
    }
    comment(layout, "", &refused.hint);
}

fn call(layout: &mut TextLayout, all: &Translated<'_>, call: &TranslatedCall<'_>, in_steps: bool) {
    let mut title = vec![format!(
        "{} of {}: {}",
        call.number,
        all.calls.len(),
        call.name
    )];
    if in_steps {
        title.push(format!("step {}", call.step));
    }
    if !call.after.is_empty() {
        let after: Vec<_> = call.after.iter().map(ToString::to_string).collect();
        title.push(format!("after {}", all_of(&after)));
    }
    comment(layout, "", &title.join(", "));
    if let Some(each) = call.each {
        let which = call.each_where.as_deref();
        let which = which.map_or(String::new(), |which| format!(", if its {which}"));
        comment(
            layout,
            "  ",
            &format!("once for each item that {each} finds{which}"),
        );
    }
    // Conditions on several members describe the call well enough.
    if !call.only_if.is_empty() && call.body_only_if.len() < 2 {
        comment(
            layout,
            "  ",
            &format!("only if {}", call.only_if.join(", or if ")),
        );
    }
    let is_shown = |condition: &String| call.only_if.as_slice() == std::slice::from_ref(condition);
    for member in &call.body_only_if {
        if call.body_only_if.len() > 1 || !is_shown(&member.only_if) {
            comment(
                layout,
                "  ",
                &format!("{} only if {}", member.member, member.only_if),
            );
        }
    }
    if let Some(note) = call.note {
        comment(layout, "  ", note);
    }
}

fn losses(layout: &mut TextLayout, title: &str, losses: &[Loss]) {
    let mut seen: Vec<&str> = Vec::new();
    for loss in losses {
        if seen.contains(&loss.reason.as_str()) {
            continue;
        }
        seen.push(&loss.reason);
        let alike = losses.iter().filter(|other| other.reason == loss.reason);
        let fields: Vec<_> = alike.map(|loss| loss.field.as_str()).collect();
        comment(
            layout,
            title,
            &format!("{} — {}", fields.join(", "), loss.reason),
        );
    }
}

/// Writes a comment, wrapped to several comment lines if necessary.
fn comment(layout: &mut TextLayout, title: &str, text: &str) {
    let indent = if title.trim().is_empty() {
        title.len()
    } else {
        2
    };
    let first = format!("# {title}");
    let rest = format!("# {}", " ".repeat(indent));
    for line in layout.wrap(&first, &rest, &printable(text)) {
        layout.line(faint(&line));
    }
}
