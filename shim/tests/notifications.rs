//! From an event of the sandbox through the binary to receivers: bytes, kills, commands.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test code outside of test functions"
)]

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
use serde_json::{Value, json};
use shim_sandbox::{Sandbox, SandboxConfig, Subscription, WebhookFault};
use tokio::{net::TcpListener, sync::watch, time::timeout};

const TOKEN: &str = "S3cr3tTokenForTests";

/// For what another process does.
const PATIENCE: Duration = Duration::from_secs(90);

/// What a receiver got.
#[derive(Clone, Debug)]
struct Push {
    path: String,
    content_type: String,
    authorization: String,
    body: String,
}

/// A receiver in this process. Clones are the same.
#[derive(Clone)]
struct Receiver {
    got: watch::Sender<Vec<Push>>,
    /// What it answers; `None` to hang.
    answer: Arc<Mutex<Option<StatusCode>>>,
    url: String,
}

impl Receiver {
    async fn start() -> Self {
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

    fn answers(&self, status: Option<StatusCode>) {
        *self.answer.lock().unwrap() = status;
    }

    /// Waits for this many pushes.
    async fn pushes(&self, count: usize) -> Vec<Push> {
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
        });
    });
    match answer {
        Some(status) => status,
        None => std::future::pending().await,
    }
}

/// A sandbox that sends webhooks, and the folder of the shim's state.
struct Stage {
    http: reqwest::Client,
    base: String,
    sandbox: Sandbox,
    folder: tempfile::TempDir,
}

/// The shim, killed at the end of the test.
struct Shim {
    child: Child,
    webhooks: String,
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

impl Stage {
    async fn start() -> Self {
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
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            base,
            sandbox,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn command(&self, arguments: &[&str], receiver: &str) -> Command {
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
    fn shim(&self, listen: &str, receiver: &str, log: &Path) -> Shim {
        let mut command = self.command(&["serve"], receiver);
        command.env("SHIM_WEBHOOKS_LISTEN", listen);
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut webhooks = String::new();
        while !webhooks.starts_with("webhooks on ") {
            webhooks.clear();
            assert!(
                output.read_line(&mut webhooks).unwrap() > 0,
                "the shim did not start"
            );
        }
        let webhooks = webhooks.split_whitespace().nth(2).unwrap().to_owned();
        Shim {
            child,
            webhooks,
            _output: output,
        }
    }

    fn subscribe(&self, shim: &Shim, retries: &[u64]) {
        self.subscribe_with(shim, retries, &[]);
    }

    fn subscribe_with(&self, shim: &Shim, retries: &[u64], faults: &[WebhookFault]) {
        self.sandbox.subscribe(Subscription {
            url: shim.webhooks.clone(),
            secret_token: TOKEN.to_owned(),
            faults: faults.to_vec(),
            retries: retries.to_vec(),
        });
    }

    async fn post(&self, path: &str, body: Value) {
        let url = format!("{}{path}", self.base);
        let request = self
            .http
            .post(url)
            .bearer_auth(shim_sandbox::TOKEN)
            .body(body.to_string());
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }

    async fn event(&self, event: &str, meeting: &str) {
        let object = json!({ "id": 98_765_432_101_i64, "uuid": meeting, "host_id": "host" });
        self.post(
            "/sandbox/events",
            json!({ "event": event, "object": object }),
        )
        .await;
    }

    async fn get(&self, path: &str) -> Value {
        let request = self.http.get(format!("{}/v2{path}", self.base));
        let answer = request
            .bearer_auth(shim_sandbox::TOKEN)
            .send()
            .await
            .unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    /// A meeting that starts, ends, and whose recordings are ready.
    async fn meeting(&self) -> (String, Value) {
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

    fn log(&self) -> std::path::PathBuf {
        self.folder.path().join("log")
    }

    /// The log, once it has a text: a thread of its own writes it.
    async fn logged(&self, text: &str) -> String {
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
fn form(push: &Push, names: &[&str]) -> Vec<String> {
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

fn serde_urlencoded(body: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(body.as_bytes())
        .into_owned()
        .collect()
}

const STATUS: [&str; 4] = ["id", "uuid", "status", "host_id"];

#[tokio::test]
async fn events_of_a_meeting_arrive_as_v1_sent_them() {
    let (stage, receiver) = (Stage::start().await, Receiver::start().await);
    let shim = stage.shim("127.0.0.1:0", &receiver.url, &stage.log());
    stage.subscribe(&shim, &[1, 1, 1]);
    let (meeting, recording) = stage.meeting().await;
    let pushes = receiver.pushes(3).await;
    for push in &pushes {
        assert_eq!(push.path, "/zoom?secret=s3cret");
        // Base64 of Ada:pass:word.
        assert_eq!(push.authorization, "Basic QWRhOnBhc3M6d29yZA==");
    }
    let find = |word: &str| pushes.iter().find(|push| push.body.contains(word)).unwrap();
    let started = form(find("status=STARTED"), &STATUS);
    let ended = form(find("status=ENDED"), &STATUS);
    assert_eq!((&started[0], &ended[0]), (&meeting, &meeting));
    assert_eq!(started[1], ended[1]);
    let recorded = form(find("RECORDING_MEETING_COMPLETED"), &["type", "content"]);
    let content: Value = serde_json::from_str(&recorded[1]).unwrap();
    assert_eq!(content["uuid"], recording["uuid"]);
    assert_eq!(content["meeting_number"], recording["id"]);
    let files = content["recording_files"].as_array().unwrap();
    let path = files[0]["file_path"].as_str().unwrap();
    assert!(path.contains("?access_token="), "{path}");
    let file = stage.http.get(path).send().await.unwrap();
    assert_eq!(file.headers()["content-type"], "video/mp4");
    // Nothing of it is in the log.
    let log = stage.logged("Notification pushed").await;
    drop(shim);
    let token = path.split("access_token=").nth(1).unwrap();
    for secret in [
        "s3cret",
        "pass:word",
        TOKEN,
        token,
        "Notes on the Engine",
        "ada.lovelace",
    ] {
        assert!(!log.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn an_accepted_event_survives_a_kill_and_a_delivered_one_is_not_repeated() {
    let (stage, receiver) = (Stage::start().await, Receiver::start().await);
    let shim = stage.shim("127.0.0.1:0", &receiver.url, &stage.log());
    let listen = shim.webhooks.split('/').nth(2).unwrap().to_owned();
    stage.subscribe(&shim, &[1, 1, 1, 1, 1, 1, 1, 1]);

    // Killed before the receipt: the sandbox comes again.
    drop(shim);
    stage.event("meeting.started", "m").await;
    let shim = stage.shim(&listen, &receiver.url, &stage.log());
    assert_eq!(receiver.pushes(1).await.len(), 1);

    // Killed between attempts: the receiver was out of order.
    receiver.answers(Some(StatusCode::INTERNAL_SERVER_ERROR));
    stage.event("meeting.ended", "m").await;
    receiver.pushes(2).await;
    drop(shim);
    receiver.answers(Some(StatusCode::OK));
    let shim = stage.shim(&listen, &receiver.url, &stage.log());
    let pushes = receiver.pushes(3).await;
    assert_eq!(pushes[1].body, pushes[2].body);

    // Killed during an attempt, after which nothing is known: it is made again.
    receiver.answers(None);
    stage.event("meeting.started", "n").await;
    receiver.pushes(4).await;
    drop(shim);
    receiver.answers(Some(StatusCode::OK));
    let shim = stage.shim(&listen, &receiver.url, &stage.log());
    let pushes = receiver.pushes(5).await;
    assert_eq!(pushes[3].body, pushes[4].body);

    // What was delivered is not pushed again, whoever is killed.
    stage.event("meeting.ended", "n").await;
    receiver.pushes(6).await;
    drop(shim);
    let _shim = stage.shim(&listen, &receiver.url, &stage.log());
    stage.event("meeting.started", "last").await;
    let pushes = receiver.pushes(7).await;
    assert!(pushes[6].body.contains("uuid=last"), "{pushes:?}");
}

#[tokio::test]
async fn faulty_webhooks_are_refused_or_pushed_once() {
    let (stage, receiver) = (Stage::start().await, Receiver::start().await);
    let shim = stage.shim("127.0.0.1:0", &receiver.url, &stage.log());
    for (fault, outcome) in [
        (WebhookFault::WrongSignature, "wrong_signature"),
        (WebhookFault::OldTimestamp, "stale"),
    ] {
        let forger = Stage::start().await;
        forger.subscribe_with(&shim, &[], &[fault]);
        forger.event("meeting.started", "forged").await;
        stage.logged(outcome).await;
    }
    stage.subscribe_with(&shim, &[], &[WebhookFault::Repeat, WebhookFault::Reorder]);
    for meeting in ["first", "second", "third", "fourth"] {
        stage.event("meeting.started", meeting).await;
    }
    let pushes = receiver.pushes(4).await;
    let mut meetings: Vec<_> = pushes
        .iter()
        .map(|push| form(push, &STATUS)[1].clone())
        .collect();
    meetings.sort_unstable();
    assert_eq!(meetings, ["first", "fourth", "second", "third"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_list_resend_and_try() {
    let (stage, receiver) = (Stage::start().await, Receiver::start().await);
    let run = |arguments: &[&str], receiver: &str| {
        let output = stage.command(arguments, receiver).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        (
            output.status.code(),
            text,
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    // A test goes past the queue.
    let (code, text, _) = run(&["notifications", "test"], &receiver.url);
    assert_eq!(code, Some(0), "{text}");
    let pushes = receiver.pushes(2).await;
    assert_eq!(form(&pushes[0], &STATUS)[2], "STARTED");
    assert_eq!(form(&pushes[1], &STATUS)[2], "ENDED");
    receiver.answers(Some(StatusCode::FOUND));
    let (code, text, _) = run(&["notifications", "test"], &receiver.url);
    assert_eq!(code, Some(1));
    assert!(text.contains("redirects are not followed"), "{text}");

    let config = stage.folder.path().join("shim.toml");
    let text = format!(
        "[[receiver]]\nurl = {:?}\nattempts = 1\nwaits = [5]\n",
        receiver.url
    );
    std::fs::write(&config, text).unwrap();
    let mut command = stage.command(&["serve", "--config", config.to_str().unwrap()], "");
    let child = command
        .env("SHIM_WEBHOOKS_LISTEN", "127.0.0.1:0")
        .stdout(Stdio::piped());
    let mut child = child.stderr(Stdio::null()).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("webhooks on ") {
        line.clear();
        assert!(output.read_line(&mut line).unwrap() > 0);
    }
    let shim = Shim {
        child,
        webhooks: line.split_whitespace().nth(2).unwrap().to_owned(),
        _output: output,
    };
    stage.subscribe(&shim, &[]);
    stage.event("meeting.started", "dead").await;
    receiver.pushes(5).await;
    let list = [
        "notifications",
        "list",
        "--config",
        config.to_str().unwrap(),
    ];
    let listed = async {
        loop {
            let (code, text, error) = run(&list, "");
            assert_eq!(code, Some(0), "{error}");
            if text.contains("1 given up") {
                return text;
            }
            tokio::task::yield_now().await;
        }
    };
    let listed = timeout(PATIENCE, listed).await.unwrap();
    assert!(listed.contains("\tSTARTED\t"), "{listed}");
    assert!(!listed.contains("s3cret"), "{listed}");
    receiver.answers(Some(StatusCode::NO_CONTENT));
    let id = listed.split('\t').next().unwrap();
    let retry = [
        "notifications",
        "retry",
        id,
        "--config",
        config.to_str().unwrap(),
    ];
    let (code, text, error) = run(&retry, "");
    assert_eq!(code, Some(0), "{error}");
    assert!(text.starts_with("1 queued again"), "{text}");
    assert!(receiver.pushes(6).await[5].body.contains("uuid=dead"));
}

#[tokio::test]
async fn a_listener_without_a_secret_token_is_refused() {
    let stage = Stage::start().await;
    for token in ["", " \n"] {
        let file = stage.folder.path().join("token");
        std::fs::write(&file, token).unwrap();
        let mut command = stage.command(&["check-config"], "http://127.0.0.1:1/");
        command.env("SHIM_WEBHOOKS_LISTEN", "127.0.0.1:0");
        command.env_remove("SHIM_WEBHOOKS_SECRET_TOKEN");
        if !token.is_empty() {
            command.env("SHIM_WEBHOOKS_SECRET_TOKEN_FILE", &file);
        }
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains("secret token"), "{error}");
    }
}

/// A receiver of another language: its lines, and its address.
struct Foreign {
    child: Child,
    output: BufReader<Box<dyn std::io::Read + Send>>,
    url: String,
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Foreign {
    /// `None`, with a loud line, if there is no interpreter.
    fn start(interpreter: &str, file: &str) -> Option<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/receivers");
        let file = folder.join(file);
        let is_php = interpreter == "php";
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let compiled = tempfile::tempdir().unwrap();
        let mut command = Command::new(interpreter);
        if interpreter == "go" {
            let program = compiled.path().join("receiver");
            let mut build = Command::new("go");
            build.arg("build").arg("-o").arg(&program).arg(&file);
            // A missing compiler is as a missing program.
            assert!(build.status().map_or(true, |status| status.success()));
            command = Command::new(program);
            command.arg("0");
        } else if is_php {
            command
                .args(["-S", &format!("127.0.0.1:{port}")])
                .arg(&file)
                .stderr(Stdio::null());
        } else {
            command.arg(&file).arg("0");
        }
        let Ok(mut child) = command.stdout(Stdio::piped()).spawn() else {
            let is_required = std::env::var("TEST_SERVERS").is_ok_and(|value| value == "required");
            assert!(
                !is_required,
                "{interpreter} is not installed, and TEST_SERVERS=required"
            );
            #[expect(clippy::print_stderr, reason = "a missing interpreter is named")]
            {
                eprintln!("NOT CHECKED: {interpreter} is not installed");
            }
            return None;
        };
        let stdout: Box<dyn std::io::Read + Send> = Box::new(child.stdout.take().unwrap());
        let mut output = BufReader::new(stdout);
        let mut line = port.to_string();
        if is_php {
            // It does not say when it listens.
            while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
                assert!(child.try_wait().unwrap().is_none(), "php has ended");
                std::thread::yield_now();
            }
        } else {
            line.clear();
            output.read_line(&mut line).unwrap();
        }
        let url = format!("http://127.0.0.1:{}/zoom?secret=s3cret", line.trim());
        Some(Self { child, output, url })
    }

    fn event(&mut self) -> Value {
        let mut line = String::new();
        while !line.starts_with('{') {
            line.clear();
            assert!(
                self.output.read_line(&mut line).unwrap() > 0,
                "the receiver has ended"
            );
        }
        serde_json::from_str(&line).unwrap()
    }
}

async fn through(interpreter: &str, file: &str, settings: &str) -> Option<(Vec<Value>, Value)> {
    let mut foreign = Foreign::start(interpreter, file)?;
    let stage = Stage::start().await;
    let config = stage.folder.path().join("shim.toml");
    std::fs::write(
        &config,
        format!("[[receiver]]\nurl = {:?}\n{settings}", foreign.url),
    )
    .unwrap();
    let mut command = stage.command(&["serve", "--config", config.to_str().unwrap()], "");
    command.env("SHIM_WEBHOOKS_LISTEN", "127.0.0.1:0");
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("webhooks on ") {
        line.clear();
        assert!(output.read_line(&mut line).unwrap() > 0);
    }
    let shim = Shim {
        child,
        webhooks: line.split_whitespace().nth(2).unwrap().to_owned(),
        _output: output,
    };
    stage.subscribe(&shim, &[]);
    let (_, recording) = stage.meeting().await;
    let events = tokio::task::spawn_blocking(move || (0..3).map(|_| foreign.event()).collect());
    Some((events.await.unwrap(), recording))
}

#[tokio::test]
async fn a_python_receiver_with_a_strict_parser_reads_them() {
    let Some((events, recording)) = through("python3", "strict.py", "").await else {
        return;
    };
    for event in &events {
        assert_eq!(event.get("error"), None, "{event}");
        assert_eq!(event["authorization"], "Basic QWRhOnBhc3M6d29yZA==");
    }
    let recorded = events
        .iter()
        .find(|event| event.get("type").is_some())
        .unwrap();
    assert_eq!(recorded["uuid"], recording["uuid"]);
}

#[tokio::test]
async fn a_go_receiver_that_refuses_unknown_names_reads_them() {
    let Some((events, _)) = through("go", "strict.go", "").await else {
        return;
    };
    let (decoded, refused): (Vec<_>, Vec<_>) =
        { events.iter() }.partition(|event| event.get("decoded").is_some());
    let mut statuses: Vec<_> = { decoded.iter() }
        .map(|event| event["decoded"]["status"].as_str().unwrap())
        .collect();
    statuses.sort_unstable();
    assert_eq!(statuses, ["ENDED", "STARTED"], "{refused:?}");
    for event in decoded {
        let read = &event["decoded"];
        assert!(read["id"].as_i64().unwrap() > 0, "{event}");
        assert_ne!((&read["uuid"], &read["host_id"]), (&"".into(), &"".into()));
        assert_eq!(event["content_type"], "application/x-www-form-urlencoded");
    }
    // Recordings are what such a receiver never took.
    assert_eq!(refused.len(), 1);
    assert!(
        refused[0]["body"]
            .as_str()
            .unwrap()
            .starts_with("type=RECORDING")
    );
}

#[tokio::test]
async fn a_node_receiver_reads_forms_and_json() {
    for settings in ["", "body_style = \"json\"\n"] {
        let Some((events, _)) = through("node", "parser.js", settings).await else {
            return;
        };
        let recorded = events
            .iter()
            .find(|event| event.get("type").is_some())
            .unwrap();
        assert!(recorded["file"].as_str().unwrap().contains("access_token="));
        let statuses = events.iter().filter(|event| event.get("status").is_some());
        assert_eq!(statuses.count(), 2);
    }
}

#[tokio::test]
async fn a_php_receiver_reads_them() {
    let Some((events, recording)) = through("php", "form.php", "").await else {
        return;
    };
    let recorded = events
        .iter()
        .find(|event| event.get("content").is_some())
        .unwrap();
    assert_eq!(recorded["content"]["uuid"], recording["uuid"]);
    let mut statuses: Vec<_> = events
        .iter()
        .filter_map(|event| event["post"]["status"].as_str())
        .collect();
    statuses.sort_unstable();
    assert_eq!(statuses, ["ENDED", "STARTED"]);
}
