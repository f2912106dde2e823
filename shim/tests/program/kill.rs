//! A write whose process is killed between two of its v2 calls: the same request to another process
//! finishes it, and no call that v2 answered is made again.

use std::{
    path::Path,
    process::{Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::Response,
};
use serde_json::Value;
use shim_sandbox::{Sandbox, SandboxConfig};
use tokio::{net::TcpListener, sync::Notify, task::JoinSet};

use crate::{Program, client, command};

/// The code of v1's "try again", which a repetition may be answered while the lease of the process
/// that was killed runs.
const TRY_AGAIN: i64 = 403;

/// By when a repetition is whole.
const PATIENCE: Duration = Duration::from_secs(45);

/// For how long a write is leased when it is noted.
const LEASE: Duration = Duration::from_secs(15);

/// More calls than any write here makes.
const MOST_CALLS: usize = 7;

/// A way to v2 on which one call stops for ever.
struct Gate {
    /// The number of the call, from 0.
    stops: usize,
    /// True if v2 does the call and its answer is lost; else it is not done.
    loses_answer: bool,
    seen: AtomicUsize,
    is_open: AtomicBool,
    stopped: Notify,
    goes_on: Notify,
    /// The calls that wait at the gate; those of a dead process leave.
    waiting: AtomicUsize,
    done: Mutex<Vec<String>>,
    /// How many of these calls v2 answered, and when it did last.
    answered: Mutex<(usize, Option<SystemTime>)>,
}

impl Gate {
    fn new(stops: usize, loses_answer: bool) -> Arc<Self> {
        Arc::new(Self {
            stops,
            loses_answer,
            seen: AtomicUsize::new(0),
            is_open: AtomicBool::new(false),
            stopped: Notify::new(),
            goes_on: Notify::new(),
            waiting: AtomicUsize::new(0),
            done: Mutex::default(),
            answered: Mutex::default(),
        })
    }

    /// True if all calls before the one that stops were answered, and a process noted something after
    /// the last answer; renewing its lease is enough.
    fn is_noted(&self, state: &Path) -> bool {
        let (count, last) = *self.answered.lock().unwrap();
        if count < self.stops {
            return false;
        }
        let Some(last) = last else {
            return true;
        };
        let opened = rusqlite::Connection::open(state).unwrap();
        let until = "SELECT max(until) FROM write";
        let until = opened.query_row(until, [], |row| row.get::<_, i64>(0));
        let noted = last.duration_since(UNIX_EPOCH).unwrap() + LEASE;
        until.is_ok_and(|until| i128::from(until) > noted.as_millis().cast_signed())
    }

    async fn pass(State(gate): State<Arc<Self>>, request: Request, next: Next) -> Response {
        let (head, body) = request.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let line = format!(
            "{} {} {}",
            head.method,
            head.uri,
            String::from_utf8_lossy(&body)
        );
        let is_call = head.uri.path().starts_with("/v2/");
        let request = Request::from_parts(head, Body::from(body));
        if !is_call {
            return next.run(request).await;
        }
        let number = gate.seen.fetch_add(1, Ordering::SeqCst);
        if number < gate.stops || gate.is_open.load(Ordering::SeqCst) {
            gate.done.lock().unwrap().push(line);
            let response = next.run(request).await;
            let mut answered = gate.answered.lock().unwrap();
            *answered = (answered.0 + 1, Some(SystemTime::now()));
            return response;
        }
        let _waiting = Waiting::of(&gate);
        if gate.loses_answer {
            next.run(request).await;
            gate.stopped.notify_one();
            return std::future::pending().await;
        }
        gate.stopped.notify_one();
        gate.goes_on.notified().await;
        gate.done.lock().unwrap().push(line);
        next.run(request).await
    }

    /// Waits until no call of the process that was killed can come any more.
    async fn is_left(&self) {
        /// How often in a row nothing must be there.
        const LOOKS: usize = 20;
        let mut empty = 0;
        while empty < LOOKS {
            tokio::time::sleep(Duration::from_millis(10)).await;
            let is_empty = self.waiting.load(Ordering::SeqCst) == 0;
            empty = if is_empty { empty + 1 } else { 0 };
        }
    }
}

/// A call that waits at the gate.
struct Waiting(Arc<Gate>);

impl Waiting {
    fn of(gate: &Arc<Gate>) -> Self {
        gate.waiting.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(gate))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The address of a sandbox behind a gate.
async fn v2(gate: &Arc<Gate>) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let layer = from_fn_with_state(Arc::clone(gate), Gate::pass);
    let router = Sandbox::new(SandboxConfig::default()).router().layer(layer);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Sandbox::v2_base(address)
}

fn shim(v2: &str, state: &Path) -> Program {
    let state = format!("sqlite:{}", state.display());
    let environment = [
        ("SHIM_API_KEY", "k"),
        ("SHIM_API_SECRET", "s"),
        ("SHIM_UPSTREAM_URL", v2),
        ("SHIM_UPSTREAM_TOKEN", shim_sandbox::TOKEN),
        ("SHIM_LISTEN", "127.0.0.1:0"),
        ("SHIM_STATE_URL", &state),
    ];
    let mut command: Command = command(&["serve"], &environment);
    command.stderr(Stdio::null());
    Program::spawn(command)
}

async fn ask(shim: &str, operation: &str, parameters: &[(&str, &str)]) -> Option<Value> {
    let given = [&[("api_key", "k"), ("api_secret", "s")], parameters].concat();
    let request = client()
        .post(format!("{shim}/{operation}"))
        .header("content-type", "application/x-www-form-urlencoded");
    let request = request.body(serde_urlencoded::to_string(given).unwrap());
    let text = request.send().await.ok()?.text().await.ok()?;
    serde_json::from_str(&text).ok()
}

/// What the sandbox calls its parts, where a request needs one.
async fn id_of(v2: &str, list: &str, at: &str) -> String {
    let request = client()
        .get(format!("{v2}{list}"))
        .bearer_auth(shim_sandbox::TOKEN);
    let text = request.send().await.unwrap().text().await.unwrap();
    let list: Value = serde_json::from_str(&text).unwrap();
    list.pointer(at).unwrap().as_str().unwrap().to_owned()
}

/// One write that is killed at one of its calls and repeated; false if it has fewer calls.
async fn killed(
    operation: &str,
    parameters: &[(&str, &str)],
    stops: usize,
    loses_answer: bool,
) -> Option<(Value, Vec<String>)> {
    let gate = Gate::new(usize::MAX, false);
    let setup = v2(&gate).await;
    let group = id_of(&setup, "/groups", "/groups/0/id").await;
    let gate = Gate::new(stops, loses_answer);
    let v2 = v2(&gate).await;
    let filled = parameters.iter().map(|(name, value)| match *value {
        "GROUP" => (*name, group.as_str()),
        value => (*name, value),
    });
    let parameters: Vec<_> = filled.collect();
    let folder = tempfile::TempDir::new().unwrap();
    let state = folder.path().join("state.sqlite");
    let first = shim(&v2, &state);
    let base = first.base().to_owned();
    tokio::select! {
        answer = ask(&base, operation, &parameters) => {
            let answer = answer.unwrap();
            assert!(answer.get("error").is_none(), "{answer}");
            return None;
        }
        () = gate.stopped.notified() => {}
    }
    // Answers to the other calls are noted before the kill.
    while !gate.is_noted(&state) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // Kills with SIGKILL.
    drop(first);
    gate.is_left().await;
    gate.is_open.store(true, Ordering::SeqCst);
    let second = shim(&v2, &state);
    let base = second.base().to_owned();
    let since = Instant::now();
    loop {
        let answer = ask(&base, operation, &parameters).await.unwrap();
        match answer.get("error").unwrap_or(&Value::Null) {
            Value::Null => {
                let done = gate.done.lock().unwrap().clone();
                return Some((answer, done));
            }
            error => assert_eq!(
                error["code"], TRY_AGAIN,
                "{operation} at call {stops}: {answer}"
            ),
        }
        assert!(
            since.elapsed() < PATIENCE,
            "{operation} at call {stops}: {answer}"
        );
    }
}

/// Kills a write before each of its calls.
async fn at_every_call(operation: &'static str, parameters: &'static [(&str, &str)], least: usize) {
    let mut kills = JoinSet::new();
    for stops in 0..MOST_CALLS {
        kills.spawn(async move { (stops, killed(operation, parameters, stops, false).await) });
    }
    let mut stopped = 0;
    while let Some(ended) = kills.join_next().await {
        let (stops, Some((_, mut done))) = ended.unwrap() else {
            continue;
        };
        stopped += 1;
        let shown = done.join("\n");
        // A read beside the call that stopped may be answered in the moment of the kill.
        done.retain(|line| !line.starts_with("GET"));
        let count = done.len();
        done.sort();
        done.dedup();
        assert_eq!(done.len(), count, "{operation} at call {stops}:\n{shown}");
    }
    assert!(
        stopped >= least,
        "{operation} was killed at {stopped} calls"
    );
}

const USER: &[(&str, &str)] = &[
    ("email", "killed@example.com"),
    ("type", "2"),
    ("first_name", "New"),
    ("password", "Analytical4Engine"),
    ("dept", "Engines"),
    ("disable_chat", "true"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_custcreate_is_finished() {
    at_every_call("user/custcreate", USER, 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_autocreate_is_finished() {
    at_every_call("user/autocreate", USER, 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_invitation_is_finished() {
    let user = &[
        ("email", "killed@example.com"),
        ("type", "2"),
        ("dept", "Engines"),
        ("group_id", "GROUP"),
    ];
    at_every_call("user/create", user, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_update_is_finished() {
    let user = &[
        ("id", "ada.lovelace@example.com"),
        ("dept", "Engines"),
        ("disable_chat", "true"),
    ];
    at_every_call("user/update", user, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_webinar_gets_its_panelists_and_no_twin() {
    let webinar = &[
        ("host_id", "mary.jackson@example.com"),
        ("topic", "Lift"),
        ("start_time", "2031-05-01T09:30:00Z"),
        ("panelists", r#"[{"name":"Ann","email":"ann@example.net"}]"#),
    ];
    at_every_call("webinar/create", webinar, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_batches_of_group_members_are_finished() {
    static MEMBERS: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
        let members: Vec<_> = (0..70).map(|at| format!("m{at}@example.com")).collect();
        members.join(",")
    });
    static GIVEN: std::sync::LazyLock<Vec<(&str, &str)>> =
        std::sync::LazyLock::new(|| vec![("id", "GROUP"), ("member_ids", MEMBERS.as_str())]);
    at_every_call("group/member/add", &GIVEN, 3).await;
}

const SUB_ACCOUNT: &[(&str, &str)] = &[
    ("email", "owner@sub.example.com"),
    ("first_name", "New"),
    ("last_name", "Owner"),
    ("password", "Analytical4Engine"),
    ("meeting_capacity", "100"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_sub_account_is_finished() {
    at_every_call("ma/account/create", SUB_ACCOUNT, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_create_whose_answer_was_lost_is_recognised() {
    let killed = killed("user/custcreate", USER, 0, true).await;
    let (answer, done) = killed.unwrap();
    assert_eq!(answer["email"], "killed@example.com");
    assert_eq!(answer["dept"], "Engines");
    let changes = done.iter().filter(|line| line.starts_with("PATCH"));
    assert_eq!(changes.count(), 2, "{done:?}");
}

/// v2 refuses a second one of each: an answer without an error is the first one's.
#[tokio::test(flavor = "multi_thread")]
async fn creates_of_other_things_whose_answer_was_lost_are_recognised() {
    const NAME: &[(&str, &str)] = &[("name", "Killed")];
    const DEVICE: &[(&str, &str)] = &[("name", "Killed"), ("ip", "10.0.0.1")];
    let creates = [
        ("ma/account/create", SUB_ACCOUNT, "owner_id"),
        ("user/autocreate", USER, "id"),
        ("group/create", NAME, "group_id"),
        ("im/group/create", NAME, "group_id"),
        ("h323/device/create", DEVICE, "id"),
    ];
    let mut kills = JoinSet::new();
    for (operation, parameters, id) in creates {
        kills.spawn(async move {
            let (answer, done) = killed(operation, parameters, 0, true).await.unwrap();
            assert!(answer[id].is_string(), "{operation}: {answer}");
            let posts = done.iter().filter(|line| line.starts_with("POST"));
            assert_eq!(posts.count(), 1, "{operation}: {done:?}");
        });
    }
    kills.join_all().await;
}

/// True if a request waits for a write of another process.
fn is_waited_for(state: &Path) -> bool {
    let opened = rusqlite::Connection::open(state).unwrap();
    let waits = "SELECT count(*) FROM write WHERE waited_for = 1";
    opened
        .query_row(waits, [], |row| row.get::<_, u32>(0))
        .is_ok_and(|count| count > 0)
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_creates_at_two_processes_are_one() {
    let gate = Gate::new(0, false);
    let v2 = v2(&gate).await;
    let folder = tempfile::TempDir::new().unwrap();
    let state = folder.path().join("state.sqlite");
    let shims = [shim(&v2, &state), shim(&v2, &state)];
    let [one, other] = shims.each_ref().map(|shim| {
        let base = shim.base().to_owned();
        tokio::spawn(async move { ask(&base, "user/custcreate", USER).await.unwrap() })
    });
    while !is_waited_for(&state) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    gate.is_open.store(true, Ordering::SeqCst);
    gate.goes_on.notify_one();
    let (one, other) = (one.await.unwrap(), other.await.unwrap());
    assert_eq!(one["email"], "killed@example.com", "{one}");
    assert_eq!(one, other);
    let done = gate.done.lock().unwrap();
    let creates = done
        .iter()
        .filter(|line| line.starts_with("POST /v2/users "));
    assert_eq!(creates.count(), 1, "{done:?}");
}
