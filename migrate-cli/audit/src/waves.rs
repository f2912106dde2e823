//! The migration plan: waves of steps, with their effort and acceptance check.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    findings::{Advice, Finding, Shim},
    kind::{Effort, KindStep, Wave},
};

/// The migration plan.
#[derive(Debug, Serialize)]
pub struct Waves {
    /// Always 1.
    pub schema: u32,
    /// The waves in order; empty waves are left out.
    pub waves: Vec<WaveSteps>,
}

/// A wave with its steps.
#[derive(Debug, Serialize)]
pub struct WaveSteps {
    /// Its name, the same in every plan.
    pub name: Wave,
    /// Title.
    pub title: &'static str,
    /// Reason for its place in the order.
    pub why: &'static str,
    /// Its steps.
    pub steps: Vec<Step>,
    /// Acceptance check, besides `migrate plan --check NAME`.
    pub check: &'static str,
}

/// What is known about a path below v1's base URL that is no operation of the catalog.
pub const UNKNOWN: &str = "v1 operation unknown to the shim: it answers an error";

/// One change.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// The operation, or the title of another change.
    pub what: String,
    /// Its effort.
    pub effort: Effort,
    /// Reason for the effort.
    pub why: String,
    /// Places in the code: `app/Zoom.php:14`.
    pub places: Vec<String>,
}

/// The wave that moves an operation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Read,
    Write,
    Decide,
}

impl Waves {
    /// Plans the migration of findings. Mentions and suppressed findings are left out.
    pub fn of(findings: &[Finding]) -> Self {
        let live: Vec<&Finding> = findings.iter().filter(|found| found.counts()).collect();
        let operations = by_operation(&live);
        let turn = |turn| {
            operations
                .iter()
                .filter(move |(found, _)| *found == turn)
                .map(|(_, step)| step.clone())
        };
        let waves = [
            WaveSteps {
                name: Wave::Shim,
                title: "Point the program at the shim",
                why: "Everything that the shim serves works again before a line of logic changes.",
                steps: by_kind(&live, Wave::Shim),
                check: "the program's reads work through the shim",
            },
            WaveSteps {
                name: Wave::Reads,
                title: "Move the reads to v2",
                why: "A read that goes wrong breaks nothing, and migrate diff proves it.",
                steps: turn(Turn::Read).collect(),
                check: "migrate diff shows no unexpected difference",
            },
            WaveSteps {
                name: Wave::Writes,
                title: "Move the writes to v2",
                why: "They change data: after the reads, so that their effect can be seen.",
                steps: turn(Turn::Write).collect(),
                check: "data written through v2 reads like data written through v1",
            },
            WaveSteps {
                name: Wave::Webhooks,
                title: "Move the receivers to v2's webhooks",
                why: "Until then the shim pushes v1's notifications: it needs the URL of each receiver, \
                      and an app at Zoom with event subscriptions.",
                steps: by_kind(&live, Wave::Webhooks),
                check: "the program verifies x-zm-signature, and the shim pushes nothing",
            },
            WaveSteps {
                name: Wave::Decide,
                title: "Decide what v2 cannot do the same way",
                why: "Parameters without a place in v2, and operations that nothing replaces.",
                steps: turn(Turn::Decide).collect(),
                check: "each loss is accepted in writing or worked around",
            },
            WaveSteps {
                name: Wave::Remove,
                title: "Remove the shim and the rest of v1",
                why: "Nothing calls v1 any more.",
                steps: by_kind(&live, Wave::Remove),
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

/// The steps of a wave that remove a kind of finding, sorted by title.
fn by_kind(findings: &[&Finding], wave: Wave) -> Vec<Step> {
    let mut steps: BTreeMap<&str, Step> = BTreeMap::new();
    for finding in findings {
        let step = finding.kind.traits().step.as_ref();
        if let Some(KindStep {
            what, effort, why, ..
        }) = step.filter(|step| step.wave == wave)
        {
            let step = steps.entry(what).or_insert_with(|| Step {
                what: what.clone(),
                effort: *effort,
                why: why.clone(),
                places: Vec::new(),
            });
            step.places.push(place(finding));
        }
    }
    steps.into_values().collect()
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
            // The use with the largest effort decides for the operation.
            let (estimate, advice) = uses
                .iter()
                .filter_map(|found| {
                    let advice = found.advice.as_ref()?;
                    Some((effort(advice, &found.parameters), advice))
                })
                .max_by_key(|(estimate, _)| (estimate.effort, estimate.is_known))?;
            let Estimate {
                effort,
                why,
                is_known,
            } = estimate;
            let decides = effort == Effort::Large && is_known;
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

/// Estimated effort of an operation.
struct Estimate {
    effort: Effort,
    why: String,
    /// True if the code gives a lossy parameter, false if it only may.
    is_known: bool,
}

fn effort(advice: &Advice, parameters: &[String]) -> Estimate {
    /// Number of parameters listed in the reason.
    const NAMED: usize = 3;
    let shim = match advice.shim {
        Shim::NotYet => "; the shim does not serve it",
        Shim::Refused => "; the shim answers an error",
        Shim::Yes | Shim::Lossy | Shim::Unknown => "",
    };
    let estimate = |effort, why: String, is_known| Estimate {
        effort,
        why: why + shim,
        is_known,
    };
    if advice.shim == Shim::Unknown {
        return estimate(Effort::Large, UNKNOWN.to_owned(), true);
    }
    if advice.v2.is_empty() {
        return estimate(Effort::Large, "nothing in v2 replaces it".to_owned(), true);
    }
    if !advice.lossy.is_empty() && !advice.read {
        let all = advice.lossy.iter();
        let (given, possible): (Vec<_>, Vec<_>) =
            all.partition(|lost| parameters.contains(&lost.name));
        let is_known = !given.is_empty();
        let (names, when) = if is_known {
            (given, "")
        } else {
            (possible, " if given")
        };
        let shown = names.iter().take(NAMED).map(|lost| lost.condition());
        let shown: Vec<String> = shown.collect();
        let more = if names.len() > NAMED { " …" } else { "" };
        let why = format!("not exact{when}: {}{more}", shown.join(", "));
        return estimate(Effort::Large, why, is_known);
    }
    match advice.v2.as_slice() {
        [one] => estimate(Effort::Small, one.clone(), false),
        several => estimate(
            Effort::Medium,
            format!("{} v2 requests", several.len()),
            false,
        ),
    }
}
