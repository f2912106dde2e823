//! Processes the outcomes of calls.

use std::borrow::Cow;

use super::{
    CallFailure, CallId, State, Translation, UnreadPart,
    entry::Entry,
    error_mapper::{ErrorMapper, Failure},
    predicate::equals,
    units::Unit,
    values::{name, segment},
};
use crate::{
    catalog::{
        PAGE,
        operation::{self, Check, Compared, Items, PageMode, Test, Then},
        whole_list,
    },
    document::{Document, Json},
    exchange::{Outcome, Warning},
};

impl<'a> Translation<'a> {
    pub(super) fn succeeded(&mut self, id: CallId, call: &'a operation::Call, body: Document) {
        if let Some(failure) = self.failed_check(id, call, &body) {
            self.forget_earlier(call);
            return self.fail(id.call, failure);
        }
        if let Some(pages) = &call.pages {
            match pages.mode {
                PageMode::All => return self.another_page(id, call, pages, &body),
                PageMode::Number | PageMode::Token => {
                    return self.accept_page(id, call, pages, &body);
                }
            }
        }
        self.unit_is_done(id, call, true);
        let warns = call.warns.iter();
        let warns = warns.map(|(field, reason)| Warning::not_honoured(field, reason));
        self.warnings.extend(warns);
        if let Some(Items {
            list,
            at,
            document,
            only,
        }) = &call.items
        {
            let items = body.part(at).unwrap_or_default();
            let entries = self.entries(document, &items, only);
            self.add_entries(id, list, entries);
            self.count(id, list);
        }
        if let Some(place) = &call.subject {
            let named = body
                .json()
                .at(place)
                .and_then(name)
                .filter(|id| segment(id).is_some())
                .map(Cow::into_owned);
            self.id = named.or_else(|| self.subject.clone());
        }
        self.keep_answer(id, call, &body);
        if let Some(document) = &call.reads {
            let place = match self.unit(id).cloned() {
                Some(Unit::Entry { list, at }) => {
                    let entries = self.root.list_mut(&list);
                    entries.and_then(|entries| entries.get_mut(at))
                }
                _ => Some(&mut self.root),
            };
            if let Some(entry) = place {
                entry.documents.add(document, body);
            }
        }
    }

    /// Keeps a response that later calls, conditions or date ranges need.
    pub(super) fn keep_answer(&mut self, id: CallId, call: &operation::Call, body: &Document) {
        if let Some(progress) = self.progress.get_mut(id.call).filter(|_| call.keeps) {
            progress.found = Some(body.clone());
        }
    }

    /// Discards the journal if this call verifies resumed work and found it outdated.
    fn forget_earlier(&mut self, call: &operation::Call) {
        if !call.when.iter().any(|condition| condition.resumed) {
            return;
        }
        self.journaling.forget();
        for progress in &mut self.progress {
            if progress.state == State::Done {
                progress.state = State::Skipped;
            }
        }
    }

    /// Failure of a response that does not pass the call's checks.
    fn failed_check(
        &mut self,
        id: CallId,
        call: &operation::Call,
        body: &Document,
    ) -> Option<Failure> {
        for check in &call.checks {
            if !self.site.options.has_all(&check.options) {
                continue;
            }
            match self.passes(check, body.json()) {
                Some(true) => {}
                Some(false) => return Some(self.mapper(Some(id)).named(&check.otherwise)),
                None if check.absent_passes => {}
                None => {
                    let field = match &check.compared {
                        Compared::Parameter(name, _) => name.clone(),
                        Compared::Member(at, _) | Compared::Subject(at) => {
                            at.trim_start_matches('/').replace('/', ".")
                        }
                    };
                    let reason = "not checked: v2 does not say what it would be compared with";
                    self.warnings.push(Warning::not_honoured(field, reason));
                }
            }
        }
        None
    }

    /// `None` if the response lacks the compared member.
    fn passes(&self, check: &Check, body: Json<'_>) -> Option<bool> {
        match &check.compared {
            Compared::Parameter(name, members) => {
                let Some(given) = self.given.value(name) else {
                    return Some(true);
                };
                let found = members.iter().filter_map(|at| body.at(at));
                let mut found = found.filter(|value| !value.is_null()).peekable();
                found.peek()?;
                Some(found.any(|value| equals(value, given)))
            }
            Compared::Member(at, predicate) => {
                let value = body.at(at).filter(|value| !value.is_null())?;
                Some(self.satisfies(Some(value), predicate))
            }
            Compared::Subject(at) => {
                let Some(id) = &self.id else {
                    return Some(true);
                };
                Some(name(body.at(at)?)? == *id)
            }
        }
    }

    /// Entries of a list, each with itself as its first document.
    pub(super) fn entries(
        &self,
        document: &'a str,
        list: &Document,
        only: &[Test],
    ) -> Vec<Entry<'a>> {
        let entries = list.elements().map(|item| Entry::of(document, item));
        if only.is_empty() {
            return entries.collect();
        }
        entries.filter(|entry| self.fits(entry, only)).collect()
    }

    /// Adds entries to a list of the fan-out's entry, or else of the response.
    pub(super) fn add_entries(&mut self, id: CallId, list: &'a str, entries: Vec<Entry<'a>>) {
        match self.unit(id).cloned() {
            Some(Unit::Entry { list: outer, at }) => {
                let outer = self.root.list_mut(&outer);
                if let Some(entry) = outer.and_then(|entries| entries.get_mut(at)) {
                    entry.extend(list, entries);
                }
            }
            _ => self.root.extend(list, entries),
        }
    }

    /// Records the number of entries of a top-level list.
    pub(super) fn count(&mut self, id: CallId, list: &str) {
        if matches!(self.unit(id), Some(Unit::Entry { .. })) {
            return;
        }
        let count = self.root.list(list).map_or(0, <[_]>::len);
        self.root.documents.add(PAGE, whole_list(count).into());
    }

    pub(super) fn unit_is_done(&mut self, id: CallId, call: &operation::Call, counts: bool) {
        let Some(progress) = self.progress.get_mut(id.call) else {
            return;
        };
        if counts {
            progress.succeeded += 1;
        }
        if let (Some(units), Some(at)) = (&mut progress.units, id.item)
            && call.each.is_some()
        {
            units.done.push(at);
        }
    }

    /// Parses the outcome of a call and updates the journal.
    pub(super) fn read_outcome(
        &mut self,
        id: CallId,
        call: &operation::Call,
        outcome: Outcome,
        name: Option<&str>,
    ) -> Result<Option<Document>, Failure> {
        let now = self.now;
        if let (Some(name), false) = (
            name,
            matches!(&outcome, Outcome::Answered { status, .. } if *status < 300),
        ) {
            self.journaling.failed(name, &outcome, now);
        }
        let read = self.mapper(Some(id)).read(call, outcome);
        if let (Some(name), Ok(body)) = (name, &read) {
            let (name, is_read) = (name.to_owned(), call.method.is_read());
            self.journaling.did(name, is_read, body.as_ref(), now);
        }
        read
    }

    /// `name` is the call's journal name, if it has one.
    pub(super) fn failed(
        &mut self,
        id: CallId,
        call: &'a operation::Call,
        failure: Failure,
        name: Option<&str>,
    ) {
        // The page token may have expired: restart the pagination once.
        let is_refused = failure
            .status
            .is_some_and(|status| status == 400 || status == 404);
        if is_refused && self.restarts(id, call) {
            self.begin_request(id, call);
            return;
        }
        let is_lost = name.is_some_and(|name| self.journaling.is_lost(name));
        let mut rows = call.on.iter().filter(|on| {
            on.v2
                .fits(failure.status, failure.code, &failure.message, false)
                && self.site.options.has_all(&on.options)
        });
        let then = rows.find(|on| is_lost || !matches!(on.then, Then::Resume(_)));
        let then = then.map_or(&Then::Fail, |on| &on.then);
        if failure.unknown
            && let Some(progress) = self.progress.get_mut(id.call)
        {
            progress.unknown.push(id.item.unwrap_or_default());
        }
        match then {
            Then::Done => return self.unit_is_done(id, call, false),
            Then::Resume(evidence) => {
                if name.is_some_and(|name| self.verify_lost(id, evidence, name, &failure)) {
                    return;
                }
            }
            Then::Answer => {
                for (call, progress) in self.plan.calls.iter().zip(&mut self.progress) {
                    if !call.method.is_read() {
                        progress.state = State::Skipped;
                    }
                }
            }
            Then::Empty => {
                if let Some((list, _, _)) = call.list() {
                    self.unit_is_done(id, call, false);
                    self.walks.remove(&id);
                    self.add_entries(id, list, Vec::new());
                    self.count(id, list);
                    return;
                }
            }
            Then::Fail | Then::Omit | Then::Skip => {}
        }
        if let Some(progress) = self.progress.get_mut(id.call) {
            progress.has_failed = true;
            progress.code = failure.code;
        }
        if matches!(then, Then::Skip | Then::Answer) {
            self.walks.remove(&id);
            if id.item.is_none() {
                self.left_out(id.call, call);
            }
        } else {
            self.failures.push(CallFailure {
                request: (call.method, call.template.clone()),
                scope: call.scope.clone(),
                status: failure.status,
                code: failure.code,
                message: failure.message.clone(),
                reason: failure.reason,
            });
            if *then != Then::Omit || (self.site.strict && self.operation.read) {
                if failure.refused {
                    self.forget_earlier(call);
                }
                return self.fail(id.call, failure);
            }
            self.walks.remove(&id);
            self.unread_parts.push(UnreadPart {
                call: id.call,
                item: id.item,
            });
        }
        if let Some(progress) = self.progress.get_mut(id.call).filter(|_| id.item.is_none()) {
            progress.state = State::Omitted;
        }
    }

    /// Fails the operation. Among several failures the first in plan order wins, so that the result
    /// does not depend on response order.
    pub(super) fn fail(&mut self, call: usize, failure: Failure) {
        if let Some(progress) = self.progress.get_mut(call) {
            progress.state = State::Failed;
        }
        // Queued calls were never sent.
        for queued in std::mem::take(&mut self.queue) {
            if let Some(progress) = self.progress.get_mut(queued.id.call) {
                progress.open = progress.open.saturating_sub(1);
                if progress.open == 0
                    && progress.state == State::Running
                    && progress.counts().1 == 0
                {
                    progress.state = State::Waiting;
                }
            }
        }
        for progress in &mut self.progress {
            if let Some(units) = &mut progress.units {
                units.waiting.clear();
            }
        }
        if self.failure.as_ref().is_none_or(|(first, _)| call < *first) {
            self.failure = Some((call, failure));
        }
    }

    /// Error mapper for the failed request `id`.
    pub(super) fn mapper(&self, id: Option<CallId>) -> ErrorMapper<'_, 'a> {
        ErrorMapper {
            translation: self,
            id,
        }
    }
}
