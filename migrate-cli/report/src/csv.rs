//! Tables for spreadsheets: a cell that one of them would run as a formula begins with an apostrophe.

use std::{borrow::Cow, io};

use crate::words::plain_report;

/// Writes a table, one record a line.
///
/// # Errors
///
/// The output cannot be written to.
pub fn write<const COLUMNS: usize>(
    out: &mut dyn io::Write,
    header: [&str; COLUMNS],
    rows: impl IntoIterator<Item = [String; COLUMNS]>,
) -> io::Result<()> {
    let mut table = ::csv::Writer::from_writer(out);
    table.write_record(header)?;
    for row in rows {
        table.write_record(row.map(cell))?;
    }
    table.flush()
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
    fn no_cell_is_a_formula() {
        assert_eq!(cell("=HYPERLINK(1)".to_owned()), "'=HYPERLINK(1)");
        assert_eq!(cell("@team".to_owned()), "'@team");
        assert_eq!(cell("app/-x.php".to_owned()), "app/-x.php");
    }
}
