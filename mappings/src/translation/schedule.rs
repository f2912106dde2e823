//! Which calls are to be made now, and with which requests.

use super::{
    Call, CallId, State, Translation,
    given::{self, text_of},
    losses,
    outcome::name,
    send::{Material, Prepared},
};
use crate::{
    catalog::operation::{self, Condition, Fate},
    document::{Document, Json},
    exchange::V2Request,
};

impl Translation<'_> {
    /// Queues every call that waits for nothing any more. Calls only wait for earlier ones, so one
    /// pass is enough.
    pub(super) fn advance(&mut self) {
        let plan = self.plan;
        for (index, call) in plan.calls.iter().enumerate() {
            if self.failure.is_some() {
                return;
            }
            let settled = |at: &usize| {
                self.progress.get(*at).is_some_and(|progress| {
                    !matches!(progress.state, State::Waiting | State::Running)
                })
            };
            let waiting = self
                .progress
                .get(index)
                .is_some_and(|progress| progress.state == State::Waiting);
            if !waiting || !call.after.iter().all(settled) {
                continue;
            }
            let made = if self.holds(index, call) {
                self.warn_of_undecided(call);
                self.queue_call(index, call)
            } else {
                self.left_out(index, call);
                0
            };
            if let Some(progress) = self.progress.get_mut(index) {
                progress.open = made;
                progress.state = if made == 0 {
                    State::Skipped
                } else {
                    State::Running
                };
            }
        }
    }

    /// True if the call is to be made.
    pub(super) fn holds(&self, index: usize, call: &operation::Call) -> bool {
        let source_done = |each: &operation::Each| {
            self.progress
                .get(each.call)
                .is_some_and(|progress| progress.state == State::Done)
        };
        call.each.as_ref().is_none_or(source_done)
            && (call.when.is_empty()
                || call
                    .when
                    .iter()
                    .any(|condition| self.condition_holds(index, condition)))
    }

    pub(super) fn condition_holds(&self, index: usize, condition: &Condition) -> bool {
        let has = |name: &String| self.given.has(name);
        (condition.given.is_empty() || condition.given.iter().any(has))
            && (condition.missing.is_empty() || !condition.missing.iter().all(has))
            && (!condition.nothing_else || self.nothing_else(index))
            && given::chosen(&condition.options, self.site)
            && condition.state.as_ref().is_none_or(|state| {
                let found = self
                    .progress
                    .get(state.call)
                    .and_then(|progress| progress.found.as_ref()?.json().at(&state.at)?.as_str());
                (found == Some(state.text.as_str())) == state.is
            })
            && condition.current.as_ref().is_none_or(|document| {
                losses::depends_on_current(self.catalog, self.operation, &self.given, document)
            })
            && condition
                .entries_at_most
                .is_none_or(|most| self.items.len() <= most)
    }

    /// True if no other call has anything to send.
    pub(super) fn nothing_else(&self, index: usize) -> bool {
        !self
            .operation
            .parameters
            .iter()
            .any(|parameter| match parameter.fate {
                _ if !self.given.has(&parameter.name) => false,
                _ if self.operation.subject.contains(&parameter.name) => false,
                Fate::SentBy(call) => {
                    call != index && losses::sends(self.catalog, parameter, &self.given)
                }
                Fate::Used => true,
                Fate::Dropped(_) | Fate::Unknown => false,
            })
    }

    /// Queues the requests of a call and says how many.
    pub(super) fn queue_call(&mut self, index: usize, call: &operation::Call) -> usize {
        let Some(each) = &call.each else {
            let subject = self.user.as_deref().or(self.subject.as_deref());
            return match self.prepare(index, call, subject, None) {
                Prepared::Nothing => 0,
                Prepared::Request(mut request) => {
                    if call.pages.is_some()
                        && let Some(paging) = &self.paging
                    {
                        paging.put_into(&mut request.query);
                    }
                    self.queue_request(
                        CallId {
                            call: index,
                            item: None,
                        },
                        call,
                        request,
                    );
                    1
                }
            };
        };
        let mut requests = Vec::new();
        for (at, documents) in self.items.iter().enumerate() {
            let Some(item) = documents.first().map(Document::json) else {
                continue;
            };
            if let Some((place, parameter)) = &each.only {
                let text = item.at(place).map(text_of).unwrap_or_default();
                let wanted = self.given.text(parameter).unwrap_or_default();
                if text.to_lowercase() != wanted.to_lowercase() {
                    continue;
                }
            }
            let own = each
                .subject
                .as_ref()
                .and_then(|at| item.at(at))
                .and_then(name);
            let subject = match each.subject {
                Some(_) => own.as_deref(),
                None => self.subject.as_deref(),
            };
            if let Prepared::Request(request) = self.prepare(index, call, subject, Some(item)) {
                requests.push((
                    CallId {
                        call: index,
                        item: Some(at),
                    },
                    request,
                ));
            }
        }
        let made = requests.len();
        for (id, request) in requests {
            self.queue_request(id, call, request);
        }
        made
    }

    /// The stored document that decides what half of a pair of flags means, if it was read.
    fn current(&self, call: &operation::Call) -> Option<Json<'_>> {
        let (document, _) = call.sends.as_ref()?;
        let asks = |condition: &Condition| condition.current.as_ref() == Some(document);
        let mut calls = self.plan.calls.iter();
        let reader = calls.find(|call| call.when.iter().any(asks))?;
        let document = self.documents.newest(reader.reads.as_deref()?)?;
        Some(document.json())
    }

    /// Notes what is not sent because the stored document that was read does not decide it.
    fn warn_of_undecided(&mut self, call: &operation::Call) {
        let (Some((document, _)), Some(current)) = (&call.sends, self.current(call)) else {
            return;
        };
        let undecided =
            losses::undecided(self.catalog, self.operation, &self.given, document, current);
        self.warnings.extend(undecided);
    }

    pub(super) fn prepare(
        &self,
        index: usize,
        call: &operation::Call,
        subject: Option<&str>,
        item: Option<Json<'_>>,
    ) -> Prepared {
        let constants = |name: &str| self.operation.constants.get(name).cloned();
        let current = self.current(call);
        let material = Material {
            catalog: self.catalog,
            operation: self.operation,
            given: &self.given,
            subject,
            item,
            current,
            constants: &constants,
        };
        material.request(index, call)
    }

    pub(super) fn queue_request(&mut self, id: CallId, call: &operation::Call, request: V2Request) {
        let name = call.name.clone();
        self.queue.push_back(Call {
            id,
            name,
            request,
            for_item: id.item.is_some(),
        });
    }
}
