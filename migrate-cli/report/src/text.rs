//! Text for terminals: findings grouped by file, with the source and the span marked, then tables,
//! then the numbers.

use std::{io, path::PathBuf, time::Duration};

use anstream::adapter::strip_str;
use url::Url;

use crate::{
    Document, Printer,
    document::{Block, Cell, Finding, Row, Table},
    sheet::{self, Sheet, alarm, faint, strong, tied},
    words::plain,
};

/// Lines are kept below this width, so that they fit a small terminal.
const WIDTH: usize = 80;
/// Where what is below the first line of a finding begins.
const INDENT: usize = 9;
/// How wide titles are, so that advice stands below advice.
const TITLE: usize = 22;

/// Prints text.
#[derive(Clone, Debug, Default)]
pub struct Text {
    /// Colours may be used.
    pub is_styled: bool,
    /// The folder that paths are seen from, if they may be links.
    pub links: Option<PathBuf>,
    /// How long the run took.
    pub elapsed: Duration,
    /// What to run next, if anything.
    pub next: Option<&'static str>,
}

impl Printer for Text {
    fn print(&self, document: &Document<'_>, out: &mut dyn io::Write) -> io::Result<()> {
        let mut sheet = Sheet::new(WIDTH);
        let mut path = "";
        let is_open = |finding: &&Finding<'_>| !finding.is_mention && finding.suppressed.is_none();
        for finding in document.findings().filter(is_open) {
            if finding.path != path {
                path = finding.path;
                sheet.line(strong(&self.linked(path, None, &plain(path))));
            }
            self.finding(finding, &mut sheet);
        }
        if !path.is_empty() {
            sheet.blank();
        }
        for block in &document.blocks {
            match block {
                Block::Heading(text) => sheet.line(strong(text)),
                Block::Paragraph(text) => sheet.paragraph(0, text),
                Block::Table(of) => {
                    table(of, &mut sheet);
                    sheet.blank();
                }
                Block::Findings(_) | Block::Part(_) => {}
            }
        }
        for limit in document.limits() {
            sheet.line(plain(&limit));
        }
        let elapsed = format!("{:.2} s", self.elapsed.as_secs_f64());
        // No line ends within a part.
        let parts = document.summary.split(" · ").chain([elapsed.as_str()]);
        let parts: Vec<String> = parts.map(tied).collect();
        sheet.paragraph(0, &parts.join(" · "));
        if let Some(next) = self.next {
            sheet.line(format!("next: {next}"));
        }
        let text = sheet.into_text();
        if self.is_styled {
            out.write_all(text.as_bytes())
        } else {
            write!(out, "{}", strip_str(&text))
        }
    }
}

impl Text {
    /// A text that is a link to a file, on terminals that have links (OSC 8).
    fn linked(&self, path: &str, line: Option<usize>, text: &str) -> String {
        let file = self.links.as_ref().map(|folder| folder.join(path));
        let Some(mut url) = file.and_then(|file| Url::from_file_path(file).ok()) else {
            return text.to_owned();
        };
        // Terminals and editors that know lines read them here; others open the file.
        if let Some(line) = line {
            url.set_fragment(Some(&format!("L{line}")));
        }
        format!("\x1b]8;;{url}\x1b\\{text}\x1b]8;;\x1b\\")
    }

    fn finding(&self, finding: &Finding<'_>, sheet: &mut Sheet) {
        let number = finding.line.to_string();
        let pad = " ".repeat(5_usize.saturating_sub(number.len()));
        let link = self.linked(finding.path, Some(finding.line), &number);
        let kind = format!("{:<14}", finding.kind);
        let head = format!(
            "{} {}",
            faint(&format!("{pad}{link}  {kind}")),
            plain(&finding.title)
        );
        let title = sheet::display_width(&finding.title);
        let (title, advice) = (title.max(TITLE), sheet::display_width(&finding.advice));
        if finding.advice.is_empty() {
            sheet.line(head);
        } else if INDENT + 13 + title + 2 + advice <= WIDTH {
            let gap = " ".repeat(title - sheet::display_width(&finding.title) + 2);
            sheet.line(format!("{head}{gap}{}", finding.advice));
        } else {
            sheet.line(head);
            below(&finding.advice, sheet);
        }
        if !finding.losses.is_empty() {
            below(&faint(&finding.losses), sheet);
        }
        match finding.excerpt {
            Some(excerpt) => source(finding.columns, excerpt, sheet),
            None => below(&faint("(value hidden)"), sheet),
        }
    }
}

/// A sentence below the first line of a finding.
fn below(text: &str, sheet: &mut Sheet) {
    sheet.paragraph(INDENT, text);
}

/// The source line, cut around the span if it is long, and the span marked below.
fn source((column, end): (usize, usize), excerpt: &str, sheet: &mut Sheet) {
    let width = WIDTH - INDENT - 2;
    let letters: Vec<char> = plain(excerpt)
        .chars()
        .map(|letter| if letter == '\u{fffd}' { ' ' } else { letter })
        .collect();
    let blank = letters.iter().take_while(|letter| letter.is_whitespace());
    let indent = blank.count();
    let start = column.saturating_sub(1).max(indent);
    let length = end.saturating_sub(column).max(1);
    let from = if start - indent + length.min(40) > width {
        start.saturating_sub(20)
    } else {
        indent
    };
    let shown: String = letters.iter().skip(from).take(width).collect();
    let shown = shown.trim_end();
    let pad = " ".repeat(INDENT);
    sheet.line(format!("{pad}{shown}"));
    let (start, count) = (start - from, shown.chars().count());
    if start < count {
        let marks = "^".repeat(length.min(count - start));
        sheet.line(format!("{pad}{}{}", " ".repeat(start), alarm(&marks)));
    }
}

fn table(table: &Table, sheet: &mut Sheet) {
    let text_at = |row: &Row, at: usize| row.cells.get(at).map(text).unwrap_or_default();
    let mut rows = vec![sheet::Row::default()];
    rows.extend(table.rows.iter().map(|_| sheet::Row::default()));
    let columns = table.columns.iter().enumerate();
    for (at, column) in columns.filter(|(_, column)| !column.is_detail) {
        let mut cells = vec![column.name.clone()];
        cells.extend(table.rows.iter().map(|row| text_at(row, at)));
        let width = cells.iter().map(|cell| sheet::display_width(cell)).max();
        let width = width.filter(|_| column.is_number).unwrap_or(0);
        for (number, (row, cell)) in rows.iter_mut().zip(cells).enumerate() {
            let cell = format!("{cell:>width$}");
            row.cells
                .push(if number == 0 { faint(&cell) } else { cell });
        }
    }
    sheet.rows(0, 0, &rows);
}

fn text(cell: &Cell) -> String {
    plain(&cell.lines.join(", ")).into_owned()
}
