//! Starts a shim with a sandbox as its v2.

#[path = "../../shim/tests/servers/nginx.rs"]
mod nginx;

use std::{
    hash::{BuildHasher as _, RandomState},
    path::Path,
    sync::Arc,
};

use axum::middleware::from_fn_with_state;
use mappings::Catalog;
use reqwest::RequestBuilder;
use serde_json::Value;
use shim::{
    Dependencies, Shim,
    front::server,
    observe::recorder::Recorder,
    settings::{Config, Flags, Source, Sources},
    state::State,
};
use shim_sandbox::{Faults, Sandbox, SandboxConfig};
use tempfile::TempDir;
use tokio::net::TcpListener;

use nginx::Nginx;

use crate::{
    Answer,
    wire::{self, Wire},
};

/// The v1 credentials of the stage.
pub const API_KEY: &str = "stage-key";
/// The secret of [`API_KEY`].
pub const API_SECRET: &str = "stage-secret";
/// The chat token of [`API_KEY`].
pub const CHAT_TOKEN: &str = "stage-chat-token";

/// Environment variable: number of replicas per stage, behind nginx with shared state. One shim
/// without it.
const REPLICAS: &str = "STAGE_REPLICAS";

/// Environment variable: URL of the shared state. A SQLite file without it.
const STATE: &str = "STAGE_STATE_URL";

/// A shim with a sandbox as its v2. Both stop with the test's runtime. Clones share them.
#[derive(Clone)]
pub struct Stage {
    http: reqwest::Client,
    base: String,
    v2: String,
    wire: Wire,
    _shared: Option<Arc<(Nginx, TempDir)>>,
}

impl Stage {
    /// Starts a shim and a sandbox with default settings.
    pub async fn start() -> Self {
        Self::with(SandboxConfig::default(), "").await
    }

    /// Starts a sandbox with another account, and a shim with additional settings. `{shim}` in the
    /// settings is replaced with the shim's address.
    ///
    /// # Panics
    ///
    /// The settings are invalid.
    pub async fn with(account: SandboxConfig, settings: &str) -> Self {
        let catalog = Arc::new(Catalog::embedded().expect("the embedded catalog"));
        Self::with_catalog(account, settings, catalog, None).await
    }

    /// Like [`Self::with`], with other mappings and a recorder.
    ///
    /// # Panics
    ///
    /// The settings are invalid.
    pub async fn with_catalog(
        account: SandboxConfig,
        settings: &str,
        catalog: Arc<Catalog>,
        recorder: Option<Arc<Recorder>>,
    ) -> Self {
        shim::install_tls();
        let wire = Wire::default();
        let v2 = Sandbox::new(account)
            .router()
            .layer(from_fn_with_state(wire.clone(), wire::through));
        let (listener, address) = listen().await;
        // This server supports faults that drop connections.
        let none = Faults::of_spec("times=0,status=500").expect("faults");
        tokio::spawn(async move {
            shim_sandbox::serve_faulty(listener, v2, &none, std::future::pending()).await
        });

        let v2_base = Sandbox::v2_base(address);
        let replicas: Option<usize> = std::env::var(REPLICAS)
            .ok()
            .map(|replicas| replicas.parse().expect("a number of replicas"));
        let (listener, address) = listen().await;
        let port = match replicas {
            Some(_) => nginx::free_port().expect("a free port"),
            None => address.port(),
        };
        let settings = settings.replace("{shim}", &format!("http://127.0.0.1:{port}"));
        let text = format!(
            "{settings}\n\
             [upstream]\n\
             url = \"{v2_base}\"\n\
             [[tenant]]\n\
             api_key = \"{API_KEY}\"\n\
             api_secret = \"{API_SECRET}\"\n\
             account_id = \"{account_id}\"\n\
             chat_token = \"{CHAT_TOKEN}\"\n\
             token = \"{token}\"\n",
            account_id = shim_sandbox::ACCOUNT_ID,
            token = shim_sandbox::TOKEN,
        );
        let Some(replicas) = replicas else {
            serve(listener, &text, &catalog, recorder).await;
            return Self::at(port, v2_base, wire, None);
        };
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name| folder.path().join(name).display().to_string();
        let state =
            std::env::var(STATE).unwrap_or_else(|_| format!("sqlite:{}", file("state.sqlite")));
        // A unique key separates stages that share a server.
        let key = file("state.key");
        std::fs::write(&key, fresh_key()).expect("a key file");
        let text = format!("{text}[state]\nurl = \"{state}\"\nkey_file = \"{key}\"\n");
        let mut ports = Vec::new();
        for _ in 0..replicas {
            let (listener, address) = listen().await;
            serve(listener, &text, &catalog, recorder.clone()).await;
            ports.push(address.port());
        }
        let start = move || Nginx::start(Path::new("nginx"), port, &ports);
        let nginx = tokio::task::spawn_blocking(start).await.expect("a thread");
        let nginx = nginx.expect("nginx");
        Self::at(nginx.port, v2_base, wire, Some((nginx, folder)))
    }

    fn at(port: u16, v2: String, wire: Wire, shared: Option<(Nginx, TempDir)>) -> Self {
        Self {
            http: reqwest::Client::builder()
                .no_proxy()
                .build()
                .expect("a client"),
            base: format!("http://127.0.0.1:{port}/v1"),
            v2,
            wire,
            _shared: shared.map(Arc::new),
        }
    }

    /// True if stages have several replicas. Each has its own caches, so v2 calls cannot be
    /// counted.
    pub fn is_replicated() -> bool {
        std::env::var_os(REPLICAS).is_some()
    }

    /// Address of the shim, with `/v1`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The proxy layer between shim and sandbox.
    pub fn wire(&self) -> &Wire {
        &self.wire
    }

    /// Calls an operation with a form, as most v1 clients do.
    pub async fn ask(&self, operation: &str, parameters: &[(&str, &str)]) -> Answer {
        self.send(self.post(operation).form(&signed(parameters)))
            .await
    }

    /// Calls an operation with other credentials.
    pub async fn ask_as(&self, key: &str, secret: &str, operation: &str) -> Answer {
        let form = [("api_key", key), ("api_secret", secret)];
        self.send(self.post(operation).form(&form)).await
    }

    /// Calls an operation with all parameters in the query string.
    pub async fn ask_by_query(&self, operation: &str, parameters: &[(&str, &str)]) -> Answer {
        self.send(self.post(operation).query(&signed(parameters)))
            .await
    }

    /// Calls an operation with a JSON object.
    pub async fn ask_by_json(&self, operation: &str, parameters: &[(&str, &str)]) -> Answer {
        let members = parameters.iter();
        let members = members.map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
        self.ask_with_json(operation, &Value::Object(members.collect()))
            .await
    }

    /// Calls an operation with a JSON object that may hold objects and arrays.
    ///
    /// # Panics
    ///
    /// `parameters` is not an object.
    pub async fn ask_with_json(&self, operation: &str, parameters: &Value) -> Answer {
        let mut body = parameters.as_object().expect("an object").clone();
        for (name, value) in signed(&[]) {
            body.insert(name.to_owned(), value.into());
        }
        self.send(self.post(operation).json(&body)).await
    }

    /// Calls an operation with a multipart form and a file.
    pub async fn ask_with_file(
        &self,
        operation: &str,
        parameters: &[(&str, &str)],
        (name, bytes): (&str, &[u8]),
    ) -> Answer {
        let file = reqwest::multipart::Part::bytes(bytes.to_vec()).file_name("me.jpg");
        let form = reqwest::multipart::Form::new().part(name.to_owned(), file);
        let texts = signed(parameters).into_iter();
        let form = texts.fold(form, |form, (name, value)| {
            form.text(name.to_owned(), value.to_owned())
        });
        self.send(self.post(operation).multipart(form)).await
    }

    /// Id of an active user.
    pub async fn id_of(&self, email: &str) -> String {
        let user = self.ask("user/getbyemail", &[("email", email)]).await;
        user.success()["id"].as_str().expect("an id").to_owned()
    }

    /// The user, as returned by `user/get`.
    pub async fn user(&self, id: &str) -> Value {
        self.ask("user/get", &[("id", id)]).await.success()
    }

    /// The user, read directly from v2.
    pub async fn v2_user(&self, key: &str) -> Value {
        self.v2(&format!("/users/{key}")).await
    }

    /// Reads a v2 path directly.
    pub async fn v2(&self, path: &str) -> Value {
        let call = self.http.get(format!("{}{path}", self.v2));
        let answer = call.bearer_auth(shim_sandbox::TOKEN).send().await;
        let text = answer.expect("an answer").text().await.expect("its body");
        serde_json::from_str(&text).expect("JSON")
    }

    /// Patches a v2 path directly.
    pub async fn change_v2(&self, path: &str, body: &Value) {
        let call = self.http.patch(format!("{}{path}", self.v2)).json(body);
        let answer = call.bearer_auth(shim_sandbox::TOKEN).send().await;
        let status = answer.expect("an answer").status();
        assert!(status.is_success(), "{path} {body}: {status}");
    }

    /// Calls a control endpoint of the sandbox: `/sandbox/meetings/123/start`.
    pub async fn steer(&self, path: &str) {
        let call = self.v2.trim_end_matches("/v2").to_owned() + path;
        let call = self.http.post(call).bearer_auth(shim_sandbox::TOKEN);
        let answer = call.send().await.expect("an answer");
        assert!(answer.status().is_success(), "{path}: {answer:?}");
    }

    /// The same stage, called below another path than `/v1`.
    #[must_use]
    pub fn below(&self, prefix: &str) -> Self {
        let base = self.base.trim_end_matches("/v1");
        Self {
            base: format!("{base}{prefix}"),
            ..self.clone()
        }
    }

    fn post(&self, operation: &str) -> RequestBuilder {
        self.http.post(format!("{}/{operation}", self.base))
    }

    async fn send(&self, request: RequestBuilder) -> Answer {
        Answer::of(request.send().await.expect("an answer")).await
    }
}

/// Credentials and parameters.
fn signed<'a>(parameters: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let credentials = [("api_key", API_KEY), ("api_secret", API_SECRET)];
    [&credentials, parameters].concat()
}

/// 32 random bytes.
fn fresh_key() -> Vec<u8> {
    let numbers = (0_u8..4).map(|part| RandomState::new().hash_one(part));
    numbers.flat_map(u64::to_ne_bytes).collect()
}

async fn listen() -> (TcpListener, std::net::SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("its address");
    (listener, address)
}

/// Starts a shim with these settings.
async fn serve(
    listener: TcpListener,
    text: &str,
    catalog: &Arc<Catalog>,
    recorder: Option<Arc<Recorder>>,
) {
    let sources = Sources {
        file: Some(("stage.toml", text)),
        environment: &|_| None,
        flags: Flags::default(),
        read: &|_| Err(std::io::Error::from(std::io::ErrorKind::NotFound)),
    };
    let config = Config::load(&sources, catalog).unwrap_or_else(|error| panic!("{error}"));
    let Source::V2(v2) = config.source else {
        panic!("no v2 in the settings");
    };
    let limits = config.limits;
    let cache = (&limits).into();
    // Blocks until the state server is reachable, if there is one.
    let opened = tokio::task::spawn_blocking(move || State::open(&config.state, cache));
    let state = opened.await.expect("a thread").expect("a state");
    let dependencies = Dependencies {
        recorder,
        ..Dependencies::with(state)
    };
    let shim = Shim::new(Arc::clone(catalog), v2, &config.site, &limits, dependencies)
        .expect("a client for v2");
    tokio::spawn(
        async move { server::serve(listener, shim, &limits, std::future::pending()).await },
    );
}
