//! State in Redis or Valkey, shared by replicas.
//!
//! Each operation is one script on the keys of one account. All operations share one multiplexed
//! connection, so that no request waits for one. After a connection error, or a time without
//! replies, a background task replaces the connection. While that fails, the engine is down and
//! operations fail at once.

mod connection;
mod link;
mod messages;
mod presence;
mod writes;

use std::{fmt, path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::FutureExt as _;
use redis::{FromRedisValue, Script, ScriptInvocation, ToRedisArgs};

use super::{
    Name, StateError,
    engine::{
        Answer, Begun, CURSOR_TIME, Ending, Engine, GENERATION_TIME, Processes, Progress,
        Reservation, Run, Subject, Write,
    },
    queue::{Claim, Claimed, Counts, Dead, DeadLetter, NewMessage, Put, Settlement},
};
use crate::settings::RedisUrl;
use connection::{Connection, Connector};
use link::Link;
use presence::{COUNTED, Presence};

/// Prefix of all keys, with the version of their format.
const PREFIX: &str = "shim:1";

/// Timeouts of a budget, a list, and other operations.
const BUDGET: Duration = Duration::from_millis(25);
const LIST: Duration = Duration::from_millis(50);
const WRITE: Duration = Duration::from_millis(100);

/// Time for which the start of a write waits for replicas of Redis, in milliseconds.
const REPLICATION: u32 = 50;

/// State in Redis.
pub(super) struct Redis {
    link: Link,
    scripts: Scripts,
    presence: Arc<Presence>,
    /// Number of Redis replicas that must confirm the start of a write.
    wait_replicas: u32,
}

/// Defines a struct with one script per file.
macro_rules! scripts {
    ($($name:ident: $file:literal),+) => {
        struct Scripts { $($name: Script),+ }

        impl Scripts {
            fn new() -> Self {
                Self { $($name: Script::new(include_str!($file))),+ }
            }
        }
    };
}

scripts! {
    begin: "redis/begin.lua",
    step: "redis/step.lua",
    end: "redis/end.lua",
    progress: "redis/progress.lua",
    reserve: "redis/reserve.lua",
    refused: "redis/refused.lua",
    fail: "redis/fail.lua",
    advance: "redis/advance.lua",
    put: "redis/put.lua",
    claim: "redis/claim.lua",
    renew: "redis/renew.lua",
    settle: "redis/settle.lua",
    dead: "redis/dead.lua",
    requeue: "redis/requeue.lua"
}

impl Redis {
    /// Starts to connect, and blocks until the first attempt has succeeded or failed. Must run in a
    /// blocking task.
    ///
    /// # Errors
    ///
    /// Fails if retries cannot help: wrong password, or a server that evicts keys.
    pub(super) fn open(
        url: &RedisUrl,
        ca_file: Option<&Path>,
        wait_replicas: u32,
    ) -> Result<Self, StateError> {
        let link = Link::open(Connector::new(url, ca_file)?, wait_replicas > 0)?;
        let (process, of_heartbeat) = (Name(super::new_run()).to_string(), link.clone());
        let script = Arc::new(Script::new(include_str!("redis/alive.lua")));
        let heartbeat = move || {
            let (script, link, process) =
                (Arc::clone(&script), of_heartbeat.clone(), process.clone());
            async move {
                let mut invocation = script.key(format!("{PREFIX}:n"));
                invocation.arg(process).arg(COUNTED.as_millis().to_string());
                let invocation = &invocation;
                let made = |mut connection: Connection| async move {
                    invocation.invoke_async(&mut connection).await
                };
                link.within(WRITE, made).await
            }
        };
        Ok(Self {
            presence: Presence::start(link.runtime(), heartbeat),
            link,
            scripts: Scripts::new(),
            wait_replicas,
        })
    }

    /// Runs a script on keys in the same hash slot.
    async fn run<T: FromRedisValue>(
        &self,
        limit: Duration,
        script: &Script,
        keys: &[String],
        arguments: &[Argument<'_>],
    ) -> Result<T, StateError> {
        let invocation = &prepared(script, keys, arguments);
        let made = |mut connection: Connection| async move {
            invocation.invoke_async(&mut connection).await
        };
        self.link.within(limit, made).await
    }

    /// Runs a script and waits until replicas of Redis have its effect, or the timeout.
    async fn run_replicated<T: FromRedisValue>(
        &self,
        script: &Script,
        keys: &[String],
        arguments: &[Argument<'_>],
    ) -> Result<T, StateError> {
        let invocation = &prepared(script, keys, arguments);
        let mut wait = redis::cmd("WAIT");
        wait.arg(self.wait_replicas).arg(REPLICATION);
        let wait = &wait;
        let made = |mut connection: Connection| async move {
            let done = invocation.invoke_async(&mut connection).await?;
            wait.query_async::<()>(&mut connection).await?;
            Ok(done)
        };
        self.link.blocking(WRITE, made).await
    }

    async fn command<T: FromRedisValue>(
        &self,
        limit: Duration,
        name: &str,
        arguments: impl ToRedisArgs,
    ) -> Result<T, StateError> {
        let mut command = redis::cmd(name);
        command.arg(arguments);
        let command = &command;
        let made =
            |mut connection: Connection| async move { command.query_async(&mut connection).await };
        self.link.within(limit, made).await
    }

    async fn set(&self, key: &str, value: &[u8], time: Duration) -> Result<(), StateError> {
        let time = time.as_millis().to_string();
        let arguments = [key.as_bytes(), value, b"PX", time.as_bytes()];
        self.command(LIST, "SET", &arguments).await
    }
}

fn prepared<'a>(
    script: &'a Script,
    keys: &[String],
    arguments: &[Argument<'_>],
) -> ScriptInvocation<'a> {
    let mut invocation = script.prepare_invoke();
    for key in keys {
        invocation.key(key);
    }
    for argument in arguments {
        match argument {
            Argument::Bytes(bytes) => invocation.arg(*bytes),
            Argument::Text(text) => invocation.arg(text),
            Argument::Number(number) => invocation.arg(*number),
        };
    }
    invocation
}

/// An argument of a script.
enum Argument<'a> {
    Bytes(&'a [u8]),
    Text(String),
    Number(i64),
}

fn key(kind: &str, name: Name) -> String {
    format!("{PREFIX}:{kind}:{name}")
}

/// Key of an entry of an account. The hash tag keeps all keys of an account in one slot of a
/// cluster.
fn part(kind: &str, account: Name, name: Option<Name>) -> String {
    match name {
        Some(name) => format!("{PREFIX}:{kind}:{{{account}}}:{name}"),
        None => format!("{PREFIX}:{kind}:{{{account}}}"),
    }
}

fn write_key(Write { account, name }: Write) -> String {
    part("w", account, Some(name))
}

/// An integer argument; larger numbers are cut to the maximum.
fn count(number: impl TryInto<i64>) -> Argument<'static> {
    Argument::Number(number.try_into().unwrap_or(i64::MAX))
}

fn time(duration: Duration) -> Argument<'static> {
    count(duration.as_millis())
}

fn micros(duration: Duration) -> Argument<'static> {
    count(duration.as_micros())
}

fn text(text: impl fmt::Display) -> Argument<'static> {
    Argument::Text(text.to_string())
}

fn run_text(run: Run) -> Argument<'static> {
    text(Name(run))
}

fn number<T: std::str::FromStr>(bytes: &[u8]) -> Result<T, StateError> {
    let text = std::str::from_utf8(bytes).ok();
    text.and_then(|text| text.parse().ok())
        .ok_or(StateError::Unreadable)
}

fn name(bytes: &[u8]) -> Result<Name, StateError> {
    number(bytes)
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").finish_non_exhaustive()
    }
}

impl Engine for Redis {
    fn kind(&self) -> &'static str {
        "redis"
    }

    fn is_down(&self) -> bool {
        self.link.is_down()
    }

    fn processes(&self) -> Option<Processes> {
        let processes = self.presence.processes();
        let is_complete = processes.is_complete && !self.is_down();
        Some(Processes {
            is_complete,
            ..processes
        })
    }

    fn list(&self, list: Name, account: Name) -> Answer<'_, (Option<Bytes>, u64)> {
        async move {
            let keys = [part("c", account, Some(list)), part("g", account, None)];
            let found = self.command(LIST, "MGET", &keys).await?;
            let (cursors, generation): (Option<Vec<u8>>, Option<u64>) = found;
            Ok((cursors.map(Bytes::from), generation.unwrap_or(0)))
        }
        .boxed()
    }

    fn save_cursors(&self, list: Name, account: Name, cursors: Bytes) -> Answer<'_, ()> {
        async move {
            let key = part("c", account, Some(list));
            self.set(&key, &cursors, CURSOR_TIME).await
        }
        .boxed()
    }

    fn value(&self, name: Name) -> Answer<'_, Option<Bytes>> {
        async move {
            let found: Option<Vec<u8>> = self.command(LIST, "GET", key("v", name)).await?;
            Ok(found.map(Bytes::from))
        }
        .boxed()
    }

    fn set_value(&self, name: Name, value: Bytes, time: Duration) -> Answer<'_, ()> {
        async move { self.set(&key("v", name), &value, time).await }.boxed()
    }

    fn generation(&self, account: Name) -> Answer<'_, u64> {
        async move {
            let key = part("g", account, None);
            let found: Option<u64> = self.command(LIST, "GET", key).await?;
            Ok(found.unwrap_or(0))
        }
        .boxed()
    }

    fn advance(&self, account: Name) -> Answer<'_, ()> {
        async move {
            let keys = [part("g", account, None)];
            let arguments = [time(GENERATION_TIME)];
            let script = &self.scripts.advance;
            self.run(WRITE, script, &keys, &arguments).await
        }
        .boxed()
    }

    fn begin(&self, write: Write, run: Run, lease: Duration, journal: Bytes) -> Answer<'_, Begun> {
        self.begin_write(write, run, lease, journal).boxed()
    }

    fn step(
        &self,
        write: Write,
        run: Run,
        lease: Duration,
        journal: Option<Bytes>,
    ) -> Answer<'_, bool> {
        self.step_write(write, run, lease, journal).boxed()
    }

    fn end(&self, write: Write, run: Run, ending: Ending) -> Answer<'_, bool> {
        self.end_write(write, run, ending).boxed()
    }

    fn progress(&self, write: Write, run: Run) -> Answer<'_, Progress> {
        self.progress_of(write, run).boxed()
    }

    fn is_open(&self, write: Write) -> Answer<'_, bool> {
        async move {
            let arguments = [write_key(write), "journal".to_owned()];
            self.command(WRITE, "HEXISTS", &arguments).await
        }
        .boxed()
    }

    fn reserve(&self, reservation: Reservation) -> Answer<'_, Option<Duration>> {
        self.reserve_call(reservation).boxed()
    }

    fn refused(
        &self,
        account: Name,
        refusal: Name,
        subject: Option<Subject>,
        time: Duration,
    ) -> Answer<'_, ()> {
        async move {
            let keys = [part("r", account, Some(refusal))];
            let subject = Argument::Number(Subject::number(subject));
            let arguments = [subject, self::time(time)];
            let script = &self.scripts.refused;
            self.run(WRITE, script, &keys, &arguments).await
        }
        .boxed()
    }

    fn fail(&self, who: Name, window: Duration) -> Answer<'_, u64> {
        async move {
            let (keys, arguments) = ([key("f", who)], [time(window)]);
            self.run(LIST, &self.scripts.fail, &keys, &arguments).await
        }
        .boxed()
    }

    fn failures(&self, who: Name) -> Answer<'_, u64> {
        async move {
            let found: Option<u64> = self.command(LIST, "GET", key("f", who)).await?;
            Ok(found.unwrap_or(0))
        }
        .boxed()
    }

    fn put(&self, queue: Name, message: NewMessage, now: i64) -> Answer<'_, Put> {
        self.put_message(queue, message, now).boxed()
    }

    fn has_seen(&self, queue: Name, id: Name, now: i64) -> Answer<'_, bool> {
        self.has_seen_message(queue, id, now).boxed()
    }

    fn claim(
        &self,
        queue: Name,
        now: i64,
        lease: Duration,
        owner: Run,
    ) -> Answer<'_, Option<Claimed>> {
        self.claim_message(queue, now, lease, owner).boxed()
    }

    fn renew(&self, queue: Name, claim: Claim, now: i64, lease: Duration) -> Answer<'_, bool> {
        self.renew_claim(queue, claim, now, lease).boxed()
    }

    fn settle(
        &self,
        queue: Name,
        claim: Claim,
        settlement: Settlement,
        now: i64,
    ) -> Answer<'_, bool> {
        self.settle_message(queue, claim, settlement, now).boxed()
    }

    fn next_due(&self, queue: Name) -> Answer<'_, Option<i64>> {
        self.next_message_due(queue).boxed()
    }

    fn dead_letters(&self, queue: Name, limit: usize) -> Answer<'_, Vec<DeadLetter>> {
        self.dead_messages(queue, limit).boxed()
    }

    fn requeue(&self, queue: Name, which: Dead, now: i64) -> Answer<'_, usize> {
        self.requeue_messages(queue, which, now).boxed()
    }

    fn counts(&self, queue: Name) -> Answer<'_, Counts> {
        self.count_messages(queue).boxed()
    }
}
