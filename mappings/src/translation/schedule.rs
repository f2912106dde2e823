//! Schedules the calls of the plan.

use super::{Call, CallId, PlannedCall, State, Translation, entry::Entry, send::RequestBuilder};
use crate::{
    catalog::operation::{self, Condition, ParameterUse},
    document::{Document, Json},
    exchange::V2Request,
};

impl<'a> Translation<'a> {
    /// Queues all calls whose dependencies are settled and builds derived lists. Both depend only
    /// on earlier ones, so one pass is enough.
    pub(super) fn advance(&mut self) {
        let plan = self.plan;
        for (index, call) in plan.calls.iter().enumerate() {
            if self.failure.is_some() {
                return;
            }
            let waiting = self
                .progress
                .get(index)
                .is_some_and(|progress| progress.state == State::Waiting);
            if !waiting || !call.after.iter().all(|at| self.is_settled(*at)) {
                continue;
            }
            if !call.after_lists.is_empty() {
                self.make_lists();
                if !call.after_lists.iter().all(|list| self.is_made(*list)) {
                    continue;
                }
            }
            let made = if self.holds(index, call) {
                if let Some((name, reason)) = call.warns.iter().next().filter(|_| self.site.strict)
                {
                    let failure = self.mapper(None).strict(name, reason);
                    return self.fail(index, failure);
                }
                self.warn_of_undecided(call);
                self.begin_call(index, call)
            } else {
                self.left_out(index, call);
                0
            };
            if self.failure.is_some() {
                return;
            }
            if let Some(progress) = self.progress.get_mut(index) {
                // An earlier request may have done all of them.
                let (_, done) = progress.counts();
                progress.state = match made {
                    0 if done > 0 => State::Done,
                    0 => State::Skipped,
                    _ => State::Running,
                };
            }
        }
        self.make_lists();
    }

    pub(super) fn is_settled(&self, call: usize) -> bool {
        self.progress
            .get(call)
            .is_some_and(|progress| !matches!(progress.state, State::Waiting | State::Running))
    }

    /// True if the call's conditions hold.
    pub(super) fn holds(&self, index: usize, call: &operation::Call) -> bool {
        let has_list = call
            .each_of()
            .is_none_or(|list| self.root.list(list).is_some());
        has_list
            && (call.when.is_empty()
                || call
                    .when
                    .iter()
                    .any(|condition| self.condition_holds(index, call, condition)))
    }

    fn condition_holds(&self, index: usize, call: &operation::Call, condition: &Condition) -> bool {
        let has = |name: &String| self.given.has(name);
        (condition.given.is_empty() || condition.given.iter().any(has))
            && condition.all_given.iter().all(has)
            && (condition.missing.is_empty() || !condition.missing.iter().all(has))
            && (!condition.nothing_else || self.nothing_else(index))
            && self.site.options.has_all(&condition.options)
            && condition
                .parameter
                .as_ref()
                .is_none_or(|(name, predicate)| {
                    let value = self.given.value_or_default(name).cloned();
                    let value = Document::from(value.unwrap_or_default());
                    self.satisfies(Some(value.json()), predicate)
                })
            && condition.answer.as_ref().is_none_or(|answer| {
                let progress = self.progress.get(answer.call);
                let found = progress.and_then(|progress| progress.found.as_ref());
                let found = found.and_then(|found| found.json().at(&answer.at));
                self.satisfies(found, &answer.predicate)
            })
            && condition.error.as_ref().is_none_or(|(call, codes)| {
                let failed = self.progress.get(*call);
                failed.is_some_and(|failed| {
                    let is_one = failed.code.is_some_and(|code| codes.contains(&code));
                    failed.has_failed && (codes.is_empty() || is_one)
                })
            })
            && (!condition.resumed || self.journaling.is_resumed())
            && !condition.verification
            && condition
                .current
                .as_ref()
                .is_none_or(|document| self.depends_on_current(document))
            && condition
                .entries_at_most
                .is_none_or(|most| self.count_of(call) <= most)
    }

    /// Length of the list that a call fans out over.
    pub(super) fn count_of(&self, call: &operation::Call) -> usize {
        let list = call.each_of().and_then(|list| self.root.list(list));
        list.map_or(0, <[_]>::len)
    }

    /// True if no other call has anything to send.
    fn nothing_else(&self, index: usize) -> bool {
        !self
            .operation
            .parameters
            .iter()
            .any(|parameter| match parameter.usage {
                _ if !self.given.has(&parameter.name) => false,
                _ if self.operation.subject.contains(&parameter.name) => false,
                ParameterUse::SentBy(call) => call != index && self.sends(parameter),
                ParameterUse::Used => true,
                ParameterUse::Dropped(_) | ParameterUse::Unknown => false,
            })
    }

    /// Queues the requests of a call and returns their number.
    fn begin_call(&mut self, index: usize, call: &'a operation::Call) -> usize {
        if let Some(each) = &call.each {
            return self.begin_units(index, call, each);
        }
        let id = CallId::once(index);
        self.begin_request(id, call)
    }

    /// Queues one request: of a call without fan-out, or the next page.
    pub(super) fn begin_request(&mut self, id: CallId, call: &'a operation::Call) -> usize {
        let Some(mut request) = self.prepare(id, call) else {
            return 0;
        };
        self.put_page(id, call, &mut request);
        self.queue_request(id, call, request);
        if let Some(progress) = self.progress.get_mut(id.call) {
            progress.open = progress.open.saturating_add(1);
        }
        1
    }

    /// Stored document that decides the meaning of half a pair of flags, if it was read.
    pub(super) fn current(&self, call: &operation::Call) -> Option<Json<'_>> {
        let (document, _) = call.sends.as_ref()?;
        let asks = |condition: &Condition| condition.current.as_ref() == Some(document);
        let mut calls = self.plan.calls.iter();
        let reader = calls.find(|call| call.when.iter().any(asks))?;
        let document = self.root.documents.newest(reader.reads.as_deref()?)?;
        Some(document.json())
    }

    pub(super) fn prepare(&self, id: CallId, call: &operation::Call) -> Option<V2Request> {
        let subject = self.subject_of(id, call);
        self.request_builder(id, call, subject.as_deref())
            .request(id.call, call)
    }

    /// `None` if the call has nothing to send.
    pub(super) fn planned_call(&self, index: usize, call: &operation::Call) -> Option<PlannedCall> {
        let id = CallId::once(index);
        let subject = self.subject_of(id, call);
        let request_builder = self.request_builder(id, call, subject.as_deref());
        request_builder.body(index, call)?;
        Some(PlannedCall {
            method: call.method,
            template: call.template.clone(),
            label: call.label,
            path: request_builder.path_and_query(call).0,
        })
    }

    pub(super) fn request_builder<'t>(
        &'t self,
        id: CallId,
        call: &operation::Call,
        subject: Option<&'t str>,
    ) -> RequestBuilder<'t, 'a> {
        RequestBuilder {
            translation: self,
            subject,
            unit: self.unit(id),
            item: self.entry_of(id).and_then(Entry::own),
            current: self.current(call),
        }
    }

    /// Response of the earlier call with this name.
    pub(super) fn answer_of(&self, call: &str) -> Option<Json<'_>> {
        let mut calls = self.plan.calls.iter().zip(&self.progress);
        let (_, progress) = calls.find(|(known, _)| known.name == call)?;
        progress.found.as_ref().map(Document::json)
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
