//! A shim on a port of its own, in front of a scripted v2.

pub(crate) mod v2;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use mappings::Catalog;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;
use shim::{
    Dependencies, ReloadError, Shim,
    clock::Clock,
    front::server::{self, Listeners, Stopped, Tls},
    notifications::Outbox,
    observe::{Metrics, Observer, Observers, Recent, RequestRecord, ShadowRecord, shadow::Shadow},
    operate::{
        self, Process,
        pages::{self, Counters},
    },
    settings::{Config, Flags, Limits, SiteConfig, Source, Sources, V2Config},
};
use shim_upstream::CallRecord;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

pub(crate) use v2::{Answer, ScriptedV2};

pub(crate) const KEY: &str = "a-test-key";
pub(crate) const SECRET: &str = "a-test-secret";
pub(crate) const TOKEN: &str = "a-test-token";
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// Configuration of a test's shim.
pub(crate) struct Setup {
    pub(crate) file: String,
    /// Instead of the default variables.
    pub(crate) environment: Vec<(&'static str, String)>,
    /// True for the default tenant; false if the file configures tenants.
    pub(crate) single: bool,
    pub(crate) adjust: fn(&mut Limits),
    pub(crate) dependencies: fn(&Limits) -> Dependencies,
    pub(crate) recorder: Option<Arc<shim::observe::recorder::Recorder>>,
    /// Number of exchanges kept for the pages.
    pub(crate) recent: usize,
    /// Exchanges of a recorder, instead of `recent`.
    pub(crate) fed: Option<Recent>,
    /// Catalogs of the shim, and of its shadow.
    pub(crate) mappings: Option<Arc<Catalog>>,
    pub(crate) shadow_mappings: Option<Arc<Catalog>>,
    /// Also listens with TLS.
    pub(crate) tls: Option<Tls>,
    /// Instead of an ephemeral port.
    pub(crate) listener: Option<TcpListener>,
    pub(crate) ledger: Option<Arc<shim::observe::ledger::Ledger>>,
    /// Instead of the system clock.
    pub(crate) clock: Option<Clock>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            file: String::new(),
            environment: Vec::new(),
            single: true,
            adjust: |_| {},
            dependencies: |limits| Dependencies::local(limits).unwrap(),
            recorder: None,
            recent: 0,
            fed: None,
            mappings: None,
            shadow_mappings: None,
            tls: None,
            listener: None,
            ledger: None,
            clock: None,
        }
    }
}

impl Setup {
    fn load(&self, base: &str, catalog: &Catalog) -> (V2Config, SiteConfig, Limits) {
        let config = self.config(base, catalog);
        let Source::V2(v2) = config.source else {
            panic!("no sandbox was asked for");
        };
        (v2, config.site, config.limits)
    }

    fn config(&self, base: &str, catalog: &Catalog) -> Config {
        let mut environment = self.environment.clone();
        environment.push(("SHIM_UPSTREAM_URL", base.to_owned()));
        // Scripted answers need no rate limit.
        environment.push(("SHIM_UPSTREAM_PLAN", "unlimited".to_owned()));
        if self.single {
            environment.push(("SHIM_API_KEY", KEY.to_owned()));
            environment.push(("SHIM_API_SECRET", SECRET.to_owned()));
            let is_oauth = |(name, _): &(&str, _)| name.starts_with("SHIM_OAUTH");
            if !environment.iter().any(is_oauth) {
                environment.push(("SHIM_UPSTREAM_TOKEN", TOKEN.to_owned()));
            }
        }
        let get = |name: &str| {
            let found = environment.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.clone())
        };
        let sources = Sources {
            file: Some(("shim.toml", &self.file)),
            environment: &get,
            flags: Flags::default(),
            read: &|path| std::fs::read_to_string(path),
        };
        Config::load(&sources, catalog).unwrap()
    }
}

/// A running shim; ends with the test's runtime.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    /// The TLS address; the plain one without TLS.
    pub(crate) tls_address: SocketAddr,
    ops_address: SocketAddr,
    shim: Shim,
    pub(crate) client: Client,
    stopping: CancellationToken,
    stopped: JoinHandle<Stopped>,
    records: Arc<Mutex<Vec<String>>>,
    recent: Option<Arc<Recent>>,
    shadowed: watch::Receiver<Shadowed>,
}

impl Running {
    /// A shim with default settings, in front of [`ScriptedV2::with_users`].
    pub(crate) async fn with_users() -> (ScriptedV2, Self) {
        let v2 = ScriptedV2::with_users().await;
        let shim = Self::before(&v2).await;
        (v2, shim)
    }

    pub(crate) async fn before(v2: &ScriptedV2) -> Self {
        Self::with(v2, Setup::default()).await
    }

    pub(crate) async fn with_limits(v2: &ScriptedV2, adjust: fn(&mut Limits)) -> Self {
        let setup = Setup {
            adjust,
            ..Setup::default()
        };
        Self::with(v2, setup).await
    }

    pub(crate) async fn with_file(v2: &ScriptedV2, file: impl Into<String>) -> Self {
        let setup = Setup {
            file: file.into(),
            ..Setup::default()
        };
        Self::with(v2, setup).await
    }

    /// The file configures the tenants.
    pub(crate) async fn with_tenants(v2: &ScriptedV2, file: impl Into<String>) -> Self {
        let setup = Setup {
            file: file.into(),
            single: false,
            ..Setup::default()
        };
        Self::with(v2, setup).await
    }

    pub(crate) async fn with(v2: &ScriptedV2, setup: Setup) -> Self {
        Self::before_base(&v2.base(), setup).await
    }

    pub(crate) async fn before_base(base: &str, setup: Setup) -> Self {
        let embedded = || Arc::new(Catalog::embedded().unwrap());
        let catalog = setup.mappings.clone().unwrap_or_else(embedded);
        let (v2, site, mut limits) = setup.load(base, &catalog);
        (setup.adjust)(&mut limits);
        let config = setup.config(base, &catalog);

        let records = Arc::new(Mutex::new(Vec::new()));
        let mut dependencies = (setup.dependencies)(&limits);
        dependencies.recorder = setup.recorder;
        dependencies.ledger = setup.ledger;
        if let Some(clock) = setup.clock {
            dependencies.clock = clock;
        }
        let (shadow_events, shadowed) = watch::channel(Shadowed::default());
        let recorder = Recorder {
            next: dependencies.observer,
            records: Arc::clone(&records),
            shadowed: shadow_events,
        };
        let metrics = Arc::new(Metrics::new(&catalog).unwrap());
        let counters = Counters::default();
        // The recorder is last, because tests wait for it before they read the others.
        let mut observers: Vec<Arc<dyn Observer>> = vec![Arc::clone(&metrics) as _];
        observers.extend(counters.observers());
        observers.push(Arc::new(recorder));
        dependencies.observer = Arc::new(Observers(observers));
        if setup.recent > 0 {
            let recent = Recent::start(setup.recent, Arc::clone(&catalog), None);
            dependencies.recent = Some(Arc::new(recent.unwrap()));
        }
        if let Some(fed) = setup.fed {
            dependencies.recent = Some(Arc::new(fed));
        }
        let recent = dependencies.recent.clone();
        dependencies.shadow = config.shadow.map(|shadow| {
            let (mappings, observer) = (setup.shadow_mappings, Arc::clone(&dependencies.observer));
            let key = config.pseudonym_key;
            let shadow = Shadow::new(shadow, &catalog, mappings, key, &limits, observer);
            Arc::new(shadow.unwrap())
        });
        let outbox = Outbox::new(&config.receivers, &dependencies.state);
        let shim = Shim::new(catalog, v2, &site, &limits, dependencies).unwrap();
        shim.sync_rollouts().await;
        tokio::spawn(shim.clone().keep_rollouts_synced());
        let ops_listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let ops_address = ops_listener.local_addr().unwrap();
        let listener = match setup.listener {
            Some(listener) => listener,
            None => TcpListener::bind(("127.0.0.1", 0)).await.unwrap(),
        };
        let address = listener.local_addr().unwrap();
        let mut listeners = Listeners::from(listener);
        let process = Process {
            tls: setup.tls.clone(),
            outbox,
            connections: listeners.open.clone(),
            ..Process::default()
        };
        let stopping = process.stopping.clone();
        let pages = pages::router(shim.clone(), counters, process.clone(), &config.ui);
        let ops = operate::router(shim.clone(), metrics, &config.ui, process);
        let ops = ops.merge(pages);
        let ops_limits = limits.clone();
        tokio::spawn(async move { server::serve_ops(ops_listener, ops, &ops_limits).await });

        let mut tls_address = address;
        if let Some(tls) = setup.tls {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
            tls_address = listener.local_addr().unwrap();
            listeners.tls = Some((listener, tls));
        }
        let served = shim.clone();
        let shutdown = stopping.clone();
        let stopped = tokio::spawn(async move {
            server::serve(listeners, served, &limits, shutdown.cancelled()).await
        });
        Self {
            address,
            tls_address,
            ops_address,
            shim,
            client: client(),
            stopping,
            stopped,
            records,
            recent,
            shadowed,
        }
    }

    /// Waits until `count` requests were compared with the shadow, or left out.
    pub(crate) async fn shadowed(&self, count: usize) {
        let mut shadowed = self.shadowed.clone();
        let reached = shadowed.wait_for(|shadowed| shadowed.handled >= count);
        soon(reached).await.unwrap();
    }

    /// Waits until a difference was found.
    pub(crate) async fn differs(&self) {
        let mut shadowed = self.shadowed.clone();
        soon(shadowed.wait_for(|shadowed| shadowed.found > 0))
            .await
            .unwrap();
    }

    /// Waits until all exchanges are stored; later ones are not.
    pub(crate) async fn settle(&self) {
        let recent = self.recent.clone().unwrap();
        let settled = tokio::task::spawn_blocking(move || recent.settle(Duration::from_secs(20)));
        assert!(settled.await.unwrap());
    }

    /// Reloads with other settings.
    pub(crate) fn reload(&self, base: &str, setup: &Setup) -> Result<(), ReloadError> {
        let catalog = Arc::new(Catalog::embedded().unwrap());
        let (v2, site, _) = setup.load(base, &catalog);
        self.shim.reload(catalog, v2, &site)
    }

    /// Begins the shutdown.
    pub(crate) fn begin_stop(&self) {
        self.stopping.cancel();
    }

    /// Begins the shutdown; the task returns its result.
    pub(crate) fn stop(self) -> JoinHandle<Stopped> {
        self.begin_stop();
        self.stopped
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A POST with credentials and parameters as a form.
    pub(crate) fn form(&self, operation: &str, parameters: &[(&str, &str)]) -> RequestBuilder {
        let mut form = vec![("api_key", KEY), ("api_secret", SECRET)];
        form.extend(parameters);
        self.client
            .post(self.url(&format!("/v1/{operation}")))
            .form(&form)
    }

    /// Sends [`Self::form`] and returns the answer.
    pub(crate) async fn call(&self, operation: &str, parameters: &[(&str, &str)]) -> Value {
        let response = self.form(operation, parameters).send().await.unwrap();
        assert_eq!(response.status(), 200);
        json(response).await
    }

    /// Status and body of a path of the operations address.
    pub(crate) async fn ops(&self, path: &str) -> (u16, String) {
        let url = self.ops_url(path);
        let response = self.client.get(url).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    pub(crate) async fn assert_metrics(&self, samples: &[&str]) {
        let (_, metrics) = self.ops("/metrics").await;
        for sample in samples {
            assert!(metrics.contains(sample), "{sample}\n{metrics}");
        }
    }

    /// The document at `/status`, which is always available.
    pub(crate) async fn status(&self) -> Value {
        let (status, text) = self.ops("/status").await;
        assert_eq!(status, 200);
        serde_json::from_str(&text).unwrap()
    }

    pub(crate) fn ops_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.ops_address)
    }

    /// Writes bytes to a new connection.
    pub(crate) async fn raw(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream
    }

    /// Observed requests, one line each: operation, error, calls, unknown parameters, losses.
    pub(crate) fn records(&self) -> Vec<String> {
        self.records.lock().unwrap().clone()
    }
}

fn client() -> Client {
    shim::install_tls();
    Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

pub(crate) async fn json(response: Response) -> Value {
    response.json().await.unwrap()
}

/// Status, content type and body.
pub(crate) async fn show(response: Response) -> String {
    let status = response.status();
    let content_type = response.headers()["content-type"].to_str().unwrap();
    let head = format!("{} {content_type}", status.as_u16());
    format!("{head}\n{}", response.text().await.unwrap())
}

pub(crate) async fn read_to_end(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    // The connection may be reset after the response.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

/// A listener on an ephemeral port, with its v1 URL. Nothing listens there once it is dropped.
pub(crate) async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    (listener, url)
}

/// Waits for an event, at most 20 s.
pub(crate) async fn soon<T>(event: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), event)
        .await
        .unwrap()
}

struct Recorder {
    next: Arc<dyn Observer>,
    records: Arc<Mutex<Vec<String>>>,
    shadowed: watch::Sender<Shadowed>,
}

/// Counts of shadow events.
#[derive(Default)]
struct Shadowed {
    /// Requests that were compared or left out.
    handled: usize,
    /// New differences.
    found: usize,
}

impl Observer for Recorder {
    fn served(&self, record: &RequestRecord<'_>) {
        let losses: Vec<_> = record.warnings.iter().map(|loss| &loss.field).collect();
        self.records.lock().unwrap().push(format!(
            "{:?} served={} error={:?} calls={} unknown={} {:?} losses={losses:?}",
            record.operation,
            record.is_served,
            record.error,
            record.calls,
            record.unknown,
            record.misplaced,
        ));
        self.next.served(record);
    }

    fn called(&self, call: &CallRecord<'_>) {
        self.next.called(call);
    }

    fn shadowed(&self, record: &ShadowRecord<'_>) {
        self.next.shadowed(record);
        self.shadowed.send_modify(|shadowed| match record {
            ShadowRecord::Compared { .. } | ShadowRecord::NotCompared { .. } => {
                shadowed.handled += 1;
            }
            ShadowRecord::Found { .. } => shadowed.found += 1,
            ShadowRecord::Answered { .. } => {}
        });
    }
}
