//! Text for people: lines that fit the terminal, columns, and colours where they are wanted.

use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use textwrap::Options;
pub use textwrap::core::display_width;

/// The width when no terminal says another, in columns.
const WIDTH: usize = 80;
/// Longer lines are hard to read, however wide the terminal is.
const WIDEST: usize = 120;
/// A column that is narrower holds no sentence: it goes below its row instead.
const NARROW: usize = 18;
/// Between two columns.
const GAP: usize = 2;
/// Stands for a blank at which no line is broken, until the line is written.
pub(crate) const TIE: &str = "\u{a0}";

/// Text that grows from top to bottom, broken between words to fit a width.
pub struct Sheet {
    width: usize,
    text: String,
}

/// One row of [`Sheet::rows`].
#[derive(Default)]
pub struct Row {
    /// The cells; the last one may take several lines.
    pub cells: Vec<String>,
    /// Sentences below the row.
    pub below: Vec<String>,
}

impl Row {
    /// A row with nothing below it.
    pub fn new<const CELLS: usize>(cells: [String; CELLS]) -> Self {
        Self {
            cells: cells.into(),
            below: Vec::new(),
        }
    }
}

impl Sheet {
    /// A sheet as wide as the terminal that standard output is, or of 80 columns.
    pub fn for_stdout() -> Self {
        Self::new(terminal_width())
    }

    /// A sheet of a width in columns.
    pub fn new(width: usize) -> Self {
        Self {
            width,
            text: String::new(),
        }
    }

    /// How many columns a line may have.
    pub fn width(&self) -> usize {
        self.width
    }

    /// A line that is not wrapped.
    pub fn line(&mut self, text: impl AsRef<str>) {
        self.text.push_str(text.as_ref().trim_end());
        self.text.push('\n');
    }

    /// Lines that are laid out already.
    pub fn verbatim(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// An empty line.
    pub fn blank(&mut self) {
        self.text.push('\n');
    }

    /// Two texts at both ends of a line, or on two lines if there is no room.
    pub fn ends(&mut self, left: &str, right: &str) {
        let taken = display_width(left) + display_width(right);
        if taken + GAP > self.width {
            self.line(left);
            return self.hanging("  ", right);
        }
        let gap = " ".repeat(self.width - taken);
        self.line(format!("{left}{gap}{right}"));
    }

    /// A text behind `first`, whose further lines begin where its first one does.
    pub fn hanging(&mut self, first: &str, text: &str) {
        if text.is_empty() {
            return self.line(first);
        }
        let indent = " ".repeat(display_width(first));
        let options = Options::new(self.width)
            .break_words(false)
            .word_splitter(textwrap::WordSplitter::NoHyphenation)
            .initial_indent(first)
            .subsequent_indent(&indent);
        for line in textwrap::wrap(text, options) {
            self.line(line.replace(TIE, " "));
        }
    }

    /// A text whose lines all begin at `indent`.
    pub fn paragraph(&mut self, indent: usize, text: &str) {
        self.hanging(&" ".repeat(indent), text);
    }

    /// Rows whose columns stand below each other. What is below a row begins at the column `below`.
    pub fn rows(&mut self, indent: usize, below: usize, rows: &[Row]) {
        let starts = starts(indent, rows);
        for row in rows {
            self.row(indent, &starts, &row.cells);
            for text in &row.below {
                let start = starts.get(below).copied().unwrap_or(indent);
                let room = self.width.saturating_sub(start);
                let has_room = room >= NARROW && longest_word(text) <= room;
                self.paragraph(if has_room { start } else { indent + 2 * GAP }, text);
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
        if longest_word(last) > room || (room < NARROW && display_width(last) > room) {
            self.line(line);
            return self.paragraph(indent + 2 * GAP, last);
        }
        pad(&mut line, start);
        self.hanging(&line, last);
    }

    /// The finished text.
    pub fn into_text(self) -> String {
        self.text
    }
}

fn longest_word(text: &str) -> usize {
    text.split(' ').map(display_width).max().unwrap_or(0)
}

/// The columns of the terminal that standard output is, at most 120; 80 where there is none.
pub fn terminal_width() -> usize {
    let terminal = terminal_size::terminal_size_of(io::stdout());
    terminal.map_or(WIDTH, |(width, _)| usize::from(width.0).min(WIDEST))
}

/// A text in which no line is broken.
pub fn tied(text: &str) -> String {
    text.replace(' ', TIE)
}

/// Writes to standard output; with colours only if it is a terminal and `NO_COLOR` is unset.
///
/// # Errors
///
/// Standard output cannot be written to.
pub fn show(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// True if standard input is a terminal.
pub fn stdin_is_terminal() -> bool {
    io::stdin().is_terminal()
}

/// A heading, or the name that a page is about.
pub fn strong(text: &str) -> String {
    styled(Style::new().bold(), text)
}

/// What is less important than its surroundings.
pub fn faint(text: &str) -> String {
    styled(Style::new().dimmed(), text)
}

/// Something to look at twice.
pub fn caution(text: &str) -> String {
    styled(AnsiColor::Yellow.on_default(), text)
}

/// Something lost, or wrong.
pub fn alarm(text: &str) -> String {
    styled(AnsiColor::Red.on_default(), text)
}

/// Something as it should be.
pub fn fine(text: &str) -> String {
    styled(AnsiColor::Green.on_default(), text)
}

fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Where the columns begin.
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
