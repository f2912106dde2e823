//! A sandbox, the shim's binary, and receivers in this process.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header::CONTENT_TYPE},
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use shim_sandbox::{Sandbox, SandboxConfig, Subscription, WebhookFault};
use tokio::{net::TcpListener, sync::watch, time::timeout};

pub(crate) const TOKEN: &str = "S3cr3tTokenForTests";

/// For what another process does.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// What a receiver got.
#[derive(Clone, Debug)]
pub(crate) struct Push {
    pub(crate) path: String,
    pub(crate) content_type: String,
    pub(crate) authorization: String,
    pub(crate) body: String,
    /// It was answered with 200.
    is_accepted: bool,
}

/// A receiver in this process. Clones are the same.
#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) got: watch::Sender<Vec<Push>>,
    /// What it answers; `None` to hang.
    pub(crate) answer: Arc<Mutex<Option<StatusCode>>>,
    pub(crate) url: String,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self {
            got: watch::Sender::default(),
            answer: Arc::new(Mutex::new(Some(StatusCode::OK))),
            url: format!(
                "http://{}/zoom?secret=s3cret",
                listener.local_addr().unwrap()
            ),
        };
        let router = Router::new().fallback(take).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        receiver
    }

    pub(crate) fn answers(&self, status: Option<StatusCode>) {
        *self.answer.lock().unwrap() = status;
    }

    /// Waits for this many pushes that it answered with 200.
    pub(crate) async fn accepted(&self, count: usize) -> Vec<Push> {
        let accepted = |got: &Vec<Push>| -> Vec<Push> {
            got.iter()
                .filter(|push| push.is_accepted)
                .cloned()
                .collect()
        };
        let mut got = self.got.subscribe();
        let enough = timeout(PATIENCE, got.wait_for(|got| accepted(got).len() >= count)).await;
        let Ok(enough) = enough else {
            panic!("{count} accepted pushes wanted, {:?}", self.got.borrow());
        };
        accepted(&enough.unwrap())
    }

    /// Waits for this many pushes.
    pub(crate) async fn pushes(&self, count: usize) -> Vec<Push> {
        let mut got = self.got.subscribe();
        let enough = timeout(PATIENCE, got.wait_for(|got| got.len() >= count)).await;
        let Ok(enough) = enough else {
            panic!("{count} pushes wanted, {:?}", self.got.borrow());
        };
        enough.unwrap().clone()
    }
}

async fn take(
    State(receiver): State<Receiver>,
    headers: HeaderMap,
    uri: Uri,
    body: String,
) -> StatusCode {
    let header = |name: &str| {
        headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
            .to_owned()
    };
    let answer = *receiver.answer.lock().unwrap();
    receiver.got.send_modify(|got| {
        got.push(Push {
            path: uri.to_string(),
            content_type: header(CONTENT_TYPE.as_str()),
            authorization: header("authorization"),
            body,
            is_accepted: answer == Some(StatusCode::OK),
        });
    });
    match answer {
        Some(status) => status,
        None => std::future::pending().await,
    }
}

/// A sandbox that sends webhooks, and the folder of the shim's state.
pub(crate) struct Stage {
    pub(crate) http: reqwest::Client,
    pub(crate) base: String,
    pub(crate) sandbox: Sandbox,
    pub(crate) folder: tempfile::TempDir,
}

/// The shim, killed at the end of the test.
pub(crate) struct Shim {
    pub(crate) child: Child,
    pub(crate) webhooks: String,
    /// Where it is operated, if it is.
    pub(crate) operations: Option<String>,
    /// Kept open: a line that cannot be printed would end it.
    _output: BufReader<ChildStdout>,
}

impl Drop for Shim {
    fn drop(&mut self) {
        // SIGKILL.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Shim {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let (mut webhooks, mut operations) = (String::new(), None);
        while !webhooks.starts_with("webhooks on ") {
            let line = webhooks.strip_prefix("operations on ");
            operations = line
                .and_then(|line| line.split(' ').next())
                .map(str::to_owned)
                .or(operations);
            webhooks.clear();
            assert!(
                output.read_line(&mut webhooks).unwrap() > 0,
                "the shim did not start"
            );
        }
        let webhooks = webhooks.split_whitespace().nth(2).unwrap().to_owned();
        Self {
            child,
            webhooks,
            operations,
            _output: output,
        }
    }

    /// SIGHUP.
    pub(crate) fn reload(&self) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-HUP", &id]).status();
        assert!(sent.unwrap().success());
    }
}

impl Stage {
    pub(crate) async fn start() -> Self {
        shim::install_tls();
        let sandbox = Sandbox::new(SandboxConfig::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let served = sandbox.clone();
        tokio::spawn(shim_sandbox::serve(
            listener,
            served,
            std::future::pending(),
        ));
        Self {
            // A connection to a shim that was killed would fail the next request.
            http: reqwest::Client::builder()
                .no_proxy()
                .pool_max_idle_per_host(0)
                .build()
                .unwrap(),
            base,
            sandbox,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn command(&self, arguments: &[&str], receiver: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shim"));
        let state = self.folder.path().join("state.sqlite");
        command
            .args(arguments)
            .env_clear()
            .env("SHIM_LISTEN", "127.0.0.1:0")
            .env("SHIM_OPS_LISTEN", "off")
            .env("SHIM_API_KEY", "key")
            .env("SHIM_API_SECRET", "secret")
            .env("SHIM_UPSTREAM_URL", format!("{}/v2", self.base))
            .env("SHIM_UPSTREAM_TOKEN", shim_sandbox::TOKEN)
            .env("SHIM_WEBHOOKS_SECRET_TOKEN", TOKEN)
            .env("SHIM_RECEIVER_URL", receiver)
            .env("SHIM_RECEIVER_BASIC", "Ada:pass:word")
            .env("SHIM_STATE_URL", format!("sqlite:{}", state.display()))
            .env("RUST_LOG", "trace");
        command
    }

    /// Starts the shim; `listen` is where it takes webhooks.
    pub(crate) fn shim(&self, listen: &str, receiver: &str, log: &Path) -> Shim {
        let mut command = self.command(&["serve"], receiver);
        command.env("SHIM_WEBHOOKS_LISTEN", listen);
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .unwrap();
        Shim::start(command.stderr(log))
    }

    /// Starts the shim with a settings file, whose name is handed back, and no receiver besides.
    pub(crate) fn with_file(&self, settings: &str) -> (Shim, String) {
        let config = self.folder.path().join("shim.toml");
        std::fs::write(&config, settings).unwrap();
        let config = config.to_str().unwrap().to_owned();
        let mut command = self.command(&["serve", "--config", &config], "");
        command.env("SHIM_WEBHOOKS_LISTEN", "127.0.0.1:0");
        if settings.contains("secret_token") {
            command.env_remove("SHIM_WEBHOOKS_SECRET_TOKEN");
            command.env_remove("SHIM_RECEIVER_BASIC");
        }
        let log = std::fs::File::create(self.log()).unwrap();
        (Shim::start(command.stderr(log)), config)
    }

    pub(crate) fn subscribe(&self, shim: &Shim, retries: &[u64]) {
        self.subscribe_with(shim, retries, &[]);
    }

    pub(crate) fn subscribe_with(&self, shim: &Shim, retries: &[u64], faults: &[WebhookFault]) {
        self.sandbox.subscribe(Subscription {
            url: shim.webhooks.clone(),
            secret_token: TOKEN.to_owned(),
            faults: faults.to_vec(),
            retries: retries.to_vec(),
        });
    }

    /// What the sandbox sends from now on is signed with this token, too.
    pub(crate) fn subscribe_with_token(&self, shim: &Shim, token: &str) {
        self.sandbox.subscribe(Subscription {
            url: shim.webhooks.clone(),
            secret_token: token.to_owned(),
            faults: Vec::new(),
            retries: Vec::new(),
        });
    }

    pub(crate) async fn post(&self, path: &str, body: Value) {
        let url = format!("{}{path}", self.base);
        let request = self
            .http
            .post(url)
            .bearer_auth(shim_sandbox::TOKEN)
            .body(body.to_string());
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }

    pub(crate) async fn event(&self, event: &str, meeting: &str) {
        let object = json!({ "id": 98_765_432_101_i64, "uuid": meeting, "host_id": "host" });
        self.post(
            "/sandbox/events",
            json!({ "event": event, "object": object }),
        )
        .await;
    }

    /// Sends a webhook as v2 does; the status of the answer.
    pub(crate) async fn webhook(
        &self,
        shim: &Shim,
        event: &str,
        meeting: &str,
        time: usize,
    ) -> u16 {
        let object = json!({ "id": 98_765_432_101_i64, "uuid": meeting, "host_id": "host" });
        let payload = json!({ "account_id": "account", "object": object });
        let body = json!({ "event": event, "event_ts": time, "payload": payload });
        self.signed(shim, body.to_string(), 0, TOKEN).await
    }

    /// Sends any body, signed so many seconds ago; the status of the answer.
    pub(crate) async fn signed(&self, shim: &Shim, body: String, age: i64, token: &str) -> u16 {
        let now = time::OffsetDateTime::now_utc().unix_timestamp() - age;
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(token.as_bytes()).unwrap();
        mac.update(format!("v0:{now}:{body}").as_bytes());
        let digits = bytes::Bytes::copy_from_slice(&mac.finalize().into_bytes());
        let request = self
            .http
            .post(&shim.webhooks)
            .header("x-zm-signature", format!("v0={digits:x}"))
            .header("x-zm-request-timestamp", now.to_string())
            .body(body);
        request.send().await.unwrap().status().as_u16()
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let request = self.http.get(format!("{}/v2{path}", self.base));
        let answer = request
            .bearer_auth(shim_sandbox::TOKEN)
            .send()
            .await
            .unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    /// A meeting that starts, ends, and whose recordings are ready.
    pub(crate) async fn meeting(&self) -> (String, Value) {
        let user = "/users/ada.lovelace@example.com";
        let meetings = self.get(&format!("{user}/meetings")).await;
        let meeting = meetings["meetings"][0]["id"].to_string();
        self.post(&format!("/sandbox/meetings/{meeting}/start"), json!({}))
            .await;
        let status = self
            .http
            .put(format!("{}/v2/meetings/{meeting}/status", self.base));
        let status = status
            .bearer_auth(shim_sandbox::TOKEN)
            .header("content-type", "application/json");
        assert!(
            status
                .body(r#"{"action":"end"}"#)
                .send()
                .await
                .unwrap()
                .status()
                .is_success()
        );
        let recordings = self
            .get(&format!("{user}/recordings?from=2000-01-01&page_size=300"))
            .await;
        let recordings = recordings["meetings"].as_array().unwrap();
        let is_plain = |one: &&Value| one["topic"] == "Notes on the Engine";
        let recording = recordings.iter().find(is_plain).unwrap().clone();
        self.post(
            &format!("/sandbox/meetings/{}/recorded", recording["id"]),
            json!({}),
        )
        .await;
        (meeting, recording)
    }

    pub(crate) fn log(&self) -> std::path::PathBuf {
        self.folder.path().join("log")
    }

    /// The log, once it has a text: a thread of its own writes it.
    pub(crate) async fn logged(&self, text: &str) -> String {
        let mut look = tokio::time::interval(Duration::from_millis(20));
        let has_it = async {
            loop {
                look.tick().await;
                let log = std::fs::read_to_string(self.log()).unwrap();
                if log.contains(text) {
                    return log;
                }
            }
        };
        timeout(PATIENCE, has_it).await.unwrap()
    }
}

/// A form as a strict parser reads it: these names in this order, each once.
pub(crate) fn form(push: &Push, names: &[&str]) -> Vec<String> {
    assert_eq!(push.content_type, "application/x-www-form-urlencoded");
    let pairs: Vec<_> = push
        .body
        .split('&')
        .map(|pair| pair.split_once('=').unwrap())
        .collect();
    let found: Vec<_> = pairs.iter().map(|(name, _)| *name).collect();
    assert_eq!(found, names, "{push:?}");
    assert!(!push.body.contains('+'), "{push:?}");
    let decoded = serde_urlencoded(&push.body);
    decoded.into_iter().map(|(_, value)| value).collect()
}

pub(crate) fn serde_urlencoded(body: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(body.as_bytes())
        .into_owned()
        .collect()
}

pub(crate) const STATUS: [&str; 4] = ["id", "uuid", "status", "host_id"];
