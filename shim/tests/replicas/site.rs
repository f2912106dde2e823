//! Shims as processes, with one state and one v2.

use std::{
    ffi::OsString,
    net::{IpAddr, Ipv4Addr},
    process::{Child, Command, Stdio},
    time::Duration,
};

use reqwest::{Client, Response};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    task::spawn_blocking,
    time::{sleep, timeout},
};

use crate::{
    redis_server::Server,
    servers::{nginx::free_port, signal},
    v2::V2,
};

pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
pub(crate) const SECRET: &str = "a-v1-hush";

/// A process that ends with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the machine carries: so many replicas at a time, of all tests. Timeouts of tens of milliseconds
/// mean nothing on a machine that is too busy for them.
static MACHINE: Semaphore = Semaphore::const_new(ALL);
const ALL: usize = 4;

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_shim");

/// Names a `shim` of the previous release: replicas start from it, until they are started again after
/// [`Site::upgrade`].
const PREVIOUS: &str = "PREVIOUS_SHIM";

/// Replicas of a shim.
pub(crate) struct Site {
    _load: SemaphorePermit<'static>,
    pub(crate) folder: TempDir,
    settings: Vec<(&'static str, String)>,
    /// What replicas are started from.
    program: OsString,
    pub(crate) replicas: Vec<Replica>,
}

pub(crate) struct Replica {
    pub(crate) port: u16,
    ops_port: u16,
    process: Option<Process>,
}

/// The state of a site in a file of its folder.
pub(crate) fn on_sqlite() -> Vec<(&'static str, String)> {
    vec![("SHIM_STATE_URL", "sqlite:state.sqlite".to_owned())]
}

/// The state of a site in Redis.
pub(crate) fn on_redis(server: &Server) -> Vec<(&'static str, String)> {
    vec![
        ("SHIM_STATE_URL", server.url()),
        ("SHIM_STATE_KEY_FILE", "state.key".to_owned()),
    ]
}

impl Site {
    /// Starts replicas, and waits until all of them are ready.
    pub(crate) async fn start(
        v2: &V2,
        replicas: usize,
        settings: Vec<(&'static str, String)>,
    ) -> Self {
        Self::with(v2, replicas, (settings, ""), replicas).await
    }

    /// The same while no other test has replicas.
    pub(crate) async fn alone(
        v2: &V2,
        replicas: usize,
        settings: Vec<(&'static str, String)>,
    ) -> Self {
        Self::with(v2, replicas, (settings, ""), ALL).await
    }

    /// As [`Self::start`], with a settings file, `shim.toml` in the folder.
    pub(crate) async fn with_file(
        v2: &V2,
        replicas: usize,
        settings: Vec<(&'static str, String)>,
        file: &str,
    ) -> Self {
        Self::with(v2, replicas, (settings, file), replicas).await
    }

    async fn with(
        v2: &V2,
        replicas: usize,
        (settings, file): (Vec<(&'static str, String)>, &str),
        load: usize,
    ) -> Self {
        let load = u32::try_from(load).unwrap();
        let load = MACHINE.acquire_many(load).await.unwrap();
        let replicas = (0..replicas).map(|_| Replica {
            port: free_port().unwrap(),
            ops_port: free_port().unwrap(),
            process: None,
        });
        let mut site = Self {
            _load: load,
            folder: tempfile::tempdir().unwrap(),
            settings: vec![("SHIM_UPSTREAM_URL", v2.base.clone())],
            program: std::env::var_os(PREVIOUS).unwrap_or_else(|| PROGRAM.into()),
            replicas: replicas.collect(),
        };
        site.settings.extend(settings);
        std::fs::write(site.folder.path().join("state.key"), [7; 32]).unwrap();
        std::fs::write(site.folder.path().join("shim.toml"), file).unwrap();
        for replica in 0..site.replicas.len() {
            site.start_replica(replica).await;
        }
        site
    }

    /// Starts a replica, and waits until it is ready.
    pub(crate) async fn start_replica(&mut self, replica: usize) {
        let Replica { port, ops_port, .. } = self.replicas[replica];
        let mut command = Command::new(&self.program);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SHIM_")) {
            command.env_remove(name);
        }
        command
            .args(["serve", "--config", "shim.toml"])
            .current_dir(self.folder.path())
            .env("SHIM_LISTEN", format!("127.0.0.1:{port}"))
            .env("SHIM_OPS_LISTEN", format!("127.0.0.1:{ops_port}"))
            .env("SHIM_UPSTREAM_TOKEN", shim_sandbox::TOKEN)
            .env("SHIM_API_KEY", "k")
            .env("SHIM_API_SECRET", SECRET)
            .env("SHIM_DRAIN_SECONDS", "1")
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .stderr(Stdio::null())
            .stdout(Stdio::null());
        self.replicas[replica].process = Some(Process(command.spawn().unwrap()));
        let client = client();
        let url = format!("http://127.0.0.1:{ops_port}/readyz");
        let is_ready = async || {
            let answer = client.get(&url).send().await;
            answer.is_ok_and(|ready| ready.status() == 200)
        };
        soon(is_ready).await;
    }

    /// From now on replicas are started from the program under test.
    pub(crate) fn upgrade(&mut self) {
        self.program = PROGRAM.into();
    }

    /// Sends a signal to a replica and waits for its end.
    pub(crate) async fn end_replica(&mut self, replica: usize, name: &'static str) -> Option<i32> {
        let mut process = self.replicas[replica].process.take().unwrap();
        let ended = spawn_blocking(move || {
            signal(name, process.0.id());
            process.0.wait().unwrap().code()
        });
        ended.await.unwrap()
    }

    pub(crate) fn signal(&self, replica: usize, name: &str) {
        let process = self.replicas[replica].process.as_ref().unwrap();
        signal(name, process.0.id());
    }

    pub(crate) fn ops_url(&self, replica: usize, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.replicas[replica].ops_port)
    }

    pub(crate) fn ports(&self) -> Vec<u16> {
        self.replicas.iter().map(|replica| replica.port).collect()
    }

    /// What `/status` says of the state engine of each replica.
    pub(crate) async fn state_status(&self) -> Vec<String> {
        let client = client();
        let mut all = Vec::new();
        for replica in 0..self.replicas.len() {
            let url = self.ops_url(replica, "/status");
            let status: Value = client.get(url).send().await.unwrap().json().await.unwrap();
            all.push(status["state"]["status"].as_str().unwrap().to_owned());
        }
        all
    }
}

/// Waits for something that will surely happen.
pub(crate) async fn soon(mut condition: impl AsyncFnMut() -> bool) {
    let waited = timeout(PATIENCE, async {
        while !condition().await {
            sleep(Duration::from_millis(20)).await;
        }
    });
    waited.await.unwrap();
}

pub(crate) fn client() -> Client {
    shim::install_tls();
    Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .local_address(IpAddr::V4(Ipv4Addr::LOCALHOST))
        .build()
        .unwrap()
}

/// A request with a secret.
pub(crate) async fn send(
    client: &Client,
    port: u16,
    operation: &str,
    (secret, parameters): (&str, &[(&str, &str)]),
) -> Option<Response> {
    let mut form = vec![("api_key", "k"), ("api_secret", secret)];
    form.extend(parameters);
    let url = format!("http://127.0.0.1:{port}/v1/{operation}");
    client.post(url).form(&form).send().await.ok()
}

/// The answer to a request; `None` if there is none.
pub(crate) async fn call(
    client: &Client,
    port: u16,
    operation: &str,
    parameters: &[(&str, &str)],
) -> Option<Value> {
    let response = send(client, port, operation, (SECRET, parameters)).await?;
    if response.status() != 200 {
        return None;
    }
    response.json().await.ok()
}
