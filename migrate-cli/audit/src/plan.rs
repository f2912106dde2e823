//! The migration in waves: what to do first, how hard it is, and how to see that it is done.

use std::collections::BTreeMap;

use serde::Serialize;

use super::finding::{Advice, Finding, Kind, Shim};

/// A plan.
#[derive(Debug, Serialize)]
pub struct Plan {
    /// Always 1.
    pub schema: u32,
    /// The waves in their order; those without a step are left out.
    pub waves: Vec<Wave>,
}

/// A wave's name on the command line and in JSON; the order is that of the migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Name {
    /// Point the program at the shim.
    Shim,
    /// Move the reads to v2.
    Reads,
    /// Move the writes to v2.
    Writes,
    /// Decide what v2 cannot do the same way.
    Decide,
    /// Remove the shim and what is left of v1.
    Remove,
}

/// Steps that belong together.
#[derive(Debug, Serialize)]
pub struct Wave {
    /// Its name, the same in every plan.
    pub name: Name,
    /// What it does.
    pub title: &'static str,
    /// Why it comes now.
    pub why: &'static str,
    /// Its steps.
    pub steps: Vec<Step>,
    /// How to see that it is done, besides `migrate plan --check NAME`.
    pub check: &'static str,
}

/// One thing to do.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// The operation, or what else is to be changed.
    pub what: String,
    /// How hard it is.
    pub effort: Effort,
    /// Why it is that hard.
    pub why: String,
    /// Where: `app/Zoom.php:14`.
    pub places: Vec<String>,
}

/// How hard a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effort {
    /// A value is changed.
    Trivial,
    /// One v2 request does what the v1 call did.
    Small,
    /// Several v2 requests do it.
    Medium,
    /// v2 cannot do all of it; somebody has to decide.
    Large,
}

impl Effort {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trivial => "trivial",
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Large => "large",
        }
    }
}

/// In which wave an operation is moved.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Read,
    Write,
    Decide,
}

impl Plan {
    /// Plans for findings; mentions and findings that a comment suppresses are left out.
    pub fn of(findings: &[Finding]) -> Self {
        let live: Vec<&Finding> = findings.iter().filter(|found| found.counts()).collect();
        let operations = by_operation(&live);
        let kind = |kinds: &[Kind]| -> Vec<&Finding> {
            live.iter()
                .copied()
                .filter(|found| kinds.contains(&found.kind))
                .collect()
        };
        let turn = |turn| {
            operations
                .iter()
                .filter(move |(found, _)| *found == turn)
                .map(|(_, step)| step.clone())
        };
        let waves = [
            Wave {
                name: Name::Shim,
                title: "Point the program at the shim",
                why: "Everything that the shim serves works again before a line of logic changes.",
                steps: base_steps(
                    &kind(&[Kind::BaseUrl, Kind::Url]),
                    &kind(&[Kind::Credential]),
                ),
                check: "the program's reads work through the shim",
            },
            Wave {
                name: Name::Reads,
                title: "Move the reads to v2",
                why: "A read that goes wrong breaks nothing, and migrate diff proves it.",
                steps: turn(Turn::Read).collect(),
                check: "migrate diff shows no unexpected difference",
            },
            Wave {
                name: Name::Writes,
                title: "Move the writes to v2",
                why: "They change data: after the reads, so that their effect can be seen.",
                steps: turn(Turn::Write).collect(),
                check: "what v2 wrote reads as what v1 wrote",
            },
            Wave {
                name: Name::Decide,
                title: "Decide what v2 cannot do the same way",
                why: "Parameters without a place in v2, and operations that nothing replaces.",
                steps: turn(Turn::Decide).collect(),
                check: "each loss is accepted in writing or worked around",
            },
            Wave {
                name: Name::Remove,
                title: "Remove the shim and what is left of v1",
                why: "Nothing calls v1 any more.",
                steps: leftovers(&kind(&[
                    Kind::Dependency,
                    Kind::SdkImport,
                    Kind::ResponseField,
                ])),
                check: "migrate audit --fail-on any exits with 0, and the shim sees no request",
            },
        ];
        Self {
            schema: 1,
            waves: waves
                .into_iter()
                .filter(|wave| !wave.steps.is_empty())
                .collect(),
        }
    }
}

fn place(finding: &Finding) -> String {
    format!("{}:{}", finding.path, finding.line)
}

fn base_steps(bases: &[&Finding], credentials: &[&Finding]) -> Vec<Step> {
    let mut steps = Vec::new();
    if !bases.is_empty() {
        steps.push(Step {
            what: "base URL".to_owned(),
            effort: Effort::Trivial,
            why: "the host in the URL is replaced by the shim's".to_owned(),
            places: bases.iter().map(|found| place(found)).collect(),
        });
    }
    if !credentials.is_empty() {
        steps.push(Step {
            what: "credentials in plain text".to_owned(),
            effort: Effort::Small,
            why: "revoke them and read new ones from the environment".to_owned(),
            places: credentials.iter().map(|found| place(found)).collect(),
        });
    }
    steps
}

fn leftovers(findings: &[&Finding]) -> Vec<Step> {
    let mut places: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for finding in findings {
        let what = match finding.kind {
            Kind::ResponseField => "answer fields of v1",
            _ => "client library",
        };
        places.entry(what).or_default().push(place(finding));
    }
    places
        .into_iter()
        .map(|(what, places)| Step {
            what: what.to_owned(),
            effort: Effort::Small,
            why: "removed or renamed".to_owned(),
            places,
        })
        .collect()
}

fn by_operation(findings: &[&Finding]) -> Vec<(Turn, Step)> {
    let mut uses: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        if let Some(operation) = &finding.operation {
            uses.entry(operation).or_default().push(finding);
        }
    }
    uses.into_iter()
        .filter_map(|(operation, uses)| {
            // The use that loses most speaks for the operation.
            let advice = uses
                .iter()
                .filter_map(|found| found.advice.as_ref())
                .max_by_key(|advice| effort(advice).0)?;
            let named = uses.iter().any(|found| !found.parameters.is_empty());
            let (effort, why) = effort(advice);
            let decides = effort == Effort::Large && (named || advice.v2.is_empty());
            let turn = match (decides, advice.read) {
                (true, _) => Turn::Decide,
                (false, true) => Turn::Read,
                (false, false) => Turn::Write,
            };
            let step = Step {
                what: operation.to_owned(),
                effort,
                why,
                places: uses.iter().map(|found| place(found)).collect(),
            };
            Some((turn, step))
        })
        .collect()
}

fn effort(advice: &Advice) -> (Effort, String) {
    let shim = match advice.shim {
        Shim::NotYet => "; the shim does not serve it",
        Shim::Refused => "; the shim answers an error",
        Shim::Yes | Shim::Lossy => "",
    };
    if advice.v2.is_empty() {
        return (Effort::Large, format!("nothing in v2 replaces it{shim}"));
    }
    if !advice.lossy.is_empty() && !advice.read {
        let names: Vec<&str> = advice
            .lossy
            .iter()
            .take(3)
            .map(|lost| lost.name.as_str())
            .collect();
        let more = if advice.lossy.len() > 3 { " …" } else { "" };
        return (
            Effort::Large,
            format!("not exact: {}{more}{shim}", names.join(", ")),
        );
    }
    match advice.v2.as_slice() {
        [one] => (Effort::Small, format!("{one}{shim}")),
        several => (
            Effort::Medium,
            format!("{} v2 requests{shim}", several.len()),
        ),
    }
}

impl Name {
    /// The name as it is given to `--check`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Shim => "shim",
            Self::Reads => "reads",
            Self::Writes => "writes",
            Self::Decide => "decide",
            Self::Remove => "remove",
        }
    }
}
