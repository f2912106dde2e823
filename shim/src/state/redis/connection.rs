//! Connections to one server or to a cluster.

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

/// A multiplexed connection. Clones share it.
#[derive(Clone)]
pub(super) enum Connection {
    Server(MultiplexedConnection),
    Cluster(ClusterConnection),
}

/// Connects to the configured servers.
pub(super) struct Connector {
    url: RedisUrl,
    /// The configured certificate authority, as PEM.
    authority: Option<Vec<u8>>,
}

/// Error of connecting.
pub(super) enum ConnectError {
    /// A later attempt may succeed.
    Unreachable(String),
    /// No attempt can succeed.
    Fatal(String),
}

impl Connector {
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
        // An invalid URL is reported before the first attempt to connect.
        for (host, port) in &source.url.hosts {
            source
                .client(host, *port)
                .map_err(|refusal| match refusal {
                    ConnectError::Unreachable(why) | ConnectError::Fatal(why) => {
                        StateError::Redis(why)
                    }
                })?;
        }
        Ok(source)
    }

    pub(super) async fn connect(&self) -> Result<Connection, ConnectError> {
        let client = match &self.url.topology {
            Topology::Cluster => return self.cluster().await,
            Topology::Sentinels(master) => self.master(master).await?,
            Topology::Server => match self.url.hosts.first() {
                Some((host, port)) => self.client(host, *port)?,
                None => return Err(ConnectError::Fatal("no host".to_owned())),
            },
        };
        let mut connection = connected(&client).await?;
        // A stopped process still accepts connections, but does not reply.
        query::<Value>(&mut connection, &["PING"]).await?;
        let role: Vec<Value> = query(&mut connection, &["ROLE"]).await.unwrap_or_default();
        if let Some(Value::BulkString(role)) = role.first()
            && role != b"master"
        {
            return Err(ConnectError::Unreachable("it is a replica".to_owned()));
        }
        check(&mut connection).await?;
        Ok(connection)
    }

    fn client(&self, host: &str, port: Option<u16>) -> Result<Client, ConnectError> {
        let url = self.url.server(host, port);
        self.open(url.ok_or_else(|| ConnectError::Fatal("no host".to_owned()))?)
    }

    fn open(&self, url: impl IntoConnectionInfo) -> Result<Client, ConnectError> {
        let opened = match &self.authority {
            Some(_) if self.url.is_tls() => Client::build_with_tls(url, self.certificates()),
            _ => Client::open(url),
        };
        opened.map_err(|error| ConnectError::Fatal(error.to_string()))
    }

    fn certificates(&self) -> TlsCertificates {
        TlsCertificates {
            client_tls: None,
            root_cert: self.authority.clone(),
        }
    }

    async fn cluster(&self) -> Result<Connection, ConnectError> {
        let nodes = self.url.hosts.iter();
        let nodes = nodes.filter_map(|(host, port)| self.url.server(host, *port));
        let mut builder = ClusterClient::builder(nodes).connection_timeout(CONNECT);
        if self.authority.is_some() && self.url.is_tls() {
            builder = builder.certs(self.certificates());
        }
        let client = builder.build();
        let client = client.map_err(|error| ConnectError::Fatal(error.to_string()))?;
        // A cluster client connects to every node.
        let connection = timed(4 * CONNECT, client.get_async_connection()).await?;
        let mut connection = Connection::Cluster(connection);
        check(&mut connection).await?;
        Ok(connection)
    }

    /// The master according to the first sentinel that replies.
    async fn master(&self, master: &str) -> Result<Client, ConnectError> {
        for (host, port) in &self.url.hosts {
            let url = self.url.sentinel(host, port.unwrap_or(SENTINEL_PORT));
            let Some(Ok(sentinel)) = url.map(|url| self.open(url)) else {
                continue;
            };
            let Ok(mut connection) = connected(&sentinel).await else {
                continue;
            };
            let lookup = ["SENTINEL", "get-master-addr-by-name", master];
            if let Ok((host, port)) = query::<(String, u16)>(&mut connection, &lookup).await {
                return self.client(&host, Some(port));
            }
        }
        let why = format!("no sentinel names the master {master:?}");
        Err(ConnectError::Unreachable(why))
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

async fn connected(client: &Client) -> Result<Connection, ConnectError> {
    let connection = timed(CONNECT, client.get_multiplexed_async_connection()).await;
    connection.map(Connection::Server)
}

async fn timed<T>(
    limit: Duration,
    made: impl Future<Output = RedisResult<T>>,
) -> Result<T, ConnectError> {
    match timeout(limit, made).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) if error.kind() == ErrorKind::AuthenticationFailed => {
            Err(ConnectError::Fatal(error.to_string()))
        }
        Ok(Err(error)) => Err(ConnectError::Unreachable(error.to_string())),
        Err(_) => Err(ConnectError::Unreachable(
            "no connection in time".to_owned(),
        )),
    }
}

/// Refuses a server that evicts keys, and warns of a server without persistence.
async fn check(connection: &mut Connection) -> Result<(), ConnectError> {
    // The user may not have permission for CONFIG. Then nothing is checked.
    let policy = ["CONFIG", "GET", "maxmemory-policy"];
    if let Ok((_, policy)) = query::<(String, String)>(connection, &policy).await
        && policy != "noeviction"
    {
        return Err(ConnectError::Fatal(format!(
            "Redis evicts keys (maxmemory-policy {policy}): it must be noeviction"
        )));
    }
    let append_only = ["CONFIG", "GET", "appendonly"];
    if let Ok((_, append_only)) = query::<(String, String)>(connection, &append_only).await
        && append_only == "no"
    {
        tracing::warn!("A restart of this Redis forgets unfinished writes: set appendonly yes");
    }
    Ok(())
}

async fn query<T: FromRedisValue>(
    connection: &mut Connection,
    words: &[&str],
) -> Result<T, ConnectError> {
    let mut command = Cmd::new();
    command.arg(words);
    timed(CONNECT, command.query_async(connection)).await
}
