//! Translates one v1 request into v2 requests, and their responses into the v1 response.

mod answer;
mod entry;
mod error_mapper;
mod final_error;
mod journal;
mod lists;
mod losses;
mod outcome;
mod paging;
mod parameters;
mod predicate;
mod range;
mod schedule;
mod send;
mod site;
mod subject;
mod units;
mod values;
mod view;
mod walk;

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
    exchange::{
        Arguments, Method, Outcome, RateLabel, V1Answer, V1Error, V2Request, Warning, WarningKind,
    },
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

/// State stored by earlier requests.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// Cursors of the same list, by page number; see [`Translation::paging_key`].
    pub cursors: Vec<(u32, String)>,
    /// Journal of an identical request that did not finish; see [`Translation::write_key`].
    pub unfinished: Option<Journal>,
    /// Longest time in seconds for which v2 may have worked on an unanswered call.
    pub call_time: i64,
}

/// Identifies a write: equal for identical requests. The digest is unkeyed, so parameters with few
/// possible values could be guessed from it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WriteKey(pub [u8; 32]);

/// Identifies a request within a translation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId {
    call: usize,
    item: Option<usize>,
}

impl CallId {
    /// A call without fan-out.
    fn once(call: usize) -> Self {
        Self { call, item: None }
    }
}

/// v2 request to send now.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Argument for [`Translation::complete`].
    pub id: CallId,
    /// Name of the call in the plan.
    pub name: String,
    /// The request.
    pub request: V2Request,
    /// True for requests of a fan-out: they count against a concurrency limit, and a cached
    /// response of the same read may be used.
    pub for_item: bool,
}

/// v2 request that the plan has yet to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedCall {
    /// HTTP method.
    pub method: Method,
    /// Path with placeholders.
    pub template: Arc<str>,
    /// v2's rate label.
    pub label: RateLabel,
    /// Path; `None` if it depends on an earlier response.
    pub path: Option<String>,
}

/// Result of a translation.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// Response to the client.
    pub answer: V1Answer,
    /// Cursors to store under [`Translation::paging_key`].
    pub cursors: Vec<(u32, String)>,
    /// Journal to store under [`Translation::write_key`]; delete the stored one if `None`.
    pub unfinished: Option<Journal>,
    /// Ignored parameters that the operation does not have.
    pub unknown: Vec<String>,
    /// Failed v2 calls, for the log.
    pub failures: Vec<CallFailure>,
    /// True if the response is an error caused by v2 or the shim, not by the caller.
    pub is_trouble: bool,
}

/// Failed v2 call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallFailure {
    /// Method and path template.
    pub request: (Method, Arc<str>),
    /// Required OAuth scope.
    pub scope: String,
    /// HTTP status, if v2 responded.
    pub status: Option<u16>,
    /// v2's error code, if any.
    pub code: Option<i64>,
    /// v2's message; it may contain an email address.
    pub message: String,
    /// Reason why the response is not accepted as v2's.
    pub reason: Option<&'static str>,
}

/// State machine that serves one v1 request without I/O.
///
/// 1. [`begin`](Self::begin) parses the parameters and makes the plan; pass stored state to
///    [`recall`](Self::recall).
/// 2. Send the calls returned by [`ready`](Self::ready). Each call is returned once; calls returned
///    together are independent of each other.
/// 3. Pass each outcome to [`complete`](Self::complete), in any order, then call `ready` again.
/// 4. Repeat until [`is_done`](Self::is_done). Calls still in flight then are reads and may be
///    dropped.
/// 5. [`finish`](Self::finish) builds the response.
pub struct Translation<'a> {
    catalog: &'a Catalog,
    operation: &'a Operation,
    plan: &'a Plan,
    view: usize,
    site: &'a Site,
    /// Time of the request, in Unix seconds.
    now: i64,
    given: Parameters<'a>,
    warnings: Vec<Warning>,
    /// Subject as sent by the client.
    subject: Option<String>,
    /// Subject's id as returned by v2, once known.
    id: Option<String>,
    /// True once calls were queued.
    is_begun: bool,
    progress: Vec<Progress>,
    /// Indexes of the derived lists that exist.
    made: Vec<usize>,
    queue: VecDeque<Call>,
    /// Documents and lists read so far.
    root: Entry<'a>,
    paging: Option<Paging<'a>>,
    /// Lists read in mode [`PageMode::All`], by request.
    walks: BTreeMap<CallId, Walk<'a>>,
    journaling: Journaling,
    failure: Option<(usize, Failure)>,
    failures: Vec<CallFailure>,
    unread_parts: Vec<UnreadPart>,
}

/// Progress of a call of the plan.
#[derive(Default)]
struct Progress {
    state: State,
    /// Number of requests in flight.
    open: usize,
    /// Number of successful requests.
    succeeded: usize,
    /// Items of the fan-out, if it is one.
    units: Option<units::Units>,
    /// Response, kept if later calls need it.
    found: Option<Document>,
    /// True after a failure that did not fail the operation.
    has_failed: bool,
    /// v2's code of that failure.
    code: Option<i64>,
    /// Items whose outcome in v2 is unknown; 0 stands for a call without fan-out.
    unknown: Vec<usize>,
}

impl Progress {
    /// Number of items, and of those done.
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

/// Part of the response that could not be read.
struct UnreadPart {
    call: usize,
    item: Option<usize>,
}

impl<'a> Translation<'a> {
    /// Parses the parameters of a request received at `now` (Unix seconds) and makes its plan.
    ///
    /// # Errors
    ///
    /// v1 errors that need no v2 call: missing or unreadable parameters, invalid ids, operations
    /// that are not served or not allowed, and in strict mode unsupported parameters.
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
            unread_parts: Vec::new(),
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

    /// Restores state of earlier requests; must precede the first call of [`ready`](Self::ready).
    pub fn recall(&mut self, memory: Memory) {
        let unfinished = memory.unfinished.unwrap_or_default();
        self.journaling = Journaling::new(unfinished, memory.call_time, self.now);
        self.begin_paging(memory.cursors);
    }

    /// Adds a document that no call requested, such as a webhook.
    pub(crate) fn read(&mut self, name: &'a str, document: Document) {
        self.root.documents.add(name, document);
    }

    /// Identifies the write, independent of parameter order; `None` for reads.
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

    /// Key under which cursors of this list are stored; `None` if it is not a paged list.
    pub fn paging_key(&self) -> Option<String> {
        let (index, call, pages) = self.paged()?;
        let id = CallId::once(index);
        let subject = self.subject_of(id, call);
        let request_builder = self.request_builder(id, call, subject.as_deref());
        let (path, query) = request_builder.path_and_query(call);
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

    /// The paged call.
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

    /// The calls to send now; each is returned once.
    pub fn ready(&mut self) -> Vec<Call> {
        self.begin_calls();
        self.take_ready()
    }

    fn begin_calls(&mut self) {
        if !self.is_begun {
            self.is_begun = true;
            self.advance();
        }
    }

    /// Calls that wait for others and will be made as far as is known. A fan-out is listed once.
    pub fn planned(&self) -> Vec<PlannedCall> {
        let calls = self.plan.calls.iter().enumerate().zip(&self.progress);
        let waiting = calls.filter(|(_, progress)| progress.state == State::Waiting);
        waiting
            .filter(|((index, call), _)| self.holds(*index, call))
            .filter_map(|((index, call), _)| self.planned_call(index, call))
            .collect()
    }

    /// Processes the outcome of a call.
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
        let read = match self.finish_verification(id, call, outcome) {
            Ok(None) => return,
            Ok(Some(verified)) => verified,
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

    /// True if no call remains to be sent or awaited.
    pub fn is_done(&self) -> bool {
        if !self.is_begun {
            return false;
        }
        let open = |(call, progress): (&operation::Call, &Progress)| {
            progress.open > 0 && (self.failure.is_none() || !call.method.is_read())
        };
        self.queue.is_empty() && !self.plan.calls.iter().zip(&self.progress).any(open)
    }

    /// Builds the response. `now` is its time in Unix seconds.
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

/// Error for a loss in strict mode.
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
