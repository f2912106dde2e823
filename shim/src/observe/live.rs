//! The last requests in short, for the pages of the operator: who called, what came of it, and why it
//! failed. Bounded, and without anything that a client sent but its address.

use std::{
    collections::VecDeque,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::observer::{Ending, FailedCall, Observer, RequestRecord, WriteId};

/// Requests that are kept.
const REQUESTS: usize = 500;

/// Unfinished writes that are kept.
const UNFINISHED: usize = 100;

/// v2 calls that are named for each request.
const FAILURES: usize = 4;

/// Keeps the last requests.
#[derive(Debug, Default)]
pub struct Live(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The newest last.
    requests: VecDeque<LiveRequest>,
    /// Each write once, with its last request.
    unfinished: VecDeque<(WriteId, LiveRequest)>,
    trouble: Option<LiveRequest>,
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct LiveRequest {
    /// Its id, as its answer and the log have it.
    pub(crate) id: String,
    /// In milliseconds since 1970.
    pub(crate) at: i64,
    /// `None` if v1 had no such operation.
    pub(crate) operation: Option<String>,
    /// `None` if it was refused before anybody knew whose it is.
    pub(crate) key: Option<String>,
    pub(crate) address: Option<IpAddr>,
    pub(crate) ending: Ending,
    /// v1's error code.
    pub(crate) error: Option<i64>,
    pub(crate) calls: u32,
    pub(crate) elapsed: Duration,
    /// The v2 calls that failed, in words.
    pub(crate) failures: Vec<String>,
}

impl Live {
    /// The newest first.
    pub(crate) fn requests(&self) -> Vec<LiveRequest> {
        self.read(|state| state.requests.iter().rev().cloned().collect())
    }

    /// Writes that v2 did in part, the newest first.
    pub(crate) fn unfinished(&self) -> Vec<(WriteId, LiveRequest)> {
        self.read(|state| state.unfinished.iter().rev().cloned().collect())
    }

    /// The last request with an error that is v2's or the shim's.
    pub(crate) fn trouble(&self) -> Option<LiveRequest> {
        self.read(|state| state.trouble.clone())
    }

    /// A write is not unfinished any more, unless a later request than this one left it so.
    pub(crate) fn completed(&self, write: WriteId, request: &LiveRequest) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |(of, kept): &(WriteId, LiveRequest)| *of == write && kept.id == request.id;
        state.unfinished.retain(|kept| !is_it(kept));
    }

    fn read<T>(&self, of: impl FnOnce(&State) -> T) -> T {
        of(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Observer for Live {
    fn served(&self, record: &RequestRecord<'_>) {
        let request = LiveRequest::of(record);
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(write) = record.unfinished {
            state.unfinished.retain(|(known, _)| *known != write);
            push(&mut state.unfinished, (write, request.clone()), UNFINISHED);
        }
        if record.ending == Ending::Trouble {
            state.trouble = Some(request.clone());
        }
        push(&mut state.requests, request, REQUESTS);
    }
}

impl LiveRequest {
    fn of(record: &RequestRecord<'_>) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let refusal = record.refusal.map(|name| name.replace('_', " "));
        let failures = record.failures.iter().take(FAILURES).map(in_words);
        let failures = refusal.into_iter().chain(failures);
        Self {
            id: record.id.to_string(),
            at: i64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(i64::MAX),
            operation: record.operation.map(str::to_owned),
            key: record.key.map(str::to_owned),
            address: record.address,
            ending: record.ending,
            error: record.error,
            calls: record.calls,
            elapsed: record.elapsed,
            failures: failures.collect(),
        }
    }
}

fn in_words(call: &FailedCall<'_>) -> String {
    let outcome = match (call.status, call.code) {
        (Some(status), Some(code)) => format!("HTTP {status}, code {code}"),
        (Some(status), None) => format!("HTTP {status}"),
        (None, _) => "no answer".to_owned(),
    };
    let scope = call.suspected_scope();
    let scope = scope.map_or_else(String::new, |scope| format!(" (needs the scope {scope})"));
    format!("{} {}: {outcome}{scope}", call.method, call.template)
}

fn push<T>(kept: &mut VecDeque<T>, new: T, most: usize) {
    if kept.len() >= most {
        kept.pop_front();
    }
    kept.push_back(new);
}
