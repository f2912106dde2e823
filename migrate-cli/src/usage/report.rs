//! Reports: for people, for programs, for spreadsheets.

mod csv;
mod text;

use super::Story;
use migrate_report::words::plain_json;

/// A report format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// A table that fits the terminal.
    Text,
    /// For programs: one object, `schema` 1.
    Json,
    /// One line for each operation of each consumer.
    Csv,
}

/// How text is laid out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    /// Columns.
    pub(crate) width: usize,
    /// Also parameters that v2 honours.
    pub(crate) all: bool,
}

/// Writes a report.
///
/// # Errors
///
/// None that are known: all of a story can be written down.
pub(crate) fn write(story: &Story, format: Format, page: Page) -> anyhow::Result<String> {
    Ok(match format {
        Format::Text => text::write(story, page),
        Format::Json => plain_json(&serde_json::to_string(story)?).into_owned() + "\n",
        Format::Csv => csv::write(story)?,
    })
}

/// What stands in a ledger came over the network once: nothing of it acts on a terminal.
fn shown(text: &str) -> String {
    let shown = text
        .chars()
        .map(|char| if char.is_control() { '?' } else { char });
    shown.collect()
}
