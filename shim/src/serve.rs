//! Serves one v1 request: decodes and authenticates it, runs its plan of v2 calls, and answers as v1
//! answered, whatever happens in between.

mod brownout;
mod exchange;
mod executor;
mod joins;
mod relay;
mod reply;
mod rollout;
mod tenant_status;
mod tenants;
mod writes;

use std::{
    collections::BTreeMap,
    error::Error,
    panic::AssertUnwindSafe,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use axum::body::{Body, HttpBody as _};
use futures_util::{FutureExt as _, future::BoxFuture};
use hyper::{
    Method, Request, Response, StatusCode,
    header::{
        ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue,
        X_CONTENT_TYPE_OPTIONS,
    },
    http::request::Parts,
};
use ipnet::IpNet;
use mappings::{
    Catalog, Links,
    catalog::protocol::{Protocol, ProtocolError},
};
use recording::rollout::Figures;
use shim_upstream::{
    CallLimits, Endpoint, FROM_SHIM, Http, REQUEST_ID, RateLabel, RateLabels, RequestId,
};
use tokio::{
    sync::{Notify, Semaphore},
    time::Instant,
};
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use crate::{
    clock::{Clock, system_clock},
    front::{
        boxed_future::boxed,
        cors::AllowedOrigins,
        decode::{BodyReader, operation_path},
        encode::{self, DeprecationHeaders},
        server::{Handler, Peer, ValidKey},
        throttle::Throttle,
    },
    observe::{
        Log, Observer, Observers, Recent, WriteId, guarded,
        ledger::{Ledger, Note},
        recorder::Recorder,
        shadow::Shadow,
    },
    settings::{BrownoutConfig, Limits, SiteConfig, V2Config},
    state::{AnswerCache, State, StateError},
};
use executor::{Executed, Executor};
use joins::Joins;
use relay::Relay;
use reply::Reply;
use rollout::{COMPARED, ROLLOUT, Rollouts};
pub(crate) use tenant_status::{Probed, TenantStatus};
use tenants::{Tenant, Tenants};

/// The header of an answer that an equal request at the same time was given, too.
const DUPLICATE: HeaderName = HeaderName::from_static("x-shim-duplicate");

/// The shim: v1 in front, v2 behind. Clones are the same shim.
#[derive(Clone)]
pub struct Shim(Arc<RwLock<Generation>>);

/// The shim between two reloads. A request is served to its end by the one that it came to.
#[derive(Clone)]
struct Generation(Arc<Inner>);

struct Inner {
    executor: Executor,
    tenants: Tenants,
    rollouts: Rollouts,
    brownouts: Vec<BrownoutConfig>,
    upstream_status: StatusCode,
    deprecation: DeprecationHeaders,
    trusted_proxies: Vec<IpNet>,
    cors: AllowedOrigins,
    shared: Arc<Shared>,
}

/// What outlives a reload.
struct Shared {
    endpoint: Arc<Endpoint>,
    observer: Arc<dyn Observer>,
    recorder: Option<Arc<Recorder>>,
    ledger: Option<Arc<Ledger>>,
    recent: Option<Arc<Recent>>,
    shadow: Option<Arc<Shadow>>,
    clock: Clock,
    limits: Limits,
    body: BodyReader,
    throttle: Throttle,
    relay: Option<Arc<Relay>>,
    places: Arc<Semaphore>,
    /// How many places there are.
    requests: usize,
    request_time: Duration,
    /// Writes under way, which outlive the connection of their client.
    writes: TaskTracker,
    /// Woken when a rollout was left.
    stepped: Arc<Notify>,
}

/// The dependencies of a shim that may be replaced.
#[derive(Clone)]
pub struct Dependencies {
    /// What is remembered between requests.
    pub state: State,
    /// Who is told of every request.
    pub observer: Arc<dyn Observer>,
    /// Who keeps exchanges, if anybody.
    pub recorder: Option<Arc<Recorder>>,
    /// Who notes who still calls v1, if anybody.
    pub ledger: Option<Arc<Ledger>>,
    /// The last exchanges, if any are kept to be shown.
    pub recent: Option<Arc<Recent>>,
    /// What answers are compared with, if anything.
    pub shadow: Option<Arc<Shadow>>,
    /// What brownouts go by.
    pub clock: Clock,
}

impl Dependencies {
    /// State in memory, and the log.
    ///
    /// # Errors
    ///
    /// If the system gives no random bytes or no thread for the state.
    pub fn local(limits: &Limits) -> Result<Self, StateError> {
        Ok(Self::with(State::in_memory(AnswerCache::from(limits))?))
    }

    /// With this state, and the log.
    pub fn with(state: State) -> Self {
        Self {
            state,
            observer: Arc::new(Log::default()),
            recorder: None,
            ledger: None,
            recent: None,
            shadow: None,
            clock: system_clock(),
        }
    }
}

/// The state engine, for `/status`.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub(crate) struct StateStatus {
    /// `ok`, or `degraded` while the engine cannot be reached.
    pub(crate) status: &'static str,
}

/// Why there is no shim.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The HTTP client cannot be made: no certificates, a proxy setting that is none, or no name
    /// servers.
    #[error("the client for v2 cannot be made; check the system's certificates and proxy settings")]
    Client(#[source] Box<dyn Error + Send + Sync>),
    /// The HTTP client for the other side of a rollout cannot be made.
    #[error("the client for rollout.url cannot be made; check the system's certificates")]
    SecondV1(#[source] Box<dyn Error + Send + Sync>),
}

/// Why a shim goes on as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReloadError {
    /// `upstream.url` is another one.
    #[error("upstream.url is another one; restart the shim for that")]
    OtherUpstream,
    /// The HTTP client for the other side of a rollout cannot be made.
    #[error("the client for rollout.url cannot be made; check the system's certificates")]
    SecondV1,
}

impl Shim {
    /// A shim for a v2 and its tenants.
    ///
    /// # Errors
    ///
    /// If the client for v2 cannot be made.
    pub fn new(
        catalog: Arc<Catalog>,
        v2: V2Config,
        site: &SiteConfig,
        limits: &Limits,
        dependencies: Dependencies,
    ) -> Result<Self, StartError> {
        let http = Http::new(&v2.http(limits));
        let guarded = Observers(vec![dependencies.observer]);
        let observer: Arc<dyn Observer> = Arc::new(guarded);
        let calls = Arc::clone(&observer);
        let endpoint = Endpoint {
            http: http.map_err(|error| StartError::Client(error.into()))?,
            base: v2.base.clone(),
            limits: CallLimits {
                timeout: limits.call,
                response_bytes: limits.answer_bytes,
            },
            on_call: Box::new(move |call| calls.called(call)),
        };
        let endpoint = Arc::new(endpoint);
        let relay = site.relay.clone();
        let relay = relay.map(|config| Arc::new(Relay::new(config, &dependencies.state)));
        let shared = Shared {
            endpoint,
            observer,
            recorder: dependencies.recorder,
            ledger: dependencies.ledger,
            recent: dependencies.recent,
            shadow: dependencies.shadow,
            clock: dependencies.clock,
            limits: limits.clone(),
            body: BodyReader::new(limits.body_bytes, limits.body),
            throttle: Throttle::new(limits.failed_attempts),
            relay,
            places: Arc::new(Semaphore::new(limits.requests)),
            requests: limits.requests,
            request_time: limits.request,
            writes: TaskTracker::new(),
            stepped: Arc::default(),
        };
        let executor = Executor {
            catalog,
            state: dependencies.state,
            list_calls: limits.list_calls,
            call_time: limits.call,
            joins: Joins::default(),
        };
        let before = (&Tenants::default(), &Rollouts::default());
        let first = Generation::new(executor, v2, site, Arc::new(shared), before);
        let first = first.map_err(|error| StartError::SecondV1(error.into()))?;
        Ok(Self(Arc::new(RwLock::new(first))))
    }

    /// Goes on with other mappings, tenants and choices. Requests in work end as they began.
    ///
    /// # Errors
    ///
    /// If it is another v2, which is not reloaded; the shim goes on as it was.
    pub fn reload(
        &self,
        catalog: Arc<Catalog>,
        v2: V2Config,
        site: &SiteConfig,
    ) -> Result<(), ReloadError> {
        let before = self.now();
        let shared = Arc::clone(&before.0.shared);
        if v2.base != shared.endpoint.base {
            return Err(ReloadError::OtherUpstream);
        }
        let executor = Executor {
            catalog,
            ..before.0.executor.clone()
        };
        let before = (&before.0.tenants, &before.0.rollouts);
        let next = Generation::new(executor, v2, site, shared, before);
        let next = next.map_err(|_| ReloadError::SecondV1)?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }

    fn now(&self) -> Generation {
        // A reload replaces it as a whole: no panic leaves it half done.
        let generation = self.0.read().unwrap_or_else(PoisonError::into_inner);
        generation.clone()
    }

    /// True while v2 is known to be down for all accounts in use.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.now().0.tenants.are_cut_off()
    }

    /// The shim's own links to files of a v2 account, if it relays them: those of its tenant, or of the
    /// only one.
    pub(crate) fn links(&self, account: &str) -> Option<Arc<dyn Links>> {
        let Generation(now) = self.now();
        let is_its = |tenant: &&Tenant| tenant.site.account_id.as_deref() == Some(account);
        let mut tenants = now.tenants.iter();
        let only = tenants.next().filter(|_| tenants.next().is_none());
        let owner = now.tenants.iter().find(is_its).or(only)?;
        owner.site.links.clone()
    }

    /// Whether the state engine can be reached.
    pub(crate) fn state_status(&self) -> StateStatus {
        let Generation(now) = self.now();
        StateStatus {
            status: if now.executor.state.is_degraded() {
                "degraded"
            } else {
                "ok"
            },
        }
    }

    /// How many connections there may be.
    pub(crate) fn max_connections(&self) -> usize {
        self.now().0.shared.limits.connections
    }

    /// Requests under way, and how many there may be.
    pub(crate) fn requests(&self) -> (usize, usize) {
        let Generation(now) = self.now();
        let most = now.shared.requests;
        (
            most.saturating_sub(now.shared.places.available_permits()),
            most,
        )
    }

    /// For each tenant, in the order of the settings, whether its last token request succeeded.
    pub(crate) fn tokens_ok(&self) -> Vec<bool> {
        let Generation(now) = self.now();
        let is_ok = |tenant: &Tenant| tenant.upstream.tokens().status().failure.is_none();
        now.tenants.iter().map(is_ok).collect()
    }

    /// Whether a write that was left unfinished still is. True if that cannot be read.
    pub(crate) async fn is_open(&self, write: WriteId) -> bool {
        let Generation(now) = self.now();
        now.executor.state.is_open(write).await
    }

    /// How many exchanges were written, dropped and thinned out, if any are recorded.
    pub(crate) fn recorded(&self) -> Option<(u64, u64, u64)> {
        let Generation(now) = self.now();
        let recorder = now.shared.recorder.as_ref()?;
        Some((recorder.written(), recorder.dropped(), recorder.thinned()))
    }

    /// How many exchanges were dropped by the recorder of those that are shown.
    pub(crate) fn not_kept(&self) -> u64 {
        let Generation(now) = self.now();
        let own = now
            .shared
            .recent
            .as_ref()
            .and_then(|recent| recent.recorder());
        let recorder = own.or(now.shared.recorder.as_ref());
        recorder.map_or(0, |recorder| recorder.dropped())
    }

    /// How many tenants there are, and where v2 is.
    pub(crate) fn behind(&self) -> (usize, String) {
        let Generation(now) = self.now();
        let base = now.shared.endpoint.base.as_str().to_owned();
        (now.tenants.iter().count(), base)
    }

    /// The mappings that hold now.
    pub(crate) fn mappings(&self) -> Arc<Catalog> {
        Arc::clone(self.now().catalog())
    }

    /// The last exchanges, if any are kept.
    pub(crate) fn recent(&self) -> Option<Arc<Recent>> {
        self.now().0.shared.recent.clone()
    }

    /// What answers are compared with, if anything.
    pub(crate) fn shadow(&self) -> Option<Arc<Shadow>> {
        self.now().0.shared.shadow.clone()
    }

    /// Who notes who still calls v1, if anybody.
    pub(crate) fn ledger(&self) -> Option<Arc<Ledger>> {
        self.now().0.shared.ledger.clone()
    }

    /// The owners of v1 keys, by key.
    pub(crate) fn owners(&self) -> BTreeMap<String, String> {
        let Generation(now) = self.now();
        let owned = |tenant: &Tenant| {
            let owner = tenant.owner()?.to_owned();
            Some((tenant.api_key().to_string(), owner))
        };
        now.tenants.iter().filter_map(owned).collect()
    }

    /// The figures of all rollouts.
    pub(crate) fn rollouts(&self) -> Vec<Figures> {
        self.now().0.rollouts.figures()
    }

    /// The calls that could be made at once, for each account with a limit and each label.
    pub(crate) fn budget_levels(&self) -> Vec<(usize, RateLabel, u32)> {
        self.now().0.tenants.budget_levels()
    }
}

impl Handler for Shim {
    fn respond(&self, request: Request<Body>, peer: Peer) -> BoxFuture<'static, Response<Body>> {
        let shim = self.clone();
        boxed(|| respond(shim, request, peer))
    }

    /// Waits for writes whose client may have gone.
    async fn drain(&self) {
        let shared = Arc::clone(&self.now().0.shared);
        shared.writes.close();
        shared.writes.wait().await;
    }
}

impl Generation {
    fn new(
        executor: Executor,
        v2: V2Config,
        site: &SiteConfig,
        shared: Arc<Shared>,
        (tenants, rollouts): (&Tenants, &Rollouts),
    ) -> reqwest::Result<Self> {
        let labels = RateLabels::of(&executor.catalog);
        let relay = shared.relay.as_ref();
        let links = |tenant| relay.map(|relay| relay.links(tenant));
        let places = shared.requests;
        let tenants = (executor.state.shared_budget(), tenants);
        let tenants = Tenants::new(v2, &shared.endpoint, links, labels, places, tenants);
        let rollouts = Rollouts::new(&site.rollouts, rollouts, &shared)?;
        if let Some(ledger) = &shared.ledger {
            ledger.announce(&site.brownouts);
        }
        Ok(Self(Arc::new(Inner {
            tenants,
            executor,
            rollouts,
            brownouts: site.brownouts.clone(),
            upstream_status: site.upstream_status,
            deprecation: DeprecationHeaders::new(site.deprecation.as_ref()),
            trusted_proxies: site.trusted_proxies.clone(),
            cors: AllowedOrigins::new(&site.cors_origins),
            shared,
        })))
    }

    fn catalog(&self) -> &Arc<Catalog> {
        &self.0.executor.catalog
    }

    fn encode(&self, reply: &Reply) -> Response<Body> {
        let Executed { finished, json, .. } = &reply.executed;
        let json = json.clone();
        let has_valid_key = reply.has_valid_key;
        let mut response = encode::response(&finished.answer, json, reply.format, reply.status);
        self.0.deprecation.add_to(response.headers_mut());
        if has_valid_key {
            response.extensions_mut().insert(ValidKey);
        }
        if reply.executed.is_joined {
            let joined = HeaderValue::from_static("joined");
            response.headers_mut().insert(DUPLICATE, joined);
        }
        if let Some(moved) = &reply.executed.moved {
            let headers = response.headers_mut();
            headers.insert(ROLLOUT, moved.rollout.clone());
            if let Some(compared) = &moved.compared {
                headers.insert(COMPARED, compared.clone());
            }
        }
        if reply.status == StatusCode::METHOD_NOT_ALLOWED {
            let allowed = HeaderValue::from_static("POST");
            response.headers_mut().insert(ALLOW, allowed);
        }
        response
    }

    fn protocol(&self) -> &Protocol {
        self.catalog().protocol()
    }
}

async fn respond(shim: Shim, request: Request<Body>, peer: Peer) -> Response<Body> {
    let is_head = request.method() == Method::HEAD;
    let mut response = serve(shim, request, peer).await;
    if is_head {
        let length = response.body().size_hint().exact().unwrap_or_default();
        let known = response.headers_mut().entry(CONTENT_LENGTH);
        known.or_insert(length.into());
        *response.body_mut() = Body::empty();
    }
    response
}

async fn serve(shim: Shim, request: Request<Body>, peer: Peer) -> Response<Body> {
    let id = RequestId::fresh();
    // Of the highest level, so that a line of any level says which request it is about.
    let span = tracing::error_span!("request", %id);
    let (head, body) = request.into_parts();
    let shim = shim.now();
    let cors = &shim.0.cors;
    let mut response = if let Some(preflight) = cors.preflight(&head.method, &head.headers) {
        preflight
    } else {
        let answered = answer(&shim, (&head, body, peer), id);
        answered.instrument(span).await
    };
    let headers = response.headers_mut();
    cors.add_to(headers, &head.headers);
    headers.insert(REQUEST_ID, id.header());
    // Answers hold addresses, and links that start meetings.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

async fn answer(
    shim: &Generation,
    (head, body, peer): (&Parts, Body, Peer),
    id: RequestId,
) -> Response<Body> {
    let started = Instant::now();
    let method = known_method(&head.method);
    if head.headers.contains_key(FROM_SHIM) {
        tracing::error!(
            "The shim was asked what a shim asks v2: upstream.url leads back here (a hosts file?); \
             set upstream.dns or upstream.resolve"
        );
        return led_back();
    }
    if let Some(relay) = &shim.0.shared.relay
        && let Some(token) = relay::token_of(head.uri.path())
    {
        return shim.relay(relay, token, head).await;
    }
    let Some(path) = operation_path(head.uri.path(), shim.protocol().prefixes()) else {
        tracing::info!("{method} (not below /v1)  404");
        return not_v1();
    };
    let operation = shim.catalog().find(&path);
    let client = peer.behind(&head.headers, &shim.0.trusted_proxies);
    let ledger = shim.0.shared.ledger.as_ref();
    let begin = || guarded(|| Note::begin(&head.headers, client.0));
    let mut note = ledger.and_then(|_| begin());
    let replied = async {
        let request = (head, body, client);
        let reply = shim.reply(&path, operation, request, id, note.as_mut());
        let reply = reply.await;
        (shim.encode(&reply), reply)
    };
    // A panic is a defect of the shim: the client gets an answer it can read all the same.
    let replied = AssertUnwindSafe(replied).catch_unwind().await;
    let (response, reply) = replied.unwrap_or_else(|_| {
        let reply = Reply::refusal(shim.protocol(), ProtocolError::Internal, "");
        (shim.encode(&reply), reply)
    });
    // The answer is complete: whatever becomes of the observers, it goes out.
    guarded(|| {
        let record = reply.record(
            id,
            shim.catalog(),
            method,
            operation,
            (client.0, started.elapsed()),
        );
        shim.0.shared.observer.served(&record);
        if let (Some(ledger), Some(note)) = (ledger, note) {
            ledger.note(note, &record);
        }
    });
    response
}

/// A shim that asks itself would wait for itself.
fn led_back() -> Response<Body> {
    plain(StatusCode::LOOP_DETECTED, "508 This is the shim, not v2\n")
}

/// Programs tell a wrong base URL from a wrong operation by this.
fn not_v1() -> Response<Body> {
    plain(
        StatusCode::NOT_FOUND,
        "404 Not Found: v1 is below /v1, as POST /v1/user/get\n",
    )
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let text = HeaderValue::from_static("text/plain;charset=UTF-8");
    response.headers_mut().insert(CONTENT_TYPE, text);
    response
}

/// Methods may be any word: those that are none are not repeated in a log.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::DELETE => "DELETE",
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        Method::POST => "POST",
        Method::PUT => "PUT",
        _ => "other",
    }
}
