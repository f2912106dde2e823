//! Where v2's host is, for machines whose own name resolution leads elsewhere: with v2's name in a
//! hosts file, so that old programs find the shim there, the shim would find itself.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use hickory_resolver::{
    Resolver, TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig},
    net::{NetError, runtime::TokioRuntimeProvider},
};
use reqwest::{
    ClientBuilder,
    dns::{Addrs, Name, Resolve, Resolving},
};

/// For one question to one name server; it is asked twice.
const TIMEOUT: Duration = Duration::from_secs(1);

/// How names become addresses; as the system does it, if nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    /// Of the host of v2's base URL.
    pub(crate) addresses: Vec<IpAddr>,
    /// Who is asked for all other names, past the system's hosts file.
    pub(crate) servers: Vec<SocketAddr>,
}

/// Name servers that cannot be asked.
#[derive(Debug, thiserror::Error)]
#[error("the name servers of upstream.dns cannot be used")]
pub(crate) struct NamesError(#[from] NetError);

impl Names {
    /// True if the system is asked for v2's host.
    pub(crate) fn is_systems(&self) -> bool {
        self.addresses.is_empty() && self.servers.is_empty()
    }

    /// A client that finds hosts so. `host` is v2's.
    pub(super) fn add_to(
        &self,
        client: ClientBuilder,
        host: &str,
    ) -> Result<ClientBuilder, NamesError> {
        let mut client = client;
        if !self.servers.is_empty() {
            client = client.dns_resolver(Servers::new(&self.servers)?);
        }
        if !self.addresses.is_empty() {
            // Port 0 is the one of the URL.
            let addresses = self.addresses.iter().map(|ip| SocketAddr::new(*ip, 0));
            let addresses: Vec<_> = addresses.collect();
            client = client.resolve_to_addrs(host, &addresses);
        }
        Ok(client)
    }
}

/// Asks name servers, and no hosts file.
struct Servers(Arc<TokioResolver>);

impl Servers {
    fn new(servers: &[SocketAddr]) -> Result<Self, NetError> {
        let servers = servers.iter().map(|server| {
            let mut ways = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
            for way in &mut ways {
                way.port = server.port();
            }
            NameServerConfig::new(server.ip(), true, ways)
        });
        let config = ResolverConfig::from_name_servers(servers.collect());
        let mut resolver = Resolver::builder_with_config(config, TokioRuntimeProvider::default());
        let options = resolver.options_mut();
        options.use_hosts_file = ResolveHosts::Never;
        options.timeout = TIMEOUT;
        options.attempts = 2;
        Ok(Self(Arc::new(resolver.build()?)))
    }
}

impl Resolve for Servers {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = Arc::clone(&self.0);
        Box::pin(async move {
            // With its dot it is the whole name.
            let found = resolver.lookup_ip(format!("{}.", name.as_str())).await?;
            let addresses: Vec<_> = found.iter().map(|ip| SocketAddr::new(ip, 0)).collect();
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use reqwest::Client;
    use tokio::net::{TcpListener, UdpSocket};

    use super::*;

    /// Is elsewhere, if anywhere, as far as the system knows.
    const HOST: &str = "v2.example.com";

    /// Answers everything with its `Host` header.
    async fn v2() -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let host = |request: axum::extract::Request| async move {
            request.headers()["host"].to_str().unwrap().to_owned()
        };
        let router = Router::new().fallback(host);
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    /// A name server for which every name is 127.0.0.1.
    async fn name_server() -> SocketAddr {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).await.unwrap();
        let address = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let mut query = [0; 512];
            loop {
                let (_, from) = socket.recv_from(&mut query).await.unwrap();
                let name = query[12..].iter().position(|byte| *byte == 0).unwrap();
                let question = &query[12..12 + name + 5];
                let is_a = question[name + 1..name + 3] == [0, 1];
                let mut answer = query[..2].to_vec();
                answer.extend([0x81, 0x80, 0, 1, 0, u8::from(is_a), 0, 0, 0, 0]);
                answer.extend(question);
                if is_a {
                    answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
                }
                socket.send_to(&answer, from).await.unwrap();
            }
        });
        address
    }

    async fn ask(names: &Names, port: u16) -> reqwest::Result<String> {
        crate::upstream::install_tls();
        let client = Client::builder().no_proxy().tls_certs_only([]);
        let client = names.add_to(client, HOST).unwrap().build().unwrap();
        let url = format!("http://{HOST}:{port}/v2");
        client.get(url).send().await?.text().await
    }

    #[tokio::test]
    async fn a_host_is_where_it_is_said_to_be() {
        let v2 = v2().await;
        let (addresses, servers) = (vec![v2.ip()], vec![name_server().await]);
        let said = Names {
            addresses: addresses.clone(),
            servers: Vec::new(),
        };
        let asked = Names {
            addresses: Vec::new(),
            servers: servers.clone(),
        };
        let both = Names { addresses, servers };
        let host = format!("{HOST}:{}", v2.port());
        for names in [&said, &asked, &both] {
            assert!(!names.is_systems());
            assert_eq!(ask(names, v2.port()).await.unwrap(), host, "{names:?}");
        }
    }
}
