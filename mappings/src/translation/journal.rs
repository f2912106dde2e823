//! Journal of a write, so that an identical request resumes it instead of repeating its calls.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use super::{Call, CallId, Translation, error_mapper::Failure};
use crate::{
    catalog::operation::{self, Evidence, Predicate, Then},
    document::{Document, Json},
    exchange::{Outcome, Warning},
    moment::moment,
};

/// Maximum age in seconds of a journaled read that replaces the call.
const READ_TIME: i64 = 60;

/// Maximum size in bytes of a journaled read.
const MAX_READ: usize = 64 << 10;

/// Calls of a write that v2 answered, and those whose response was lost.
///
/// It contains v2 responses: encrypt it when stored. `Debug` shows only counts. The format is
/// compatible with neighbouring versions: unknown members are ignored, missing ones are empty.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Journal {
    /// Responses by call; see [`name`].
    answered: BTreeMap<String, Answered>,
    /// Times at which verifiable calls without a response were sent.
    sent: BTreeMap<String, Vec<i64>>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Answered {
    /// Unix seconds.
    at: i64,
    is_read: bool,
    body: Option<String>,
}

impl Journal {
    /// True if v2 has or may have changed something.
    fn is_unfinished(&self) -> bool {
        !self.sent.is_empty() || self.answered.values().any(|answered| !answered.is_read)
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Journal({} answered, {} sent)",
            self.answered.len(),
            self.sent.len()
        )
    }
}

/// Journal of a translation, with the calls in flight.
#[derive(Default)]
pub(super) struct Journaling {
    journal: Journal,
    /// True if it changed since it was last returned.
    has_changed: bool,
    /// True if the intent of the first calls is already stored.
    is_intent_stored: bool,
    /// True once a journaled write replaced a call.
    is_resumed: bool,
    /// Send times of calls whose response earlier requests lost.
    lost: BTreeMap<String, Vec<i64>>,
    /// Longest time in seconds for which v2 may have worked on a call.
    call_time: i64,
    /// Calls in flight with their names.
    open: Vec<(CallId, String)>,
    /// Calls that v2 rejected as already done, while the plan verifies whether an earlier request
    /// did them.
    unverified: Vec<UnverifiedCall>,
}

/// A call that v2 rejected as already done, while the plan verifies whether an earlier request did it.
struct UnverifiedCall {
    id: CallId,
    /// Name in the journal.
    name: String,
    refusal: Failure,
    /// Pages of the list requested so far.
    pages: usize,
}

impl Journaling {
    pub(super) fn new(journal: Journal, call_time: i64, now: i64) -> Self {
        let lost = journal.sent.clone();
        let mut journal = journal;
        let is_fresh = |answered: &Answered| now.saturating_sub(answered.at) <= READ_TIME;
        journal
            .answered
            .retain(|_, answered| !answered.is_read || is_fresh(answered));
        Self {
            journal,
            lost,
            call_time,
            ..Self::default()
        }
    }

    pub(super) fn is_resumed(&self) -> bool {
        self.is_resumed
    }

    /// True if an earlier request lost the response to this call.
    pub(super) fn is_lost(&self, name: &str) -> bool {
        self.lost.contains_key(name)
    }

    /// Deletes the journal.
    pub(super) fn forget(&mut self) {
        self.journal = Journal::default();
        self.has_changed = true;
    }

    /// The journaled response to the call.
    fn answer(&self, call: &Call) -> Option<Outcome> {
        let answered = self.journal.answered.get(&name(call))?;
        let body = answered.body.as_ref();
        let body = body
            .map(|body| Document::read(body.clone().into_bytes()))
            .transpose()
            .ok()?;
        Some(Outcome::Answered {
            status: if body.is_some() { 200 } else { 204 },
            body,
        })
    }

    /// Records that a call is sent; `is_verifiable` if v2 can later prove that it was executed.
    fn sends(&mut self, call: &Call, is_verifiable: bool, now: i64) {
        let name = name(call);
        if is_verifiable {
            self.journal.sent.entry(name.clone()).or_default().push(now);
            self.has_changed = true;
        }
        self.open.push((call.id, name));
    }

    /// Removes a call from those in flight and returns its name.
    pub(super) fn close(&mut self, id: CallId) -> Option<String> {
        let at = self.open.iter().position(|(known, _)| *known == id)?;
        Some(self.open.swap_remove(at).1)
    }

    /// Records a successful call.
    pub(super) fn did(&mut self, name: String, is_read: bool, body: Option<&Document>, now: i64) {
        let text = body.map(Document::text);
        if is_read && text.as_ref().is_some_and(|text| text.len() > MAX_READ) {
            return;
        }
        let body = text.map(|text| String::from_utf8_lossy(&text).into_owned());
        self.journal.sent.remove(&name);
        let answered = Answered {
            at: now,
            is_read,
            body,
        };
        self.journal.answered.insert(name, answered);
        self.has_changed = true;
    }

    /// Records that a call was not sent or was rejected.
    pub(super) fn failed(&mut self, name: &str, outcome: &Outcome, now: i64) {
        let was_refused = match outcome {
            Outcome::Answered { status, .. } => *status < 500,
            Outcome::Refused | Outcome::Limited | Outcome::NoAnswer { maybe_done: false } => false,
            Outcome::NoAnswer { maybe_done: true } | Outcome::Unreadable { .. } => return,
        };
        let Some(times) = self.journal.sent.get_mut(name) else {
            return;
        };
        times.retain(|time| !was_refused && *time != now);
        if times.is_empty() {
            self.journal.sent.remove(name);
        }
        self.has_changed = true;
    }
}

impl<'a> Translation<'a> {
    /// Journal of the verifiable calls that a write is about to send. Store it before the first
    /// call, then call [`intent_is_stored`](Self::intent_is_stored).
    pub fn intent(&mut self) -> Journal {
        self.begin_calls();
        let mut journal = Journal::default();
        for call in self.queue.iter().filter(|call| self.is_verifiable(call)) {
            let times = journal.sent.entry(name(call)).or_default();
            times.push(self.now);
        }
        journal
    }

    /// Reports that [`recall`](Self::recall) found no journal and that the intent is stored.
    pub fn intent_is_stored(&mut self) {
        self.journaling.is_intent_stored = true;
    }

    /// The journal, if it changed since the last call of this method.
    pub fn changed_journal(&mut self) -> Option<&Journal> {
        let journaling = &mut self.journaling;
        std::mem::take(&mut journaling.has_changed).then_some(&journaling.journal)
    }

    /// Journal that a failed request leaves for the next identical one.
    pub(super) fn left_unfinished(&self) -> Option<Journal> {
        self.failure.as_ref()?;
        let journal = &self.journaling.journal;
        journal.is_unfinished().then(|| journal.clone())
    }

    /// Returns the queued calls. Calls that the journal answers are completed instead.
    pub(super) fn take_ready(&mut self) -> Vec<Call> {
        if self.operation.read {
            return std::mem::take(&mut self.queue).into();
        }
        loop {
            let answered = self.queue.iter().enumerate();
            let mut answered =
                answered.filter_map(|(at, call)| Some((at, self.journaling.answer(call)?)));
            let Some((at, outcome)) = answered.next() else {
                break;
            };
            if let Some(call) = self.queue.remove(at) {
                self.journaling.is_resumed |= !call.request.method.is_read();
                self.complete(call.id, outcome);
            }
        }
        let ready: Vec<_> = std::mem::take(&mut self.queue).into();
        for call in &ready {
            let is_verifiable = self.is_verifiable(call);
            self.journaling.sends(call, is_verifiable, self.now);
        }
        if std::mem::take(&mut self.journaling.is_intent_stored) {
            self.journaling.has_changed = false;
        }
        ready
    }

    /// True if v2 can later prove that it executed the call.
    fn is_verifiable(&self, call: &Call) -> bool {
        let is_unverified = |other: &UnverifiedCall| other.id == call.id;
        let planned = self.plan.calls.get(call.id.call);
        !self.journaling.unverified.iter().any(is_unverified)
            && planned.is_some_and(|planned| evidence(planned).is_some())
    }

    /// Queues the read that verifies whether an earlier request executed a call whose response was
    /// lost. False if no response was lost.
    pub(super) fn verify_lost(
        &mut self,
        id: CallId,
        evidence: &Evidence,
        name: &str,
        failure: &Failure,
    ) -> bool {
        if !self.journaling.is_lost(name) {
            return false;
        }
        let unverified = UnverifiedCall {
            id,
            name: name.to_owned(),
            refusal: failure.clone(),
            pages: 0,
        };
        if !self.queue_verification(unverified, evidence, None) {
            return false;
        }
        let sent = &mut self.journaling.journal.sent;
        if let Some(times) = self.journaling.lost.get(name) {
            sent.insert(name.to_owned(), times.clone());
        }
        true
    }

    /// Queues the read that verifies a call; of a list, the page with this token. Returns false if
    /// the read cannot be made or the page limit is reached.
    fn queue_verification(
        &mut self,
        mut unverified: UnverifiedCall,
        evidence: &Evidence,
        page: Option<&str>,
    ) -> bool {
        let Some((index, reader)) = self.reader(evidence) else {
            return false;
        };
        let Some(mut request) = self.prepare(CallId::once(index), reader) else {
            return false;
        };
        if let (Some(pages), Some(token)) = (&reader.pages, page) {
            if unverified.pages >= pages.most.of(&self.site.options) {
                return false;
            }
            let token = (pages.token.clone(), token.to_owned());
            request.query.push(token);
        }
        unverified.pages += 1;
        self.queue_request(unverified.id, reader, request);
        if let Some(progress) = self.progress.get_mut(unverified.id.call) {
            progress.open = progress.open.saturating_add(1);
        }
        self.journaling.unverified.push(unverified);
        true
    }

    fn reader(&self, evidence: &Evidence) -> Option<(usize, &'a operation::Call)> {
        let plan = self.plan;
        let mut calls = plan.calls.iter().enumerate();
        calls.find(|(_, call)| call.name == evidence.call)
    }

    /// Processes the response to a read queued by [`verify_lost`](Self::verify_lost); returns the
    /// outcome unchanged if there was none, and `None` if another page was requested. An object
    /// created while an earlier request waited for its response counts as created by that request.
    pub(super) fn finish_verification(
        &mut self,
        id: CallId,
        call: &operation::Call,
        outcome: Outcome,
    ) -> Result<Option<Result<Option<Document>, Failure>>, Outcome> {
        let mut unverified = self.journaling.unverified.iter();
        let Some(at) = unverified.position(|call| call.id == id) else {
            return Err(outcome);
        };
        let unverified = self.journaling.unverified.swap_remove(at);
        let read = evidence(call).and_then(|evidence| Some((evidence, self.reader(evidence)?.1)));
        let Some((evidence, reader)) = read else {
            return Err(outcome);
        };
        let body = match self.mapper(Some(id)).read(reader, outcome) {
            Ok(body) => body.unwrap_or_default(),
            // Without evidence, v2's rejection of the call stands.
            Err(failure) if failure.refused => Document::default(),
            // Undecided; the next identical request verifies again.
            Err(failure) => return Ok(Some(Err(failure))),
        };
        let found = self.find_created(call, reader, &body);
        let token = reader.pages.as_ref().filter(|_| found.is_none());
        let token = token.and_then(|pages| body.json().get(&pages.token)?.as_str());
        let UnverifiedCall { name, refusal, .. } = &unverified;
        let (name, refusal) = (name.clone(), refusal.clone());
        if let Some(token) = token.filter(|token| !token.is_empty())
            && self.queue_verification(unverified, evidence, Some(token))
        {
            return Ok(None);
        }
        let times = self.journaling.lost.remove(&name).unwrap_or_default();
        let found = found.filter(|found| self.matches_evidence(evidence, &times, found));
        if let Some(found) = &found {
            if evidence.created.is_none() {
                self.warn_of_assumption(reader);
            }
            self.journaling.did(name, false, Some(found), self.now);
        } else {
            self.journaling.journal.sent.remove(&name);
            self.journaling.has_changed = true;
        }
        Ok(Some(found.map_or(Err(refusal), |found| Ok(Some(found)))))
    }

    /// Warns that equal parameters, without a creation time, identify the object.
    fn warn_of_assumption(&mut self, reader: &operation::Call) {
        let tests = reader.entry_tests().iter();
        let fields = tests.filter_map(|test| match &test.predicate {
            Predicate::Equals(parameter) => Some(parameter.as_str()),
            _ => None,
        });
        self.warnings.push(Warning::guessed(
            fields.collect::<Vec<_>>().join(", "),
            "an object with these values exists; it counts as created by an earlier request whose \
             response was lost",
        ));
    }

    /// Object that a call created, in the response of the call that reads it.
    fn find_created(
        &self,
        call: &operation::Call,
        reader: &'a operation::Call,
        body: &Document,
    ) -> Option<Document> {
        let Some((_, at, document)) = reader.list() else {
            return Some(body.clone());
        };
        let entries = self.entries(document, &body.part(at)?, reader.entry_tests());
        let mut entries = entries.iter().filter_map(|entry| entry.documents.first());
        let has_all = |entry: &&Document| {
            let mut needs = call.needs.iter();
            needs.all(|at| entry.json().at(at).is_some_and(|value| !value.is_null()))
        };
        entries.find(has_all).cloned()
    }

    /// True if the object can have been created by a call sent at one of these times (Unix seconds).
    fn matches_evidence(&self, evidence: &Evidence, times: &[i64], found: &Document) -> bool {
        let Some(created) = &evidence.created else {
            return true;
        };
        let created = found.json().at(created).and_then(Json::as_str);
        created.and_then(moment).is_some_and(|created| {
            let created = created.unix_timestamp();
            let call_time = self.journaling.call_time;
            let mut times = times.iter();
            times.any(|sent| (*sent..=sent.saturating_add(call_time)).contains(&created))
        })
    }
}

/// Evidence by which v2 can prove that it executed the call.
fn evidence(call: &operation::Call) -> Option<&Evidence> {
    let mut on = call.on.iter();
    on.find_map(|on| match &on.then {
        Then::Resume(evidence) => Some(evidence),
        _ => None,
    })
}

/// Name of a call: equal for the same call of an identical request.
fn name(call: &Call) -> String {
    let query = call.request.query.iter();
    let query: Vec<_> = query
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let item = call
        .id
        .item
        .map(|item| item.to_string())
        .unwrap_or_default();
    let path = &call.request.path;
    format!("{}[{item}] {path}?{}", call.name, query.join("&"))
}
