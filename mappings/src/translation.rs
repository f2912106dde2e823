//! One v1 request on its way: from its parameters to v2 requests, from v2's answers to v1's.

mod answer;
mod ending;
mod entry;
mod error_mapper;
mod journal;
mod lists;
mod losses;
mod outcome;
mod paging;
mod parameters;
mod range;
mod schedule;
mod send;
mod site;
mod subject;
mod units;
mod values;
mod view;
mod walk;
mod wanted;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use sha2::{Digest, Sha256};

use crate::{
    catalog::{
        Catalog,
        operation::{self, Operation, PageMode, Plan, Service},
        protocol::{NOT_HONOURED, NOT_SERVED, ProtocolError},
    },
    document::Document,
    exchange::{Arguments, Method, Outcome, V1Answer, V1Error, V2Request, Warning, WarningKind},
};
use entry::Entry;
use error_mapper::Failure;
pub use journal::Journal;
use journal::Journaling;
use paging::Paging;
use parameters::Parameters;
pub use site::{Links, Site, Tokens};
pub use values::segment;
pub(crate) use values::{SEGMENT, insert};
use walk::Walk;

/// What is remembered from earlier requests.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// Tokens of pages of the same list, by page number; see [`Translation::paging_key`].
    pub cursors: Vec<(u32, String)>,
    /// What equal requests did that were not finished; see [`Translation::write_key`].
    pub unfinished: Option<Journal>,
    /// For how long v2 may have worked on a call without an answer, in seconds.
    pub call_time: i64,
}

/// Identifies a write: equal for equal requests. A digest without a key: parameters with few values
/// could be guessed from it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WriteKey(pub [u8; 32]);

/// Identifies a call of a translation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId {
    call: usize,
    item: Option<usize>,
}

impl CallId {
    /// A call that is made once.
    fn once(call: usize) -> Self {
        Self { call, item: None }
    }
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
    /// One of many of its kind, such as for the entries of a list: counts against a bound, and a
    /// fresh enough answer to the same read may stand in.
    pub for_item: bool,
}

/// A v2 request that the plan has yet to make, as far as is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedCall {
    /// The method.
    pub method: Method,
    /// The path with its placeholders.
    pub template: Arc<str>,
    /// The path; `None` while an earlier answer decides it.
    pub path: Option<String>,
}

/// The end of a translation.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// What the client gets.
    pub answer: V1Answer,
    /// Tokens of pages to remember under [`Translation::paging_key`].
    pub cursors: Vec<(u32, String)>,
    /// What to remember under [`Translation::write_key`]; forget it if this is `None`.
    pub unfinished: Option<Journal>,
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
    pub request: (Method, Arc<str>),
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
/// 1. [`begin`](Self::begin) reads the parameters and makes the plan; hand it what is remembered
///    with [`recall`](Self::recall).
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
    /// The time of the request, in seconds since 1970.
    now: i64,
    given: Parameters<'a>,
    warnings: Vec<Warning>,
    /// The subject as the client gave it.
    subject: Option<String>,
    /// The subject as v2 names it, once it did.
    id: Option<String>,
    /// True once calls were queued.
    is_begun: bool,
    progress: Vec<Progress>,
    /// The lists of the plan that were made, by their number.
    made: Vec<usize>,
    queue: VecDeque<Call>,
    /// What was read.
    root: Entry<'a>,
    paging: Option<Paging<'a>>,
    /// The lists that are read as a whole, by the request that reads them.
    walks: BTreeMap<CallId, Walk<'a>>,
    journaling: Journaling,
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
    /// How many requests succeeded.
    succeeded: usize,
    /// What it is made for, if for several things.
    units: Option<units::Units>,
    /// What it found, if something asks.
    found: Option<Document>,
    /// True after a failure that did not fail the operation.
    has_failed: bool,
    /// v2's code of it.
    code: Option<i64>,
    /// The numbers of the units that v2 may have done or not; one of 0 if there are no units.
    unknown: Vec<usize>,
}

impl Progress {
    /// How many things it is made for, and how many are done.
    fn counts(&self) -> (usize, usize) {
        self.units.as_ref().map_or((0, 0), units::Units::counts)
    }
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
    /// Reads the parameters of a request that came at `now`, in seconds since 1970, and makes its
    /// plan.
    ///
    /// # Errors
    ///
    /// What v1 answers when nothing needs to be asked: parameters that are missing or cannot be
    /// read, an id that v1 did not know, an operation that nothing serves or that the site did not
    /// allow, and in strict mode a parameter that v2 cannot honour.
    pub fn begin(
        catalog: &'a Catalog,
        operation: &'a Operation,
        arguments: Arguments,
        site: &'a Site,
        now: i64,
    ) -> Result<Self, V1Error> {
        let operation = operation.under(&site.options);
        let (plan, view) = match &operation.service {
            Service::NotServed(_) => return Err(not_served(catalog, operation)),
            Service::Refused { error, .. } => {
                Parameters::read(catalog, operation, arguments, site)?;
                return Err(catalog.protocol().named(error, &|_| None));
            }
            Service::Plan { plan, view } => (plan, *view),
        };
        let is_off = operation.enabled_by.as_ref().is_some_and(|option| {
            site.options.get(option) != Some(&operation::OptionValue::Switch(true))
        });
        if is_off {
            return Err(not_allowed(catalog, operation));
        }
        let given = Parameters::read(catalog, operation, arguments, site)?;
        let opens = operation.token.as_ref().is_none_or(|token| {
            let given = given.text(&token.parameter).unwrap_or_default();
            site.tokens.is(&token.site, &given)
        });
        if !opens {
            return Err(not_allowed(catalog, operation));
        }
        let subject = operation.subject.iter().find_map(|name| given.text(name));
        let mut translation = Self {
            catalog,
            operation,
            plan,
            view,
            site,
            now,
            given,
            warnings: Vec::new(),
            subject,
            id: None,
            is_begun: false,
            progress: plan.calls.iter().map(|_| Progress::default()).collect(),
            made: Vec::new(),
            queue: VecDeque::new(),
            root: Entry::default(),
            paging: None,
            walks: BTreeMap::new(),
            journaling: Journaling::default(),
            failure: None,
            failures: Vec::new(),
            misses: Vec::new(),
        };
        translation.check_ids()?;
        translation.check_range()?;
        translation.warnings = translation.losses()?;
        translation.warnings.append(&mut translation.given.warnings);
        if let Some(loss) = translation.warnings.first().filter(|_| site.strict) {
            return Err(not_honoured(catalog, &loss.field, &loss.reason));
        }
        translation.begin_paging(Vec::new());
        Ok(translation)
    }

    /// Takes what is remembered of earlier requests, before the first call of
    /// [`ready`](Self::ready).
    pub fn recall(&mut self, memory: Memory) {
        let unfinished = memory.unfinished.unwrap_or_default();
        self.journaling = Journaling::new(unfinished, memory.call_time, self.now);
        self.begin_paging(memory.cursors);
    }

    /// Takes a document that was not asked for, such as a webhook.
    pub(crate) fn read(&mut self, name: &'a str, document: Document) {
        self.root.documents.add(name, document);
    }

    /// Identifies the request among writes, independent of the order of its parameters; `None` if it
    /// writes nothing.
    pub fn write_key(&self) -> Option<WriteKey> {
        if self.operation.read {
            return None;
        }
        let mut digest = Sha256::new();
        digest.update(self.operation.name.as_bytes());
        for (name, value) in self.given.bytes() {
            for part in [name.as_bytes(), value.as_slice()] {
                digest.update(part.len().to_le_bytes());
                digest.update(part);
            }
        }
        Some(WriteKey(digest.finalize().into()))
    }

    /// What the tokens of pages of this list are remembered under; `None` if it is no list.
    pub fn paging_key(&self) -> Option<String> {
        let (index, call, pages) = self.paged()?;
        let id = CallId::once(index);
        let subject = self.subject_of(id, call);
        let material = self.material(id, call, subject.as_deref());
        let (path, query) = material.path_and_query(call);
        let fixed = query.iter().filter(|(name, _)| *name != pages.number);
        let query: Vec<_> = fixed
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        Some(format!(
            "{}?{}",
            path.as_deref().unwrap_or(&call.template),
            query.join("&")
        ))
    }

    /// The call whose answer is a page.
    fn paged(&self) -> Option<(usize, &'a operation::Call, &'a operation::Pages)> {
        let mut calls = self.plan.calls.iter().enumerate();
        calls.find_map(|(index, call)| {
            let pages = call
                .pages
                .as_ref()
                .filter(|pages| pages.mode != PageMode::All)?;
            Some((index, call, pages))
        })
    }

    /// The calls to be made now; each is handed out once.
    pub fn ready(&mut self) -> Vec<Call> {
        self.begin_calls();
        self.hand_out()
    }

    fn begin_calls(&mut self) {
        if !self.is_begun {
            self.is_begun = true;
            self.advance();
        }
    }

    /// The calls that wait for others and will be made, as far as can be told now. One that is made
    /// for several things comes once.
    pub fn planned(&self) -> Vec<PlannedCall> {
        let calls = self.plan.calls.iter().enumerate().zip(&self.progress);
        let waiting = calls.filter(|(_, progress)| progress.state == State::Waiting);
        waiting
            .filter(|((index, call), _)| self.holds(*index, call))
            .filter_map(|((index, call), _)| self.planned_call(index, call))
            .collect()
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
        let name = self.journaling.close(id);
        let read = match self.settle(id, call, outcome) {
            Ok(settled) => settled,
            Err(outcome) => self.read_outcome(id, call, outcome, name.as_deref()),
        };
        match read {
            Ok(body) => self.succeeded(id, call, body.unwrap_or_default()),
            Err(failure) => self.failed(id, call, failure, name.as_deref()),
        }
        if call.each.is_some() && self.failure.is_none() {
            self.release(id.call, call);
        }
        if let Some(progress) = self.progress.get_mut(id.call)
            && progress.open == 0
            && progress.state == State::Running
        {
            progress.state = State::Done;
            self.join_walks(id.call, call);
        }
        self.advance();
    }

    /// True if nothing more is to be sent or waited for.
    pub fn is_done(&self) -> bool {
        if !self.is_begun {
            return false;
        }
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
            Some((_, failure)) => Err(self.final_error(failure)),
            None => Ok(self.answer(now)),
        };
        if result.is_err() {
            // An error has no fields that could be missing.
            let is_of_request = |warning: &Warning| {
                matches!(
                    warning.kind,
                    WarningKind::NotHonoured | WarningKind::Guessed
                )
            };
            self.warnings.retain(is_of_request);
        }
        Finished {
            answer: V1Answer {
                result,
                warnings: self.warnings,
            },
            cursors: self.paging.map(Paging::into_tokens).unwrap_or_default(),
            unfinished,
            unknown: self.given.unknown,
            failures: self.failures,
            is_trouble,
        }
    }

    fn begin_paging(&mut self, cursors: Vec<(u32, String)>) {
        self.paging = self.paged().map(|(_, _, pages)| {
            let number = |name: &str| self.given.number(name).unwrap_or(1);
            Paging::new(pages, number(&pages.number), number(&pages.size), cursors)
        });
    }
}

/// The error of a loss in strict mode.
fn not_honoured(catalog: &Catalog, name: &str, reason: &str) -> V1Error {
    catalog
        .protocol()
        .named(NOT_HONOURED, &|placeholder| match placeholder {
            "name" => Some(name.to_owned()),
            "reason" => Some(reason.to_owned()),
            _ => None,
        })
}

fn not_allowed(catalog: &Catalog, operation: &Operation) -> V1Error {
    let protocol = catalog.protocol();
    let (_, error) = protocol.error(ProtocolError::OperationNotAllowed, &operation.name);
    error
}

fn not_served(catalog: &Catalog, operation: &Operation) -> V1Error {
    catalog
        .protocol()
        .named(NOT_SERVED, &|placeholder| match placeholder {
            "operation" => Some(operation.name.clone()),
            "replacement" => Some(operation.replacement()),
            _ => None,
        })
}
