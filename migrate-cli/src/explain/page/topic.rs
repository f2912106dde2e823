//! The pages of errors and of words of the protocol.

use migrate_report::{
    Document,
    document::{Row, Table},
};

use super::{
    super::{
        guide::{ErrorPage, Guide, WordPage},
        wording::counted,
    },
    TOOL,
};

/// How many operations are named.
const NAMED: usize = 12;

/// The page of an error's number.
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
            few if few.len() <= NAMED => Some(few.join(", ")),
            many => Some(counted(many.len(), "operation")),
        });
        table
            .rows
            .push(Row::new([code, message.to_owned()]).with_below(below));
    }
    document.section("answers: what v1 programs see, and the causes", table);
    document
}

/// The page of a word.
pub(crate) fn words(page: &WordPage) -> Document<'static> {
    let mut document = Document::page(TOOL, &page.name, &page.guide.title);
    guide(&mut document, page.guide);
    document
}

/// Adds what is known about a name.
pub(super) fn guide(document: &mut Document<'_>, guide: &Guide) {
    guide.text.iter().for_each(|text| document.paragraph(text));
    if !guide.see.is_empty() {
        document.paragraph(format!(
            "See also: migrate explain {}",
            guide.see.join(", ")
        ));
    }
}
