//! The v2 requests as commands, with what is to be said about them as comments.

use serde_json::json;

use super::{Loss, Refused, Translated, TranslatedCall, form::printable, shell};
use crate::explain::wording::{all_of, counted};
use migrate_report::sheet::{Sheet, faint};

/// How many fields of the answer are named at most.
const FIELDS: usize = 12;

/// Writes the commands. All of it can be given to a shell.
pub(crate) fn translated(sheet: &mut Sheet, translated: &Translated<'_>) {
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
    let requests = counted(number, "v2 request");
    let title = format!(
        "{}: {up_to}{requests}{order}. Nothing was sent.",
        translated.operation
    );
    comment(sheet, "", &title);
    for variable in &translated.variables {
        comment(sheet, &format!("${}: ", variable.name), &variable.about);
    }
    for note in &translated.notes {
        comment(sheet, "note: ", note);
    }
    for call in &translated.calls {
        sheet.blank();
        let in_steps = steps > 1 && steps < number;
        self::call(sheet, translated, call, in_steps);
        let command = shell::command(call, sheet.width());
        sheet.verbatim(&command);
    }
    sheet.blank();
    losses(sheet, "not sent: ", &translated.not_sent);
    losses(sheet, "differs: ", &translated.changed);
    if !translated.ignored.is_empty() {
        let names: Vec<_> = translated
            .ignored
            .iter()
            .map(|name| printable(name))
            .collect();
        comment(
            sheet,
            "ignored: ",
            &format!("{} — unknown to v1 here", names.join(", ")),
        );
    }
    losses(sheet, "not in the answer: ", &translated.left_out);
    let fields = &translated.answer;
    let answer = if fields.len() <= FIELDS {
        fields.join(", ")
    } else {
        format!(
            "{} fields, see migrate explain {}",
            fields.len(),
            translated.operation
        )
    };
    comment(sheet, "v1's answer: ", &answer);
}

/// Writes why there is no v2 request.
pub(crate) fn refused(sheet: &mut Sheet, refused: &Refused) {
    comment(sheet, "", &refused.reason);
    if let Some(error) = &refused.error {
        let (code, message) = (error.code, printable(&error.message));
        sheet.line(json!({ "error": { "code": code, "message": message } }).to_string());
    }
    for request in &refused.v2 {
        comment(sheet, "in v2: ", request);
    }
    comment(sheet, "", &refused.hint);
}

fn call(sheet: &mut Sheet, all: &Translated<'_>, call: &TranslatedCall<'_>, in_steps: bool) {
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
    comment(sheet, "", &title.join(", "));
    if let Some(each) = call.each {
        let which = call.each_where.as_deref();
        let which = which.map_or(String::new(), |which| format!(", if its {which}"));
        comment(
            sheet,
            "  ",
            &format!("once for each item that {each} finds{which}"),
        );
    }
    // What holds for each member of the body by itself says when the call is made.
    if !call.only_if.is_empty() && call.body_only_if.len() < 2 {
        comment(
            sheet,
            "  ",
            &format!("only if {}", call.only_if.join(", or if ")),
        );
    }
    let told = |condition: &String| call.only_if.as_slice() == std::slice::from_ref(condition);
    for member in &call.body_only_if {
        if call.body_only_if.len() > 1 || !told(&member.only_if) {
            comment(
                sheet,
                "  ",
                &format!("{} only if {}", member.member, member.only_if),
            );
        }
    }
    if let Some(note) = call.note {
        comment(sheet, "  ", note);
    }
}

fn losses(sheet: &mut Sheet, title: &str, losses: &[Loss]) {
    let mut told: Vec<&str> = Vec::new();
    for loss in losses {
        if told.contains(&loss.reason.as_str()) {
            continue;
        }
        told.push(&loss.reason);
        let alike = losses.iter().filter(|other| other.reason == loss.reason);
        let fields: Vec<_> = alike.map(|loss| loss.field.as_str()).collect();
        comment(
            sheet,
            title,
            &format!("{} — {}", fields.join(", "), loss.reason),
        );
    }
}

/// A comment whose further lines are comments, too.
fn comment(sheet: &mut Sheet, title: &str, text: &str) {
    let indent = if title.trim().is_empty() {
        title.len()
    } else {
        2
    };
    let options = textwrap::Options::new(sheet.width())
        .break_words(false)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    let first = format!("# {title}");
    let rest = format!("# {}", " ".repeat(indent));
    let text = printable(text);
    for line in textwrap::wrap(
        &text,
        options.initial_indent(&first).subsequent_indent(&rest),
    ) {
        sheet.line(faint(&line));
    }
}
