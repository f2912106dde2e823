//! The report of `migrate audit`.

mod json;
mod wording;

use std::collections::{BTreeMap, BTreeSet};

use migrate_audit::{
    Confidence, Finding, Kind, Shim, SuppressedBy, Unreadable,
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

pub(crate) use wording::named_in;
use wording::{advice, losses, message, named, notes, shim_cell, title};

/// Results of one audit run and the context needed to print them.
pub(crate) struct Report<'a> {
    /// Findings, sorted by path and line.
    pub(crate) findings: &'a [Finding],
    /// Files that could not be read, with reasons.
    pub(crate) unreadable: &'a [Unreadable],
    /// Number of files read.
    pub(crate) files: usize,
    /// Traffic from the access logs, if any were given.
    pub(crate) traffic: Option<&'a Traffic>,
    pub(crate) interrupted: bool,
    /// True if a baseline was applied.
    pub(crate) baseline: bool,
    /// Path prefix from the working directory to the audited folder: `app/`.
    pub(crate) prefix: &'a str,
    /// Name of the audited folder.
    pub(crate) subject: &'a str,
    /// Date and program version.
    pub(crate) generated: &'a str,
    /// True for findings that set exit code 1.
    pub(crate) fails: &'a dyn Fn(&Finding) -> bool,
}

impl Report<'_> {
    /// Renders the JSON report.
    pub(crate) fn json(&self) -> serde_json::Result<String> {
        json::write(self)
    }

    /// Builds the document that all other formats are printed from.
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
            generated: self.generated.to_owned(),
            summary: sentence(self, &summary, failing),
            is_good: failing == 0,
            unread: unread
                .map(|unread| (unread.path.as_str(), unread.reason.as_str()))
                .collect(),
            is_interrupted: self.interrupted,
            blocks,
            checks: self.checks(),
            annotations: self.annotations(),
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

    /// Builds the SARIF settings and rule descriptions.
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

    /// Computes the totals.
    pub(crate) fn summary(&self) -> Summary {
        Summary::of(self)
    }
}

/// Totals of a report, part of the JSON output.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Summary {
    /// Findings that use v1: all but `doc` and credentials, suppressed or not.
    pub(crate) uses: usize,
    /// Distinct operations used.
    pub(crate) operations: usize,
    /// Files with at least one use.
    pub(crate) files: usize,
    pub(crate) files_read: usize,
    /// Findings suppressed by a comment, the baseline or the shim's address.
    pub(crate) suppressed: usize,
    pub(crate) by_kind: BTreeMap<&'static str, usize>,
    pub(crate) by_operation: BTreeMap<String, usize>,
    /// Uses by fidelity of the v2 replacement.
    pub(crate) by_fidelity: BTreeMap<&'static str, usize>,
    /// Operations by shim support.
    pub(crate) by_shim: BTreeMap<Shim, usize>,
    pub(crate) unreadable: usize,
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

/// Converts a finding to its report form.
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
        note: notes(finding, used).find(|note| !named(note).is_empty()),
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

/// Tables above the findings: places already at the shim, operations, and traffic.
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
        let of = of
            .by_ref()
            .filter(|found| found.operation.as_ref() == Some(operation));
        // One that fails at the shim tells more.
        let finding = of.min_by_key(|found| !found.fails_at_shim());
        let advice = finding.and_then(|found| found.advice.as_ref());
        operations.row([
            Cell::code([operation]),
            uses.to_string().into(),
            advice.map_or_else(Cell::default, |advice| shim_cell(advice.shim)),
            Cell::code(advice.map(|advice| &advice.v2).into_iter().flatten()),
        ]);
        if let Some(row) = operations.rows.last_mut() {
            let notes = finding.map(|found| notes(found, &summary.by_operation));
            let notes: Vec<&str> = notes.into_iter().flatten().collect();
            row.below
                .extend((!notes.is_empty()).then(|| notes.join("; ")));
        }
    }
    // Operations that fail at the shim come first.
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

/// One-line summary; the number that decides the exit code comes first.
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
