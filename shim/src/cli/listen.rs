//! Binds addresses, and detects a v2 address that leads back to one of them.

use std::{
    io,
    net::{IpAddr, SocketAddr, UdpSocket},
    time::Duration,
};

use anyhow::{Context as _, anyhow, bail};
use tokio::{
    net::{TcpListener, lookup_host},
    time,
};

use crate::{
    front::server::{Listeners, Tls},
    settings::{DEFAULT_OPS_LISTEN, OpsListen, TlsConfig, V2Config},
};

/// Suggested flag if the operations address cannot be bound.
const OPS_FLAG: &str = "--ops-listen 127.0.0.1:9090";

/// Suggested flag if the TLS address cannot be bound.
const TLS_FLAG: &str = "--tls-listen 127.0.0.1:8443";

/// Timeout of the DNS lookup of v2. After that, calls to v2 report the problem.
const LOOKUP_TIME: Duration = Duration::from_secs(3);

/// Variables of proxies, which resolve host names themselves.
const PROXY_VARIABLES: [&str; 6] = [
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// Binds the addresses of v1.
pub(super) async fn open(
    plain: Option<&str>,
    tls: Option<&TlsConfig>,
) -> anyhow::Result<Listeners> {
    let mut listeners = Listeners::default();
    if let Some(listen) = plain {
        listeners.plain = Some(bind(listen).await?);
    }
    if let Some(tls) = tls {
        let listener = bind_flag(&tls.listen, TLS_FLAG).await?;
        listeners.tls = Some((listener, Tls::new(&tls.identity)));
    }
    Ok(listeners)
}

/// Remedy if v2's host name resolves to this machine.
pub(super) const RESOLVE_REMEDY: &str = "set upstream.dns to name servers that know v2, as \
                                         [\"192.0.2.53\"], or upstream.resolve to v2's addresses";

/// Addresses that the shim listens on.
#[derive(Debug, Default)]
pub(super) struct LocalAddresses(Vec<SocketAddr>);

/// Result of a host name that resolves to this machine.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum LeadsBack {
    /// It is an address that the shim listens on.
    ToShim(String),
    /// It is this machine, where another program may forward calls to the shim.
    ToMachine(String),
}

impl LocalAddresses {
    /// Resolves `host:port` settings. Unresolvable ones are skipped.
    pub(super) async fn of<'a>(listen: impl Iterator<Item = &'a str>) -> Self {
        let mut own = Vec::new();
        for listen in listen {
            own.extend(lookup_host(listen).await.into_iter().flatten());
        }
        Self(own)
    }

    fn contains(&self, at: SocketAddr) -> bool {
        self.0.iter().any(|own| {
            let is_same = own.ip() == at.ip() || own.ip().is_unspecified() && is_here(at.ip());
            own.port() == at.port() && is_same
        })
    }
}

/// Detects a host name that resolves to this shim, for example because the hosts file redirects
/// v2's host to the shim for v1 programs.
pub(super) fn leads_back(
    own: &LocalAddresses,
    host: &str,
    found: &[IpAddr],
    port: u16,
) -> Option<LeadsBack> {
    let is_own = |ip: &&IpAddr| own.contains(SocketAddr::new(**ip, port));
    if let Some(ip) = found.iter().find(is_own) {
        let text =
            format!("leads back to this shim: {host} is {ip} on this machine (its hosts file?)");
        return Some(LeadsBack::ToShim(text));
    }
    let is_name = host.parse::<IpAddr>().is_err() && host != "localhost";
    let here = found.iter().find(|ip| is_here(**ip)).filter(|_| is_name)?;
    let text = format!("leads to this machine: {host} is {here} here (its hosts file?)");
    Some(LeadsBack::ToMachine(text))
}

/// True if a proxy from the environment resolves host names.
pub(super) fn has_proxy() -> bool {
    PROXY_VARIABLES
        .iter()
        .any(|name| std::env::var_os(name).is_some())
}

/// Checks that calls to v2 do not come back to this shim.
///
/// # Errors
///
/// Fails if they certainly do. If another program on this machine may forward them, a warning is
/// logged.
pub(super) async fn check_way_to_v2(v2: &V2Config, own: Vec<SocketAddr>) -> anyhow::Result<()> {
    let Some((host, port)) = v2.resolved_by_system().filter(|_| !has_proxy()) else {
        return Ok(());
    };
    let found = time::timeout(LOOKUP_TIME, lookup_host((host.as_str(), port))).await;
    // A name that cannot be resolved now may be resolvable later.
    let found = found.ok().into_iter().flatten().flatten();
    let found: Vec<_> = found.map(|address| address.ip()).collect();
    match leads_back(&LocalAddresses(own), &host, &found, port) {
        Some(LeadsBack::ToShim(text)) => bail!("upstream.url {text}; {RESOLVE_REMEDY}"),
        Some(LeadsBack::ToMachine(text)) => {
            tracing::warn!(
                "upstream.url {text}. If that comes back to this shim, {RESOLVE_REMEDY}"
            );
        }
        None => {}
    }
    Ok(())
}

/// True for an address of this machine: only those can be bound.
fn is_here(address: IpAddr) -> bool {
    address.is_loopback() || UdpSocket::bind((address, 0)).is_ok()
}

/// Binds the operations address, if there is one.
pub(super) async fn bind_ops(
    ops: &OpsListen,
    is_sandbox: bool,
) -> anyhow::Result<Option<TcpListener>> {
    let (listen, otherwise) = match ops {
        OpsListen::Off => return Ok(None),
        OpsListen::At(listen) => (listen.as_str(), None),
        OpsListen::Default if is_sandbox => (DEFAULT_OPS_LISTEN, Some("127.0.0.1:0")),
        OpsListen::Default => (DEFAULT_OPS_LISTEN, None),
    };
    let bound = match (bind_flag(listen, OPS_FLAG).await, otherwise) {
        (Err(_), Some(otherwise)) => bind_flag(otherwise, OPS_FLAG).await,
        (bound, _) => bound,
    };
    bound.map(Some)
}

/// Binds the address of v1 or of the sandbox.
pub(super) async fn bind(listen: &str) -> anyhow::Result<TcpListener> {
    bind_flag(listen, "--listen 127.0.0.1:8080").await
}

/// Binds an address; `flag` is the suggestion for error messages.
pub(super) async fn bind_flag(listen: &str, flag: &str) -> anyhow::Result<TcpListener> {
    let name = flag.split([' ', '=']).next().unwrap_or(flag);
    let addresses: Vec<SocketAddr> = lookup_host(listen)
        .await
        .with_context(|| format!("{listen} is not an address of this machine; try {flag}"))?
        .collect();
    TcpListener::bind(addresses.as_slice())
        .await
        .map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => anyhow!(
                "{listen} is in use; stop what listens there, or choose another port with {name}"
            ),
            io::ErrorKind::PermissionDenied => anyhow!(
                "{listen} may not be listened on by this user; choose a port above 1023 with {name}, \
                 or give the program the right: setcap cap_net_bind_service=+ep, or \
                 AmbientCapabilities=CAP_NET_BIND_SERVICE in its systemd unit"
            ),
            io::ErrorKind::AddrNotAvailable => {
                anyhow!("{listen} is not an address of this machine; try {flag}")
            }
            _ => anyhow::Error::new(error).context(format!("{listen} cannot be listened on")),
        })
}
