//! Compares answers with those of a second v1, or of other mappings.
//!
//! Reads are sent to the shadow, too; writes never are. With `mappings`, the request is re-translated
//! offline from the v2 exchanges; nothing is sent. No request waits for the comparison, except for the
//! shadow's answer where a site wants clients to get that one. Requests beyond the bounds are not
//! compared, and counted.

mod cap;
mod comparison;
mod differences;
mod worker;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _, Shared};
use mappings::{Arguments, Catalog, Outcome, V1Answer, V2Request, catalog::operation::Operation};
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
    settings::{Limits, ShadowConfig, Side},
    v1_client::{self, V1Client, V1Failure, v1_answer},
};
use cap::PerSecond;
pub use differences::{Differences, Example, FieldTally, OperationTally};
use worker::Worker;

/// Another one than before v2: that one is refused by a shim, which would be asking itself.
const USER_AGENT: &str = concat!("shim-shadow/", env!("CARGO_PKG_VERSION"));

/// True for how a shim of any version calls itself when it asks its shadow.
pub(crate) fn is_shadow_of_another(user_agent: &[u8]) -> bool {
    user_agent.starts_with(b"shim-shadow/")
}

/// Requests that wait to be compared, for each that is being asked; more are not compared.
const WAITING: usize = 16;

/// What they may take together, roughly, in bytes.
const WAITING_BYTES: usize = 32 << 20;

/// A document takes so many times its text, roughly.
const IN_MEMORY: usize = 4;

/// One in so many comparisons may ask this shim a second time, to learn what differs each time.
const ASK_AGAIN: u64 = 10;

/// The shadow, and what was found.
pub struct Shadow {
    client: Option<V1Client>,
    /// Other mappings, to re-translate requests with.
    mappings: Option<Arc<Catalog>>,
    answer: Side,
    sample_percent: u8,
    cap: Option<PerSecond>,
    timeout: Duration,
    redactor: Redactor,
    observer: Arc<dyn Observer>,
    /// Places of requests that wait.
    places: Arc<Semaphore>,
    waiting_bytes: AtomicUsize,
    /// Turns to ask the shadow.
    turns: Arc<Semaphore>,
    worker: Worker,
    noise: Mutex<Noise>,
    compared: AtomicU64,
    asked_again: AtomicU64,
    differences: Differences,
}

/// Why there is no shadow.
#[derive(Debug, thiserror::Error)]
pub enum ShadowError {
    /// The HTTP client cannot be made.
    #[error("the client for the shadow cannot be made; check the system's certificates")]
    Client(#[from] reqwest::Error),
    /// The system gives no thread.
    #[error("the system gives no thread to compare on")]
    Thread(#[from] std::io::Error),
}

/// Why an answer was not compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotCompared {
    /// A write, and there are no other mappings to translate it with.
    Write,
    /// The cap of this second is reached.
    Capped,
    /// Too many wait already.
    Dropped,
    /// No answer in time.
    Timeout,
    /// No answer.
    Unreachable,
    /// An answer that is not v1's, or too large.
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
    /// One word.
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

type Asked = Shared<BoxFuture<'static, Result<Arc<Value>, NotCompared>>>;

/// One request, beside which the shadow is looked at.
pub(crate) struct Shadowed {
    shadow: Arc<Shadow>,
    _place: OwnedSemaphorePermit,
    operation: String,
    wrapping: Wrapping,
    /// With the credentials: they are looked for in all that is kept.
    arguments: Arguments,
    at: i64,
    /// `None` if the shadow is asked, and its calls are its own.
    calls: Option<Mutex<Vec<V2Exchange>>>,
    /// The shadow's answer, if it is asked beside this shim.
    asked: Option<Asked>,
}

impl Shadow {
    /// Gets ready; `mappings` are those of [`ShadowConfig::mappings`].
    ///
    /// # Errors
    ///
    /// If the HTTP client cannot be made, or there is no thread.
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
        let places = config.concurrency.saturating_mul(WAITING);
        Ok(Self {
            client,
            mappings,
            answer: config.answer,
            sample_percent: config.sample_percent,
            cap: config
                .per_second
                .map(|most| PerSecond::new(most, std::time::Instant::now())),
            timeout: config.timeout,
            redactor: Redactor::new(catalog, key),
            observer,
            places: Arc::new(Semaphore::new(places)),
            waiting_bytes: AtomicUsize::new(0),
            turns: Arc::new(Semaphore::new(config.concurrency)),
            worker: Worker::start(places)?,
            noise: Mutex::default(),
            compared: AtomicU64::new(0),
            asked_again: AtomicU64::new(0),
            differences: Differences::new(unix_millis()),
        })
    }

    /// What was found so far.
    pub fn differences(&self) -> &Differences {
        &self.differences
    }

    /// Whose answers clients get.
    pub fn answer(&self) -> Side {
        self.answer
    }

    /// What this shim is compared with, in words.
    pub fn shown(&self) -> String {
        let client = self.client.as_ref().map(|client| client.base().to_owned());
        let mappings = self.mappings.as_ref().map(|_| "other mappings".to_owned());
        let parts: Vec<_> = client.into_iter().chain(mappings).collect();
        parts.join(" and ")
    }

    /// The fields that differ each time, by operation.
    pub fn noise(&self) -> Vec<(String, String)> {
        let noise = self.noise.lock().unwrap_or_else(PoisonError::into_inner);
        let owned = |(operation, field): (&str, &str)| (operation.to_owned(), field.to_owned());
        noise.iter().map(owned).collect()
    }

    /// Looks at a request, unless it is none that is compared.
    pub(crate) fn begin(
        self: &Arc<Self>,
        operation: &Operation,
        wrapping: Wrapping,
        arguments: &Arguments,
    ) -> Option<Shadowed> {
        let is_left_out = || fastrand::u8(0..100) >= self.sample_percent;
        if !operation.is_served() || (self.sample_percent < 100 && is_left_out()) {
            return None;
        }
        let now = std::time::Instant::now;
        if self.cap.as_ref().is_some_and(|cap| !cap.take(now())) {
            self.not_compared(&operation.name, NotCompared::Capped);
            return None;
        }
        let is_asked = operation.read && self.client.is_some();
        if !is_asked && self.mappings.is_none() {
            self.not_compared(&operation.name, NotCompared::Write);
            return None;
        }
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            self.not_compared(&operation.name, NotCompared::Dropped);
            return None;
        };
        Some(Shadowed {
            shadow: Arc::clone(self),
            _place: place,
            operation: operation.name.clone(),
            wrapping,
            arguments: arguments.clone(),
            at: unix_millis(),
            calls: (!is_asked).then(Mutex::default),
            asked: None,
        })
    }

    fn not_compared(&self, operation: &str, why: NotCompared) {
        self.differences.not_compared(operation, why);
        let reason = why.as_str();
        self.observer
            .shadowed(&ShadowRecord::NotCompared { operation, reason });
    }

    /// True if this shim may be asked a second time: a bounded share of what is compared.
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
    /// Notes a v2 call, if that is of use.
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
            let mut calls = calls.lock().unwrap_or_else(PoisonError::into_inner);
            calls.push(call);
        }
    }

    /// The shadow's answer, where a site wants that one; asked for from now on. `None` if it is
    /// not wanted.
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

    /// Has this shim's answer, as JSON, compared.
    pub(super) fn finish(self, answer: Bytes, request: Arc<dyn ServedRequest>) {
        let shadow = Arc::clone(&self.shadow);
        let bytes = self.weight() + answer.len() * IN_MEMORY;
        let waiting = shadow.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        let held = WaitingBytes {
            shadow: Arc::clone(&shadow),
            bytes,
        };
        if waiting + bytes > WAITING_BYTES {
            shadow.not_compared(&self.operation, NotCompared::Dropped);
            return;
        }
        tokio::spawn(async move {
            self.compare(answer, request).await;
            drop(held);
        });
    }

    /// What the calls that were noted take in memory, roughly.
    fn weight(&self) -> usize {
        let Some(calls) = &self.calls else {
            return 0;
        };
        let calls = calls.lock().unwrap_or_else(PoisonError::into_inner);
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
        // What changes something is never sent to a shadow, wherever this is called from.
        let operation = catalog.find(&self.operation).filter(|known| known.read);
        let protocol = catalog.protocol();
        let key = self.arguments.text(&protocol.key);
        let credentials = key.zip(self.arguments.text(&protocol.secret));
        let request = operation
            .and_then(|operation| client.request(catalog, operation, &self.arguments, credentials));
        let Some(request) = request else {
            return async { Err(NotCompared::Unreadable) }.boxed();
        };
        let (turns, limit) = (Arc::clone(&shadow.turns), client.answer_bytes());
        async move {
            let asked = async {
                let _turn = turns.acquire().await;
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

/// Bytes that wait; they are given back when it is dropped.
struct WaitingBytes {
    shadow: Arc<Shadow>,
    bytes: usize,
}

impl Drop for WaitingBytes {
    fn drop(&mut self) {
        let bytes = self.bytes;
        self.shadow
            .waiting_bytes
            .fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// What a value takes in memory, roughly.
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

fn unix_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}

impl std::fmt::Debug for Shadow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shadow").finish_non_exhaustive()
    }
}
