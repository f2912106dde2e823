//! One v1 request on its way: from its parameters to v2 requests, from v2's answers to v1's.

mod answer;
mod failure;
mod given;
mod losses;
mod paging;
mod send;

use std::collections::VecDeque;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    catalog::{
        Catalog, PAGE,
        operation::{self, Condition, Fate, Operation, Plan, Service},
        protocol::{
            NOT_HONOURED, NOT_SERVED, Options, PARAMETER_INVALID, UNFINISHED, USER_UNKNOWN,
        },
    },
    exchange::{Arguments, Method, Outcome, V1Answer, V1Error, V2Request, Warning},
};
use answer::Documents;
use failure::{Failure, Speaker};
use given::{Given, plain};
use paging::{Paging, Turn};
use send::{Material, Prepared};

/// What a site's configuration says to every translation.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// What v2 cannot honour is an error before anything is written, instead of a warning.
    pub strict: bool,
    /// The v2 account, for the answers that name it.
    pub account_id: Option<String>,
    /// The site's choices; see [`Catalog::options`].
    pub options: Options,
}

/// What is remembered from earlier requests.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// Tokens of pages of the same list, by page number; see [`Translation::paging_key`].
    pub cursors: Vec<(u32, String)>,
    /// What the same request left unfinished; see [`Translation::unfinished_key`].
    pub unfinished: Option<Unfinished>,
}

/// A write of several calls of which some are done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// The names of the calls that are done.
    pub done: Vec<String>,
}

/// Names an unfinished write: the same for the same request, and nothing of it can be read off.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UnfinishedKey(pub [u8; 32]);

/// Identifies a call of a translation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CallId {
    call: usize,
    item: Option<usize>,
}

/// A v2 request to be made now.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// What to hand back to [`Translation::complete`].
    pub id: CallId,
    /// The name of the call in the plan.
    pub name: String,
    /// The request.
    pub request: V2Request,
    /// One of many of its kind, for the items of a list: counts against a bound, and a fresh enough
    /// answer to the same request may stand in.
    pub for_item: bool,
}

/// The end of a translation.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// What the client is told.
    pub answer: V1Answer,
    /// Tokens of pages to remember under [`Translation::paging_key`].
    pub cursors: Vec<(u32, String)>,
    /// What to remember under [`Translation::unfinished_key`]; forget it if this is `None`.
    pub unfinished: Option<Unfinished>,
    /// Parameters that the operation does not know and that were ignored.
    pub unknown: Vec<String>,
    /// The v2 calls that failed, for the log.
    pub failures: Vec<CallFailure>,
}

/// A v2 call that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallFailure {
    /// The request's method and path template.
    pub request: (Method, std::sync::Arc<str>),
    /// The scope that the request needs.
    pub scope: String,
    /// The HTTP status, if v2 answered.
    pub status: Option<u16>,
    /// v2's code, if it gave one.
    pub code: Option<i64>,
    /// v2's message; it may quote an address.
    pub message: String,
}

/// One v1 request being served, without I/O.
///
/// 1. [`begin`](Self::begin) reads the parameters and makes the plan.
/// 2. Send what [`ready`](Self::ready) hands out; each call comes once, and calls that come
///    together are independent of each other.
/// 3. Hand each outcome to [`complete`](Self::complete), in any order, and ask for what is ready
///    now.
/// 4. Repeat until [`is_done`](Self::is_done); calls that are then still under way only read and
///    may be dropped.
/// 5. [`finish`](Self::finish) makes the answer.
pub struct Translation<'a> {
    catalog: &'a Catalog,
    operation: &'a Operation,
    plan: &'a Plan,
    view: usize,
    site: &'a Site,
    given: Given<'a>,
    unknown: Vec<String>,
    warnings: Vec<Warning>,
    /// The subject as the client gave it.
    subject: Option<String>,
    /// The subject as v2 names it, once it did.
    user: Option<String>,
    progress: Vec<Progress>,
    queue: VecDeque<Call>,
    documents: Documents<'a>,
    items: Vec<Documents<'a>>,
    paging: Option<Paging<'a>>,
    unfinished: Option<Unfinished>,
    failure: Option<(usize, Failure)>,
    failures: Vec<CallFailure>,
    misses: Vec<Miss>,
}

/// How far a call of the plan is.
#[derive(Default)]
struct Progress {
    state: State,
    /// How many requests are under way.
    open: usize,
    /// What it found, if a condition asks.
    found: Option<Value>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Waiting,
    Running,
    Done,
    Skipped,
    Omitted,
    Failed,
}

/// A part of the answer that could not be read.
struct Miss {
    call: usize,
    item: Option<usize>,
}

impl<'a> Translation<'a> {
    /// Reads the parameters of a request and makes its plan.
    ///
    /// # Errors
    ///
    /// What v1 answers when nothing needs to be asked: parameters that are missing or cannot be
    /// read, an id that names nobody, an operation that nothing serves, and in strict mode a
    /// parameter that v2 cannot honour.
    pub fn begin(
        catalog: &'a Catalog,
        operation: &'a Operation,
        arguments: Arguments,
        site: &'a Site,
        memory: Memory,
    ) -> Result<Self, V1Error> {
        let (plan, view) = match &operation.service {
            Service::NotServed(_) => return Err(not_served(catalog, operation)),
            Service::Refused { error, .. } => {
                Given::read(catalog, operation, arguments, site)?;
                return Err(catalog.protocol().named(error, &|_| None));
            }
            Service::Plan { plan, view } => (plan, *view),
        };
        let (given, unknown) = Given::read(catalog, operation, arguments, site)?;
        let subject = operation.subject.iter().find_map(|name| given.text(name));
        let mut translation = Self {
            catalog,
            operation,
            plan,
            view,
            site,
            given,
            unknown,
            warnings: Vec::new(),
            subject,
            user: None,
            progress: plan.calls.iter().map(|_| Progress::default()).collect(),
            queue: VecDeque::new(),
            documents: Documents::default(),
            items: Vec::new(),
            paging: None,
            unfinished: memory.unfinished,
            failure: None,
            failures: Vec::new(),
            misses: Vec::new(),
        };
        translation.check_ids()?;
        translation.warnings = losses::losses(catalog, operation, &translation.given)?;
        if let Some(loss) = translation.warnings.first().filter(|_| site.strict) {
            let (name, reason) = (&loss.field, &loss.reason);
            return Err(catalog
                .protocol()
                .named(NOT_HONOURED, &|placeholder| match placeholder {
                    "name" => Some(name.clone()),
                    "reason" => Some(reason.clone()),
                    _ => None,
                }));
        }
        translation.begin_paging(memory.cursors);
        translation.advance();
        Ok(translation)
    }

    /// What an unfinished write of this request is remembered under; `None` if there is nothing to
    /// remember. Independent of the order of parameters.
    pub fn unfinished_key(&self) -> Option<UnfinishedKey> {
        self.plan
            .calls
            .iter()
            .find(|call| !call.resumes.is_empty())?;
        let mut digest = Sha256::new();
        digest.update(self.operation.name.as_bytes());
        for (name, value) in self.given.bytes() {
            for part in [name.as_bytes(), value.as_slice()] {
                digest.update(part.len().to_le_bytes());
                digest.update(part);
            }
        }
        Some(UnfinishedKey(digest.finalize().into()))
    }

    /// What the tokens of pages of this list are remembered under; `None` if it is no list.
    pub fn paging_key(&self) -> Option<String> {
        let call = self.plan.calls.iter().find(|call| call.pages.is_some())?;
        let pages = call.pages.as_ref()?;
        let fixed = call.query.iter().filter(|(name, _)| *name != pages.number);
        let query: Vec<_> = fixed
            .map(|(name, value)| {
                format!("{name}={}", value.fill_lossy(&|name| self.given.text(name)))
            })
            .collect();
        Some(format!("{}?{}", call.template, query.join("&")))
    }

    /// The calls to be made now; each is handed out once.
    pub fn ready(&mut self) -> Vec<Call> {
        self.queue.drain(..).collect()
    }

    /// Takes the outcome of a call.
    pub fn complete(&mut self, id: CallId, outcome: Outcome) {
        let plan = self.plan;
        let Some(call) = plan.calls.get(id.call) else {
            return;
        };
        let Some(progress) = self.progress.get_mut(id.call) else {
            return;
        };
        progress.open = progress.open.saturating_sub(1);
        match self.speaker().read(call, outcome) {
            Ok(body) => self.succeeded(id, call, body.unwrap_or(Value::Null)),
            Err(failure) => self.failed(id, call, failure),
        }
        if let Some(progress) = self.progress.get_mut(id.call)
            && progress.open == 0
            && progress.state == State::Running
        {
            progress.state = State::Done;
        }
        self.advance();
    }

    /// True if nothing more is to be sent or waited for.
    pub fn is_done(&self) -> bool {
        let open = |(call, progress): (&operation::Call, &Progress)| {
            progress.open > 0 && (self.failure.is_none() || !call.method.is_read())
        };
        self.queue.is_empty() && !self.plan.calls.iter().zip(&self.progress).any(open)
    }

    /// Makes the answer. `now` is the time of it, in seconds since 1970.
    pub fn finish(mut self, now: i64) -> Finished {
        let unfinished = self.left_unfinished();
        let result = match self.failure.take() {
            Some((call, failure)) => Err(self.told(call, failure)),
            None => Ok(self.answer(now)),
        };
        Finished {
            answer: V1Answer {
                result,
                warnings: self.warnings,
            },
            cursors: self.paging.map(Paging::into_tokens).unwrap_or_default(),
            unfinished,
            unknown: self.unknown,
            failures: self.failures,
        }
    }

    // ---- beginning ---------------------------------------------------------------------------

    /// Ids are data: what would not stay one path segment, or means something else to v2 than to
    /// v1, names nobody.
    fn check_ids(&self) -> Result<(), V1Error> {
        if let Some(subject) = &self.subject {
            let reserved = &self.catalog.protocol().reserved_ids;
            if send::segment(subject).is_none() || reserved.contains(&subject.to_lowercase()) {
                return Err(self.speaker().named(USER_UNKNOWN, false).error);
            }
        }
        for segment in self.plan.calls.iter().flat_map(|call| &call.path) {
            if let operation::Segment::Parameter(name) = segment
                && let Some(text) = self.given.text(name)
                && send::segment(&text).is_none()
            {
                return Err(self
                    .catalog
                    .protocol()
                    .parameter_error(PARAMETER_INVALID, name));
            }
        }
        Ok(())
    }

    fn begin_paging(&mut self, cursors: Vec<(u32, String)>) {
        let pages = self.plan.calls.iter().find_map(|call| call.pages.as_ref());
        self.paging = pages.map(|pages| {
            let number = |name: &str| self.given.number(name).unwrap_or(1);
            Paging::new(pages, number(&pages.number), number(&pages.size), cursors)
        });
    }

    // ---- going on ----------------------------------------------------------------------------

    /// Queues every call that waits for nothing any more. Calls only wait for earlier ones, so one
    /// pass is enough.
    fn advance(&mut self) {
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
                self.queue_call(index, call)
            } else {
                0
            };
            if made == 0 && !self.holds(index, call) {
                self.left_out(index, call);
            }
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
    fn holds(&self, index: usize, call: &operation::Call) -> bool {
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

    fn condition_holds(&self, index: usize, condition: &Condition) -> bool {
        let has = |name: &String| self.given.has(name);
        (condition.given.is_empty() || condition.given.iter().any(has))
            && (condition.missing.is_empty() || !condition.missing.iter().all(has))
            && (!condition.nothing_else || self.nothing_else(index))
            && given::chosen(&condition.options, self.site)
            && condition.state.as_ref().is_none_or(|state| {
                let found = self
                    .progress
                    .get(state.call)
                    .and_then(|progress| progress.found.as_ref()?.pointer(&state.at)?.as_str());
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
    fn nothing_else(&self, index: usize) -> bool {
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
    fn queue_call(&mut self, index: usize, call: &operation::Call) -> usize {
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
            let Some(item) = documents.first() else {
                continue;
            };
            if let Some((pointer, parameter)) = &each.only {
                let text = item.pointer(pointer).map(plain).unwrap_or_default();
                let wanted = self.given.text(parameter).unwrap_or_default();
                if text.to_lowercase() != wanted.to_lowercase() {
                    continue;
                }
            }
            let own = each
                .subject
                .as_ref()
                .and_then(|at| item.pointer(at))
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

    fn prepare(
        &self,
        index: usize,
        call: &operation::Call,
        subject: Option<&str>,
        item: Option<&Value>,
    ) -> Prepared {
        let constants = |name: &str| self.operation.constants.get(name).cloned();
        let current = call.sends.as_ref().and_then(|(document, _)| {
            let asks = |condition: &Condition| condition.current.as_ref() == Some(document);
            let reader = self
                .plan
                .calls
                .iter()
                .find(|call| call.when.iter().any(asks))?;
            self.documents.newest(reader.reads.as_deref()?)
        });
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

    fn queue_request(&mut self, id: CallId, call: &operation::Call, request: V2Request) {
        let name = call.name.clone();
        self.queue.push_back(Call {
            id,
            name,
            request,
            for_item: id.item.is_some(),
        });
    }

    // ---- outcomes ----------------------------------------------------------------------------

    fn succeeded(&mut self, id: CallId, call: &'a operation::Call, mut body: Value) {
        if let Some(expects) = &call.expects
            && let Some(given) = self.given.value(&expects.parameter)
            && let Some(among) = body.pointer(&expects.among).and_then(Value::as_array)
            && !among.contains(given)
        {
            let failure = self.speaker().named(&expects.otherwise, false);
            return self.fail(id.call, failure);
        }
        if let Some(pages) = &call.pages {
            return self.page_came(id, call, &pages.document, body);
        }
        if let Some((at, document)) = &call.items {
            let items = match body.pointer_mut(at).map(Value::take) {
                Some(Value::Array(items)) => items,
                _ => Vec::new(),
            };
            self.documents
                .add(PAGE, json!({ "total_records": items.len() }));
            self.items = items
                .into_iter()
                .map(|item| Documents::of(document, item))
                .collect();
        }
        if let Some(pointer) = &call.subject {
            let user = body
                .pointer(pointer)
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
    fn is_asked_for(&self, call: usize) -> bool {
        let conditions = self.plan.calls.iter().flat_map(|call| &call.when);
        conditions
            .filter_map(|condition| condition.state.as_ref())
            .any(|state| state.call == call)
    }

    fn page_came(
        &mut self,
        id: CallId,
        call: &operation::Call,
        document: &'a str,
        mut body: Value,
    ) {
        let Some(paging) = &mut self.paging else {
            return;
        };
        match paging.accept(&mut body) {
            Turn::Page { items, page } => {
                self.documents.add(PAGE, page);
                self.items = items
                    .into_iter()
                    .map(|item| Documents::of(document, item))
                    .collect();
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
    fn again(&mut self, id: CallId, call: &operation::Call) {
        let made = self.queue_call(id.call, call);
        if let Some(progress) = self.progress.get_mut(id.call) {
            progress.open = progress.open.saturating_add(made);
        }
    }

    fn failed(&mut self, id: CallId, call: &'a operation::Call, failure: Failure) {
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
    fn fail(&mut self, call: usize, failure: Failure) {
        if let Some(progress) = self.progress.get_mut(call) {
            progress.state = State::Failed;
        }
        self.queue.clear();
        if self.failure.as_ref().is_none_or(|(first, _)| call < *first) {
            self.failure = Some((call, failure));
        }
    }

    fn speaker(&self) -> Speaker<'_, 'a> {
        Speaker {
            catalog: self.catalog,
            operation: self.operation,
            given: &self.given,
            subject: self.subject.as_deref(),
        }
    }

    // ---- the end -----------------------------------------------------------------------------

    /// The names of the writes in a state.
    fn writes(&self, states: &[State]) -> Vec<String> {
        let calls = self.plan.calls.iter().zip(&self.progress);
        calls
            .filter(|(call, progress)| !call.method.is_read() && states.contains(&progress.state))
            .map(|(call, _)| call.name.clone())
            .collect()
    }

    fn left_unfinished(&self) -> Option<Unfinished> {
        let (_, failure) = self.failure.as_ref()?;
        let first = self
            .plan
            .calls
            .iter()
            .position(|call| !call.resumes.is_empty())?;
        let begun = self
            .progress
            .get(first)
            .is_some_and(|progress| progress.state == State::Done);
        // Without an answer to the create nobody knows: if it was done, the repeated request
        // meets its own user.
        (begun || failure.maybe_done).then(|| Unfinished {
            done: self.writes(&[State::Done]),
        })
    }

    /// What the client is told of a failure: also what is done nevertheless.
    fn told(&self, call: usize, failure: Failure) -> V1Error {
        let done = self.writes(&[State::Done]);
        if done.is_empty() {
            return failure.error;
        }
        let mut missing = self.writes(&[State::Failed]);
        missing.extend(self.unmade_writes(call));
        let user = self
            .user
            .as_deref()
            .or(self.subject.as_deref())
            .unwrap_or_default();
        let told = self
            .catalog
            .protocol()
            .named(UNFINISHED, &|placeholder| match placeholder {
                "message" => Some(failure.error.message.clone()),
                "user" => Some(user.to_owned()),
                "done" => Some(done.join(", ")),
                "failed" => Some(missing.join(", ")),
                _ => None,
            });
        V1Error {
            code: failure.error.code,
            message: told.message,
        }
    }

    /// Writes that would have come after the failed call.
    fn unmade_writes(&self, failed: usize) -> Vec<String> {
        let waiting = self
            .plan
            .calls
            .iter()
            .enumerate()
            .zip(&self.progress)
            .filter(|((index, call), progress)| {
                *index > failed
                    && progress.state == State::Waiting
                    && !call.method.is_read()
                    && call.each.is_none()
                    && self.holds(*index, call)
                    && matches!(
                        self.prepare(
                            *index,
                            call,
                            self.user.as_deref().or(self.subject.as_deref()),
                            None
                        ),
                        Prepared::Request(_)
                    )
            });
        waiting.map(|((_, call), _)| call.name.clone()).collect()
    }
}

fn not_served(catalog: &Catalog, operation: &Operation) -> V1Error {
    let requests = operation.v2_requests();
    let requests: Vec<_> = requests
        .iter()
        .map(|(method, path)| format!("{method} {path}"))
        .collect();
    catalog
        .protocol()
        .named(NOT_SERVED, &|placeholder| match placeholder {
            "operation" => Some(operation.name.clone()),
            "replacement" if requests.is_empty() => Some("nothing".to_owned()),
            "replacement" => Some(requests.join(", ")),
            _ => None,
        })
}

/// What v2 names somebody by; null and other values name nobody.
fn name(value: &Value) -> Option<String> {
    (value.is_string() || value.is_number()).then(|| plain(value))
}
