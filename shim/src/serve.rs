//! Serves one v1 request: decodes and authenticates it, executes its plan of v2 calls, and encodes
//! the v1 response. Every failure on the way becomes a v1 error.

mod brownout;
mod exchange;
mod executor;
mod http;
mod in_flight;
mod relay;
mod reply;
mod rollout;
mod tenant_status;
mod tenants;
mod writes;

use std::{collections::BTreeMap, error::Error, sync::Arc, time::Duration};

use axum::body::Body;
use futures_util::future::BoxFuture;
use hyper::{
    Request, Response, StatusCode,
    header::{ALLOW, CONTENT_TYPE, HeaderName, HeaderValue},
};
use ipnet::IpNet;
use mappings::{Catalog, Links, catalog::protocol::Protocol};
use parking_lot::RwLock;
use recording::rollout::Figures;
use shim_upstream::{CallLimits, Endpoint, Http, RateLabel};
use tokio::sync::{Notify, Semaphore};
use tokio_util::task::TaskTracker;

use crate::{
    clock::{Clock, system_clock},
    front::{
        boxed_future::boxed,
        cors::AllowedOrigins,
        decode::BodyReader,
        encode::{self, DeprecationHeaders},
        server::{Handler, Peer, ValidKey},
        throttle::Throttle,
    },
    observe::{
        Log, Observer, Observers, Recent, WriteId, ledger::Ledger, recorder::Recorder,
        shadow::Shadow,
    },
    settings::{BrownoutConfig, Limits, SiteConfig, V2Config},
    state::{AnswerCache, State, StateError},
};
use executor::{Executed, Executor};
use in_flight::InFlightWrites;
use relay::Relay;
use reply::Reply;
use rollout::{COMPARED, ROLLOUT, Rollouts};
pub(crate) use tenant_status::{Probed, TenantStatus};
use tenants::{Tenant, Tenants};

/// Marks the response to a request that was joined to an equal, concurrent one.
const DUPLICATE: HeaderName = HeaderName::from_static("x-shim-duplicate");

/// The shim: v1 in front, v2 behind. Cheap to clone; clones share all state.
#[derive(Clone)]
pub struct Shim(Arc<RwLock<Generation>>);

/// Configuration between two reloads. A request keeps the generation that it started with.
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

/// State kept across reloads.
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
    request_permits: Arc<Semaphore>,
    /// Total number of `request_permits`.
    requests: usize,
    request_time: Duration,
    /// Running writes; they outlive their client's connection.
    writes: TaskTracker,
    /// Notified when a rollout returns its callers.
    stepped: Arc<Notify>,
}

/// Replaceable parts of a shim.
#[derive(Clone)]
pub struct Dependencies {
    /// State kept between requests.
    pub state: State,
    /// Receives an event for every request.
    pub observer: Arc<dyn Observer>,
    /// Records exchanges to a file.
    pub recorder: Option<Arc<Recorder>>,
    /// Records who calls v1.
    pub ledger: Option<Arc<Ledger>>,
    /// Most recent exchanges, for the pages.
    pub recent: Option<Arc<Recent>>,
    /// Compares responses with a second endpoint or other mappings.
    pub shadow: Option<Arc<Shadow>>,
    /// Time source for brownouts and rollouts.
    pub clock: Clock,
}

impl Dependencies {
    /// In-memory state; events go to the log.
    ///
    /// # Errors
    ///
    /// If the system provides no random bytes or no thread for the state.
    pub fn local(limits: &Limits) -> Result<Self, StateError> {
        Ok(Self::with(State::in_memory(AnswerCache::from(limits))?))
    }

    /// The given state; events go to the log.
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

/// Errors that prevent a start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No HTTP client for v2: missing certificates, invalid proxy settings, or no name servers.
    #[error(
        "the HTTP client for v2 cannot be created; check the system's certificates and proxy settings"
    )]
    Client(#[source] Box<dyn Error + Send + Sync>),
    /// No HTTP client for the other side of a rollout.
    #[error("the HTTP client for rollout.url cannot be created; check the system's certificates")]
    SecondV1(#[source] Box<dyn Error + Send + Sync>),
}

/// Errors that abort a reload; the current configuration stays in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReloadError {
    /// `upstream.url` changed.
    #[error("upstream.url has changed; restart the shim")]
    OtherUpstream,
    /// No HTTP client for the other side of a rollout.
    #[error("the HTTP client for rollout.url cannot be created; check the system's certificates")]
    SecondV1,
}

impl Shim {
    /// Creates a shim for one v2 base URL and its tenants.
    ///
    /// # Errors
    ///
    /// If an HTTP client cannot be created.
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
            request_permits: Arc::new(Semaphore::new(limits.requests)),
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
            in_flight: InFlightWrites::default(),
        };
        let before = (&Tenants::default(), &Rollouts::default());
        let first = Generation::new(executor, v2, site, Arc::new(shared), before);
        let first = first.map_err(|error| StartError::SecondV1(error.into()))?;
        Ok(Self(Arc::new(RwLock::new(first))))
    }

    /// Replaces mappings, tenants and site settings. Requests in progress finish with the old ones.
    ///
    /// # Errors
    ///
    /// If `upstream.url` changed; nothing is replaced then.
    pub fn reload(
        &self,
        catalog: Arc<Catalog>,
        v2: V2Config,
        site: &SiteConfig,
    ) -> Result<(), ReloadError> {
        let before = self.current();
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
        *self.0.write() = next;
        Ok(())
    }

    fn current(&self) -> Generation {
        self.0.read().clone()
    }

    /// True while the circuit breakers of all accounts in use are open.
    pub(crate) fn is_upstream_down(&self) -> bool {
        self.current().0.tenants.are_down()
    }

    /// File links of a v2 account, if the shim relays files. An account id that no tenant names
    /// belongs to the only tenant.
    pub(crate) fn links(&self, account: &str) -> Option<Arc<dyn Links>> {
        let Generation(now) = self.current();
        let is_its = |tenant: &&Tenant| tenant.site.account_id.as_deref() == Some(account);
        let mut tenants = now.tenants.iter();
        let only = tenants.next().filter(|_| tenants.next().is_none());
        let owner = now.tenants.iter().find(is_its).or(only)?;
        owner.site.links.clone()
    }

    /// Returns the health of the state engine.
    pub(crate) fn state_status(&self) -> StateStatus {
        let Generation(now) = self.current();
        StateStatus {
            status: if now.executor.state.is_degraded() {
                "degraded"
            } else {
                "ok"
            },
        }
    }

    /// Maximum number of open connections.
    pub(crate) fn max_connections(&self) -> usize {
        self.current().0.shared.limits.connections
    }

    /// Requests in progress, and their maximum.
    pub(crate) fn requests(&self) -> (usize, usize) {
        let Generation(now) = self.current();
        let most = now.shared.requests;
        let free = now.shared.request_permits.available_permits();
        (most.saturating_sub(free), most)
    }

    /// Returns for each tenant, in the order of the settings, whether its last token request
    /// succeeded.
    pub(crate) fn tokens_ok(&self) -> Vec<bool> {
        let Generation(now) = self.current();
        let is_ok = |tenant: &Tenant| tenant.upstream.tokens().status().failure.is_none();
        now.tenants.iter().map(is_ok).collect()
    }

    /// Returns whether an interrupted write is still unfinished; true if the state cannot be read.
    pub(crate) async fn is_unfinished(&self, write: WriteId) -> bool {
        let Generation(now) = self.current();
        now.executor.state.is_open(write).await
    }

    /// Exchanges written, dropped and sampled out by the recorder; `None` without one.
    pub(crate) fn recorder_counts(&self) -> Option<(u64, u64, u64)> {
        let Generation(now) = self.current();
        let recorder = now.shared.recorder.as_ref()?;
        Some((recorder.written(), recorder.dropped(), recorder.thinned()))
    }

    /// Exchanges dropped by the recorder behind the exchanges page.
    pub(crate) fn dropped_exchanges(&self) -> u64 {
        let Generation(now) = self.current();
        let own = now
            .shared
            .recent
            .as_ref()
            .and_then(|recent| recent.recorder());
        let recorder = own.or(now.shared.recorder.as_ref());
        recorder.map_or(0, |recorder| recorder.dropped())
    }

    /// Number of tenants, and the base URL of v2.
    pub(crate) fn tenants_and_base(&self) -> (usize, String) {
        let Generation(now) = self.current();
        let base = now.shared.endpoint.base.as_str().to_owned();
        (now.tenants.iter().count(), base)
    }

    /// Returns the catalog in use.
    pub(crate) fn mappings(&self) -> Arc<Catalog> {
        Arc::clone(self.current().catalog())
    }

    /// Most recent exchanges, if any are kept.
    pub(crate) fn recent(&self) -> Option<Arc<Recent>> {
        self.current().0.shared.recent.clone()
    }

    /// Returns the shadow, if configured.
    pub(crate) fn shadow(&self) -> Option<Arc<Shadow>> {
        self.current().0.shared.shadow.clone()
    }

    /// Returns the ledger, if configured.
    pub(crate) fn ledger(&self) -> Option<Arc<Ledger>> {
        self.current().0.shared.ledger.clone()
    }

    /// Owners by v1 key, for tenants that have one.
    pub(crate) fn owners(&self) -> BTreeMap<String, String> {
        let Generation(now) = self.current();
        let owned = |tenant: &Tenant| {
            let owner = tenant.owner()?.to_owned();
            Some((tenant.api_key().to_string(), owner))
        };
        now.tenants.iter().filter_map(owned).collect()
    }

    /// Returns the figures of all rollouts.
    pub(crate) fn rollouts(&self) -> Vec<Figures> {
        self.current().0.rollouts.figures()
    }

    /// Calls available at once, by account (from 1) and rate label; accounts without a limit are
    /// left out.
    pub(crate) fn budget_levels(&self) -> Vec<(usize, RateLabel, u32)> {
        self.current().0.tenants.budget_levels()
    }
}

impl Handler for Shim {
    fn respond(&self, request: Request<Body>, peer: Peer) -> BoxFuture<'static, Response<Body>> {
        let shim = self.clone();
        boxed(|| http::respond(shim, request, peer))
    }

    /// Waits for running writes, whose clients may have disconnected.
    async fn drain(&self) {
        let shared = Arc::clone(&self.current().0.shared);
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
        let relay = shared.relay.as_ref();
        let links = |tenant| relay.map(|relay| relay.links(tenant));
        let permits = shared.requests;
        let tenants = (executor.state.shared_budget(), tenants);
        let tenants = Tenants::new(v2, &shared.endpoint, links, permits, tenants);
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
        if let Some(rollout) = &reply.executed.rollout_headers {
            let headers = response.headers_mut();
            headers.insert(ROLLOUT, rollout.rollout.clone());
            if let Some(compared) = &rollout.compared {
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

/// A response of plain text, for errors outside the v1 protocol.
fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let text = HeaderValue::from_static("text/plain;charset=UTF-8");
    response.headers_mut().insert(CONTENT_TYPE, text);
    response
}
