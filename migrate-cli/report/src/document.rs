//! Model of a report: built by commands, written by printers.

/// Text shown for interrupted runs.
pub(crate) const INTERRUPTED: &str = "interrupted: this is what was found so far";

/// A report.
#[derive(Debug, Default)]
pub struct Document<'a> {
    /// Command that created it: `migrate audit`.
    pub tool: &'static str,
    /// Title.
    pub title: String,
    /// Short text beside the title. The text format shows the title only if this is set.
    pub aside: Option<String>,
    /// Date and program version: `2026-11-22, migrate 0.1.0`; may be empty.
    pub generated: String,
    /// One-line summary with the totals.
    pub summary: String,
    /// False if a build should fail.
    pub is_good: bool,
    /// Sentences about omissions of the report.
    pub notes: Vec<String>,
    /// Files that could not be read, with reasons.
    pub unread: Vec<(&'a str, &'a str)>,
    /// The run was interrupted.
    pub is_interrupted: bool,
    /// Content, in order.
    pub blocks: Vec<Block<'a>>,
    /// Number of checks and failures, if not all of them are listed.
    pub checked: Option<(u64, u64)>,
    /// Checks, for `JUnit`.
    pub checks: Vec<Check<'a>>,
    /// Annotations, for build servers and editors.
    pub annotations: Vec<Annotation>,
    /// Rows for CSV; the first table of the content if empty.
    pub records: Records,
    /// Suggested next command.
    pub next: Option<&'static str>,
}

/// Table for CSV.
#[derive(Debug, Default)]
pub struct Records {
    /// Column names; empty if there is no table.
    pub columns: Vec<&'static str>,
    /// Rows.
    pub rows: Vec<Vec<String>>,
}

/// Part of the content.
#[derive(Debug)]
pub enum Block<'a> {
    /// A heading of the second level.
    Heading(String),
    /// Paragraph.
    Paragraph(String),
    /// Table.
    Table(Table),
    /// Findings, sorted by path and line.
    Findings(Vec<Finding<'a>>),
    /// Section with its own heading that HTML pages can fold and filter.
    Part(Part),
}

/// A table. The first cell of a row is its name. The table has a head if any column has a name.
#[derive(Debug, Default)]
pub struct Table {
    /// The columns.
    pub columns: Vec<Column>,
    /// Rows.
    pub rows: Vec<Row>,
}

/// A column of a table.
#[derive(Debug)]
pub struct Column {
    /// Heading.
    pub name: String,
    /// The column holds numbers, which are right-aligned.
    pub is_number: bool,
    /// The text format leaves the column out.
    pub is_detail: bool,
}

/// A row of a table.
#[derive(Debug, Default)]
pub struct Row {
    /// The cells.
    pub cells: Vec<Cell>,
    /// Sentences below the row.
    pub below: Vec<String>,
    /// Tag that HTML pages filter by; one of [`Part::TAGS`], or empty.
    pub tag: &'static str,
}

/// A cell of a table.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    /// Lines of text.
    pub lines: Vec<String>,
    /// The lines are code.
    pub is_code: bool,
    /// Small text after the lines.
    pub aside: String,
    /// Color class, from the page's style sheet.
    pub tone: &'static str,
}

/// A foldable section.
#[derive(Debug)]
pub struct Part {
    /// Operation.
    pub operation: String,
    /// Name that distinguishes sections of one operation.
    pub name: String,
    /// Number of failing rows.
    pub failures: usize,
    /// Table of the section.
    pub table: Table,
}

/// A finding in a file.
#[derive(Debug)]
pub struct Finding<'a> {
    /// Path, with slashes.
    pub path: &'a str,
    /// Line, from 1.
    pub line: usize,
    /// First column and the one after the last, in characters, from 1.
    pub columns: (usize, usize),
    /// The columns in UTF-16 code units.
    pub wide_columns: (usize, usize),
    /// Rule id.
    pub rule: &'static str,
    /// Severity.
    pub level: Level,
    /// Kind of finding.
    pub kind: &'static str,
    /// v1 operation, if any.
    pub operation: Option<&'a str>,
    /// Confidence, as a word and from 0 to 100.
    pub confidence: (&'static str, f64),
    /// Title.
    pub title: String,
    /// Why it is reported.
    pub reason: &'a str,
    /// Advice; may be empty.
    pub advice: String,
    /// Losses of following the advice; may be empty.
    pub losses: String,
    /// Note, if any.
    pub note: Option<&'a str>,
    /// Shim support; empty if not applicable.
    pub served: Cell,
    /// Source line; `None` if it holds a secret.
    pub excerpt: Option<&'a str>,
    /// Owners of the file.
    pub owners: &'a [String],
    /// Stable id: equal for the same text in the same file.
    pub fingerprint: &'a str,
    /// The finding is a mention in documentation and never fails.
    pub is_mention: bool,
    /// Suppression, if any.
    pub suppressed: Option<Suppression<'a>>,
}

/// Why a finding is suppressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suppression<'a> {
    /// Reason given.
    pub reason: &'a str,
    /// A source comment suppresses it.
    pub in_source: bool,
    /// It is in the baseline.
    pub is_known: bool,
}

/// Severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Must be changed.
    Error,
    /// Should be reviewed.
    Warning,
    /// Information only.
    Note,
}

/// A check of a test report.
#[derive(Debug)]
pub struct Check<'a> {
    /// Test suite: a file or an operation.
    pub suite: &'a str,
    /// Name.
    pub name: String,
    /// Line, if the suite is a file.
    pub line: Option<usize>,
    /// Result.
    pub outcome: CheckOutcome<'a>,
}

/// Result of a check.
#[derive(Debug)]
pub enum CheckOutcome<'a> {
    /// Passed.
    Passed,
    /// Skipped, with the reason.
    Skipped(&'a str),
    /// Failed: type, reason and advice.
    Failed(&'a str, String, String),
    /// Could not be run, with the reason.
    Error(&'a str),
}

/// Annotation of a source line or a file, for build servers.
#[derive(Debug)]
pub struct Annotation {
    /// Severity.
    pub level: Level,
    /// File, if any.
    pub path: Option<String>,
    /// Line and columns, from 1.
    pub place: Option<(usize, (usize, usize))>,
    /// Heading; may be empty.
    pub title: String,
    /// Message.
    pub message: String,
}

impl Part {
    /// Row tags, from least to most important.
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
    /// Creates an empty table. A column name that ends with `#` is a column of numbers, one that
    /// ends with `+` a detail column.
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

    /// Creates a table without a head.
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

    /// Column of the sentences below a row: the last one. In a column of numbers, they would make it
    /// as wide as they are long; then it is the first.
    pub(crate) fn home_of_sentences(&self) -> usize {
        let last = self.columns.len().saturating_sub(1);
        let is_number = |column: &Column| column.is_number;
        if self.columns.get(last).is_some_and(is_number) {
            0
        } else {
            last
        }
    }
}

impl Row {
    /// Creates a row with nothing below it.
    pub fn new<C: Into<Cell>>(cells: impl IntoIterator<Item = C>) -> Self {
        Self {
            cells: cells.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    /// Adds sentences below the row.
    #[must_use]
    pub fn with_below<S: Into<String>>(self, below: impl IntoIterator<Item = S>) -> Self {
        Self {
            below: below.into_iter().map(Into::into).collect(),
            ..self
        }
    }
}

impl Cell {
    /// Creates a cell with the name of a row.
    pub fn name(text: impl Into<String>) -> Self {
        Self::from(text).toned("name")
    }

    /// Creates a cell with lines of code.
    pub fn code<S: Into<String>>(lines: impl IntoIterator<Item = S>) -> Self {
        Self {
            lines: lines.into_iter().map(Into::into).collect(),
            is_code: true,
            ..Self::default()
        }
    }

    /// Sets the color class.
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
    /// Creates a documentation page, with a short text beside its title.
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

    /// Adds a paragraph.
    pub fn paragraph(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Paragraph(text.into()));
    }

    /// Adds a table, unless it has no rows.
    pub fn table(&mut self, table: Table) {
        if !table.rows.is_empty() {
            self.blocks.push(Block::Table(table));
        }
    }

    /// Adds a heading and a table, unless the table has no rows.
    pub fn section(&mut self, heading: impl Into<String>, table: Table) {
        if !table.rows.is_empty() {
            self.heading(heading);
            self.table(table);
        }
    }

    /// Adds a heading and a table of one column, unless there are no items.
    pub fn list<C: Into<Cell>>(
        &mut self,
        heading: impl Into<String>,
        items: impl IntoIterator<Item = C>,
    ) {
        let rows = items.into_iter().map(|item| Row::new([item]));
        self.section(heading, Table::plain(rows.collect()));
    }

    /// Limitations of the report, one sentence each.
    pub fn limits(&self) -> Vec<String> {
        let unread = self.unread.iter();
        let unread = unread.map(|(path, reason)| format!("not read: {path}: {reason}"));
        let interrupted = self.is_interrupted.then_some(INTERRUPTED.to_owned());
        let notes = self.notes.iter().cloned();
        notes.chain(unread).chain(interrupted).collect()
    }

    /// Findings of all blocks.
    pub fn findings(&self) -> impl Iterator<Item = &Finding<'a>> {
        self.blocks.iter().flat_map(|block| match block {
            Block::Findings(findings) => findings.as_slice(),
            _ => &[],
        })
    }
}
