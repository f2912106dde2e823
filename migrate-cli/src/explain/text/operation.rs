//! The page of one operation.

use super::{
    super::{OperationPage, wording::all_of},
    answer::answer,
    calls::calls,
    errors::{errors, options},
    parameters::parameters,
};
use migrate_report::sheet::{Sheet, faint, strong, tied};

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
    if let Some(shape) = &page.answer {
        answer(sheet, page, shape, all);
    }
    errors(sheet, &page.errors);
    options(sheet, page);
    list(
        sheet,
        "scopes needed",
        page.scopes.iter().map(|scope| tied(scope)).collect(),
    );
    list(
        sheet,
        "sources",
        page.sources.iter().map(|s| (*s).to_owned()).collect(),
    );
    sheet.blank();
    sheet.line(faint(&format!("  catalog  mappings/api/{}", page.catalog)));
}

fn list(sheet: &mut Sheet, title: &str, items: Vec<String>) {
    if items.is_empty() {
        return;
    }
    sheet.heading(title, "");
    for item in items {
        sheet.paragraph(4, &item);
    }
}
