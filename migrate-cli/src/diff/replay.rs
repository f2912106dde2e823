//! Replay of recorded exchanges against a live shim: reads are sent again, writes are only
//! translated again.
//!
//! Sends one request at a time, at a limited rate. With a journal file, an interrupted run resumes
//! after the last exchange it compared.

mod client;
mod journal;

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

use super::{report::Report, rules::Rules, thresholds::Thresholds};
use crate::{progress::ProgressLine, record::Recording};
pub(crate) use client::{API_KEY, API_SECRET, Client, Credentials, http, read};
use journal::Journal;

/// Replay configuration.
pub(crate) struct Replay<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) redactor: &'a Redactor,
    pub(crate) client: Client,
    pub(crate) rules: &'a Rules,
    /// Also send writes.
    pub(crate) allow_writes: bool,
    /// Minimum interval between two requests.
    pub(crate) pause: Duration,
    /// Maximum number of comparisons shown per cause; 0 shows all.
    pub(crate) alike: u64,
    pub(crate) thresholds: Thresholds,
    /// Maximum duration of the run.
    pub(crate) limit: Option<Duration>,
    /// Set by Ctrl-C: ends the run and reports the comparisons so far.
    pub(crate) stop: Arc<AtomicBool>,
}

/// Result of one exchange. Stored in the journal.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ReplayResult {
    Compared {
        comparison: Comparison,
        /// Duration on both sides, in microseconds, if known.
        micros: Option<(u64, u64)>,
        /// Id and address of the user in the recorded answer, if the answer is an error now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<(String, String)>,
    },
    Skipped(String),
}

impl ReplayResult {
    fn skipped(why: &str) -> Self {
        Self::Skipped(why.to_owned())
    }
}

impl Replay<'_> {
    /// Replays and compares a whole recording.
    ///
    /// # Errors
    ///
    /// The recording or the journal cannot be read, or the shim does not respond.
    pub(crate) fn run(&self, recording: &Path, journal: Option<&Path>) -> anyhow::Result<Report> {
        let mut report = Report {
            alike: self.alike,
            thresholds: self.thresholds,
            ..Report::default()
        };
        let mut journal = Journal::open(journal, recording, self.client.base(), &mut report)?;
        let mut progress = ProgressLine::new();
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
                report.skip("time limit reached");
                continue;
            }
            self.redactor.exchange(self.catalog, &mut exchange, &[]);
            let result = self
                .replay_exchange(&exchange, &mut next, &mut noise)
                .with_context(|| format!("exchange {} ({})", exchange.id, exchange.v1.operation))?;
            journal.append(line, &result)?;
            count(&mut report, result);
            progress.show(|| {
                let (compared, unexpected) = (report.compared(), report.unexpected());
                format!("{compared} compared, {unexpected} unexpected")
            });
        }
        if is_empty {
            bail!(
                "{} has no exchanges; record some with shim serve --record FILE",
                recording.display()
            );
        }
        Ok(report)
    }

    fn replay_exchange(
        &self,
        exchange: &Exchange,
        next: &mut Instant,
        noise: &mut Noise,
    ) -> anyhow::Result<ReplayResult> {
        let Some(operation) = self.catalog.find(&exchange.v1.operation) else {
            return Ok(ReplayResult::skipped("unknown v1 operation"));
        };
        if !operation.is_served() {
            return Ok(ReplayResult::skipped(
                "the shim does not serve the operation",
            ));
        }
        if !operation.read && !self.allow_writes {
            return Ok(self.translated(operation, exchange));
        }
        if exchange.is_masked() {
            return Ok(ReplayResult::skipped(
                "a parameter is redacted or a pseudonym",
            ));
        }
        if exchange.v1.parameters.values().any(Value::is_object) {
            return Ok(ReplayResult::skipped(
                "the uploaded file is not in the recording",
            ));
        }
        let (answer, took) = self.send(operation, exchange, next)?;
        self.check_credentials(&answer)?;
        let mut comparison = self.beside(operation, exchange, &answer);
        noise.cancel(&operation.name, &mut comparison.rows);
        self.rules.apply(&mut comparison);
        if operation.read && !comparison.is_expected() {
            // A field that differs between two responses of the same minute is volatile.
            let (again, _) = self.send(operation, exchange, next)?;
            let changes = compare(self.catalog, None, &answer, &again);
            noise.learn(&operation.name, &changes);
            noise.cancel(&operation.name, &mut comparison.rows);
        }
        let micros = (exchange.micros > 0).then_some((exchange.micros, took));
        let user = answer.get(ERROR).and_then(|_| user(&exchange.v1.answer));
        Ok(ReplayResult::Compared {
            comparison,
            micros,
            user,
        })
    }

    /// Fails if the shim rejects the credentials: it would reject all later requests, too, and lock
    /// the key.
    fn check_credentials(&self, answer: &Value) -> anyhow::Result<()> {
        let error = answer.get(ERROR).and_then(|error| {
            Some((
                error.get("code")?.as_i64()?,
                error.get("message")?.as_str()?.to_owned(),
            ))
        });
        let protocol = self.catalog.protocol();
        let refusals = [
            ProtocolError::CredentialsMissing,
            ProtocolError::CredentialsWrong,
        ];
        let refused = error.filter(|(code, message)| {
            refusals.iter().any(|refusal| {
                let (_, error) = protocol.error(*refusal, "");
                (error.code, &error.message) == (*code, message)
            })
        });
        if let Some((code, message)) = refused {
            bail!(
                "the shim rejected the credentials ({code} {message}); set {API_KEY} and \
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

    /// Sends the request to the shim. The response is redacted like the recorded one.
    fn send(
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
            .call(self.catalog, operation, &exchange.v1.arguments())?;
        let took = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        // Redacts the same secrets as the recording.
        let mut copy = exchange.clone();
        copy.v1.answer = answer;
        copy.v2.clear();
        self.redactor.exchange(self.catalog, &mut copy, &[]);
        Ok((copy.v1.answer, took))
    }

    /// Compares the v2 requests of a write with the recorded ones; sends nothing.
    fn translated(&self, operation: &Operation, exchange: &Exchange) -> ReplayResult {
        let is_answered = exchange.v1.answer.get("error").is_none();
        if exchange.v2.is_empty() && is_answered && operation.plan().is_some() {
            return ReplayResult::skipped("the v2 calls of a write are not in the recording");
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
        ReplayResult::Compared {
            comparison,
            micros: None,
            user: None,
        }
    }
}

fn count(report: &mut Report, result: ReplayResult) {
    match result {
        ReplayResult::Compared {
            comparison,
            micros,
            user,
        } => {
            report.add(comparison, micros, false);
            report.users.extend(user);
        }
        ReplayResult::Skipped(why) => report.skip(&why),
    }
}

/// Id and address of the user that an answer describes.
fn user(answer: &Value) -> Option<(String, String)> {
    let text = |name| answer.get(name)?.as_str().map(str::to_owned);
    Some((text("id")?, text("email")?))
}
