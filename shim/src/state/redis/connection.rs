//! A connection to one server or to a cluster, and how it is found.

use std::{fs, path::Path, time::Duration};

use redis::{
    Client, Cmd, ErrorKind, FromRedisValue, IntoConnectionInfo, Pipeline, RedisFuture, RedisResult,
    TlsCertificates, Value,
    aio::{ConnectionLike, MultiplexedConnection},
    cluster::ClusterClient,
    cluster_async::ClusterConnection,
};
use tokio::time::timeout;

use crate::{
    settings::{RedisUrl, Topology},
    state::StateError,
};

/// The timeout of a connection.
const CONNECT: Duration = Duration::from_millis(250);

/// The port of a sentinel, unless the URL has one.
const SENTINEL_PORT: u16 = 26379;

/// A connection that many operations use at the same time. Clones are the same.
#[derive(Clone)]
pub(super) enum Connection {
    Server(MultiplexedConnection),
    Cluster(ClusterConnection),
}

/// Where a connection leads.
pub(super) struct Source {
    url: RedisUrl,
    /// The certificate authority of a site, as PEM.
    authority: Option<Vec<u8>>,
}

/// Why there is no connection.
pub(super) enum Refusal {
    /// It may be there later.
    Unreachable(String),
    /// It will not be.
    Fatal(String),
}

impl Source {
    pub(super) fn new(url: &RedisUrl, ca_file: Option<&Path>) -> Result<Self, StateError> {
        let authority = ca_file.map(|file| {
            fs::read(file).map_err(|source| StateError::CaFile {
                file: file.to_owned(),
                source,
            })
        });
        let source = Self {
            url: url.clone(),
            authority: authority.transpose()?,
        };
        // A URL that can never be connected to is reported before the first attempt.
        for (host, port) in &source.url.hosts {
            source
                .client(host, *port)
                .map_err(|refusal| match refusal {
                    Refusal::Unreachable(why) | Refusal::Fatal(why) => StateError::Redis(why),
                })?;
        }
        Ok(source)
    }

    pub(super) async fn connect(&self) -> Result<Connection, Refusal> {
        let client = match &self.url.topology {
            Topology::Cluster => return self.cluster().await,
            Topology::Sentinels(master) => self.master(master).await?,
            Topology::Server => match self.url.hosts.first() {
                Some((host, port)) => self.client(host, *port)?,
                None => return Err(Refusal::Fatal("no host".to_owned())),
            },
        };
        let mut connection = connected(&client).await?;
        // A stopped server accepts connections; it must answer, too.
        ask::<Value>(&mut connection, &["PING"]).await?;
        let role: Vec<Value> = ask(&mut connection, &["ROLE"]).await.unwrap_or_default();
        if let Some(Value::BulkString(role)) = role.first()
            && role != b"master"
        {
            return Err(Refusal::Unreachable("it is a replica".to_owned()));
        }
        check(&mut connection).await?;
        Ok(connection)
    }

    fn client(&self, host: &str, port: Option<u16>) -> Result<Client, Refusal> {
        let url = self.url.server(host, port);
        self.open(url.ok_or_else(|| Refusal::Fatal("no host".to_owned()))?)
    }

    fn open(&self, url: impl IntoConnectionInfo) -> Result<Client, Refusal> {
        let opened = match &self.authority {
            Some(_) if self.url.is_tls() => Client::build_with_tls(url, self.certificates()),
            _ => Client::open(url),
        };
        opened.map_err(|error| Refusal::Fatal(error.to_string()))
    }

    fn certificates(&self) -> TlsCertificates {
        TlsCertificates {
            client_tls: None,
            root_cert: self.authority.clone(),
        }
    }

    async fn cluster(&self) -> Result<Connection, Refusal> {
        let nodes = self.url.hosts.iter();
        let nodes = nodes.filter_map(|(host, port)| self.url.server(host, *port));
        let mut builder = ClusterClient::builder(nodes).connection_timeout(CONNECT);
        if self.authority.is_some() && self.url.is_tls() {
            builder = builder.certs(self.certificates());
        }
        let client = builder.build();
        let client = client.map_err(|error| Refusal::Fatal(error.to_string()))?;
        // Each of the nodes is connected to.
        let connection = timed(4 * CONNECT, client.get_async_connection()).await?;
        let mut connection = Connection::Cluster(connection);
        check(&mut connection).await?;
        Ok(connection)
    }

    /// The master that the first sentinel names that answers.
    async fn master(&self, master: &str) -> Result<Client, Refusal> {
        for (host, port) in &self.url.hosts {
            let url = self.url.sentinel(host, port.unwrap_or(SENTINEL_PORT));
            let Some(Ok(sentinel)) = url.map(|url| self.open(url)) else {
                continue;
            };
            let Ok(mut connection) = connected(&sentinel).await else {
                continue;
            };
            let asked = ["SENTINEL", "get-master-addr-by-name", master];
            if let Ok((host, port)) = ask::<(String, u16)>(&mut connection, &asked).await {
                return self.client(&host, Some(port));
            }
        }
        let why = format!("no sentinel names the master {master:?}");
        Err(Refusal::Unreachable(why))
    }
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Server(connection) => connection.req_packed_command(cmd),
            Self::Cluster(connection) => connection.req_packed_command(cmd),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Server(connection) => connection.req_packed_commands(pipeline, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Server(connection) => connection.get_db(),
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}

async fn connected(client: &Client) -> Result<Connection, Refusal> {
    let connection = timed(CONNECT, client.get_multiplexed_async_connection()).await;
    connection.map(Connection::Server)
}

async fn timed<T>(
    limit: Duration,
    made: impl Future<Output = RedisResult<T>>,
) -> Result<T, Refusal> {
    match timeout(limit, made).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) if error.kind() == ErrorKind::AuthenticationFailed => {
            Err(Refusal::Fatal(error.to_string()))
        }
        Ok(Err(error)) => Err(Refusal::Unreachable(error.to_string())),
        Err(_) => Err(Refusal::Unreachable("no connection in time".to_owned())),
    }
}

/// Refuses a server that evicts keys, and warns of one that forgets them.
async fn check(connection: &mut Connection) -> Result<(), Refusal> {
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

async fn ask<T: FromRedisValue>(connection: &mut Connection, words: &[&str]) -> Result<T, Refusal> {
    let mut command = Cmd::new();
    command.arg(words);
    timed(CONNECT, command.query_async(connection)).await
}
