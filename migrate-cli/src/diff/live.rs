//! Rollout stages, read from the operations address of a running shim.

use std::time::Duration;

use anyhow::{Context as _, bail};
use migrate_report::{
    Document,
    document::{Block, Cell, Table},
    words::count,
};
use recording::rollout::{Figures, Side};
use reqwest::blocking::Client;
use serde::Serialize;
use url::Url;

use super::thresholds::{Thresholds, percent};
use crate::http;

/// Timeout of a request.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Maximum size of the rollouts document, in bytes.
const MAX_DOCUMENT: u64 = 4 << 20;

/// Version of the JSON report.
const FORMAT: u32 = 1;

/// Client for the rollouts of a shim.
pub(crate) struct Live {
    client: Client,
    url: Url,
}

/// Stages of all rollouts of a shim.
#[derive(Debug, Serialize)]
pub(crate) struct Stages {
    format: u32,
    /// Failures, one sentence each.
    failures: Vec<String>,
    rollouts: Vec<Figures>,
}

impl Live {
    /// # Errors
    ///
    /// The address is invalid.
    pub(crate) fn new(address: &str) -> anyhow::Result<Self> {
        let url = http::endpoint(address, "/rollouts")?;
        Ok(Self {
            client: http::client(&url, TIMEOUT)?,
            url,
        })
    }

    /// Reads the current stages.
    ///
    /// # Errors
    ///
    /// The shim does not respond, or has no rollouts.
    pub(crate) fn read(&self, thresholds: Thresholds) -> anyhow::Result<Stages> {
        let text = http::get(&self.client, &self.url, MAX_DOCUMENT)?;
        let read = serde_json::from_slice::<Vec<Figures>>(&text);
        let rollouts = read.with_context(|| {
            let url = &self.url;
            format!(
                "{url} shows no rollouts; name the operations address of a shim of this version"
            )
        })?;
        if rollouts.is_empty() {
            bail!("the shim at {} has no [[rollout]]", self.url);
        }
        Ok(Stages::new(rollouts, thresholds))
    }
}

impl Stages {
    fn new(rollouts: Vec<Figures>, thresholds: Thresholds) -> Self {
        let failures = rollouts
            .iter()
            .flat_map(|stage| failures(stage, thresholds));
        Self {
            format: FORMAT,
            failures: failures.collect(),
            rollouts,
        }
    }

    /// False if a rollout was rolled back or missed a threshold.
    pub(crate) fn is_good(&self) -> bool {
        self.failures.is_empty()
    }

    pub(crate) fn document(&self) -> Document<'_> {
        let mut summary = vec![count(self.rollouts.len(), "rollout", "rollouts")];
        let mut rates: Vec<_> = self
            .rollouts
            .iter()
            .filter_map(|stage| stage.consistency)
            .collect();
        rates.sort_by(f64::total_cmp);
        summary.extend(
            rates
                .first()
                .map(|least| format!("{} consistent", percent(*least * 100.0))),
        );
        if !self.is_good() {
            summary.push(count(self.failures.len(), "failure", "failures"));
        }
        Document {
            tool: "migrate diff",
            title: "Stages of rollouts".to_owned(),
            summary: summary.join(" · "),
            is_good: self.is_good(),
            notes: self.failures.clone(),
            blocks: self.rollouts.iter().flat_map(blocks).collect(),
            ..Document::default()
        }
    }
}

fn failures(stage: &Figures, thresholds: Thresholds) -> Vec<String> {
    let name = &stage.name;
    let mut failures = Vec::new();
    if let Some(left) = &stage.left {
        let (at, reason) = (&left.at, &left.reason);
        failures.push(format!(
            "{name} was left at {at} from {} %: {reason}",
            left.percent
        ));
    }
    match (thresholds.consistency, stage.consistency) {
        (None, _) if stage.unexpected() > 0 => {
            let differ = count(stage.unexpected(), "answer differs", "answers differ");
            failures.push(format!("{name}: {differ} unexpectedly"));
        }
        (Some(_), None) => failures.push(format!("{name}: nothing was compared yet")),
        (Some(_), Some(rate)) => {
            let failure = thresholds.consistency_failure(rate * 100.0);
            failures.extend(failure.map(|failure| format!("{name}: {failure}")));
        }
        _ => {}
    }
    let p99 = stage.sides.other.p99_ms;
    let failure = p99.and_then(|p99| thresholds.p99_failure("the other side", p99));
    failures.extend(failure.map(|failure| format!("{name}: {failure}")));
    failures
}

fn blocks(stage: &Figures) -> [Block<'static>; 3] {
    let share =
        |share: Option<f64>| share.map_or_else(|| "–".to_owned(), |share| percent(share * 100.0));
    let step = format!(
        "{} % of the callers since {} ({} % in the settings) · share of the answers {} · consistency {} of {}",
        stage.percent,
        stage.since,
        stage.configured_percent,
        share(stage.share),
        share(stage.consistency),
        count(stage.compared(), "compared answer", "compared answers"),
    );
    let mut table = Table::new(["side", "answers#", "errors#", "p99, ms#"]);
    for (name, side) in [
        ("this shim", &stage.sides.this),
        (&stage.other, &stage.sides.other),
    ] {
        table.row(side_row(name, side));
    }
    [
        Block::Heading(stage.name.clone()),
        Block::Paragraph(step),
        Block::Table(table),
    ]
}

fn side_row(name: &str, side: &Side) -> [Cell; 4] {
    let tone = if side.errors > 0 { "bad" } else { "" };
    let p99 = side
        .p99_ms
        .map_or_else(|| "–".to_owned(), |p99| format!("{p99:.1}"));
    [
        name.into(),
        side.answers.to_string().into(),
        Cell::from(side.errors.to_string()).toned(tone),
        p99.into(),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use recording::{
        comparison::Verdict,
        rollout::{Left, Recently, Sides},
    };

    use super::*;

    fn stage(unexpected: u64) -> Figures {
        let side = |p99_ms| Side {
            answers: 200,
            errors: 0,
            p99_ms,
        };
        Figures {
            name: "next".to_owned(),
            other: "http://127.0.0.1:8081/v1".to_owned(),
            percent: 5,
            configured_percent: 5,
            since: "2027-03-01T10:00:00Z".to_owned(),
            left: None,
            share: Some(0.05),
            consistency: Some(0.99),
            compared: BTreeMap::from([
                (Verdict::Same, 200 - unexpected),
                (Verdict::Unexpected, unexpected),
            ]),
            sides: Sides {
                this: side(Some(12.0)),
                other: side(Some(20.5)),
            },
            recently: Recently::default(),
        }
    }

    #[test]
    fn fails_on_missed_thresholds_or_unexpected_differences() {
        let least = |consistency| Thresholds {
            consistency: Some(consistency),
            p99: None,
        };
        let most = |p99| Thresholds {
            consistency: Some(0.0),
            p99: Some(p99),
        };
        let nothing = Figures {
            consistency: None,
            compared: BTreeMap::new(),
            ..stage(0)
        };
        let left = Figures {
            left: Some(Left {
                at: "2027-03-01T11:00:00Z".to_owned(),
                percent: 5,
                reason: "4 of the last 200 answers failed, and 3 are allowed".to_owned(),
            }),
            ..stage(0)
        };
        for (stage, thresholds, is_good) in [
            (stage(0), Thresholds::default(), true),
            (stage(2), Thresholds::default(), false),
            (stage(2), least(99.0), true),
            (stage(2), least(99.5), false),
            (stage(2), most(21), true),
            (stage(2), most(20), false),
            (nothing.clone(), Thresholds::default(), true),
            (nothing, least(0.0), false),
            (left, least(0.0), false),
        ] {
            let stages = Stages::new(vec![stage.clone()], thresholds);
            assert_eq!(stages.is_good(), is_good, "{stage:?} {thresholds:?}");
        }
    }
}
