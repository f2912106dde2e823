//! Migration plan of a program: waves, client libraries, operations that fail at the shim, and the
//! setup at Zoom.

use std::collections::BTreeMap;

use migrate_audit::{
    Effort, Finding, Kind, Shim, SuppressedBy, Wave,
    rules::Rules,
    waves::{Step, Waves},
};
use migrate_report::{
    Document,
    document::{Cell, Row, Table},
    words::{count, first},
};
use serde::Serialize;

use crate::explain::unique;

/// Maximum number of code locations listed per step.
const MAX_PLACES: usize = 5;

/// The plan. Its JSON has `schema` 1.
#[derive(Debug, Serialize)]
pub(crate) struct Plan<'a> {
    #[serde(flatten)]
    waves: Waves,
    /// Client libraries, and how they are pointed at the shim.
    libraries: Vec<Repointing<'a>>,
    /// True if the code has neither a base URL nor a client library.
    #[serde(skip)]
    is_baseless: bool,
    /// Operations that return an error at the shim, with code locations.
    errors_at_shim: Vec<Broken<'a>>,
    /// Requirements on the OAuth app for all operations in the code.
    zoom: Zoom<'a>,
}

/// A client library that calls v1.
#[derive(Debug, Serialize)]
struct Repointing<'a> {
    package: &'a str,
    how: String,
    places: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Broken<'a> {
    operation: &'a str,
    shim: Shim,
    places: Vec<String>,
}

/// Setup at Zoom.
#[derive(Debug, Serialize)]
struct Zoom<'a> {
    /// App type in Zoom's marketplace.
    app: &'static str,
    scopes: Vec<&'a str>,
}

impl<'a> Plan<'a> {
    /// Creates the plan from waves and findings. `base` is the shim's base URL.
    pub(crate) fn new(waves: Waves, findings: &'a [Finding], rules: &'a Rules, base: &str) -> Self {
        let mut broken: BTreeMap<&str, Broken<'a>> = BTreeMap::new();
        let mut scopes = Vec::new();
        for finding in findings.iter().filter(|finding| finding.counts()) {
            let (Some(operation), Some(advice)) = (&finding.operation, &finding.advice) else {
                continue;
            };
            scopes.extend(advice.scopes.iter().map(String::as_str));
            if finding.fails_at_shim() {
                let entry = broken.entry(operation).or_insert_with(|| Broken {
                    operation,
                    shim: advice.shim,
                    places: Vec::new(),
                });
                entry.places.push(place(finding));
            }
        }
        scopes.sort_unstable();
        let libraries = repointings(findings, rules, base);
        let has_base = findings.iter().any(|finding| {
            let is_base = matches!(finding.kind, Kind::BaseUrl | Kind::Url);
            let by = finding
                .suppressed
                .as_ref()
                .map(|suppression| suppression.by);
            is_base && (finding.counts() || by == Some(SuppressedBy::Shim))
        });
        Self {
            waves,
            is_baseless: libraries.is_empty() && !has_base,
            libraries,
            errors_at_shim: broken.into_values().collect(),
            zoom: Zoom {
                app: "Server-to-Server OAuth",
                scopes: unique(scopes.into_iter()),
            },
        }
    }

    /// True if there are no steps.
    pub(crate) fn is_done(&self) -> bool {
        self.waves.waves.is_empty()
    }

    /// Builds the document, of one wave only if `check` is set.
    pub(crate) fn document(&self, subject: &str, check: Option<Wave>) -> Document<'_> {
        let mut document = Document {
            tool: "migrate plan",
            title: format!("Migration of {subject} to Zoom's API v2"),
            is_good: self.is_done() || check.is_none(),
            ..Document::default()
        };
        let is_pointed = self.waves.waves.iter().any(|wave| wave.name == Wave::Shim);
        let has_setup = !self.zoom.scopes.is_empty()
            || !self.libraries.is_empty()
            || !self.errors_at_shim.is_empty();
        if check.is_none() && !is_pointed && has_setup {
            document.heading("Point the program at the shim");
            self.setup(&mut document);
        }
        for (at, wave) in self.waves.waves.iter().enumerate() {
            let number = check.map_or_else(|| format!("{}. ", at + 1), |_| String::new());
            document.heading(format!("{number}{}", wave.title));
            document.paragraph(wave.why);
            document.table(Table::plain(wave.steps.iter().map(step).collect()));
            if wave.name == Wave::Shim {
                self.setup(&mut document);
            }
            let name = wave.name.name();
            document.paragraph(format!(
                "Done when `migrate plan --check {name}` exits with 0, and {}.",
                wave.check
            ));
        }
        let steps = self
            .waves
            .waves
            .iter()
            .map(|wave| wave.steps.len())
            .sum::<usize>();
        if steps > 0 && check.is_none() {
            document.section("Efforts", efforts());
        }
        let waves = count(self.waves.waves.len(), "wave", "waves");
        document.summary = match check {
            Some(wave) if self.is_done() => format!("{}: done", wave.name()),
            Some(wave) => {
                let open = count(steps, "step is", "steps are");
                format!("{}: {open} open · exit code 1", wave.name())
            }
            None if steps == 0 => "no use of v1, nothing to plan".to_owned(),
            None => format!("{waves} · {}", count(steps, "step", "steps")),
        };
        document
    }

    /// Adds what the first wave needs besides its steps.
    fn setup(&self, document: &mut Document<'_>) {
        if self.is_baseless {
            document.paragraph(
                "The code has no base URL of v1: it names the shim already, or the base URL is in the \
                 environment.",
            );
        }
        let rows = self.libraries.iter().map(|library| {
            let cells = [Cell::name(library.package), library.how.as_str().into()];
            Row::new(cells).with_below(first(library.places.iter().cloned(), MAX_PLACES))
        });
        let table = Table::plain(rows.collect());
        if !table.rows.is_empty() {
            document.paragraph("These client libraries call v1:");
            document.table(table);
        }
        self.broken(document);
        self.zoom(document);
    }

    /// Adds the operations that fail at the shim.
    fn broken(&self, document: &mut Document<'_>) {
        let rows = self.errors_at_shim.iter().map(|broken| {
            let word = match broken.shim {
                Shim::Refused => "always an error",
                Shim::Unknown => "unknown operation",
                _ => "not served yet",
            };
            let cells = [Cell::from(word).toned("bad"), Cell::name(broken.operation)];
            Row::new(cells).with_below(first(broken.places.iter().cloned(), MAX_PLACES))
        });
        let table = Table::plain(rows.collect());
        if !table.rows.is_empty() {
            document.paragraph("These operations return an error at the shim: migrate them first.");
            document.table(table);
        }
    }

    /// Adds the setup at Zoom.
    fn zoom(&self, document: &mut Document<'_>) {
        if self.zoom.scopes.is_empty() {
            return;
        }
        document.paragraph(format!(
            "At Zoom: an app of the type {} with these scopes, for the shim now and for the program \
             later:",
            self.zoom.app
        ));
        let scopes = self.zoom.scopes.iter().map(|scope| Row::new([*scope]));
        document.table(Table::plain(scopes.collect()));
    }
}

fn place(finding: &Finding) -> String {
    format!("{}:{}", finding.path, finding.line)
}

/// The client libraries of the findings, and how they are pointed at the shim.
fn repointings<'a>(findings: &'a [Finding], rules: &'a Rules, base: &str) -> Vec<Repointing<'a>> {
    let mut places: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for finding in findings.iter().filter(|finding| finding.counts()) {
        if let Some((ecosystem, package)) = finding.library() {
            let places = places.entry((package, ecosystem)).or_default();
            places.push(place(finding));
        }
    }
    let repointing = |((package, ecosystem), places)| {
        let library = rules.library(ecosystem, package)?;
        Some(Repointing {
            package,
            how: library.repointing(base),
            places,
        })
    };
    places.into_iter().filter_map(repointing).collect()
}

fn step(step: &Step) -> Row {
    let cells = [
        Cell::from(step.effort.name()),
        Cell::name(&step.what),
        step.why.as_str().into(),
    ];
    Row::new(cells).with_below(first(step.places.iter().cloned(), MAX_PLACES))
}

fn efforts() -> Table {
    let mut table = Table::new(["", ""]);
    for (effort, about) in [
        (Effort::Trivial, "change a value"),
        (Effort::Small, "one v2 request per v1 call"),
        (Effort::Medium, "several v2 requests per v1 call"),
        (Effort::Large, "v2 cannot do all of it: needs a decision"),
    ] {
        table.row([effort.name(), about]);
    }
    table
}
