//! What the outcome of a call means for the translation.

use std::borrow::Cow;

use serde_json::json;

use super::{
    CallFailure, CallId, Miss, State, Translation,
    entry::Entry,
    error_mapper::{ErrorMapper, Failure},
    paging::{Paging, Turn},
    parameters::{chosen, plain},
    send,
    units::Unit,
    wanted::equals,
};
use crate::{
    catalog::{
        PAGE,
        operation::{self, Check, Compared, Items, PageMode, Pages, Test, Then},
        protocol::LIST_TOO_LONG,
    },
    document::{Document, Json},
    exchange::{Outcome, Warning, WarningKind},
};

/// The pages of a list that is read as a whole, so far.
#[derive(Default)]
pub(super) struct Walk<'a> {
    entries: Vec<Entry<'a>>,
    /// How many pages were read.
    pages: usize,
    /// The token of the next page.
    token: String,
    /// True once a token was refused and the walk began anew.
    restarted: bool,
}

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
                    return self.page_came(id, call, pages, &body);
                }
            }
        }
        self.unit_is_done(id, call, true);
        self.warnings
            .extend(call.warns.iter().map(|(field, reason)| Warning {
                kind: WarningKind::NotHonoured,
                field: field.clone(),
                reason: reason.clone(),
            }));
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
                .and_then(send::name)
                .filter(|id| send::segment(id).is_some())
                .map(Cow::into_owned);
            self.id = named.or_else(|| self.subject.clone());
        }
        if call.keeps
            && let Some(progress) = self.progress.get_mut(id.call)
        {
            progress.found = Some(body.clone());
        }
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

    /// Forgets what earlier requests did, if it is this call that looks whether it is still so.
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

    /// The failure of an answer that does not hold what it must.
    fn failed_check(
        &mut self,
        id: CallId,
        call: &operation::Call,
        body: &Document,
    ) -> Option<Failure> {
        for check in &call.checks {
            if !chosen(&check.options, self.site) {
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
                    self.warnings.push(Warning {
                        kind: WarningKind::NotHonoured,
                        field,
                        reason: "not checked: v2 does not say what it would be compared with"
                            .to_owned(),
                    });
                }
            }
        }
        None
    }

    /// `None` if the answer lacks what is compared.
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
            Compared::Member(at, wanted) => {
                let value = body.at(at).filter(|value| !value.is_null())?;
                Some(self.is_wanted(Some(value), wanted))
            }
            Compared::Subject(at) => {
                let Some(id) = &self.id else {
                    return Some(true);
                };
                Some(send::name(body.at(at)?)? == *id)
            }
        }
    }

    /// The entries of a list, each with itself as its first document.
    fn entries(&self, document: &'a str, list: &Document, only: &[Test]) -> Vec<Entry<'a>> {
        let entries = list.elements().map(|item| Entry::of(document, item));
        if only.is_empty() {
            return entries.collect();
        }
        entries.filter(|entry| self.fits(entry, only)).collect()
    }

    /// Adds entries to a list: of the entry that the call was made for, or of the answer.
    fn add_entries(&mut self, id: CallId, list: &'a str, entries: Vec<Entry<'a>>) {
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

    /// Notes how many entries a list of the answer has.
    fn count(&mut self, id: CallId, list: &str) {
        if matches!(self.unit(id), Some(Unit::Entry { .. })) {
            return;
        }
        let count = self.root.list(list).map_or(0, <[_]>::len);
        let page = json!({ "total_records": count });
        self.root.documents.add(PAGE, page.into());
    }

    fn page_came(
        &mut self,
        id: CallId,
        call: &'a operation::Call,
        pages: &'a Pages,
        body: &Document,
    ) {
        let Some(paging) = &mut self.paging else {
            return;
        };
        match paging.accept(body) {
            Turn::Page {
                items,
                page,
                is_guessed,
            } => {
                if is_guessed {
                    self.warnings.push(Warning {
                        kind: WarningKind::Unreadable,
                        field: "page_count, total_records".to_owned(),
                        reason: "v2 does not say how many there are: at least one page follows"
                            .to_owned(),
                    });
                }
                self.root.documents.add(PAGE, page);
                let entries = self.entries(&pages.document, &items, &pages.only);
                self.root.extend(&pages.list, entries);
                if call.keeps
                    && let Some(progress) = self.progress.get_mut(id.call)
                {
                    progress.found = Some(body.clone());
                }
                if let Some(document) = &call.reads {
                    self.root.documents.add(document, body.clone());
                }
            }
            Turn::Again => {
                self.begin_request(id, call);
            }
            Turn::NotAPage => self.is_no_page(id, call, body),
        }
    }

    fn is_no_page(&mut self, id: CallId, call: &'a operation::Call, body: &Document) {
        let failure = self.mapper(Some(id)).not_a_page(call, body);
        self.failed(id, call, failure, None);
    }

    /// Another page of a list that is read as a whole.
    fn another_page(
        &mut self,
        id: CallId,
        call: &'a operation::Call,
        pages: &'a Pages,
        body: &Document,
    ) {
        let Some(items) = body
            .part(&pages.items)
            .filter(|items| items.json().is_array())
        else {
            return self.is_no_page(id, call, body);
        };
        let entries = self.entries(&pages.document, &items, &pages.only);
        let token = body.json().get(&pages.token).and_then(Json::as_str);
        let walk = self.walks.entry(id).or_default();
        walk.entries.extend(entries);
        walk.pages += 1;
        let is_last = token.is_none_or(|token| token.is_empty() || token == walk.token);
        token.unwrap_or_default().clone_into(&mut walk.token);
        if !is_last && walk.pages >= pages.most.of(&self.site.options) {
            let failure = self.mapper(Some(id)).named(LIST_TOO_LONG);
            return self.fail(id.call, failure);
        }
        if !is_last {
            self.begin_request(id, call);
            return;
        }
        self.unit_is_done(id, call, true);
        if call.keeps
            && let Some(progress) = self.progress.get_mut(id.call)
        {
            progress.found = Some(body.clone());
        }
        if call.each.is_none() || matches!(self.unit(id), Some(Unit::Entry { .. })) {
            let walk = self.walks.remove(&id).unwrap_or_default();
            self.add_entries(id, &pages.list, walk.entries);
            self.count(id, &pages.list);
        }
    }

    /// Puts the lists of the units of a call together, in their order.
    pub(super) fn join_walks(&mut self, index: usize, call: &'a operation::Call) {
        let Some(pages) = call.pages.as_ref().filter(|_| call.each.is_some()) else {
            return;
        };
        if pages.mode != PageMode::All || call.each_of().is_some() {
            return;
        }
        let mut entries = Vec::new();
        let walks = std::mem::take(&mut self.walks);
        // They are in the order of the units.
        for (id, walk) in walks {
            if id.call == index {
                entries.extend(walk.entries);
            } else {
                self.walks.insert(id, walk);
            }
        }
        self.root.extend(&pages.list, entries);
        let id = CallId {
            call: index,
            item: None,
        };
        self.count(id, &pages.list);
    }

    /// Puts the page that is wanted into a request.
    pub(super) fn put_page(
        &self,
        id: CallId,
        call: &operation::Call,
        request: &mut crate::exchange::V2Request,
    ) {
        match &call.pages {
            Some(pages) if pages.mode == PageMode::All => {
                let walk = self.walks.get(&id).filter(|walk| !walk.token.is_empty());
                if let Some(walk) = walk {
                    request
                        .query
                        .push((pages.token.clone(), walk.token.clone()));
                }
            }
            Some(_) => {
                if let Some(paging) = &self.paging {
                    paging.put_into(&mut request.query);
                }
            }
            None => {}
        }
    }

    fn unit_is_done(&mut self, id: CallId, call: &operation::Call, counts: bool) {
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

    /// Reads the outcome of a call, and notes in the journal what became of it.
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

    /// `name` is the call's in the journal, if it has one.
    pub(super) fn failed(
        &mut self,
        id: CallId,
        call: &'a operation::Call,
        failure: Failure,
        name: Option<&str>,
    ) {
        // The token of a page may have expired: once, the walk begins anew.
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
                && chosen(&on.options, self.site)
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
                if name.is_some_and(|name| self.dispute(id, evidence, name, &failure)) {
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
        } else {
            self.failures.push(CallFailure {
                request: (call.method, call.template.clone()),
                scope: call.scope.clone(),
                status: failure.status,
                code: failure.code,
                message: failure.message.clone(),
            });
            if *then != Then::Omit || (self.site.strict && self.operation.read) {
                if failure.refused {
                    self.forget_earlier(call);
                }
                return self.fail(id.call, failure);
            }
            self.walks.remove(&id);
            self.misses.push(Miss {
                call: id.call,
                item: id.item,
            });
        }
        if let Some(progress) = self.progress.get_mut(id.call).filter(|_| id.item.is_none()) {
            progress.state = State::Omitted;
        }
    }

    /// True if a walk through pages begins anew.
    fn restarts(&mut self, id: CallId, call: &operation::Call) -> bool {
        match &call.pages {
            Some(pages) if pages.mode == PageMode::All => {
                let walk = self.walks.get_mut(&id);
                let Some(walk) = walk.filter(|walk| walk.pages > 0 && !walk.restarted) else {
                    return false;
                };
                *walk = Walk {
                    restarted: true,
                    ..Walk::default()
                };
                true
            }
            Some(_) => self.paging.as_mut().is_some_and(Paging::restart),
            None => false,
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

    /// Puts failures into v1's words; `id` is the request that failed.
    pub(super) fn mapper(&self, id: Option<CallId>) -> ErrorMapper<'_, 'a> {
        ErrorMapper {
            translation: self,
            id,
        }
    }

    /// The ids in the path of a request, by the kind of their subject.
    pub(super) fn ids_of(&self, id: CallId) -> Vec<(String, String)> {
        let Some(call) = self.plan.calls.get(id.call) else {
            return Vec::new();
        };
        let subject = self.subject_of(id, call);
        let material = self.material(id, call, subject.as_deref());
        let in_path = call.path.iter().filter_map(|segment| match segment {
            operation::Segment::Filled {
                by,
                kind: Some(kind),
                ..
            } => Some((kind.kind.clone(), material.id(by)?.into_owned())),
            _ => None,
        });
        let about = call.about.iter().filter_map(|(kind, parameter)| {
            Some((kind.clone(), plain(self.given.value(parameter)?)))
        });
        in_path.chain(about).collect()
    }
}
