//! Reports: one file a format, each a writer over the same [`Report`].

mod csv;
mod github;
mod html;
mod json;
mod junit;
mod markdown;
mod sarif;
mod text;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
    path::PathBuf,
    time::Duration,
};

use serde::Serialize;

use migrate_audit::{Finding, Kind, Shim, Unreadable, traffic::Traffic};

/// A report format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people, with source and advice.
    Text,
    /// For programs: one object, `schema` 1.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// For a ticket.
    Markdown,
    /// One page with search and filters.
    Html,
    /// For test reports of a build.
    Junit,
    /// Annotations of GitHub Actions.
    Github,
    /// One line a finding.
    Csv,
}

/// What is reported.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    /// All findings by path and line.
    pub(crate) findings: &'a [Finding],
    /// What could not be read.
    pub(crate) unreadable: &'a [Unreadable],
    /// How many files were read.
    pub(crate) files: usize,
    /// How long it took.
    pub(crate) elapsed: Duration,
    /// What is really called, if access logs were given.
    pub(crate) traffic: Option<&'a Traffic>,
    /// True if the run was ended early.
    pub(crate) interrupted: bool,
    /// True if there is a baseline to compare with.
    pub(crate) baseline: bool,
    /// What stands before the paths, seen from the folder in which the program runs: `app/`.
    pub(crate) prefix: &'a str,
    /// Colours and the like may be used.
    pub(crate) styled: bool,
    /// The folder in which the program runs, if paths may be links.
    pub(crate) links: Option<PathBuf>,
}

impl Report<'_> {
    /// Writes the report.
    pub(crate) fn write(&self, format: Format, out: &mut dyn Write) -> io::Result<()> {
        match format {
            Format::Text => text::write(self, out),
            Format::Json => json::write(self, out),
            Format::Sarif => sarif::write(self, out),
            Format::Markdown => markdown::write(self, out),
            Format::Html => html::write(self, out),
            Format::Junit => junit::write(self, out),
            Format::Github => github::write(self, out),
            Format::Csv => csv::write(self, out),
        }
    }

    /// The numbers.
    pub(crate) fn summary(&self) -> Summary {
        Summary::of(self)
    }
}

/// The numbers of a report.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Summary {
    /// Findings that are uses: all but `doc` and credentials, suppressed or not.
    pub(crate) uses: usize,
    /// Operations that are used.
    pub(crate) operations: usize,
    /// Files with a use.
    pub(crate) files: usize,
    /// Files that were read.
    pub(crate) files_read: usize,
    /// Findings that are suppressed by a comment or the baseline.
    pub(crate) suppressed: usize,
    /// Findings by kind.
    pub(crate) by_kind: BTreeMap<&'static str, usize>,
    /// Uses by operation.
    pub(crate) by_operation: BTreeMap<String, usize>,
    /// Uses of operations by how faithful v2 is.
    pub(crate) by_fidelity: BTreeMap<&'static str, usize>,
    /// Operations by whether the shim serves them.
    pub(crate) by_shim: BTreeMap<Shim, usize>,
    /// Files that could not be read.
    pub(crate) unreadable: usize,
    /// True if the run was ended early.
    pub(crate) interrupted: bool,
}

impl Summary {
    fn of(report: &Report) -> Self {
        let mut summary = Self {
            files_read: report.files,
            unreadable: report.unreadable.len(),
            interrupted: report.interrupted,
            ..Self::default()
        };
        let mut files = BTreeSet::new();
        let mut shim = BTreeMap::new();
        for finding in report.findings {
            *summary.by_kind.entry(finding.kind.name()).or_default() += 1;
            if finding.suppressed.is_some() {
                summary.suppressed += 1;
            }
            if finding.kind == Kind::Doc {
                continue;
            }
            files.insert(&finding.path);
            if finding.kind != Kind::Credential {
                summary.uses += 1;
            }
            if let Some(operation) = &finding.operation {
                *summary.by_operation.entry(operation.clone()).or_default() += 1;
            }
            if let (Some(advice), Some(operation)) = (&finding.advice, &finding.operation) {
                *summary.by_fidelity.entry(advice.fidelity).or_default() += 1;
                shim.insert(operation, advice.shim);
            }
        }
        for served in shim.into_values() {
            *summary.by_shim.entry(served).or_default() += 1;
        }
        summary.operations = summary.by_operation.len();
        summary.files = files.len();
        summary
    }
}

/// A text without control characters: names of files may hold what changes a terminal or ends a
/// line.
fn plain(text: &str) -> Cow<'_, str> {
    // Control signs, and those that turn the direction of a line.
    let hostile = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if text.contains(hostile) {
        let replaced = |letter: char| {
            if hostile(letter) { '\u{fffd}' } else { letter }
        };
        Cow::Owned(text.chars().map(replaced).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// `1 use`, `2 uses`
fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// What a finding is about, in a few words: the operation, or what the kind says.
fn title(finding: &Finding) -> String {
    match (&finding.operation, finding.kind.traits().title) {
        (Some(operation), _) => operation.clone(),
        (None, Some(title)) => {
            let name = finding.parameters.first().map_or("", String::as_str);
            title.replace("{name}", name)
        }
        (None, None) => finding.reason.clone(),
    }
}

/// What to do about a finding, in one sentence.
fn advice(finding: &Finding) -> String {
    match (finding.kind.traits().advice, &finding.advice) {
        (Some(advice), _) => advice.to_owned(),
        (None, None) => String::new(),
        (None, Some(advice)) if advice.v2.is_empty() => "nothing in v2 replaces it".to_owned(),
        (None, Some(advice)) => format!("→ {}", advice.v2.join(", ")),
    }
}

/// The sentence that names what is lost, if anything is.
fn losses(finding: &Finding) -> Option<String> {
    let advice = finding.advice.as_ref()?;
    if advice.lossy.is_empty() {
        return None;
    }
    let named = !finding.parameters.is_empty();
    let shown: Vec<&str> = advice
        .lossy
        .iter()
        .take(if named { usize::MAX } else { 4 })
        .map(|parameter| parameter.name.as_str())
        .collect();
    let more = advice.lossy.len() - shown.len();
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    Some(format!(
        "{} {}{more}",
        if named {
            "exact except:"
        } else {
            "not exact if given:"
        },
        shown.join(", ")
    ))
}

fn shim_word(shim: Shim) -> &'static str {
    match shim {
        Shim::Yes => "served by the shim",
        Shim::Lossy => "served by the shim, with losses",
        Shim::NotYet => "not yet served by the shim",
        Shim::Refused => "answered with an error by the shim",
    }
}
