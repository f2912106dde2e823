//! The model of a report, which commands build and printers write in a format.

/// What is said of a run that was ended early.
pub(crate) const INTERRUPTED: &str = "interrupted: this is what was found so far";

/// A report.
#[derive(Debug, Default)]
pub struct Document<'a> {
    /// The command that made it: `migrate audit`.
    pub tool: &'static str,
    /// What it is about.
    pub title: String,
    /// A few words beside the title. Text has a title only if there is one of these.
    pub aside: Option<String>,
    /// When it was made and by which version: `2026-11-22, migrate 0.1.0`; nothing if that does not
    /// matter.
    pub made: String,
    /// The numbers, in a sentence.
    pub summary: String,
    /// False if a build should fail.
    pub is_good: bool,
    /// Sentences about what the report leaves out.
    pub notes: Vec<String>,
    /// Files that could not be read, and why.
    pub unread: Vec<(&'a str, &'a str)>,
    /// The run was ended early.
    pub is_interrupted: bool,
    /// What people read, in order.
    pub blocks: Vec<Block<'a>>,
    /// How many checks were made and how many failed, if not all of them are listed.
    pub checked: Option<(u64, u64)>,
    /// The checks, for test reports.
    pub checks: Vec<Check<'a>>,
    /// What is shown beside the code of a change.
    pub annotations: Vec<Annotation>,
    /// The line below the annotations.
    pub tally: String,
    /// The table for spreadsheets; the first table of the blocks if it is empty.
    pub records: Records,
    /// What to run next, if anything.
    pub next: Option<&'static str>,
}

/// A table for spreadsheets.
#[derive(Debug, Default)]
pub struct Records {
    /// The names of the columns; empty if there is no such table.
    pub columns: Vec<&'static str>,
    /// The rows.
    pub rows: Vec<Vec<String>>,
}

/// A part of what people read.
#[derive(Debug)]
pub enum Block<'a> {
    /// A heading of the second level.
    Heading(String),
    /// A sentence.
    Paragraph(String),
    /// A table.
    Table(Table),
    /// Findings by path and line.
    Findings(Vec<Finding<'a>>),
    /// A part with a heading of its own that pages can fold and filter.
    Part(Part),
}

/// A table. The first cell of a row names it. It has a head if a column has a name.
#[derive(Debug, Default)]
pub struct Table {
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows.
    pub rows: Vec<Row>,
}

/// A column of a table.
#[derive(Debug)]
pub struct Column {
    /// Its heading.
    pub name: String,
    /// Numbers are aligned to the right.
    pub is_number: bool,
    /// Left out where there is little room.
    pub is_detail: bool,
}

/// A row of a table.
#[derive(Debug, Default)]
pub struct Row {
    /// The cells.
    pub cells: Vec<Cell>,
    /// Sentences below it.
    pub below: Vec<String>,
    /// What pages filter rows by; one of [`Part::TAGS`] or nothing.
    pub tag: &'static str,
}

/// A cell of a table.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    /// Lines of text.
    pub lines: Vec<String>,
    /// The lines are code.
    pub is_code: bool,
    /// Smaller, behind the lines.
    pub aside: String,
    /// How it is coloured: a word that the page's style knows.
    pub tone: &'static str,
}

/// A part that can be folded.
#[derive(Debug)]
pub struct Part {
    /// The operation that it is about.
    pub operation: String,
    /// What tells it from other parts of the operation.
    pub name: String,
    /// How many of its rows fail.
    pub failures: usize,
    /// Its rows.
    pub table: Table,
}

/// Something that was found in a file.
#[derive(Debug)]
pub struct Finding<'a> {
    /// The path, with slashes.
    pub path: &'a str,
    /// The line, from 1.
    pub line: usize,
    /// The first column and the one after the last, in characters from 1.
    pub columns: (usize, usize),
    /// The same in UTF-16 units.
    pub wide_columns: (usize, usize),
    /// The rule that found it.
    pub rule: &'static str,
    /// How loud it is.
    pub level: Level,
    /// What kind of finding it is, as one word.
    pub kind: &'static str,
    /// The operation, if it is about one.
    pub operation: Option<&'a str>,
    /// How sure it is, as a word and from 0 to 100.
    pub confidence: (&'static str, f64),
    /// What it is about.
    pub title: String,
    /// Why it is reported.
    pub reason: &'a str,
    /// What to do about it; may be empty.
    pub advice: String,
    /// What is lost by that; may be empty.
    pub losses: String,
    /// What else is worth knowing.
    pub note: Option<&'a str>,
    /// Whether the shim serves it; nothing if that does not matter.
    pub served: Cell,
    /// The source line; nothing if it is secret.
    pub excerpt: Option<&'a str>,
    /// Who owns the file.
    pub owners: &'a [String],
    /// The same for the same text in the same file.
    pub fingerprint: &'a str,
    /// It only talks of what is looked for, and never fails.
    pub is_mention: bool,
    /// Why it does not fail, if it does not.
    pub suppressed: Option<Suppression<'a>>,
}

/// Why a finding does not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suppression<'a> {
    /// The reason that was given.
    pub reason: &'a str,
    /// A comment in the source suppresses it.
    pub in_source: bool,
    /// An earlier run had it.
    pub is_known: bool,
}

/// How loud something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// It has to be changed.
    Error,
    /// It should be looked at.
    Warning,
    /// It only informs.
    Note,
}

/// One check of a test report.
#[derive(Debug)]
pub struct Check<'a> {
    /// The group that it belongs to: a file, an operation.
    pub suite: &'a str,
    /// What is checked.
    pub name: String,
    /// The line in the file that the suite is.
    pub line: Option<usize>,
    /// What came of it.
    pub outcome: CheckOutcome<'a>,
}

/// What came of a check.
#[derive(Debug)]
pub enum CheckOutcome<'a> {
    /// It passed.
    Passed,
    /// It was left out, and why.
    Skipped(&'a str),
    /// It failed: of which type, why, and what to do.
    Failed(&'a str, String, String),
    /// It could not be made, and why.
    Error(&'a str),
}

/// A remark of a build server beside the code.
#[derive(Debug)]
pub struct Annotation {
    /// How loud it is.
    pub level: Level,
    /// The file, if it is about one.
    pub path: Option<String>,
    /// The line and the columns, from 1.
    pub place: Option<(usize, (usize, usize))>,
    /// A heading; may be empty.
    pub title: String,
    /// What it says.
    pub message: String,
}

impl Part {
    /// What rows of parts may be tagged with, from what is shown last to what is shown first.
    pub const TAGS: [&'static str; 6] = [
        "same",
        "volatile",
        "accepted",
        "mapped",
        "lossy",
        "unexpected",
    ];
}

impl Table {
    /// An empty table. A name that ends with `#` is a column of numbers, one that ends with `+` a
    /// detail.
    pub fn new<S: AsRef<str>>(columns: impl IntoIterator<Item = S>) -> Self {
        let columns = columns.into_iter().map(|name| {
            let name = name.as_ref();
            Column {
                name: name.trim_end_matches(['#', '+']).to_owned(),
                is_number: name.ends_with('#'),
                is_detail: name.ends_with('+'),
            }
        });
        Self {
            columns: columns.collect(),
            rows: Vec::new(),
        }
    }

    /// A table without a head.
    pub fn plain(rows: Vec<Row>) -> Self {
        let columns = rows.iter().map(|row| row.cells.len()).max();
        Self {
            rows,
            ..Self::new(std::iter::repeat_n("", columns.unwrap_or(0)))
        }
    }

    /// Adds a row.
    pub fn row<C: Into<Cell>>(&mut self, cells: impl IntoIterator<Item = C>) {
        self.rows.push(Row::new(cells));
    }

    /// True if a column has a name.
    pub(crate) fn has_head(&self) -> bool {
        self.columns.iter().any(|column| !column.name.is_empty())
    }
}

impl Row {
    /// A row with nothing below it.
    pub fn new<C: Into<Cell>>(cells: impl IntoIterator<Item = C>) -> Self {
        Self {
            cells: cells.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    /// The same row with sentences below it.
    #[must_use]
    pub fn with_below<S: Into<String>>(self, below: impl IntoIterator<Item = S>) -> Self {
        Self {
            below: below.into_iter().map(Into::into).collect(),
            ..self
        }
    }
}

impl Cell {
    /// A name: what the row is about.
    pub fn name(text: impl Into<String>) -> Self {
        Self::from(text).toned("name")
    }

    /// Lines of code.
    pub fn code<S: Into<String>>(lines: impl IntoIterator<Item = S>) -> Self {
        Self {
            lines: lines.into_iter().map(Into::into).collect(),
            is_code: true,
            ..Self::default()
        }
    }

    /// The same cell in a colour.
    #[must_use]
    pub fn toned(self, tone: &'static str) -> Self {
        Self { tone, ..self }
    }
}

impl<S: Into<String>> From<S> for Cell {
    fn from(text: S) -> Self {
        Self {
            lines: vec![text.into()],
            ..Self::default()
        }
    }
}

impl<'a> Document<'a> {
    /// A page of documentation, with a few words beside its title.
    pub fn page(tool: &'static str, title: &str, aside: &str) -> Self {
        Self {
            tool,
            title: title.to_owned(),
            aside: Some(aside.to_owned()),
            is_good: true,
            ..Self::default()
        }
    }

    /// Adds a heading.
    pub fn heading(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Heading(text.into()));
    }

    /// Adds a sentence.
    pub fn paragraph(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Paragraph(text.into()));
    }

    /// Adds a table, unless it has no rows.
    pub fn table(&mut self, table: Table) {
        if !table.rows.is_empty() {
            self.blocks.push(Block::Table(table));
        }
    }

    /// Adds a heading and what is below it, unless the table has no rows.
    pub fn section(&mut self, heading: impl Into<String>, table: Table) {
        if !table.rows.is_empty() {
            self.heading(heading);
            self.table(table);
        }
    }

    /// All that limits the report, a sentence each.
    pub fn limits(&self) -> Vec<String> {
        let unread = self.unread.iter();
        let unread = unread.map(|(path, reason)| format!("not read: {path}: {reason}"));
        let interrupted = self.is_interrupted.then_some(INTERRUPTED.to_owned());
        let notes = self.notes.iter().cloned();
        notes.chain(unread).chain(interrupted).collect()
    }

    /// The findings of all blocks.
    pub fn findings(&self) -> impl Iterator<Item = &Finding<'a>> {
        self.blocks.iter().flat_map(|block| match block {
            Block::Findings(findings) => findings.as_slice(),
            _ => &[],
        })
    }
}
