//! CSV for spreadsheets. Cells that a spreadsheet would run as a formula get a leading apostrophe.

use std::{borrow::Cow, io};

use crate::{Document, Printer, document::Block, words::plain_report};

/// Prints the records of a document, or its first table if it has none.
#[derive(Clone, Copy, Debug)]
pub struct Csv;

impl Printer for Csv {
    fn print(&self, document: &Document<'_>, out: &mut dyn io::Write) -> io::Result<()> {
        let mut writer = ::csv::Writer::from_writer(out);
        let records = &document.records;
        if !records.columns.is_empty() {
            writer.write_record(&records.columns)?;
            for row in &records.rows {
                writer.write_record(row.iter().cloned().map(cell))?;
            }
            return writer.flush();
        }
        let table = document.blocks.iter().find_map(|block| match block {
            Block::Table(table) => Some(table),
            _ => None,
        });
        if let Some(table) = table {
            if table.has_head() {
                writer.write_record(table.columns.iter().map(|column| &column.name))?;
            }
            for row in &table.rows {
                writer.write_record(row.cells.iter().map(|of| cell(of.lines.join("; "))))?;
            }
        }
        writer.flush()
    }
}

fn cell(text: String) -> String {
    let text = match plain_report(&text, false) {
        Cow::Borrowed(_) => text,
        Cow::Owned(plain) => plain,
    };
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_formulas() {
        assert_eq!(cell("=HYPERLINK(1)".to_owned()), "'=HYPERLINK(1)");
        assert_eq!(cell("@team".to_owned()), "'@team");
        assert_eq!(cell("app/-x.php".to_owned()), "app/-x.php");
    }
}
