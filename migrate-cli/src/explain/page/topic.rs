//! Documents of error and protocol term pages.

use migrate_report::{
    Document,
    document::{Row, Table},
    words::count,
};

use super::{
    super::guide::{ErrorPage, Guide, WordPage},
    TOOL,
};

/// Maximum number of operations listed.
const MAX_NAMES: usize = 12;

/// Builds the document of an error code.
pub(crate) fn errors(page: &ErrorPage<'_>) -> Document<'static> {
    let mut document = Document::page(TOOL, &format!("error {}", page.code), "v1 and v2");
    if let Some(guide) = page.guide {
        self::guide(&mut document, guide);
    }
    let mut table = Table::new(["v1 code", "v1 text"]);
    for error in &page.errors {
        let code = error
            .code
            .map_or_else(|| "as v2".to_owned(), |code| code.to_string());
        let message = error.message.as_deref().unwrap_or("v2's own text");
        let mut below = vec![format!("← {}", error.causes.join("; "))];
        below.extend(match error.operations.as_slice() {
            [] => None,
            few if few.len() <= MAX_NAMES => Some(few.join(", ")),
            many => Some(count(many.len(), "operation", "operations")),
        });
        table
            .rows
            .push(Row::new([code, message.to_owned()]).with_below(below));
    }
    document.section("v1 errors and their causes", table);
    document
}

/// Builds the document of a protocol term.
pub(crate) fn words(page: &WordPage) -> Document<'static> {
    let mut document = Document::page(TOOL, &page.name, &page.guide.title);
    guide(&mut document, page.guide);
    document
}

/// Adds the guide text.
pub(super) fn guide(document: &mut Document<'_>, guide: &Guide) {
    guide.text.iter().for_each(|text| document.paragraph(text));
    if !guide.see.is_empty() {
        document.paragraph(format!(
            "See also: migrate explain {}",
            guide.see.join(", ")
        ));
    }
}
