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
