//! What a write did so far: the next equal request makes only the calls that are missing.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use super::{Call, CallId, Translation, error_mapper::Failure};
use crate::{
    catalog::operation::{self, Evidence, Then},
    document::{Document, Json},
    exchange::Outcome,
    moment::moment,
};

/// For how long an earlier answer to a read stands in for the read, in seconds.
const READ_TIME: i64 = 60;

/// A larger answer to a read is not kept, in bytes.
const MAX_READ: usize = 64 << 10;

/// The calls of a write that v2 answered, and those that it may have done without an answer.
///
/// It holds v2's answers: store it sealed. `Debug` shows none of it. The journals of neighbouring
/// versions are read: unknown members are ignored, missing ones are empty.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Journal {
    /// By the call, as [`name`] has it.
    answered: BTreeMap<String, Answered>,
    /// The times of requests that sent a call of which v2 can show later that it did it.
    sent: BTreeMap<String, Vec<i64>>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Answered {
    /// In seconds since 1970.
    at: i64,
    is_read: bool,
    body: Option<String>,
}

impl Journal {
    /// True if v2 has, or may have, changed something.
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

/// The journal of a translation, and the calls that it is about.
#[derive(Default)]
pub(super) struct Journaling {
    journal: Journal,
    /// True if it differs from what was last handed out.
    has_changed: bool,
    /// True if the intent of the first calls is stored already.
    is_intent_stored: bool,
    /// True once v2's answer to a write of an earlier request stood in for the write.
    is_resumed: bool,
    /// What earlier requests sent.
    lost: BTreeMap<String, Vec<i64>>,
    /// For how long v2 may have worked on a call, in seconds.
    call_time: i64,
    /// The calls under way, with their names.
    open: Vec<(CallId, String)>,
    disputed: Vec<Dispute>,
}

/// A call that v2 refused because it is done already, while v2 is asked who did it.
struct Dispute {
    id: CallId,
    /// Its name in the journal.
    name: String,
    refusal: Failure,
    /// Pages of a list that were asked for.
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

    /// True if an earlier request got no answer to this call.
    pub(super) fn is_lost(&self, name: &str) -> bool {
        self.lost.contains_key(name)
    }

    /// Forgets what was done.
    pub(super) fn forget(&mut self) {
        self.journal = Journal::default();
        self.has_changed = true;
    }

    /// The answer that v2 gave an earlier request.
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

    /// Notes that a call is handed out; whether it was done can be shown later if `is_shown`.
    fn sends(&mut self, call: &Call, is_shown: bool, now: i64) {
        let name = name(call);
        if is_shown {
            self.journal.sent.entry(name.clone()).or_default().push(now);
            self.has_changed = true;
        }
        self.open.push((call.id, name));
    }

    /// Takes the name of a call that is no longer under way.
    pub(super) fn close(&mut self, id: CallId) -> Option<String> {
        let at = self.open.iter().position(|(known, _)| *known == id)?;
        Some(self.open.swap_remove(at).1)
    }

    /// Notes that v2 did a call.
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

    /// Notes what a failed call left: it was not sent, or v2 refused it.
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
    /// What a write is about to send first, of which v2 can show later that it did it. To be stored
    /// before its first call, and reported by [`intent_is_stored`](Self::intent_is_stored).
    pub fn intent(&mut self) -> Journal {
        self.begin_calls();
        let mut journal = Journal::default();
        for call in self.queue.iter().filter(|call| self.is_shown(call)) {
            let times = journal.sent.entry(name(call)).or_default();
            times.push(self.now);
        }
        journal
    }

    /// Reports after [`recall`](Self::recall) that no earlier request left a journal, and that the
    /// intent is stored.
    pub fn intent_is_stored(&mut self) {
        self.journaling.is_intent_stored = true;
    }

    /// What the request did so far, if that changed since this was last called.
    pub fn changed_journal(&mut self) -> Option<&Journal> {
        let journaling = &mut self.journaling;
        std::mem::take(&mut journaling.has_changed).then_some(&journaling.journal)
    }

    /// What a failed request leaves for the next equal one.
    pub(super) fn left_unfinished(&self) -> Option<Journal> {
        self.failure.as_ref()?;
        let journal = &self.journaling.journal;
        journal.is_unfinished().then(|| journal.clone())
    }

    /// The calls that are queued; those that v2 answered before are completed instead.
    pub(super) fn hand_out(&mut self) -> Vec<Call> {
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
            let is_shown = self.is_shown(call);
            self.journaling.sends(call, is_shown, self.now);
        }
        if std::mem::take(&mut self.journaling.is_intent_stored) {
            self.journaling.has_changed = false;
        }
        ready
    }

    /// True if v2 can show later that it did the call.
    fn is_shown(&self, call: &Call) -> bool {
        let is_disputed = |dispute: &Dispute| dispute.id == call.id;
        let planned = self.plan.calls.get(call.id.call);
        !self.journaling.disputed.iter().any(is_disputed)
            && planned.is_some_and(|planned| evidence(planned).is_some())
    }

    /// Asks v2 whether an earlier request did a call whose answer was lost. False if none was lost.
    pub(super) fn dispute(
        &mut self,
        id: CallId,
        evidence: &Evidence,
        name: &str,
        failure: &Failure,
    ) -> bool {
        if !self.journaling.is_lost(name) {
            return false;
        }
        let dispute = Dispute {
            id,
            name: name.to_owned(),
            refusal: failure.clone(),
            pages: 0,
        };
        if !self.ask(dispute, evidence, None) {
            return false;
        }
        let sent = &mut self.journaling.journal.sent;
        if let Some(times) = self.journaling.lost.get(name) {
            sent.insert(name.to_owned(), times.clone());
        }
        true
    }

    /// Queues a question of a dispute, of a list for the page of a token. False if there is nothing to
    /// ask, or enough pages were read.
    fn ask(&mut self, mut dispute: Dispute, evidence: &Evidence, page: Option<&str>) -> bool {
        let Some((index, reader)) = self.reader(evidence) else {
            return false;
        };
        let Some(mut request) = self.prepare(CallId::once(index), reader) else {
            return false;
        };
        if let (Some(pages), Some(token)) = (&reader.pages, page) {
            if dispute.pages >= pages.most.of(&self.site.options) {
                return false;
            }
            let token = (pages.token.clone(), token.to_owned());
            request.query.push(token);
        }
        dispute.pages += 1;
        self.queue_request(dispute.id, reader, request);
        if let Some(progress) = self.progress.get_mut(dispute.id.call) {
            progress.open = progress.open.saturating_add(1);
        }
        self.journaling.disputed.push(dispute);
        true
    }

    fn reader(&self, evidence: &Evidence) -> Option<(usize, &'a operation::Call)> {
        let plan = self.plan;
        let mut calls = plan.calls.iter().enumerate();
        calls.find(|(_, call)| call.name == evidence.call)
    }

    /// Takes v2's answer to a question of [`dispute`](Self::dispute); returns the outcome unchanged if
    /// there was none. `None` means that another page was asked for. What v2 created while an earlier
    /// request waited for it is that request's.
    pub(super) fn settle(
        &mut self,
        id: CallId,
        call: &operation::Call,
        outcome: Outcome,
    ) -> Result<Option<Result<Option<Document>, Failure>>, Outcome> {
        let mut disputed = self.journaling.disputed.iter();
        let Some(at) = disputed.position(|dispute| dispute.id == id) else {
            return Err(outcome);
        };
        let dispute = self.journaling.disputed.swap_remove(at);
        let asked = evidence(call).and_then(|evidence| Some((evidence, self.reader(evidence)?.1)));
        let Some((evidence, reader)) = asked else {
            return Err(outcome);
        };
        let body = match self.mapper(Some(id)).read(reader, outcome) {
            Ok(body) => body.unwrap_or_default(),
            // What v2 does not show is nobody's.
            Err(failure) if failure.refused => Document::default(),
            // Not known: the next request asks again.
            Err(failure) => return Ok(Some(Err(failure))),
        };
        let found = self.find_created(call, reader, &body);
        let token = reader.pages.as_ref().filter(|_| found.is_none());
        let token = token.and_then(|pages| body.json().get(&pages.token)?.as_str());
        let Dispute { name, refusal, .. } = &dispute;
        let (name, refusal) = (name.clone(), refusal.clone());
        if let Some(token) = token.filter(|token| !token.is_empty())
            && self.ask(dispute, evidence, Some(token))
        {
            return Ok(None);
        }
        let times = self.journaling.lost.remove(&name).unwrap_or_default();
        let found = found.filter(|found| self.is_of(evidence, &times, found));
        if let Some(found) = &found {
            self.journaling.did(name, false, Some(found), self.now);
        } else {
            self.journaling.journal.sent.remove(&name);
            self.journaling.has_changed = true;
        }
        Ok(Some(found.map_or(Err(refusal), |found| Ok(Some(found)))))
    }

    /// What a call created, in the answer of the call that reads it.
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

    /// True if what v2 has can be what was created for requests of these times.
    fn is_of(&self, evidence: &Evidence, times: &[i64], found: &Document) -> bool {
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

/// How v2 shows that it did a call whose answer was lost, if it can.
fn evidence(call: &operation::Call) -> Option<&Evidence> {
    let mut on = call.on.iter();
    on.find_map(|on| match &on.then {
        Then::Resume(evidence) => Some(evidence),
        _ => None,
    })
}

/// The name of a call: the same for the same call of an equal request.
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
