//! Shadow: compares responses with those of a second v1, or of other mappings.
//!
//! Reads are also sent to the shadow; writes never are. With `mappings`, the request is
//! re-translated offline from the v2 exchanges; nothing is sent. Requests do not wait for the
//! comparison, except for the shadow's answer if clients are served from it. Requests beyond the
//! limits are counted, but not compared.

mod comparison;
mod differences;
mod worker;

use std::{
    num::NonZero,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _, Shared};
use governor::{DefaultDirectRateLimiter, Quota};
use mappings::{Arguments, Catalog, Outcome, V1Answer, V2Request, catalog::operation::Operation};
use parking_lot::Mutex;
use recording::{PseudonymKey, Redactor, V2Exchange, Wrapping, comparison::Noise};
use serde_json::Value;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};

use super::{
    observer::{Observer, ShadowRecord},
    served_request::ServedRequest,
};
use crate::{
    clock::unix_millis,
    settings::{Limits, ShadowConfig, Side},
    v1_client::{self, V1Client, V1Failure, v1_answer},
};
pub use differences::{Differences, Example, FieldTally, OperationTally};
use worker::Worker;

/// Differs from the user agent towards v2, which a shim refuses because it would be calling itself.
const USER_AGENT: &str = concat!("shim-shadow/", env!("CARGO_PKG_VERSION"));

/// Detects the user agent of any version's shadow requests.
pub(crate) fn is_shadow_of_another(user_agent: &[u8]) -> bool {
    user_agent.starts_with(b"shim-shadow/")
}

/// Queued comparisons per concurrent shadow request; more are dropped.
const WAITING: usize = 16;

/// Approximate size limit of queued comparisons, in bytes.
const QUEUE_BYTES: usize = 32 << 20;

/// Approximate ratio of a document's size in memory to its JSON text.
const IN_MEMORY: usize = 4;

/// At most one comparison in this many serves a request a second time, to detect volatile fields.
const ASK_AGAIN: u64 = 10;

/// A shadow and the differences found.
pub struct Shadow {
    client: Option<V1Client>,
    /// Other mappings to re-translate requests with.
    mappings: Option<Arc<Catalog>>,
    answer: Side,
    sample_percent: u8,
    rate_limit: Option<DefaultDirectRateLimiter>,
    timeout: Duration,
    redactor: Redactor,
    observer: Arc<dyn Observer>,
    /// Limits queued comparisons.
    queue_permits: Arc<Semaphore>,
    /// Limits the size of queued comparisons, in bytes.
    queue_bytes: Arc<Semaphore>,
    /// Limits concurrent requests to the shadow.
    request_permits: Arc<Semaphore>,
    worker: Worker,
    noise: Mutex<Noise>,
    compared: AtomicU64,
    asked_again: AtomicU64,
    differences: Differences,
}

/// Errors that prevent a start of the shadow.
#[derive(Debug, thiserror::Error)]
pub enum ShadowError {
    /// No HTTP client.
    #[error("the HTTP client for the shadow cannot be created; check the system's certificates")]
    Client(#[from] reqwest::Error),
    /// No thread.
    #[error("the comparison thread cannot be started")]
    Thread(#[from] std::io::Error),
}

/// Reasons why a request was not compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotCompared {
    /// A write, without other mappings to translate it with.
    Write,
    /// The rate limit is reached.
    Capped,
    /// The queue is full.
    Dropped,
    /// The shadow did not answer in time.
    Timeout,
    /// The shadow cannot be reached.
    Unreachable,
    /// The answer is not v1's, or too large.
    Unreadable,
}

impl From<V1Failure> for NotCompared {
    fn from(failure: V1Failure) -> Self {
        match failure {
            V1Failure::NotSent | V1Failure::Unreachable => Self::Unreachable,
            V1Failure::Unreadable => Self::Unreadable,
        }
    }
}

impl NotCompared {
    /// Name for metrics, logs and pages.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Capped => "capped",
            Self::Dropped => "dropped",
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::Unreadable => "unreadable",
        }
    }
}

type PendingAnswer = Shared<BoxFuture<'static, Result<Arc<Value>, NotCompared>>>;

/// One request to compare.
pub(crate) struct Shadowed {
    shadow: Arc<Shadow>,
    _permit: OwnedSemaphorePermit,
    operation: String,
    wrapping: Wrapping,
    /// Includes credentials, which are redacted in everything that is kept.
    arguments: Arguments,
    at: i64,
    /// Recorded v2 calls; `None` if the shadow is sent the request and makes its own.
    calls: Option<Mutex<Vec<V2Exchange>>>,
    /// Pending answer of the shadow, if it is requested concurrently.
    asked: Option<PendingAnswer>,
}

impl Shadow {
    /// Starts the shadow. `mappings` is the catalog loaded from [`ShadowConfig::mappings`].
    ///
    /// # Errors
    ///
    /// If the HTTP client or the thread cannot be created.
    pub fn new(
        config: ShadowConfig,
        catalog: &Catalog,
        mappings: Option<Arc<Catalog>>,
        key: Option<PseudonymKey>,
        limits: &Limits,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, ShadowError> {
        let client = config
            .upstream
            .map(|second| V1Client::new(second, USER_AGENT, limits))
            .transpose()?;
        let waiting = config.concurrency.saturating_mul(WAITING);
        Ok(Self {
            client,
            mappings,
            answer: config.answer,
            sample_percent: config.sample_percent,
            rate_limit: config
                .per_second
                .and_then(NonZero::new)
                .map(|limit| DefaultDirectRateLimiter::direct(Quota::per_second(limit))),
            timeout: config.timeout,
            redactor: Redactor::new(catalog, key),
            observer,
            queue_permits: Arc::new(Semaphore::new(waiting)),
            queue_bytes: Arc::new(Semaphore::new(QUEUE_BYTES)),
            request_permits: Arc::new(Semaphore::new(config.concurrency)),
            worker: Worker::start(waiting)?,
            noise: Mutex::default(),
            compared: AtomicU64::new(0),
            asked_again: AtomicU64::new(0),
            differences: Differences::new(unix_millis()),
        })
    }

    /// Returns the differences found so far.
    pub fn differences(&self) -> &Differences {
        &self.differences
    }

    /// Returns the side whose answers clients get.
    pub fn answer(&self) -> Side {
        self.answer
    }

    /// Description of what this shim is compared with.
    pub fn shown(&self) -> String {
        let client = self.client.as_ref().map(|client| client.base().to_owned());
        let mappings = self.mappings.as_ref().map(|_| "other mappings".to_owned());
        let parts: Vec<_> = client.into_iter().chain(mappings).collect();
        parts.join(" and ")
    }

    /// Volatile fields found so far, by operation.
    pub fn noise(&self) -> Vec<(String, String)> {
        let noise = self.noise.lock();
        let owned = |(operation, field): (&str, &str)| (operation.to_owned(), field.to_owned());
        noise.iter().map(owned).collect()
    }

    /// Starts the comparison of a request; `None` if it is not compared.
    pub(crate) fn begin(
        self: &Arc<Self>,
        operation: &Operation,
        wrapping: Wrapping,
        arguments: &Arguments,
    ) -> Option<Shadowed> {
        let is_sampled_out = || fastrand::u8(0..100) >= self.sample_percent;
        if !operation.is_served() || (self.sample_percent < 100 && is_sampled_out()) {
            return None;
        }
        if self
            .rate_limit
            .as_ref()
            .is_some_and(|limit| limit.check().is_err())
        {
            self.not_compared(&operation.name, NotCompared::Capped);
            return None;
        }
        let is_forwarded = operation.read && self.client.is_some();
        if !is_forwarded && self.mappings.is_none() {
            self.not_compared(&operation.name, NotCompared::Write);
            return None;
        }
        let Ok(permit) = Arc::clone(&self.queue_permits).try_acquire_owned() else {
            self.not_compared(&operation.name, NotCompared::Dropped);
            return None;
        };
        Some(Shadowed {
            shadow: Arc::clone(self),
            _permit: permit,
            operation: operation.name.clone(),
            wrapping,
            arguments: arguments.clone(),
            at: unix_millis(),
            calls: (!is_forwarded).then(Mutex::default),
            asked: None,
        })
    }

    fn not_compared(&self, operation: &str, why: NotCompared) {
        self.differences.not_compared(operation, why);
        let reason = why.as_str();
        self.observer
            .shadowed(&ShadowRecord::NotCompared { operation, reason });
    }

    /// Returns whether a request may be served again, which is limited to a share of comparisons.
    fn may_ask_again(&self) -> bool {
        let compared = self.compared.load(Ordering::Relaxed);
        let asked = self.asked_again.load(Ordering::Relaxed);
        let may = asked * ASK_AGAIN <= compared;
        if may {
            self.asked_again.fetch_add(1, Ordering::Relaxed);
        }
        may
    }
}

impl Shadowed {
    /// Records a v2 call, if the comparison needs it.
    pub(crate) fn called(
        &self,
        name: &str,
        request: &V2Request,
        outcome: &Outcome,
        took: Duration,
    ) {
        if let Some(calls) = &self.calls {
            let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
            let call = V2Exchange::new(name, request, outcome, micros);
            let mut calls = calls.lock();
            calls.push(call);
        }
    }

    /// Requests the shadow's answer, if clients are served from the shadow.
    pub(crate) fn answer(
        &mut self,
        catalog: &Catalog,
        until: Instant,
    ) -> Option<impl Future<Output = Option<V1Answer>> + use<>> {
        if self.shadow.answer != Side::Shadow || self.calls.is_some() {
            return None;
        }
        let asked = self.ask(catalog, until).shared();
        self.asked = Some(asked.clone());
        let observer = Arc::clone(&self.shadow.observer);
        Some(async move {
            let answer = asked.await.ok().map(|answer| v1_answer(&answer));
            let side = match answer {
                Some(_) => Side::Shadow,
                None => Side::Shim,
            };
            observer.shadowed(&ShadowRecord::Answered { side });
            answer
        })
    }

    /// Compares with this shim's answer, given as JSON, in the background.
    pub(super) fn finish(self, answer: Bytes, request: Arc<dyn ServedRequest>) {
        let shadow = Arc::clone(&self.shadow);
        let bytes = self.weight() + answer.len() * IN_MEMORY;
        let permits = u32::try_from(bytes).unwrap_or(u32::MAX);
        let Ok(queued) = Arc::clone(&shadow.queue_bytes).try_acquire_many_owned(permits) else {
            shadow.not_compared(&self.operation, NotCompared::Dropped);
            return;
        };
        tokio::spawn(async move {
            self.compare(answer, request).await;
            drop(queued);
        });
    }

    /// Approximate size of the recorded calls in memory, in bytes.
    fn weight(&self) -> usize {
        let Some(calls) = &self.calls else {
            return 0;
        };
        let calls = calls.lock();
        let documents = calls.iter().filter_map(|call| call.answer.as_ref());
        documents.map(weight).sum()
    }

    fn ask(
        &self,
        catalog: &Catalog,
        until: Instant,
    ) -> BoxFuture<'static, Result<Arc<Value>, NotCompared>> {
        let shadow = Arc::clone(&self.shadow);
        let until = until.min(Instant::now() + shadow.timeout);
        let Some(client) = &shadow.client else {
            return async { Err(NotCompared::Unreachable) }.boxed();
        };
        // Writes are never sent to a shadow, whatever the caller does.
        let operation = catalog.find(&self.operation).filter(|known| known.read);
        let protocol = catalog.protocol();
        let key = self.arguments.text(&protocol.key);
        let credentials = key.zip(self.arguments.text(&protocol.secret));
        let request = operation
            .and_then(|operation| client.request(catalog, operation, &self.arguments, credentials));
        let Some(request) = request else {
            return async { Err(NotCompared::Unreadable) }.boxed();
        };
        let (permits, limit) = (Arc::clone(&shadow.request_permits), client.answer_bytes());
        async move {
            let asked = async {
                let _permit = permits.acquire().await;
                v1_client::answer(request, limit).await
            };
            match timeout_at(until, asked).await {
                Ok(answer) => answer.map(Arc::new).map_err(NotCompared::from),
                Err(_) => Err(NotCompared::Timeout),
            }
        }
        .boxed()
    }
}

/// Approximate size of a value in memory, in bytes.
fn weight(value: &Value) -> usize {
    const EACH: usize = 64;
    EACH + match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(weight).sum(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| name.len() + weight(value))
            .sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

impl std::fmt::Debug for Shadow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shadow").finish_non_exhaustive()
    }
}
