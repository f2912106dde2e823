//! What `migrate audit` reports.

mod json;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
    path::PathBuf,
    time::Duration,
};

use migrate_audit::{
    Confidence, Finding, Kind, Shim, SuppressedBy, Unreadable,
    rules::{RULES, Rule},
    traffic::Traffic,
};
use migrate_report::{
    Document, Printer as _, csv,
    document::{self, Annotation, Block, Cell, Check, CheckOutcome, Level, Suppression, Table},
    github::Github,
    html::Html,
    junit::Junit,
    markdown::Markdown,
    sarif::{self, Sarif},
    text::Text,
    words::{count, plain_json, plain_report},
};
use serde::Serialize;

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
        let mut text = Vec::new();
        self.print(format, &mut text)?;
        let text = String::from_utf8(text).map_err(io::Error::other)?;
        let text = match format {
            Format::Json | Format::Sarif => plain_json(&text),
            // Its pieces are plain; what is left are colours and links.
            Format::Text => text.into(),
            _ => plain_report(&text, false),
        };
        out.write_all(text.as_bytes())
    }

    fn print(&self, format: Format, out: &mut dyn Write) -> io::Result<()> {
        let document = self.document();
        match format {
            Format::Text => Text {
                is_styled: self.styled,
                links: self.links.as_ref().map(|folder| folder.join(self.prefix)),
                elapsed: self.elapsed,
                next: (self.summary().uses > 0).then_some("migrate plan"),
            }
            .print(&document, out),
            Format::Json => json::write(self, out),
            Format::Sarif => self.sarif().print(&document, out),
            Format::Markdown => Markdown.print(&document, out),
            Format::Html => Html.print(&document, out),
            Format::Junit => Junit.print(&document, out),
            Format::Github => Github.print(&document, out),
            Format::Csv => csv::write(out, COLUMNS, self.findings.iter().map(record)),
        }
    }

    fn document(&self) -> Document<'_> {
        let summary = self.summary();
        let findings = self.findings;
        let failing = findings.iter().filter(|found| found.counts()).count();
        let mut blocks = vec![Block::Findings(findings.iter().map(block).collect())];
        blocks.extend(tables(self, &summary).into_iter().map(Block::Table));
        let unread = self.unreadable.iter();
        Document {
            tool: "migrate audit",
            title: "Uses of Zoom's API v1".to_owned(),
            summary: sentence(&summary),
            is_good: failing == 0,
            unread: unread
                .map(|unread| (unread.path.as_str(), unread.reason.as_str()))
                .collect(),
            is_interrupted: self.interrupted,
            blocks,
            checks: self.checks(),
            annotations: self.annotations(),
            tally: format!(
                "{} of Zoom's API v1, {} suppressed",
                count(failing, "use", "uses"),
                summary.suppressed
            ),
            ..Document::default()
        }
    }

    fn checks(&self) -> Vec<Check<'_>> {
        let uses = self.findings.iter().filter(|found| found.kind != Kind::Doc);
        let mut checks: Vec<Check<'_>> = uses
            .map(|found| Check {
                suite: &found.path,
                name: format!(
                    "line {}: {} {}",
                    found.line,
                    found.kind.name(),
                    title(found)
                ),
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
                title: format!("Zoom API v1: {}", title(found)),
                message: format!("{} {}", found.reason, advice(found))
                    .trim_end()
                    .to_owned(),
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

    fn sarif(&self) -> Sarif<'_> {
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
fn block(finding: &Finding) -> document::Finding<'_> {
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
        served: finding
            .advice
            .as_ref()
            .map_or("", |advice| shim_word(advice.shim)),
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
fn tables(report: &Report<'_>, summary: &Summary) -> Vec<Table> {
    let mut tables = Vec::new();
    let mut at_shim = Table::new(["moved to the shim"]);
    for finding in report.findings {
        if finding
            .suppressed
            .as_ref()
            .is_some_and(|by| by.by == SuppressedBy::Shim)
        {
            at_shim.row([format!("{}:{}", finding.path, finding.line)]);
        }
    }
    tables.push(at_shim);
    let mut operations = Table::new(["uses#", "operation", "shim", "v2+"]);
    for (operation, uses) in &summary.by_operation {
        let mut of = report.findings.iter();
        let advice = of
            .find(|found| found.operation.as_ref() == Some(operation))
            .and_then(|found| found.advice.as_ref());
        operations.row([
            uses.to_string().into(),
            Cell::code([operation]),
            advice.map_or("", |advice| shim_word(advice.shim)).into(),
            Cell::code(advice.map(|advice| &advice.v2).into_iter().flatten()),
        ]);
    }
    tables.push(operations);
    if let Some(traffic) = report.traffic {
        let joined = traffic.join(report.findings);
        for (title, operations) in [
            ("live: in the code, and called", &joined.live),
            ("dormant: in the code, but not called", &joined.dormant),
            (
                "unknown callers: called, but not in the code",
                &joined.unknown_callers,
            ),
        ] {
            let mut table = Table::new(["calls#", title]);
            for operation in operations {
                let calls = traffic.operations.get(operation);
                let calls = calls.map_or_else(String::new, |calls| calls.calls.to_string());
                table.row([calls, operation.clone()]);
            }
            tables.push(table);
        }
    }
    tables.retain(|table| !table.rows.is_empty());
    tables
}

/// The numbers, with ` · ` between them.
fn sentence(summary: &Summary) -> String {
    let mut parts = vec![if summary.uses == 0 {
        "no use of v1".to_owned()
    } else {
        format!(
            "{} of {} in {}",
            count(summary.uses, "use", "uses"),
            count(summary.operations, "operation", "operations"),
            count(summary.files, "file", "files")
        )
    }];
    parts.extend(
        summary
            .by_fidelity
            .iter()
            .map(|(fidelity, number)| match *fidelity {
                "depends" if *number == 1 => "1 depends on the parameters".to_owned(),
                "depends" => format!("{number} depend on the parameters"),
                _ => format!("{number} {fidelity}"),
            }),
    );
    for (kind, one, many) in [
        (Kind::Credential, "credential", "credentials"),
        (Kind::Doc, "mention", "mentions"),
    ] {
        parts.extend(
            summary
                .by_kind
                .get(kind.name())
                .map(|number| count(*number, one, many)),
        );
    }
    if summary.suppressed > 0 {
        parts.push(format!("{} suppressed", summary.suppressed));
    }
    parts.push(format!(
        "{} read",
        count(summary.files_read, "file", "files")
    ));
    parts.join(" · ")
}

const COLUMNS: [&str; 13] = [
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
];

fn record(finding: &Finding) -> [String; COLUMNS.len()] {
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
    ]
}

/// What a finding is about, in a few words: the operation, or what the kind says.
fn title(finding: &Finding) -> String {
    match (&finding.operation, &finding.kind.traits().title) {
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
    match (&finding.kind.traits().advice, &finding.advice) {
        (Some(advice), _) => advice.clone(),
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
    let depends = advice.fidelity == "depends";
    let named = !finding.parameters.is_empty() && !depends;
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
        if depends {
            "depends on the parameters; not exact if given:"
        } else if named {
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
