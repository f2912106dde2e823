//! Recent requests for the operations pages: caller, result, reason of failure. Bounded; contains
//! nothing that a client sent except its address.

use std::{collections::VecDeque, net::IpAddr, time::Duration};

use parking_lot::Mutex;

use super::observer::{Ending, FailedCall, Observer, RequestRecord, WriteId};
use crate::clock::unix_millis;

/// Maximum number of requests kept.
const REQUESTS: usize = 500;

/// Maximum number of unfinished writes kept.
const UNFINISHED: usize = 100;

/// Maximum number of failed v2 calls kept per request.
const FAILURES: usize = 4;

/// Keeps the most recent requests.
#[derive(Debug, Default)]
pub struct Live(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Oldest first.
    requests: VecDeque<LiveRequest>,
    /// Each write once, with its latest request.
    unfinished: VecDeque<(WriteId, LiveRequest)>,
    trouble: Option<LiveRequest>,
}

/// Summary of one request.
#[derive(Clone, Debug)]
pub(crate) struct LiveRequest {
    /// Request id, as in the response and the log.
    pub(crate) id: String,
    /// Milliseconds since 1970.
    pub(crate) at: i64,
    /// `None` if v1 had no such operation.
    pub(crate) operation: Option<String>,
    /// `None` if refused before authentication.
    pub(crate) key: Option<String>,
    pub(crate) address: Option<IpAddr>,
    pub(crate) ending: Ending,
    /// v1's error code.
    pub(crate) error: Option<i64>,
    pub(crate) calls: u32,
    pub(crate) elapsed: Duration,
    /// Descriptions of failed v2 calls.
    pub(crate) failures: Vec<String>,
}

impl Live {
    /// Most recent requests, newest first.
    pub(crate) fn requests(&self) -> Vec<LiveRequest> {
        self.0.lock().requests.iter().rev().cloned().collect()
    }

    /// Partly done writes, newest first.
    pub(crate) fn unfinished(&self) -> Vec<(WriteId, LiveRequest)> {
        self.0.lock().unfinished.iter().rev().cloned().collect()
    }

    /// Most recent request that failed because of v2 or the shim.
    pub(crate) fn trouble(&self) -> Option<LiveRequest> {
        self.0.lock().trouble.clone()
    }

    /// Removes a completed write, unless a later request left it unfinished again.
    pub(crate) fn completed(&self, write: WriteId, request: &LiveRequest) {
        let mut state = self.0.lock();
        let is_it = |(of, kept): &(WriteId, LiveRequest)| *of == write && kept.id == request.id;
        state.unfinished.retain(|kept| !is_it(kept));
    }
}

impl Observer for Live {
    fn served(&self, record: &RequestRecord<'_>) {
        let request = LiveRequest::of(record);
        let mut state = self.0.lock();
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
        let refusal = record.refusal.map(|name| name.replace('_', " "));
        let failures = record.failures.iter().take(FAILURES).map(describe);
        let failures = refusal.into_iter().chain(failures);
        Self {
            id: record.id.to_string(),
            at: unix_millis(),
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

fn describe(call: &FailedCall<'_>) -> String {
    let outcome = match (call.status, call.code) {
        (Some(status), Some(code)) => format!("HTTP {status}, code {code}"),
        (Some(status), None) => format!("HTTP {status}"),
        (None, _) => "no answer".to_owned(),
    };
    let reason = call
        .reason
        .map_or_else(String::new, |reason| format!(", {reason}"));
    let scope = call.suspected_scope();
    let scope = scope.map_or_else(String::new, |scope| format!(" (needs the scope {scope})"));
    format!(
        "{} {}: {outcome}{reason}{scope}",
        call.method, call.template
    )
}

fn push<T>(kept: &mut VecDeque<T>, new: T, limit: usize) {
    if kept.len() >= limit {
        kept.pop_front();
    }
    kept.push_back(new);
}
