//! Event types for requests, v2 calls and comparisons, and the trait of their receivers.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use mappings::{Method, Warning};
use recording::comparison::{Kind, Verdict};
use shim_upstream::{CallRecord, RequestId};

use crate::settings::Side;

/// One served v1 request. Contains no text of the client; all names are from the catalog.
#[derive(Debug)]
pub struct RequestRecord<'a> {
    /// Request id.
    pub id: RequestId,
    /// The HTTP method, or `other`.
    pub method: &'static str,
    /// Operation; `None` if v1 had no such operation.
    pub operation: Option<&'a str>,
    /// True if the shim serves the operation.
    pub is_served: bool,
    /// Outcome.
    pub ending: Ending,
    /// v1 error code; `None` for a success.
    pub error: Option<i64>,
    /// Name of the catalog's error if the shim itself refused the request.
    pub refusal: Option<&'static str>,
    /// Number of v2 calls sent.
    pub calls: u32,
    /// Time from the request head to the answer.
    pub elapsed: Duration,
    /// Number of parameters that the operation does not have.
    pub unknown: usize,
    /// Those among them that another operation has.
    pub misplaced: BTreeSet<&'a str>,
    /// Unsupported parameters and missing fields.
    pub warnings: &'a [Warning],
    /// Failed v2 calls.
    pub failures: Vec<FailedCall<'a>>,
    /// Set if a write is partly done; repeating the request completes it.
    pub unfinished: Option<WriteId>,
    /// v1 key of the tenant; `None` if refused before authentication.
    pub key: Option<&'a str>,
    /// Client address: the last one that is not a trusted proxy's.
    pub address: Option<IpAddr>,
}

/// Opaque id of a write in the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteId {
    /// Digest of the v2 account.
    pub account: u128,
    /// Digest of the write.
    pub name: u128,
}

/// Outcome of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ending {
    /// Success.
    Answered,
    /// Error caused by the request: v2 or a rule of v1 rejected it.
    Error,
    /// Error because the shim does not serve the operation.
    NotServed,
    /// Rejected before an operation ran: credentials, method, body, unknown operation, or overload.
    Refused,
    /// Error caused by v2 or the shim.
    Trouble,
    /// Error of a brownout, in which v1 is off on purpose.
    Brownout,
}

impl Ending {
    /// Name for metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Error => "error",
            Self::NotServed => "not_served",
            Self::Refused => "refused",
            Self::Trouble => "trouble",
            Self::Brownout => "brownout",
        }
    }
}

/// A failed v2 call, without v2's message, which may quote an address.
#[derive(Debug)]
pub struct FailedCall<'a> {
    /// HTTP method.
    pub method: Method,
    /// Path with placeholders.
    pub template: &'a str,
    /// Required OAuth scope.
    pub scope: &'a str,
    /// HTTP status, if v2 answered.
    pub status: Option<u16>,
    /// Error code in the body, if any.
    pub code: Option<i64>,
    /// Reason why the response is not accepted as v2's.
    pub reason: Option<&'static str>,
}

impl FailedCall<'_> {
    /// Required scope, if v2's status may mean that it is missing.
    pub(crate) fn suspected_scope(&self) -> Option<&str> {
        matches!(self.status, Some(400 | 401 | 403)).then_some(self.scope)
    }
}

/// An event of the shadow. Contains no text of an answer; all names are from the catalog.
#[derive(Debug)]
pub enum ShadowRecord<'a> {
    /// A request was compared.
    Compared {
        /// Operation.
        operation: &'a str,
        /// Worst verdict of all fields.
        verdict: Verdict,
        /// Number of differing fields by verdict.
        differences: &'a BTreeMap<Verdict, u64>,
    },
    /// A request was not compared.
    NotCompared {
        /// Operation.
        operation: &'a str,
        /// Reason, as one word.
        reason: &'static str,
    },
    /// First occurrence of a difference that nothing explains.
    Found {
        /// Operation.
        operation: &'a str,
        /// Field.
        field: &'a str,
        /// Kind of difference.
        kind: Kind,
    },
    /// A client that is served from the shadow got an answer.
    Answered {
        /// Origin of the answer.
        side: Side,
    },
}

/// An answered webhook of v2. Contains no text of the webhook; all names are from the catalog.
#[derive(Clone, Copy, Debug)]
pub struct WebhookRecord<'a> {
    /// Event name; `None` for an event without a notification or an unread one.
    pub event: Option<&'a str>,
    /// Outcome, as one word.
    pub outcome: &'static str,
}

/// An attempt to push a notification. Contains no meeting data except a digest.
#[derive(Clone, Debug)]
pub struct DeliveryRecord<'a> {
    /// Event id, a digest.
    pub event: &'a str,
    /// v1 name of the notification.
    pub notification: &'a str,
    /// URL of the receiver, without query.
    pub receiver: &'a str,
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// Outcome.
    pub outcome: DeliveryOutcome,
    /// Reason of a failure.
    pub failure: Option<String>,
}

/// Outcome of an attempt to push a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// The receiver returned a 2xx status.
    Delivered,
    /// Failed; will be retried.
    Failed,
    /// Failed for the last time.
    Dead,
}

impl DeliveryOutcome {
    /// Name for metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Dead => "dead",
        }
    }
}

/// An event of a rollout. Contains no text of an answer; all names are from the catalog.
#[derive(Debug)]
pub enum RolloutRecord<'a> {
    /// A side answered, or failed to.
    Answered {
        /// Name of the rollout.
        rollout: &'a str,
        /// Side.
        side: RolloutSide,
        /// True for no answer, or an error caused by v2 or the shim.
        is_failed: bool,
        /// Response time.
        elapsed: Duration,
    },
    /// The answers of both sides were compared.
    Compared {
        /// Name of the rollout.
        rollout: &'a str,
        /// Worst verdict of all fields.
        verdict: Verdict,
        /// Fields with this verdict.
        fields: &'a [String],
    },
    /// All callers were returned because the other side exceeded a limit.
    Left {
        /// Name of the rollout.
        rollout: &'a str,
        /// Share before, in percent.
        percent: u8,
        /// Exceeded limit, as one word.
        excess: &'a str,
        /// Exceeded limit, as a sentence.
        reason: &'a str,
    },
    /// The operator changed the share.
    Step {
        /// Name of the rollout.
        rollout: &'a str,
        /// New share, in percent.
        percent: u8,
    },
    /// The share was adopted from another process, or from this one before a restart.
    Followed {
        /// Name of the rollout.
        rollout: &'a str,
        /// New share, in percent.
        percent: u8,
    },
}

/// A side of a rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RolloutSide {
    /// This shim.
    This,
    /// The second v1.
    Other,
}

impl RolloutSide {
    /// Name for metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::This => "this",
            Self::Other => "other",
        }
    }
}

/// Receives an event for every request. Implementations must not block.
pub trait Observer: Send + Sync {
    /// A request was served.
    fn served(&self, record: &RequestRecord<'_>);

    /// A v2 call ended. Its request is still in progress.
    fn called(&self, _call: &CallRecord<'_>) {}

    /// The shadow compared or answered a request.
    fn shadowed(&self, _record: &ShadowRecord<'_>) {}

    /// A rollout answered, compared or changed its share.
    fn rollout(&self, _record: &RolloutRecord<'_>) {}

    /// A webhook was answered.
    fn webhook(&self, _record: &WebhookRecord<'_>) {}

    /// An attempt to push a notification ended.
    fn delivered(&self, _record: &DeliveryRecord<'_>) {}
}

/// Calls several observers in order, each one `guarded`.
pub struct Observers(pub Vec<Arc<dyn Observer>>);

impl Observers {
    fn each(&self, observe: impl Fn(&dyn Observer)) {
        for observer in &self.0 {
            guarded(|| observe(observer.as_ref()));
        }
    }
}

impl Observer for Observers {
    fn served(&self, record: &RequestRecord<'_>) {
        self.each(|observer| observer.served(record));
    }

    fn called(&self, call: &CallRecord<'_>) {
        self.each(|observer| observer.called(call));
    }

    fn shadowed(&self, record: &ShadowRecord<'_>) {
        self.each(|observer| observer.shadowed(record));
    }

    fn rollout(&self, record: &RolloutRecord<'_>) {
        self.each(|observer| observer.rollout(record));
    }

    fn webhook(&self, record: &WebhookRecord<'_>) {
        self.each(|observer| observer.webhook(record));
    }

    fn delivered(&self, record: &DeliveryRecord<'_>) {
        self.each(|observer| observer.delivered(record));
    }
}

/// Catches a panic of an observer, which the panic hook logs, so that it cannot fail the request.
/// Every observer is called through this.
pub(crate) fn guarded<T>(observe: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(observe)).ok()
}
