//! Recorded exchanges against a live shim: reads are asked again, writes are translated again.
//!
//! One request at a time, at a bounded rate. What was compared is noted in a file if one is named,
//! so that a run that was stopped goes on where it was.

mod client;
mod progress;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use mappings::{
    Catalog,
    catalog::{operation::Operation, protocol::ProtocolError},
};
use recording::{
    Exchange, Redactor,
    comparison::{Comparison, ERROR, Noise, compare, rehearse, requests, site},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{rules::Rules, show::Report};
use crate::record::Recording;
pub(crate) use client::{API_KEY, API_SECRET, Client, Credentials, http, read};
use progress::{Journal, Progress};

/// How a replay is done.
pub(crate) struct Replay<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) redactor: &'a Redactor,
    pub(crate) client: Client,
    pub(crate) rules: &'a Rules,
    /// Writes are sent, too.
    pub(crate) allow_writes: bool,
    /// The shortest time between two requests.
    pub(crate) pause: Duration,
    /// How many comparisons that differ in the same way are shown; all if 0.
    pub(crate) alike: u64,
    /// The longest time for all of it.
    pub(crate) limit: Option<Duration>,
    /// Set to end the run with a report of what was compared so far.
    pub(crate) stop: Arc<AtomicBool>,
}

/// What came of an exchange.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Judged {
    Compared {
        comparison: Comparison,
        /// How long both sides took, if both are known.
        micros: Option<(u64, u64)>,
    },
    Skipped(String),
}

impl Judged {
    fn skipped(why: &str) -> Self {
        Self::Skipped(why.to_owned())
    }
}

impl Replay<'_> {
    /// Compares a whole recording.
    ///
    /// # Errors
    ///
    /// The recording or the journal cannot be read, or the shim does not answer.
    pub(crate) fn run(&self, recording: &Path, journal: Option<&Path>) -> anyhow::Result<Report> {
        let mut report = Report {
            alike: self.alike,
            ..Report::default()
        };
        let mut journal = Journal::open(journal, recording, self.client.base(), &mut report)?;
        let mut progress = Progress::new();
        let mut noise = Noise::default();
        let begun = Instant::now();
        let mut next = begun;
        let mut is_empty = true;
        for read in Recording::open(recording)? {
            let (line, mut exchange) = read?;
            is_empty = false;
            if self.stop.load(Ordering::Relaxed) {
                report.is_interrupted = true;
                break;
            }
            if journal.has(line) {
                continue;
            }
            if self.limit.is_some_and(|limit| begun.elapsed() >= limit) {
                report.skip("the time was over");
                continue;
            }
            self.redactor.exchange(self.catalog, &mut exchange, &[]);
            let judged = self
                .judge(&exchange, &mut next, &mut noise)
                .with_context(|| format!("exchange {} ({})", exchange.id, exchange.v1.operation))?;
            journal.note(line, &judged)?;
            count(&mut report, judged);
            progress.show(&report);
        }
        if is_empty {
            bail!(
                "{} has no exchanges; record some, with shim serve --record FILE",
                recording.display()
            );
        }
        Ok(report)
    }

    fn judge(
        &self,
        exchange: &Exchange,
        next: &mut Instant,
        noise: &mut Noise,
    ) -> anyhow::Result<Judged> {
        let Some(operation) = self.catalog.find(&exchange.v1.operation) else {
            return Ok(Judged::skipped("v1 had no such operation"));
        };
        if !operation.is_served() {
            return Ok(Judged::skipped("the shim does not serve the operation"));
        }
        if !operation.read && !self.allow_writes {
            return Ok(self.translated(operation, exchange));
        }
        if exchange.is_masked() {
            return Ok(Judged::skipped(
                "a parameter was redacted or is a pseudonym",
            ));
        }
        if exchange.v1.parameters.values().any(Value::is_object) {
            return Ok(Judged::skipped(
                "the file that was sent is not in the recording",
            ));
        }
        let (answer, took) = self.ask(operation, exchange, next)?;
        self.check_credentials(exchange, &answer)?;
        let mut comparison = self.beside(operation, exchange, &answer);
        noise.cancel(&operation.name, &mut comparison.rows);
        self.rules.apply(&mut comparison);
        if operation.read && !comparison.is_expected() {
            // What differs between two answers of the same minute differs each time.
            let (again, _) = self.ask(operation, exchange, next)?;
            let changes = compare(self.catalog, None, &answer, &again);
            noise.learn(&operation.name, &changes);
            noise.cancel(&operation.name, &mut comparison.rows);
        }
        let micros = (exchange.micros > 0).then_some((exchange.micros, took));
        Ok(Judged::Compared { comparison, micros })
    }

    /// Fails if the shim refuses the credentials: then it refuses all that follows, and locks the key.
    fn check_credentials(&self, exchange: &Exchange, answer: &Value) -> anyhow::Result<()> {
        let of = |answer: &Value| {
            let error = answer.get(ERROR)?;
            Some((
                error.get("code")?.as_i64()?,
                error.get("message")?.as_str()?.to_owned(),
            ))
        };
        let protocol = self.catalog.protocol();
        let refusals = [
            ProtocolError::CredentialsMissing,
            ProtocolError::CredentialsWrong,
        ];
        let refused = of(answer).filter(|(code, message)| {
            refusals.iter().any(|refusal| {
                let (_, error) = protocol.error(*refusal, "");
                (error.code, &error.message) == (*code, message)
            })
        });
        if let Some((code, message)) = refused.filter(|_| of(&exchange.v1.answer).is_none()) {
            bail!(
                "the shim refuses the credentials ({code} {message}); set {API_KEY} and \
                 {API_SECRET} to those of one of its tenants"
            );
        }
        Ok(())
    }

    fn beside(&self, operation: &Operation, exchange: &Exchange, answer: &Value) -> Comparison {
        let recorded = ("recorded", &exchange.v1.answer);
        let live = ("shim", answer);
        Comparison::of_answers(self.catalog, Some(operation), &exchange.id, recorded, live)
    }

    /// Asks the shim; its answer is redacted as the recorded one is.
    fn ask(
        &self,
        operation: &Operation,
        exchange: &Exchange,
        next: &mut Instant,
    ) -> anyhow::Result<(Value, u64)> {
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
        *next = Instant::now() + self.pause;
        let begun = Instant::now();
        let answer = self
            .client
            .ask(self.catalog, operation, &exchange.v1.arguments())?;
        let took = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        // The same texts are known to be secret as when it was recorded.
        let mut copy = exchange.clone();
        copy.v1.answer = answer;
        copy.v2.clear();
        self.redactor.exchange(self.catalog, &mut copy, &[]);
        Ok((copy.v1.answer, took))
    }

    /// A write, compared as what would be sent to v2.
    fn translated(&self, operation: &Operation, exchange: &Exchange) -> Judged {
        let is_answered = exchange.v1.answer.get("error").is_none();
        if exchange.v2.is_empty() && is_answered && operation.plan().is_some() {
            return Judged::skipped("the v2 calls of a write are not in the recording");
        }
        let site = site(self.catalog, exchange.site.as_ref());
        let mut now = exchange.clone();
        now.v2 = rehearse(self.catalog, operation, &site, exchange).requests;
        self.redactor.exchange(self.catalog, &mut now, &[]);
        let (old, new) = (requests(&exchange.v2), requests(&now.v2));
        let mut comparison = Comparison::of_answers(
            self.catalog,
            None,
            &exchange.id,
            ("recorded", &old),
            ("translated", &new),
        );
        comparison.operation = Some(operation.name.clone());
        self.rules.apply(&mut comparison);
        Judged::Compared {
            comparison,
            micros: None,
        }
    }
}

fn count(report: &mut Report, judged: Judged) {
    match judged {
        Judged::Compared { comparison, micros } => report.add(comparison, micros, false),
        Judged::Skipped(why) => report.skip(&why),
    }
}
