//! Text layout: wrapped lines, columns and styles.

use std::io;

use anstyle::{AnsiColor, Style};
use textwrap::Options;
pub use textwrap::core::display_width;

/// Default width, in columns.
const DEFAULT_WIDTH: usize = 80;
/// Maximum width, in columns; longer lines are hard to read.
const MAX_WIDTH: usize = 120;
/// Minimum width of the last column; narrower text goes below its row.
const MIN_TEXT_WIDTH: usize = 18;
/// Space between columns.
const GAP: usize = 2;
/// Placeholder for a space without a line break, until the line is written.
pub(crate) const UNBROKEN_SPACE: &str = "\u{a0}";

/// Text that is wrapped to a width as it is written.
pub struct TextLayout {
    width: usize,
    text: String,
}

/// Row of [`TextLayout::rows`].
#[derive(Default)]
pub struct Row {
    /// Cells; only the last one is wrapped.
    pub cells: Vec<String>,
    /// Sentences below the row.
    pub below: Vec<String>,
}

impl Row {
    /// Creates a row with nothing below it.
    pub fn new<const CELLS: usize>(cells: [String; CELLS]) -> Self {
        Self {
            cells: cells.into(),
            below: Vec::new(),
        }
    }
}

impl TextLayout {
    /// Creates an empty text with a width in columns.
    pub fn new(width: usize) -> Self {
        Self {
            width,
            text: String::new(),
        }
    }

    /// Width in columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Adds a line without wrapping.
    pub fn line(&mut self, text: impl AsRef<str>) {
        self.text.push_str(text.as_ref().trim_end());
        self.text.push('\n');
    }

    /// Adds text without wrapping or trimming.
    pub fn verbatim(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// Adds an empty line.
    pub fn blank(&mut self) {
        self.text.push('\n');
    }

    /// Adds a left- and a right-aligned text on one line, or on two if they do not fit.
    pub fn ends(&mut self, left: &str, right: &str) {
        let taken = display_width(left) + display_width(right);
        if taken + GAP > self.width {
            self.line(left);
            return self.hanging("  ", right);
        }
        let gap = " ".repeat(self.width - taken);
        self.line(format!("{left}{gap}{right}"));
    }

    /// Adds a wrapped text after `first`, with a hanging indent.
    pub fn hanging(&mut self, first: &str, text: &str) {
        if text.is_empty() {
            return self.line(first);
        }
        let indent = " ".repeat(display_width(first));
        for line in self.wrap(first, &indent, text) {
            self.line(line);
        }
    }

    /// Wraps a text to the width, with `first` before the first line and `rest` before the others.
    pub fn wrap(&self, first: &str, rest: &str, text: &str) -> Vec<String> {
        let options = Options::new(self.width)
            .break_words(false)
            .word_splitter(textwrap::WordSplitter::NoHyphenation)
            .initial_indent(first)
            .subsequent_indent(rest);
        let lines = textwrap::wrap(text, options).into_iter();
        lines
            .map(|line| line.replace(UNBROKEN_SPACE, " "))
            .collect()
    }

    /// Adds a wrapped, indented text.
    pub fn paragraph(&mut self, indent: usize, text: &str) {
        self.hanging(&" ".repeat(indent), text);
    }

    /// Adds rows with aligned columns. Text below a row starts at the column `below`, or is
    /// indented.
    pub fn rows(&mut self, indent: usize, below: Option<usize>, rows: &[Row]) {
        let starts = starts(indent, rows);
        for row in rows {
            self.row(indent, &starts, &row.cells);
            for text in &row.below {
                let indented = indent + 2 * GAP;
                let start = below.and_then(|below| starts.get(below).copied());
                let start = start.unwrap_or(indented);
                let room = self.width.saturating_sub(start);
                let has_room = room >= MIN_TEXT_WIDTH && longest_word(text) <= room;
                self.paragraph(if has_room { start } else { indented }, text);
            }
        }
    }

    fn row(&mut self, indent: usize, starts: &[usize], cells: &[String]) {
        let Some((last, fixed)) = cells.split_last() else {
            return self.blank();
        };
        if fixed.is_empty() {
            return self.paragraph(indent, last);
        }
        let mut line = String::new();
        for (cell, start) in fixed.iter().zip(starts) {
            pad(&mut line, *start);
            line.push_str(cell);
        }
        if last.is_empty() {
            return self.line(line);
        }
        let start = starts.get(fixed.len()).copied().unwrap_or(indent);
        let room = self.width.saturating_sub(start);
        if longest_word(last) > room || (room < MIN_TEXT_WIDTH && display_width(last) > room) {
            self.line(line);
            return self.paragraph(indent + 2 * GAP, last);
        }
        pad(&mut line, start);
        self.hanging(&line, last);
    }

    /// Returns the text.
    pub fn into_text(self) -> String {
        self.text
    }
}

fn longest_word(text: &str) -> usize {
    text.split(' ').map(display_width).max().unwrap_or(0)
}

/// Width of the terminal on standard output, at most 120 columns; 80 if it is not a terminal.
pub fn terminal_width() -> usize {
    let terminal = terminal_size::terminal_size_of(io::stdout());
    terminal.map_or(DEFAULT_WIDTH, |(width, _)| {
        usize::from(width.0).min(MAX_WIDTH)
    })
}

/// Prevents line breaks in a text.
pub fn unbroken(text: &str) -> String {
    text.replace(' ', UNBROKEN_SPACE)
}

/// Style of headings and names.
pub fn strong(text: &str) -> String {
    styled(Style::new().bold(), text)
}

/// Style of secondary text.
pub fn faint(text: &str) -> String {
    styled(Style::new().dimmed(), text)
}

/// Style of warnings.
pub fn warning(text: &str) -> String {
    styled(AnsiColor::Yellow.on_default(), text)
}

/// Style of losses and errors.
pub fn bad(text: &str) -> String {
    styled(AnsiColor::Red.on_default(), text)
}

/// Style of good results.
pub fn good(text: &str) -> String {
    styled(AnsiColor::Green.on_default(), text)
}

fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Start of each column.
fn starts(indent: usize, rows: &[Row]) -> Vec<usize> {
    let columns = rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
    let mut starts = Vec::with_capacity(columns);
    let mut start = indent;
    for column in 0..columns {
        starts.push(start);
        let fixed = rows.iter().filter(|row| row.cells.len() > column + 1);
        let widest = fixed
            .filter_map(|row| row.cells.get(column))
            .map(|cell| display_width(cell))
            .max();
        start += widest
            .filter(|width| *width > 0)
            .map_or(0, |width| width + GAP);
    }
    starts
}

fn pad(line: &mut String, to: usize) {
    let missing = to.saturating_sub(display_width(line));
    line.push_str(&" ".repeat(missing));
}
