//! What `migrate audit` reports.

mod json;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use migrate_audit::{
    Confidence, Finding, Kind, LossyParameter, Shim, SuppressedBy, Unreadable,
    rules::{RULES, Rule},
    traffic::Traffic,
};
use migrate_report::{
    Document,
    document::{
        self, Annotation, Block, Cell, Check, CheckOutcome, Level, Records, Suppression, Table,
    },
    sarif::{self, Sarif},
    words::count,
};
use serde::Serialize;

/// What is reported.
pub(crate) struct Report<'a> {
    /// All findings by path and line.
    pub(crate) findings: &'a [Finding],
    /// What could not be read.
    pub(crate) unreadable: &'a [Unreadable],
    /// How many files were read.
    pub(crate) files: usize,
    /// What is really called, if access logs were given.
    pub(crate) traffic: Option<&'a Traffic>,
    /// True if the run was ended early.
    pub(crate) interrupted: bool,
    /// True if there is a baseline to compare with.
    pub(crate) baseline: bool,
    /// What stands before the paths, seen from the folder in which the program runs: `app/`.
    pub(crate) prefix: &'a str,
    /// The name of what was looked through: that of its folder.
    pub(crate) subject: &'a str,
    /// When it was made and by which version.
    pub(crate) made: &'a str,
    /// What makes the exit code 1.
    pub(crate) fails: &'a dyn Fn(&Finding) -> bool,
}

impl Report<'_> {
    /// The object for programs.
    pub(crate) fn json(&self) -> serde_json::Result<String> {
        json::write(self)
    }

    /// The report for people.
    pub(crate) fn document(&self) -> Document<'_> {
        let summary = self.summary();
        let findings = self.findings;
        let failing = findings.iter().filter(|found| (self.fails)(found)).count();
        let mut blocks = Vec::new();
        for (title, table) in tables(self, &summary) {
            blocks.extend([Block::Heading(title.to_owned()), Block::Table(table)]);
        }
        let used = &summary.by_operation;
        let found = findings.iter().map(|finding| block(finding, used));
        blocks.push(Block::Findings(found.collect()));
        let unread = self.unreadable.iter();
        Document {
            tool: "migrate audit",
            title: format!("Uses of Zoom's API v1 in {}", self.subject),
            made: self.made.to_owned(),
            summary: sentence(self, &summary, failing),
            is_good: failing == 0,
            unread: unread
                .map(|unread| (unread.path.as_str(), unread.reason.as_str()))
                .collect(),
            is_interrupted: self.interrupted,
            blocks,
            checks: self.checks(),
            annotations: self.annotations(),
            tally: sentence(self, &summary, failing),
            records: Records {
                columns: COLUMNS.into(),
                rows: self.findings.iter().map(record).collect(),
            },
            next: (failing > 0 || findings.iter().any(Finding::counts)).then_some("migrate plan"),
            ..Document::default()
        }
    }

    fn checks(&self) -> Vec<Check<'_>> {
        let uses = self.findings.iter().filter(|found| found.kind != Kind::Doc);
        let mut checks: Vec<Check<'_>> = uses
            .map(|found| Check {
                suite: &found.path,
                name: format!("line {}: {} {}", found.line, found.rule, title(found)),
                line: Some(found.line),
                outcome: match &found.suppressed {
                    Some(suppression) => CheckOutcome::Skipped(why(suppression)),
                    None => CheckOutcome::Failed(found.rule, found.reason.clone(), advice(found)),
                },
            })
            .collect();
        if checks.is_empty() {
            checks.push(Check {
                suite: "all files",
                name: "no use of v1".to_owned(),
                line: None,
                outcome: CheckOutcome::Passed,
            });
        }
        checks.extend(self.unreadable.iter().map(|unread| Check {
            suite: &unread.path,
            name: "is read".to_owned(),
            line: None,
            outcome: CheckOutcome::Error(&unread.reason),
        }));
        checks
    }

    fn annotations(&self) -> Vec<Annotation> {
        let path = |path: &str| Some(format!("{}{path}", self.prefix));
        let open = self
            .findings
            .iter()
            .filter(|found| found.suppressed.is_none());
        let mut annotations: Vec<Annotation> = open
            .map(|found| Annotation {
                level: level(found.kind),
                path: path(&found.path),
                place: Some((found.line, (found.column, found.end_column))),
                title: format!("Zoom API v1: {} {}", found.rule, title(found)),
                message: message(found),
            })
            .collect();
        annotations.extend(self.unreadable.iter().map(|unread| Annotation {
            level: Level::Warning,
            path: path(&unread.path),
            place: None,
            title: String::new(),
            message: format!("not read: {}", unread.reason),
        }));
        annotations
    }

    /// What code scanning shows.
    pub(crate) fn sarif(&self) -> Sarif<'_> {
        let rules = RULES.iter();
        let rules = rules.filter_map(|(id, text)| Some((*id, Rule::parse(id, text).ok()?)));
        Sarif {
            version: env!("CARGO_PKG_VERSION"),
            rules: rules
                .map(|(id, rule)| sarif::Rule {
                    id,
                    level: level(rule.kind),
                    summary: rule.summary,
                    what: rule.what,
                    why: rule.why,
                    example: rule.example,
                    instead: rule.instead,
                })
                .collect(),
            prefix: self.prefix,
            has_baseline: self.baseline,
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

/// A finding as reports show it.
fn block<'f>(finding: &'f Finding, used: &BTreeMap<String, usize>) -> document::Finding<'f> {
    document::Finding {
        path: &finding.path,
        line: finding.line,
        columns: (finding.column, finding.end_column),
        wide_columns: (
            finding.column + finding.wide.0,
            finding.end_column + finding.wide.1,
        ),
        rule: finding.rule,
        level: level(finding.kind),
        kind: finding.kind.name(),
        operation: finding.operation.as_deref(),
        confidence: match finding.confidence {
            Confidence::High => ("high", 100.0),
            Confidence::Medium => ("medium", 60.0),
            Confidence::Low => ("low", 30.0),
        },
        title: title(finding),
        reason: &finding.reason,
        advice: advice(finding),
        losses: losses(finding).unwrap_or_default(),
        note: note(finding, used).filter(|note| !named(note).is_empty()),
        served: finding
            .advice
            .as_ref()
            .map_or_else(Cell::default, |advice| shim_cell(advice.shim)),
        excerpt: finding.excerpt.as_deref(),
        owners: &finding.owners,
        fingerprint: &finding.fingerprint,
        is_mention: finding.kind == Kind::Doc,
        suppressed: finding.suppressed.as_ref().map(|suppression| Suppression {
            reason: why(suppression),
            in_source: suppression.by == SuppressedBy::Comment,
            is_known: suppression.by == SuppressedBy::Baseline,
        }),
    }
}

fn why(suppression: &migrate_audit::Suppression) -> &str {
    suppression.reason.as_deref().unwrap_or("in the baseline")
}

fn level(kind: Kind) -> Level {
    match kind.traits().level {
        migrate_audit::Level::Error => Level::Error,
        migrate_audit::Level::Warning => Level::Warning,
        migrate_audit::Level::Note => Level::Note,
    }
}

/// What was pointed at the shim, the operations, and what is really called.
fn tables(report: &Report<'_>, summary: &Summary) -> Vec<(&'static str, Table)> {
    let mut tables = Vec::new();
    let mut at_shim = Table::new([""]);
    for finding in report.findings {
        if finding
            .suppressed
            .as_ref()
            .is_some_and(|by| by.by == SuppressedBy::Shim)
        {
            at_shim.row([format!("{}:{}", finding.path, finding.line)]);
        }
    }
    tables.push(("Points at the shim", at_shim));
    let mut operations = Table::new(["operation", "uses#", "at the shim", "v2+"]);
    for (operation, uses) in &summary.by_operation {
        let mut of = report.findings.iter();
        let finding = of.find(|found| found.operation.as_ref() == Some(operation));
        let advice = finding.and_then(|found| found.advice.as_ref());
        operations.row([
            Cell::code([operation]),
            uses.to_string().into(),
            advice.map_or_else(Cell::default, |advice| shim_cell(advice.shim)),
            Cell::code(advice.map(|advice| &advice.v2).into_iter().flatten()),
        ]);
        if let Some(row) = operations.rows.last_mut() {
            let note = finding.and_then(|found| note(found, &summary.by_operation));
            row.below.extend(note.map(str::to_owned));
        }
    }
    // What does not work at the shim stands first.
    let works = |row: &document::Row| row.cells.iter().all(|cell| cell.tone != "bad");
    operations.rows.sort_by_key(works);
    tables.push(("Operations", operations));
    if let Some(traffic) = report.traffic {
        let joined = traffic.join(report.findings);
        for (title, operations) in [
            ("Live: in the code, and called", &joined.live),
            ("Dormant: in the code, but not called", &joined.dormant),
            (
                "Unknown callers: called, but not in the code",
                &joined.unknown_callers,
            ),
        ] {
            let mut table = Table::new(["operation", "calls#"]);
            for operation in operations {
                let calls = traffic.operations.get(operation);
                let calls = calls.map_or_else(String::new, |calls| calls.calls.to_string());
                table.row([operation.clone(), calls]);
            }
            tables.push((title, table));
        }
    }
    tables.retain(|(_, table)| !table.rows.is_empty());
    tables
}

/// What the title of an annotation does not say: why the finding is reported, and what to do.
fn message(finding: &Finding) -> String {
    let reason = (finding.reason != title(finding)).then(|| finding.reason.clone());
    let parts = reason.into_iter().chain([advice(finding)]);
    let parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
    parts.join("; ")
}

/// The numbers, with ` · ` between them: first what decides the exit code.
fn sentence(report: &Report<'_>, summary: &Summary, failing: usize) -> String {
    let of_baseline = |found: &&Finding| {
        let by = found.suppressed.as_ref().map(|suppression| suppression.by);
        found.kind != Kind::Doc && by == Some(SuppressedBy::Baseline)
    };
    let known = report.findings.iter().filter(of_baseline).count();
    let new = report
        .findings
        .iter()
        .filter(|found| found.counts())
        .count();
    let fails = match (failing, new) {
        (0, 0) => "",
        (0, _) => " (none fails)",
        _ => " (exit code 1)",
    };
    let mut parts = vec![if summary.uses == 0 && new == 0 && failing == 0 {
        "no use of v1".to_owned()
    } else if report.baseline {
        format!("{new} new, {known} in the baseline{fails}")
    } else {
        format!("{}{fails}", count(new, "finding", "findings"))
    }];
    if summary.uses > 0 {
        parts.push(format!(
            "{} of {} in {}",
            count(summary.uses, "use", "uses"),
            count(summary.operations, "operation", "operations"),
            count(summary.files, "file", "files")
        ));
    }
    for (kind, one, many) in [
        (Kind::Credential, "credential", "credentials"),
        (Kind::Doc, "mention", "mentions"),
    ] {
        let number = summary.by_kind.get(kind.name());
        parts.extend(number.map(|number| count(*number, one, many)));
    }
    let others = summary.suppressed.saturating_sub(known);
    if others > 0 {
        parts.push(format!("{others} suppressed"));
    }
    parts.push(format!(
        "{} read",
        count(summary.files_read, "file", "files")
    ));
    parts.join(" · ")
}

const COLUMNS: [&str; 14] = [
    "path",
    "line",
    "column",
    "kind",
    "operation",
    "confidence",
    "v2",
    "fidelity",
    "lossy",
    "shim",
    "owners",
    "suppressed",
    "fingerprint",
    "rule",
];

fn record(finding: &Finding) -> Vec<String> {
    let advice = finding.advice.as_ref();
    let lossy = advice.iter().flat_map(|advice| &advice.lossy);
    let lossy: Vec<&str> = lossy.map(|parameter| parameter.name.as_str()).collect();
    let suppressed = finding.suppressed.as_ref();
    [
        finding.path.clone(),
        finding.line.to_string(),
        finding.column.to_string(),
        finding.kind.name().to_owned(),
        finding.operation.clone().unwrap_or_default(),
        finding.confidence.name().to_owned(),
        advice
            .map(|advice| advice.v2.join("; "))
            .unwrap_or_default(),
        advice.map_or("", |advice| advice.fidelity).to_owned(),
        lossy.join(" "),
        advice.map_or("", |advice| advice.shim.name()).to_owned(),
        finding.owners.join(" "),
        suppressed
            .map_or("", |suppression| {
                suppression.reason.as_deref().unwrap_or("yes")
            })
            .to_owned(),
        finding.fingerprint.clone(),
        finding.rule.to_owned(),
    ]
    .into()
}

/// A text of a kind with the library, credential or field that the finding is about.
pub(crate) fn named_in(finding: &Finding, text: &str) -> String {
    let name = finding.parameters.first().map_or("", String::as_str);
    text.replace("{name}", name)
}

/// What a finding is about, in a few words: the operation, or what the kind says.
fn title(finding: &Finding) -> String {
    match (&finding.operation, &finding.kind.traits().title) {
        (Some(operation), _) => operation.clone(),
        (None, Some(title)) => named_in(finding, title),
        (None, None) => finding.reason.clone(),
    }
}

/// What to do about a finding, in one sentence.
fn advice(finding: &Finding) -> String {
    match (&finding.kind.traits().advice, &finding.advice) {
        (Some(advice), _) => named_in(finding, advice),
        (None, None) => String::new(),
        (None, Some(advice)) if advice.v2.is_empty() => "nothing in v2 replaces it".to_owned(),
        (None, Some(advice)) => format!("→ {}", advice.v2.join(", ")),
    }
}

/// What else is worth knowing about an operation. A note that names other operations matters to a
/// program that uses one of them: `user/delete` where users are made by `user/custcreate`.
fn note<'f>(finding: &'f Finding, used: &BTreeMap<String, usize>) -> Option<&'f str> {
    let note = finding.advice.as_ref()?.note.as_deref()?;
    let names = named(note);
    (names.is_empty() || names.iter().any(|name| used.contains_key(*name))).then_some(note)
}

/// The operations that a note names.
fn named(note: &str) -> Vec<&str> {
    let words = note.split(|c: char| !c.is_alphanumeric() && !matches!(c, '/' | '_'));
    words.filter(|word| word.contains('/')).collect()
}

/// The sentence that names what is lost, if anything is: what is given first, then what may be.
fn losses(finding: &Finding) -> Option<String> {
    /// How many parameters that may be given are named.
    const NAMED: usize = 4;
    let advice = finding.advice.as_ref()?;
    if advice.lossy.is_empty() || advice.v2.is_empty() {
        return None;
    }
    let (given, possible): (Vec<_>, Vec<_>) = advice
        .lossy
        .iter()
        .partition(|lost| finding.parameters.contains(&lost.name));
    let list = |lost: &[&LossyParameter]| {
        let named = |lost: &&LossyParameter| match lost.above {
            Some(most) => format!("{} above {most}", lost.name),
            None => lost.name.clone(),
        };
        lost.iter().map(named).collect::<Vec<_>>().join(", ")
    };
    let shown = possible
        .get(..NAMED.min(possible.len()))
        .unwrap_or_default();
    let mut possible_list = list(shown);
    if possible.len() > shown.len() {
        let _ = write!(possible_list, " and {} more", possible.len() - shown.len());
    }
    Some(match (given.is_empty(), possible.is_empty()) {
        (false, true) => format!("exact except: {}", list(&given)),
        (false, false) => format!(
            "exact except: {}; nor if given: {possible_list}",
            list(&given)
        ),
        _ if advice.fidelity == "depends" => {
            format!("depends on the parameters; not exact if given: {possible_list}")
        }
        _ => format!("not exact if given: {possible_list}"),
    })
}

/// The same in its colour.
fn shim_cell(shim: Shim) -> Cell {
    Cell::from(shim_word(shim)).toned(match shim {
        Shim::Yes => "good",
        Shim::Lossy => "lossy",
        Shim::NotYet | Shim::Refused => "bad",
    })
}

fn shim_word(shim: Shim) -> &'static str {
    match shim {
        Shim::Yes => "served",
        Shim::Lossy => "served, with losses",
        Shim::NotYet => "not served yet",
        Shim::Refused => "answers an error",
    }
}
