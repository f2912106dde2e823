//! Where v2's host is, for machines whose own name resolution leads elsewhere: with v2's name in a
//! hosts file, so that old programs find the shim there, the shim would find itself.

use std::{
    error::Error,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task,
    time::Duration,
    vec,
};

use hickory_resolver::{
    Resolver, TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig},
    net::{NetError, runtime::TokioRuntimeProvider},
};
use hyper_util::client::legacy::connect::dns;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tower_service::Service;

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

    /// What finds hosts so. `host` is v2's.
    pub(super) fn lookup(&self, host: &str) -> Result<Lookup, NamesError> {
        // Port 0 is the one of the URL.
        let addresses = self.addresses.iter().map(|ip| SocketAddr::new(*ip, 0));
        let is_system_asked = self.servers.is_empty();
        let servers = (!is_system_asked).then(|| resolver(&self.servers));
        Ok(Lookup(Arc::new(Places {
            host: host.to_owned(),
            addresses: addresses.collect(),
            servers: servers.transpose()?,
        })))
    }
}

/// Finds hosts, for both kinds of HTTP clients.
#[derive(Clone)]
pub(super) struct Lookup(Arc<Places>);

struct Places {
    /// v2's, which is at these addresses, if there are any.
    host: String,
    addresses: Vec<SocketAddr>,
    /// Who is asked for all else; the system, if nobody is said.
    servers: Option<TokioResolver>,
}

impl Lookup {
    async fn find(
        self,
        name: &str,
    ) -> Result<vec::IntoIter<SocketAddr>, Box<dyn Error + Send + Sync>> {
        let places = self.0.as_ref();
        let found = if !places.addresses.is_empty() && name == places.host {
            places.addresses.clone()
        } else if let Some(servers) = &places.servers {
            // With its dot it is the whole name.
            let found = servers.lookup_ip(format!("{name}.")).await?;
            found.iter().map(|ip| SocketAddr::new(ip, 0)).collect()
        } else {
            tokio::net::lookup_host((name, 0)).await?.collect()
        };
        Ok(found.into_iter())
    }
}

impl Service<dns::Name> for Lookup {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut task::Context<'_>) -> task::Poll<Result<(), Self::Error>> {
        task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: dns::Name) -> Self::Future {
        let lookup = self.clone();
        Box::pin(async move { lookup.find(name.as_str()).await })
    }
}

impl Resolve for Lookup {
    fn resolve(&self, name: Name) -> Resolving {
        let lookup = self.clone();
        Box::pin(async move { Ok(Box::new(lookup.find(name.as_str()).await?) as Addrs) })
    }
}

/// What asks name servers, and no hosts file.
fn resolver(servers: &[SocketAddr]) -> Result<TokioResolver, NetError> {
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
    resolver.build()
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use bytes::Bytes;
    use tokio::net::{TcpListener, UdpSocket};

    use super::*;
    use crate::{
        config::{Limits, V2Config},
        upstream::{BaseUrl, Http},
    };

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

    /// What is at the host for what asks for tokens, and for calls.
    async fn ask(names: &Names, port: u16) -> [Bytes; 2] {
        let url = format!("http://{HOST}:{port}/v2");
        let v2 = V2Config {
            base: BaseUrl::parse(&url).unwrap(),
            names: names.clone(),
            tenants: Vec::new(),
        };
        let http = Http::past_proxies(&Limits::default(), &v2).unwrap();
        let of_token = http.client().get(&url).send().await.unwrap();
        let mut call = hyper::Request::new(reqwest::Body::default());
        *call.uri_mut() = url.parse().unwrap();
        let mut of_call = http.send(call).await.unwrap();
        let of_call = of_call.chunk().await.unwrap().unwrap();
        [of_token.bytes().await.unwrap(), of_call]
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
            let told = ask(names, v2.port()).await;
            assert_eq!(told, [&host, &host].map(String::as_bytes), "{names:?}");
        }
    }
}
