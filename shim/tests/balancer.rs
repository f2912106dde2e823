//! Replicas behind nginx: restarted under load, and killed.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "test code outside of test functions"
)]

#[expect(dead_code, reason = "the other test programs use the rest")]
mod servers;

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use reqwest::Client;
use serde_json::Value;
use servers::{
    nginx::{Nginx, free_port},
    program, signal,
};
use tempfile::TempDir;
use tokio::{
    task::{JoinSet, spawn_blocking},
    time::{Instant, sleep, timeout},
};

const REPLICAS: usize = 3;
const PATIENCE: Duration = Duration::from_secs(60);

/// A process that ends with the test.
struct Process(Child);

impl Process {
    fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap())
    }

    fn end(mut self, name: &str) -> Option<i32> {
        signal(name, self.0.id());
        self.0.wait().unwrap().code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn shim() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shim"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SHIM_")) {
        command.env_remove(name);
    }
    command.stderr(Stdio::null()).stdout(Stdio::null());
    command
}

/// Three shims before one sandbox, and nginx before them.
struct Site {
    folder: TempDir,
    sandbox_base: String,
    replicas: Vec<Replica>,
    nginx: Nginx,
    _sandbox: Process,
}

struct Replica {
    port: u16,
    ops_port: u16,
    process: Option<Process>,
}

impl Site {
    /// `None` where there is no nginx.
    async fn start() -> Option<Self> {
        let nginx = program("nginx")?;
        let mut sandbox = shim()
            .args(["sandbox", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut banner = String::new();
        let mut output = BufReader::new(sandbox.stdout.take().unwrap());
        while !banner.contains("/v2") {
            assert!(output.read_line(&mut banner).unwrap() > 0, "{banner}");
        }
        let mut words = banner.split_whitespace();
        let sandbox_base = words.find(|word| word.starts_with("http://")).unwrap();

        let folder = tempfile::tempdir().unwrap();
        let replicas: Vec<_> = (0..REPLICAS)
            .map(|_| Replica {
                port: free_port().unwrap(),
                ops_port: free_port().unwrap(),
                process: None,
            })
            .collect();
        let ports: Vec<_> = replicas.iter().map(|replica| replica.port).collect();
        let mut site = Self {
            sandbox_base: sandbox_base.to_owned(),
            replicas,
            nginx: Nginx::start(&nginx, free_port().unwrap(), &ports).unwrap(),
            _sandbox: Process(sandbox),
            folder,
        };
        for replica in 0..REPLICAS {
            site.start_replica(replica).await;
        }
        Some(site)
    }

    /// Starts a replica, and waits until it is ready.
    async fn start_replica(&mut self, replica: usize) {
        let Replica { port, ops_port, .. } = self.replicas[replica];
        let mut command = shim();
        command
            .arg("serve")
            .current_dir(self.folder.path())
            .env("SHIM_LISTEN", format!("127.0.0.1:{port}"))
            .env("SHIM_OPS_LISTEN", format!("127.0.0.1:{ops_port}"))
            .env("SHIM_UPSTREAM_URL", &self.sandbox_base)
            .env("SHIM_UPSTREAM_TOKEN", shim_sandbox::TOKEN)
            .env("SHIM_STATE_URL", "sqlite:state.sqlite")
            .env("SHIM_API_KEY", "k")
            .env("SHIM_API_SECRET", "s")
            .env("SHIM_DRAIN_SECONDS", "1");
        self.replicas[replica].process = Some(Process::start(&mut command));
        let client = client();
        let url = format!("http://127.0.0.1:{ops_port}/readyz");
        let is_ready = async {
            while !client
                .get(&url)
                .send()
                .await
                .is_ok_and(|ready| ready.status() == 200)
            {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, is_ready).await.unwrap();
    }

    async fn end_replica(&mut self, replica: usize, name: &'static str) -> Option<i32> {
        let process = self.replicas[replica].process.take().unwrap();
        spawn_blocking(move || process.end(name)).await.unwrap()
    }
}

fn client() -> Client {
    shim::install_tls();
    Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .build()
        .unwrap()
}

async fn call(
    client: &Client,
    port: u16,
    operation: &str,
    parameters: &[(&str, &str)],
) -> Option<Value> {
    let mut form = vec![("api_key", "k"), ("api_secret", "s")];
    form.extend(parameters);
    let url = format!("http://127.0.0.1:{port}/v1/{operation}");
    let response = client.post(url).form(&form).send().await.ok()?;
    if response.status() != 200 {
        return None;
    }
    response.json().await.ok()
}

const HOST: &str = "ada.lovelace@example.com";

/// What one client did: topics of meetings, and whether their creation succeeded.
#[derive(Default)]
struct Report {
    created: Vec<String>,
    unknown: Vec<String>,
    failed: usize,
    served: usize,
}

/// Creates, changes and reads until it is over.
async fn work(port: u16, worker: usize, is_over: Arc<AtomicBool>) -> Report {
    let client = client();
    let mut report = Report::default();
    for number in 0.. {
        if is_over.load(Ordering::SeqCst) {
            break;
        }
        let topic = format!("w{worker}n{number}");
        let (operation, parameters) = match number % 4 {
            // v2 takes 100 creates a day of a host; all workers stay below.
            0 if number % 20 == 0 && number < 300 => (
                "meeting/create",
                vec![
                    ("host_id", HOST),
                    ("topic", topic.as_str()),
                    ("type", "2"),
                    ("start_time", "2031-05-01T09:30:00Z"),
                ],
            ),
            1 => ("user/update", vec![("id", HOST), ("dept", topic.as_str())]),
            _ => ("user/get", vec![("id", HOST)]),
        };
        let answer = call(&client, port, operation, &parameters).await;
        let is_served = answer.is_some_and(|answer| answer["error"].is_null());
        report.served += usize::from(is_served);
        report.failed += usize::from(!is_served);
        if operation == "meeting/create" {
            let kept = if is_served {
                &mut report.created
            } else {
                &mut report.unknown
            };
            kept.push(topic);
        }
    }
    report
}

fn begin_load(site: &Site, is_over: &Arc<AtomicBool>) -> JoinSet<Report> {
    let port = site.nginx.port;
    let workers = (0..WORKERS).map(|worker| work(port, worker, Arc::clone(is_over)));
    workers.collect()
}

const WORKERS: usize = 6;

/// All topics of the host's meetings.
async fn topics(site: &Site) -> Vec<String> {
    let client = client();
    let mut topics = Vec::new();
    for page in 1.. {
        let page = page.to_string();
        let parameters = [
            ("host_id", HOST),
            ("page_size", "300"),
            ("page_number", page.as_str()),
        ];
        let list = call(&client, site.nginx.port, "meeting/list", &parameters).await;
        let list = list.unwrap();
        let meetings = list["meetings"].as_array().unwrap();
        let found = meetings
            .iter()
            .map(|meeting| meeting["topic"].as_str().unwrap().to_owned());
        topics.extend(found);
        if meetings.len() < 300 {
            break;
        }
    }
    topics
}

async fn assert_each_once(site: &Site, reports: &[Report]) {
    let topics = topics(site).await;
    let count = |topic: &String| topics.iter().filter(|known| *known == topic).count();
    for report in reports {
        for topic in &report.created {
            assert_eq!(count(topic), 1, "{topic}");
        }
        for topic in &report.unknown {
            assert!(count(topic) <= 1, "{topic}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_fails_no_request() {
    let Some(mut site) = Site::start().await else {
        return;
    };
    let is_over = Arc::new(AtomicBool::new(false));
    let load = begin_load(&site, &is_over);
    for replica in 0..REPLICAS {
        assert_eq!(site.end_replica(replica, "TERM").await, Some(0));
        site.start_replica(replica).await;
    }
    is_over.store(true, Ordering::SeqCst);
    let reports = load.join_all().await;
    for report in &reports {
        assert_eq!(report.failed, 0);
        assert!(report.served > 20, "{}", report.served);
    }
    assert_each_once(&site, &reports).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_replica_fails_only_what_it_had_in_work() {
    let Some(mut site) = Site::start().await else {
        return;
    };
    let is_over = Arc::new(AtomicBool::new(false));
    let load = begin_load(&site, &is_over);
    let until = Instant::now() + Duration::from_secs(5);
    let mut kills = 0;
    while Instant::now() < until {
        sleep(Duration::from_millis(500)).await;
        site.end_replica(0, "KILL").await;
        kills += 1;
        site.start_replica(0).await;
    }
    is_over.store(true, Ordering::SeqCst);
    let reports = load.join_all().await;
    let failed: usize = reports.iter().map(|report| report.failed).sum();
    assert!(failed <= kills * WORKERS, "{failed} after {kills} kills");
    assert_each_once(&site, &reports).await;
}
