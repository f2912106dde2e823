//! The errors of an operation, and the choices that change it.

use super::super::{OperationPage, errors::ErrorEntry, wording::one_of};
use migrate_report::sheet::{Row, Sheet, display_width, faint, strong, tied};

/// How wide the texts of errors are, if they are not longer: so the causes stand below each other.
const MESSAGE: usize = 40;
/// Where the texts of errors begin.
const INDENT: usize = 10;

/// Writes the errors.
pub(super) fn errors(sheet: &mut Sheet, errors: &[ErrorEntry<'_>]) {
    if errors.is_empty() {
        return;
    }
    sheet.heading("errors", ": v1's code and text, and what causes it");
    let mut told: Vec<(Option<i64>, &Option<String>)> = Vec::new();
    let mut rows: Vec<Row> = Vec::new();
    for error in errors {
        let same =
            |other: &&ErrorEntry<'_>| (other.code, &other.message) == (error.code, &error.message);
        if told.contains(&(error.code, &error.message)) {
            continue;
        }
        told.push((error.code, &error.message));
        let causes: Vec<_> = errors
            .iter()
            .filter(same)
            .map(|e| e.cause.in_words())
            .collect();
        let code = error
            .code
            .map_or_else(|| "as v2".to_owned(), |code| code.to_string());
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
        return Row::new([code, beside]);
    }
    Row {
        cells: vec![code, message.to_owned()],
        below: vec![cause],
    }
}

/// Writes the choices.
pub(super) fn options(sheet: &mut Sheet, page: &OperationPage<'_>) {
    if page.options.is_empty() {
        return;
    }
    sheet.heading(
        "options",
        ": what a site may choose in [options] of its configuration",
    );
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
            Row::new([strong(option.name), format!("{choices}: {}", option.about)])
        })
        .collect();
    sheet.rows(4, 1, &rows);
}
