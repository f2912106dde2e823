//! One v1 request on its way: from its parameters to v2 requests, from v2's answers to v1's.

mod answer;
mod ending;
mod failure;
mod given;
mod losses;
mod outcome;
mod paging;
mod schedule;
mod send;
mod view;

use std::collections::VecDeque;

use sha2::{Digest, Sha256};

use crate::{
    catalog::{
        Catalog,
        operation::{self, Operation, Plan, Service},
        protocol::{NOT_HONOURED, NOT_SERVED, Options, PARAMETER_INVALID, USER_UNKNOWN},
    },
    document::Document,
    exchange::{Arguments, Method, Outcome, V1Answer, V1Error, V2Request, Warning},
};
use answer::Documents;
use failure::Failure;
use given::Given;
use paging::Paging;
pub use send::segment;

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
    /// True if the answer is an error and that is v2's or the shim's trouble, not the caller's.
    pub is_trouble: bool,
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
    found: Option<Document>,
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
        std::mem::take(&mut self.queue).into()
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
            Ok(body) => self.succeeded(id, call, body.unwrap_or_default()),
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
        let is_trouble = self
            .failure
            .as_ref()
            .is_some_and(|(_, failure)| failure.trouble);
        let result = match self.failure.take() {
            Some((_, failure)) => Err(self.told(failure)),
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
            is_trouble,
        }
    }

    /// Ids are data: what would not stay one path segment, or means something else to v2 than to
    /// v1, names nobody.
    fn check_ids(&self) -> Result<(), V1Error> {
        if let Some(subject) = &self.subject {
            let reserved = &self.catalog.protocol().reserved_ids;
            if segment(subject).is_none() || reserved.contains(&subject.to_lowercase()) {
                return Err(self.speaker().named(USER_UNKNOWN).error);
            }
        }
        for part in self.plan.calls.iter().flat_map(|call| &call.path) {
            if let operation::Segment::Parameter(name) = part
                && let Some(text) = self.given.text(name)
                && segment(&text).is_none()
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
