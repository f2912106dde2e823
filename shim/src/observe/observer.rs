//! The records of requests, v2 calls and comparisons, and the interface of their receivers.

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

/// One v1 request, served. Nothing in it comes from the client as it is: names are the catalog's.
#[derive(Debug)]
pub struct RequestRecord<'a> {
    /// The request's name.
    pub id: RequestId,
    /// The HTTP method, or `other`.
    pub method: &'static str,
    /// The operation; `None` if v1 had no such one.
    pub operation: Option<&'a str>,
    /// True if the shim serves the operation.
    pub is_served: bool,
    /// How it ended.
    pub ending: Ending,
    /// v1's error code; `None` for a success.
    pub error: Option<i64>,
    /// Why the shim itself refused it: the name of its error in the catalog.
    pub refusal: Option<&'static str>,
    /// How many v2 calls were made.
    pub calls: u32,
    /// From the request's head to the answer.
    pub elapsed: Duration,
    /// How many parameters the operation does not know.
    pub unknown: usize,
    /// Those of them that some other operation knows.
    pub misplaced: BTreeSet<&'a str>,
    /// What could not be honoured.
    pub warnings: &'a [Warning],
    /// The v2 calls that failed.
    pub failures: Vec<FailedCall<'a>>,
    /// A write that is done in part: the same request again does the rest.
    pub unfinished: Option<WriteId>,
    /// The key of the tenant; `None` if it was refused before that was known.
    pub key: Option<&'a str>,
    /// The client's address, or that of a proxy that is not trusted.
    pub address: Option<IpAddr>,
}

/// A write, by the names that the state engine has for it: nothing can be read from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteId {
    /// Of the v2 account.
    pub account: u128,
    /// Of the write.
    pub name: u128,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ending {
    /// With what the client wanted.
    Answered,
    /// With an error that is the caller's: v2, or the rules of v1, say no.
    Error,
    /// With an error that says that the operation is not served.
    NotServed,
    /// Before it came to an operation: credentials, method, body, no such operation, too much load.
    Refused,
    /// With an error that is v2's or the shim's trouble.
    Trouble,
    /// With the error of a brownout: v1 was off on purpose.
    Brownout,
}

impl Ending {
    /// One word.
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

/// A v2 call that failed, without what v2 said of it: that may quote an address.
#[derive(Debug)]
pub struct FailedCall<'a> {
    /// The method.
    pub method: Method,
    /// The path with its placeholders.
    pub template: &'a str,
    /// The OAuth scope that it needs.
    pub scope: &'a str,
    /// The HTTP status, if v2 answered.
    pub status: Option<u16>,
    /// v2's code, if it gave one.
    pub code: Option<i64>,
}

impl FailedCall<'_> {
    /// The scope, if v2's status is one of those that a missing scope has.
    pub(crate) fn suspected_scope(&self) -> Option<&str> {
        matches!(self.status, Some(400 | 401 | 403)).then_some(self.scope)
    }
}

/// Something that a shadow showed. Nothing in it comes from an answer but names that the catalog
/// knows.
#[derive(Debug)]
pub enum ShadowRecord<'a> {
    /// A request was compared.
    Compared {
        /// The operation.
        operation: &'a str,
        /// The worst of all its fields.
        verdict: Verdict,
        /// Fields that differ, by verdict.
        differences: &'a BTreeMap<Verdict, u64>,
    },
    /// A request was not compared.
    NotCompared {
        /// The operation.
        operation: &'a str,
        /// Why, in one word.
        reason: &'static str,
    },
    /// A field differs for the first time, and nothing explains it.
    Found {
        /// The operation.
        operation: &'a str,
        /// The field.
        field: &'a str,
        /// How it differs.
        kind: Kind,
    },
    /// A client that was to have the shadow's answer got one.
    Answered {
        /// Whose it was.
        side: Side,
    },
}

/// A webhook of v2 was answered. Nothing in it comes from the webhook: names are the catalog's.
#[derive(Clone, Copy, Debug)]
pub struct WebhookRecord<'a> {
    /// The name of the event; `None` for one without a notification, or before it was read.
    pub event: Option<&'a str>,
    /// What became of it, in one word.
    pub outcome: &'static str,
}

/// An attempt to push a notification. Nothing in it comes from a meeting but a digest.
#[derive(Clone, Debug)]
pub struct DeliveryRecord<'a> {
    /// The id of the event: a digest.
    pub event: &'a str,
    /// v1's name of the notification.
    pub notification: &'a str,
    /// The URL of the receiver, without its query.
    pub receiver: &'a str,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// How it ended.
    pub outcome: DeliveryOutcome,
    /// Why it failed.
    pub failure: Option<String>,
}

/// How an attempt to push a notification ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// With a 2xx.
    Delivered,
    /// It failed, and another attempt follows.
    Failed,
    /// It failed, and was the last one.
    Dead,
}

impl DeliveryOutcome {
    /// One word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Dead => "dead",
        }
    }
}

/// Something that a rollout did. Nothing in it comes from an answer but names that the catalog knows.
#[derive(Debug)]
pub enum RolloutRecord<'a> {
    /// A side answered, or failed to.
    Answered {
        /// The rollout.
        rollout: &'a str,
        /// The side.
        side: RolloutSide,
        /// True if it gave no answer, or one of v2's or the shim's trouble.
        is_failed: bool,
        /// From the request to the answer.
        elapsed: Duration,
    },
    /// The answers of both sides were compared.
    Compared {
        /// The rollout.
        rollout: &'a str,
        /// The worst of all fields.
        verdict: Verdict,
        /// The fields with this verdict.
        fields: &'a [String],
    },
    /// The other side was left, because it exceeded what the step allows.
    Left {
        /// The rollout.
        rollout: &'a str,
        /// The share before.
        percent: u8,
        /// What was exceeded, in one word.
        excess: &'a str,
        /// The same in a sentence.
        reason: &'a str,
    },
    /// The operator changed the share.
    Step {
        /// The rollout.
        rollout: &'a str,
        /// The share.
        percent: u8,
    },
    /// The share is now the one that another process, or this one before a restart, has set.
    Followed {
        /// The rollout.
        rollout: &'a str,
        /// The share.
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
    /// One word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::This => "this",
            Self::Other => "other",
        }
    }
}

/// Receives a record of every request. Must not block.
pub trait Observer: Send + Sync {
    /// A request was served.
    fn served(&self, record: &RequestRecord<'_>);

    /// A v2 call came to its end, as part of a request that is not served yet.
    fn called(&self, _call: &CallRecord<'_>) {}

    /// A shadow showed something.
    fn shadowed(&self, _record: &ShadowRecord<'_>) {}

    /// A rollout did something.
    fn rollout(&self, _record: &RolloutRecord<'_>) {}

    /// A webhook of v2 was answered.
    fn webhook(&self, _record: &WebhookRecord<'_>) {}

    /// An attempt to push a notification ended.
    fn delivered(&self, _record: &DeliveryRecord<'_>) {}
}

/// Several observers, called one after the other, each of them `guarded`.
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

/// Runs what watches a request: a panic in it, which the log has, must not cost the request its
/// answer. Everything that watches is called through this.
pub(crate) fn guarded<T>(observe: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(observe)).ok()
}
