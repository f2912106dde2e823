//! Resolves v2's host name independently of the system. Hosts files may map v2's name to the shim
//! for old programs; with the system's resolver the shim would then call itself.

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
use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tower_service::Service;

/// Timeout of one query to one name server; there are two attempts.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Host name resolution; the system's if nothing is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResolverSettings {
    /// Fixed addresses of v2's host.
    pub addresses: Vec<IpAddr>,
    /// Name servers for all other names, bypassing the hosts file.
    pub servers: Vec<SocketAddr>,
}

/// The configured name servers cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the name servers of upstream.dns cannot be used")]
pub struct ResolverError(#[from] NetError);

impl ResolverSettings {
    /// True if the system resolves names.
    pub fn is_system(&self) -> bool {
        self.addresses.is_empty() && self.servers.is_empty()
    }

    /// Creates a resolver; `host` is v2's host.
    pub(super) fn resolver(&self, host: &str) -> Result<HostResolver, ResolverError> {
        // Port 0 stands for the URL's port.
        let addresses = self.addresses.iter().map(|ip| SocketAddr::new(*ip, 0));
        let is_system_asked = self.servers.is_empty();
        let servers = (!is_system_asked).then(|| name_servers(&self.servers));
        Ok(HostResolver(Arc::new(Rules {
            host: host.to_owned(),
            addresses: addresses.collect(),
            servers: servers.transpose()?,
        })))
    }
}

/// Resolver of both HTTP clients.
#[derive(Clone)]
pub(super) struct HostResolver(Arc<Rules>);

struct Rules {
    /// v2's host, and its fixed addresses if any.
    host: String,
    addresses: Vec<SocketAddr>,
    /// Name servers for all other names; the system if `None`.
    servers: Option<TokioResolver>,
}

impl HostResolver {
    pub(super) async fn find(
        self,
        name: &str,
    ) -> Result<vec::IntoIter<SocketAddr>, Box<dyn Error + Send + Sync>> {
        let rules = self.0.as_ref();
        let found = if !rules.addresses.is_empty() && name == rules.host {
            rules.addresses.clone()
        } else if let Some(servers) = &rules.servers {
            // The trailing dot makes it a fully qualified name.
            let found = servers.lookup_ip(format!("{name}.")).await?;
            found.iter().map(|ip| SocketAddr::new(ip, 0)).collect()
        } else {
            tokio::net::lookup_host((name, 0)).await?.collect()
        };
        Ok(found.into_iter())
    }
}

impl Service<dns::Name> for HostResolver {
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

impl Resolve for HostResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let lookup = self.clone();
        Box::pin(async move { Ok(Box::new(lookup.find(name.as_str()).await?) as Addrs) })
    }
}

/// Resolves names other than v2's to public addresses only, so that file URLs cannot reach the
/// internal network (SSRF).
#[derive(Clone)]
pub(super) struct PublicResolver(pub(super) HostResolver);

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let Self(lookup) = self.clone();
        Box::pin(async move {
            let is_v2 = name.as_str() == lookup.0.host;
            let found = lookup.find(name.as_str()).await?;
            let found = found.filter(move |address| is_v2 || is_public(address.ip()));
            Ok(Box::new(found) as Addrs)
        })
    }
}

/// Networks that are not public, from RFC 6890 and RFC 5735.
const NOT_PUBLIC: [&str; 20] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
    "::/96",
    "64:ff9b::/96",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "8000::/1",
];

/// True for unicast addresses of the internet: not private, local, reserved or translated.
pub fn is_public(address: IpAddr) -> bool {
    let address = address.to_canonical();
    let mut networks = NOT_PUBLIC
        .iter()
        .filter_map(|net| net.parse::<IpNet>().ok());
    !networks.any(|network| network.contains(&address))
}

/// A DNS client that ignores the hosts file.
fn name_servers(servers: &[SocketAddr]) -> Result<TokioResolver, NetError> {
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
        address::BaseUrl,
        http::{Http, HttpSettings},
    };

    /// Does not resolve to this machine.
    const HOST: &str = "v2.example.com";

    /// Responds with the request's `Host` header.
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

    /// Name server that resolves every name to 127.0.0.1.
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

    /// Responses to a token request and to a call.
    async fn ask(settings: &ResolverSettings, port: u16) -> [Bytes; 2] {
        let url = format!("http://{HOST}:{port}/v2");
        let http = Http::past_proxies(&HttpSettings {
            base: BaseUrl::parse(&url).unwrap(),
            resolver: settings.clone(),
            connect_timeout: Duration::from_secs(3),
            max_idle: 8,
            is_local: true,
        })
        .unwrap();
        let of_token = http.client().get(&url).send().await.unwrap();
        let mut call = hyper::Request::new(reqwest::Body::default());
        *call.uri_mut() = url.parse().unwrap();
        let mut of_call = http.send(call).await.unwrap();
        let of_call = of_call.chunk().await.unwrap().unwrap();
        [of_token.bytes().await.unwrap(), of_call]
    }

    #[test]
    fn classifies_public_addresses() {
        let is_public = |text: &str| is_public(text.parse().unwrap());
        assert!(NOT_PUBLIC.iter().all(|net| net.parse::<IpNet>().is_ok()));
        for address in ["170.114.52.2", "8.8.8.8", "2407:30c0::1", "2606:4700::1111"] {
            assert!(is_public(address), "{address}");
        }
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.31.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
        ] {
            assert!(!is_public(address), "{address}");
        }
    }

    #[tokio::test]
    async fn uses_configured_addresses_and_servers() {
        let v2 = v2().await;
        let (addresses, servers) = (vec![v2.ip()], vec![name_server().await]);
        let said = ResolverSettings {
            addresses: addresses.clone(),
            servers: Vec::new(),
        };
        let asked = ResolverSettings {
            addresses: Vec::new(),
            servers: servers.clone(),
        };
        let both = ResolverSettings { addresses, servers };
        let host = format!("{HOST}:{}", v2.port());
        for settings in [&said, &asked, &both] {
            assert!(!settings.is_system());
            let told = ask(settings, v2.port()).await;
            assert_eq!(told, [&host, &host].map(String::as_bytes), "{settings:?}");
        }
    }
}
