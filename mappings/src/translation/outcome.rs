//! What the outcome of a call means for the translation.

use serde_json::json;

use super::{
    CallFailure, CallId, Miss, State, Translation,
    answer::Documents,
    failure::{self, Failure, Speaker},
    given::text_of,
    paging::{Paging, Turn},
    send,
};
use crate::{
    catalog::{PAGE, operation},
    document::{Document, Json},
    exchange::Outcome,
};

impl<'a> Translation<'a> {
    pub(super) fn succeeded(&mut self, id: CallId, call: &'a operation::Call, body: Document) {
        if let Some(expects) = &call.expects
            && let Some(given) = self.given.value(&expects.parameter)
            && let Some(among) = body
                .json()
                .at(&expects.among)
                .filter(|among| among.is_array())
            && !among.elements().any(|one| one.to_value() == *given)
        {
            let failure = self.speaker().named(&expects.otherwise);
            return self.fail(id.call, failure);
        }
        if let Some(pages) = &call.pages {
            return self.page_came(id, call, &pages.document, &body);
        }
        if let Some((at, document)) = &call.items {
            let items = body.part(at).unwrap_or_default();
            self.items = items_of(document, &items);
            let page = json!({ "total_records": self.items.len() });
            self.documents.add(PAGE, page.into());
        }
        if let Some(place) = &call.subject {
            let user = body
                .json()
                .at(place)
                .and_then(name)
                .filter(|id| send::segment(id).is_some());
            self.user = user.or_else(|| self.subject.clone());
        }
        if self.is_asked_for(id.call)
            && let Some(progress) = self.progress.get_mut(id.call)
        {
            progress.found = Some(body.clone());
        }
        if let Some(document) = &call.reads {
            let documents = match id.item {
                Some(item) => self.items.get_mut(item),
                None => Some(&mut self.documents),
            };
            if let Some(documents) = documents {
                documents.add(document, body);
            }
        }
    }

    /// True if a condition looks at what the call found.
    pub(super) fn is_asked_for(&self, call: usize) -> bool {
        let conditions = self.plan.calls.iter().flat_map(|call| &call.when);
        conditions
            .filter_map(|condition| condition.state.as_ref())
            .any(|state| state.call == call)
    }

    pub(super) fn page_came(
        &mut self,
        id: CallId,
        call: &operation::Call,
        document: &'a str,
        body: &Document,
    ) {
        let Some(paging) = &mut self.paging else {
            return;
        };
        match paging.accept(body) {
            Turn::Page { items, page } => {
                self.documents.add(PAGE, page);
                self.items = items_of(document, &items);
            }
            Turn::Again => self.again(id, call),
            Turn::NotAPage => {
                let failure = self
                    .speaker()
                    .read(call, Outcome::Unreadable { status: 200 });
                if let Err(failure) = failure {
                    self.fail(id.call, failure);
                }
            }
        }
    }

    /// Asks for another page with the same call.
    pub(super) fn again(&mut self, id: CallId, call: &operation::Call) {
        let made = self.queue_call(id.call, call);
        if let Some(progress) = self.progress.get_mut(id.call) {
            progress.open = progress.open.saturating_add(made);
        }
    }

    pub(super) fn failed(&mut self, id: CallId, call: &'a operation::Call, failure: Failure) {
        if failure::is_done_already(call, &failure) {
            return;
        }
        if failure
            .code
            .is_some_and(|code| call.resumes.contains(&code))
            && let Some(unfinished) = &self.unfinished
        {
            // The same request was begun before: what is done stays done, the rest follows.
            for (call, progress) in self.plan.calls.iter().zip(&mut self.progress) {
                if unfinished.done.contains(&call.name) && !call.method.is_read() {
                    progress.state = State::Done;
                }
            }
            self.user.clone_from(&self.subject);
            return;
        }
        // The token of a page may have expired: once, the walk begins anew.
        if call.pages.is_some()
            && failure
                .status
                .is_some_and(|status| status == 400 || status == 404)
            && self.paging.as_mut().is_some_and(Paging::restart)
        {
            return self.again(id, call);
        }
        self.failures.push(CallFailure {
            request: (call.method, call.template.clone()),
            scope: call.scope.clone(),
            status: failure.status,
            code: failure.code,
            message: failure.message.clone(),
        });
        let is = |codes: &[i64]| failure.code.is_some_and(|code| codes.contains(&code));
        if !call.omit_on_failure || is(&call.decisive) {
            return self.fail(id.call, failure);
        }
        if is(&call.expected) {
            self.failures.pop();
        } else if self.site.strict && self.operation.read {
            return self.fail(id.call, failure);
        } else {
            self.misses.push(Miss {
                call: id.call,
                item: id.item,
            });
        }
        if let Some(progress) = self.progress.get_mut(id.call).filter(|_| id.item.is_none()) {
            progress.state = State::Omitted;
        }
    }

    /// Of several failures the first in the plan counts, whatever came first over the wire.
    pub(super) fn fail(&mut self, call: usize, failure: Failure) {
        if let Some(progress) = self.progress.get_mut(call) {
            progress.state = State::Failed;
        }
        // What was queued and never handed out was never made.
        for queued in std::mem::take(&mut self.queue) {
            if let Some(progress) = self.progress.get_mut(queued.id.call) {
                progress.open = progress.open.saturating_sub(1);
                if progress.open == 0 {
                    progress.state = State::Waiting;
                }
            }
        }
        if self.failure.as_ref().is_none_or(|(first, _)| call < *first) {
            self.failure = Some((call, failure));
        }
    }

    pub(super) fn speaker(&self) -> Speaker<'_, 'a> {
        Speaker {
            catalog: self.catalog,
            operation: self.operation,
            given: &self.given,
            subject: self.subject.as_deref(),
        }
    }
}

/// The elements of a list, each the first document of its item.
fn items_of<'a>(document: &'a str, list: &Document) -> Vec<Documents<'a>> {
    let items = list.elements();
    items.map(|item| Documents::of(document, item)).collect()
}

/// What v2 names somebody by; null and other values name nobody.
pub(super) fn name(value: Json<'_>) -> Option<String> {
    let names = value.as_str().is_some() || value.as_number().is_some();
    names.then(|| text_of(value))
}
