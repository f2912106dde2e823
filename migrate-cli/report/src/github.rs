//! GitHub Actions annotations: `::error file=…,line=…::…`.
//!
//! GitHub shows at most ten annotations per level and step, so the last line has the totals.

use std::io;

use crate::{
    Document, Printer,
    document::{INTERRUPTED, Level},
};

/// Prints annotations.
#[derive(Clone, Copy, Debug)]
pub struct Github;

impl Printer for Github {
    fn print(&self, document: &Document<'_>, out: &mut dyn io::Write) -> io::Result<()> {
        for annotation in &document.annotations {
            let level = match annotation.level {
                Level::Error => "error",
                Level::Warning => "warning",
                Level::Note => "notice",
            };
            let mut properties = Vec::new();
            if let Some(path) = &annotation.path {
                properties.push(format!("file={}", property(path)));
            }
            if let Some((line, (column, end_column))) = annotation.place {
                properties.push(format!("line={line},col={column},endColumn={end_column}"));
            }
            if !annotation.title.is_empty() {
                properties.push(format!("title={}", property(&annotation.title)));
            }
            let (properties, message) = (properties.join(","), message(&annotation.message));
            writeln!(out, "::{level} {properties}::{message}")?;
        }
        if document.is_interrupted {
            writeln!(out, "::warning::{INTERRUPTED}")?;
        }
        writeln!(out, "{}", document.summary)
    }
}

/// Escapes the message of a workflow command, which ends at the line end.
fn message(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_properties_and_messages() {
        assert_eq!(property("a,b:c%\n::x"), "a%2Cb%3Ac%25%0A%3A%3Ax");
        assert_eq!(message("50 %\nof it: a, b"), "50 %25%0Aof it: a, b");
    }
}
