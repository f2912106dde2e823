//! The connection to Redis: one for all, made again by a task of its own.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use redis::{Client, ErrorKind, RedisError, RedisResult, aio::MultiplexedConnection};
use tokio::{
    runtime::Handle,
    time::{sleep, timeout},
};
use url::Url;

use crate::state::StateError;

/// The timeout of a connection.
const CONNECT: Duration = Duration::from_millis(250);

/// Timeouts in a row after which the connection counts as lost.
const MOST_TIMEOUTS: u32 = 3;

/// The first and the longest pause between two attempts to connect.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// The port of a sentinel, unless the URL has one.
const SENTINEL_PORT: u16 = 26379;

/// The connection, and how it is made. Clones are the same.
#[derive(Clone)]
pub(super) struct Link(Arc<Inner>);

struct Inner {
    source: Source,
    /// `None` while the engine is down.
    connection: Mutex<Option<MultiplexedConnection>>,
    timeouts: AtomicU32,
    runtime: Handle,
}

/// Where the server is found.
enum Source {
    At(Client),
    /// Sentinels, the name of the master, and its URL with a host to be filled in.
    Sentinels {
        sentinels: Vec<Client>,
        master: String,
        url: Url,
    },
}

/// Why there is no connection.
enum Refusal {
    /// It may be there later.
    Unreachable(String),
    /// It will not be.
    Fatal(String),
}

impl Link {
    pub(super) fn open(url: &Url) -> Result<Self, StateError> {
        let link = Self(Arc::new(Inner {
            source: Source::read(url)?,
            connection: Mutex::default(),
            timeouts: AtomicU32::new(0),
            runtime: Handle::current(),
        }));
        match link.0.runtime.block_on(link.0.connect()) {
            Ok(connection) => *link.lock() = Some(connection),
            Err(Refusal::Fatal(why)) => return Err(StateError::Redis(why)),
            Err(Refusal::Unreachable(why)) => {
                tracing::warn!(why, "Redis cannot be reached; starting without it");
                link.reconnect();
            }
        }
        Ok(link)
    }

    pub(super) fn is_down(&self) -> bool {
        self.lock().is_none()
    }

    /// Runs an operation on the connection, within a timeout; fails at once while there is none.
    pub(super) async fn within<T, F: Future<Output = RedisResult<T>>>(
        &self,
        limit: Duration,
        operation: impl FnOnce(MultiplexedConnection) -> F,
    ) -> Result<T, StateError> {
        let Some(connection) = self.lock().clone() else {
            return Err(StateError::Down);
        };
        match timeout(limit, operation(connection)).await {
            Ok(Ok(value)) => {
                self.0.timeouts.store(0, Ordering::Relaxed);
                Ok(value)
            }
            Ok(Err(error)) => {
                if is_lost(&error) {
                    self.lost(&error.to_string());
                }
                Err(StateError::Redis(error.to_string()))
            }
            Err(_) => {
                let timeouts = self.0.timeouts.fetch_add(1, Ordering::Relaxed) + 1;
                if timeouts >= MOST_TIMEOUTS {
                    self.lost("it does not answer in time");
                }
                Err(StateError::Down)
            }
        }
    }

    /// Gives the connection up and makes another one in the background.
    fn lost(&self, why: &str) {
        // Of several operations that fail at once, the first one reconnects.
        if self.lock().take().is_some() {
            tracing::warn!(why, "Redis is lost; state is local until it is back");
            self.reconnect();
        }
    }

    fn reconnect(&self) {
        let link = self.clone();
        self.0.runtime.spawn(async move {
            let (mut pause, longest) = PAUSES;
            // A failover or a restart may be over already.
            let mut connected = link.0.connect().await;
            while connected.is_err() {
                sleep(pause).await;
                pause = longest.min(pause * 2);
                connected = link.0.connect().await;
            }
            if let Ok(connection) = connected {
                link.0.timeouts.store(0, Ordering::Relaxed);
                *link.lock() = Some(connection);
                tracing::info!("Redis is back");
            }
        });
    }

    fn lock(&self) -> MutexGuard<'_, Option<MultiplexedConnection>> {
        self.0
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    async fn connect(&self) -> Result<MultiplexedConnection, Refusal> {
        let client = match &self.source {
            Source::At(client) => client.clone(),
            Source::Sentinels {
                sentinels,
                master,
                url,
            } => found(sentinels, master, url).await?,
        };
        let mut connection = connected(&client).await?;
        let role: Vec<redis::Value> = ask(&mut connection, &["ROLE"]).await.unwrap_or_default();
        if let Some(redis::Value::BulkString(role)) = role.first()
            && role != b"master"
        {
            return Err(Refusal::Unreachable("it is a replica".to_owned()));
        }
        check(&mut connection).await?;
        Ok(connection)
    }
}

impl Source {
    fn read(url: &Url) -> Result<Self, StateError> {
        let opened =
            |url: &str| Client::open(url).map_err(|error| StateError::Redis(error.to_string()));
        if url.scheme() != "redis+sentinel" {
            return Ok(Self::At(opened(url.as_str())?));
        }
        // redis+sentinel://user:password@h1:p1,h2,h3/master/0
        let text = url.as_str();
        let rest = text.split_once("://").map_or("", |(_, rest)| rest);
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, hosts) = authority
            .rsplit_once('@')
            .map_or(("", authority), |(login, hosts)| (login, hosts));
        let (master, number) = path.split_once('/').unwrap_or((path, "0"));
        let at = if login.is_empty() { "" } else { "@" };
        let sentinels = hosts.split(',').map(|host| {
            let port = if host.contains(':') {
                String::new()
            } else {
                format!(":{SENTINEL_PORT}")
            };
            opened(&format!("redis://{host}{port}"))
        });
        let url = Url::parse(&format!("redis://{login}{at}master/{number}"));
        Ok(Self::Sentinels {
            sentinels: sentinels.collect::<Result<_, _>>()?,
            master: master.to_owned(),
            url: url.map_err(|error| StateError::Redis(error.to_string()))?,
        })
    }
}

/// The master that the first sentinel names that answers.
async fn found(sentinels: &[Client], master: &str, url: &Url) -> Result<Client, Refusal> {
    for sentinel in sentinels {
        let Ok(mut connection) = connected(sentinel).await else {
            continue;
        };
        let asked = ["SENTINEL", "get-master-addr-by-name", master];
        let Ok((host, port)) = ask::<(String, u16)>(&mut connection, &asked).await else {
            continue;
        };
        let mut url = url.clone();
        if url.set_host(Some(&host)).is_ok() && url.set_port(Some(port)).is_ok() {
            let client = Client::open(url.as_str());
            return client.map_err(|error| Refusal::Fatal(error.to_string()));
        }
    }
    Err(Refusal::Unreachable(
        "no sentinel names a master".to_owned(),
    ))
}

async fn connected(client: &Client) -> Result<MultiplexedConnection, Refusal> {
    match timeout(CONNECT, client.get_multiplexed_async_connection()).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) if error.kind() == ErrorKind::AuthenticationFailed => {
            Err(Refusal::Fatal(error.to_string()))
        }
        Ok(Err(error)) => Err(Refusal::Unreachable(error.to_string())),
        Err(_) => Err(Refusal::Unreachable("no connection in time".to_owned())),
    }
}

/// Refuses a server that evicts keys, and warns of one that forgets them.
async fn check(connection: &mut MultiplexedConnection) -> Result<(), Refusal> {
    // A user may not be allowed to ask; then nothing is known.
    let policy = ["CONFIG", "GET", "maxmemory-policy"];
    if let Ok((_, policy)) = ask::<(String, String)>(connection, &policy).await
        && policy != "noeviction"
    {
        return Err(Refusal::Fatal(format!(
            "Redis evicts keys (maxmemory-policy {policy}): it must be noeviction"
        )));
    }
    let append_only = ["CONFIG", "GET", "appendonly"];
    if let Ok((_, append_only)) = ask::<(String, String)>(connection, &append_only).await
        && append_only == "no"
    {
        tracing::warn!("A restart of this Redis forgets unfinished writes: set appendonly yes");
    }
    Ok(())
}

async fn ask<T: redis::FromRedisValue>(
    connection: &mut MultiplexedConnection,
    words: &[&str],
) -> Result<T, Refusal> {
    let mut command = redis::Cmd::new();
    command.arg(words);
    let asked = timeout(CONNECT, command.query_async(connection)).await;
    match asked {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(Refusal::Unreachable(error.to_string())),
        Err(_) => Err(Refusal::Unreachable("no answer in time".to_owned())),
    }
}

/// True if another connection may do better.
fn is_lost(error: &RedisError) -> bool {
    error.is_io_error()
        || error.is_connection_dropped()
        || matches!(error.code(), Some("READONLY" | "LOADING" | "MASTERDOWN"))
}
