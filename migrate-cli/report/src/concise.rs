//! Compiler-style output: one `path:line:column: level: title: message` line per annotation, which
//! editors and terminals can follow.

use std::io;

use crate::{Document, Printer, document::Level, words::plain};

/// Prints one line per annotation.
#[derive(Clone, Copy, Debug)]
pub struct Concise;

impl Printer for Concise {
    fn print(&self, document: &Document<'_>, out: &mut dyn io::Write) -> io::Result<()> {
        for annotation in &document.annotations {
            let level = match annotation.level {
                Level::Error => "error",
                Level::Warning => "warning",
                Level::Note => continue,
            };
            let mut parts: Vec<String> = annotation.path.iter().cloned().collect();
            if let Some((line, (column, _))) = annotation.place {
                parts.extend([line.to_string(), column.to_string()]);
            }
            let place = parts.join(":");
            let texts = [level, &annotation.title, &annotation.message];
            let texts: Vec<&str> = texts.into_iter().filter(|text| !text.is_empty()).collect();
            writeln!(out, "{}: {}", plain(&place), plain(&texts.join(": ")))?;
        }
        writeln!(out, "{}", document.summary)
    }
}
