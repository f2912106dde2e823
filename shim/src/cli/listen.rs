//! Binds addresses, and checks that v2 does not lead back to one of them.

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

/// What to try in place of an operations address that cannot be had.
const OPS_FLAG: &str = "--ops-listen 127.0.0.1:9090";

/// What to try in place of an address for TLS that cannot be had.
const TLS_FLAG: &str = "--tls-listen 127.0.0.1:8443";

/// For the system to say where v2 is. If it takes longer, v2's calls will say so.
const LOOKUP_TIME: Duration = Duration::from_secs(3);

/// What sends calls past the addresses that the system knows.
const PROXY_VARIABLES: [&str; 6] = [
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// Listens where v1 is to be served.
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

/// What to do if v2's name leads to this machine.
pub(super) const RESOLVE_REMEDY: &str = "set upstream.dns to name servers that know v2, as \
                                         [\"192.0.2.53\"], or upstream.resolve to v2's addresses";

/// Addresses that the shim listens on.
#[derive(Debug, Default)]
pub(super) struct LocalAddresses(Vec<SocketAddr>);

/// How a name leads to this machine.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum LeadsBack {
    /// To an address that the shim listens on.
    ToShim(String),
    /// To this machine, where something else may pass calls on to the shim.
    ToMachine(String),
}

impl LocalAddresses {
    /// The addresses of what settings name as `host:port`. What cannot be resolved is left out.
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

/// Whether calls to a host would come back to this shim, as they do if v2's host is in this machine's
/// hosts file for the old programs' sake.
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

/// True if a proxy of the environment looks names up in place of the system.
pub(super) fn has_proxy() -> bool {
    PROXY_VARIABLES
        .iter()
        .any(|name| std::env::var_os(name).is_some())
}

/// Checks that v2 does not lead back to this shim.
///
/// # Errors
///
/// If it surely does. If something else on this machine may pass calls on, that is logged.
pub(super) async fn check_way_to_v2(v2: &V2Config, own: Vec<SocketAddr>) -> anyhow::Result<()> {
    let Some((host, port)) = v2.asked_by_name().filter(|_| !has_proxy()) else {
        return Ok(());
    };
    let found = time::timeout(LOOKUP_TIME, lookup_host((host.as_str(), port))).await;
    // Who cannot be found now may be later.
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

/// Only a machine's own addresses can be listened on.
fn is_here(address: IpAddr) -> bool {
    address.is_loopback() || UdpSocket::bind((address, 0)).is_ok()
}

/// The operations address, if there is one.
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

/// Listens on the address that v1, or the sandbox, is served on.
pub(super) async fn bind(listen: &str) -> anyhow::Result<TcpListener> {
    bind_flag(listen, "--listen 127.0.0.1:8080").await
}

/// `flag` is what to write instead.
pub(super) async fn bind_flag(listen: &str, flag: &str) -> anyhow::Result<TcpListener> {
    let name = flag.split([' ', '=']).next().unwrap_or(flag);
    let addresses: Vec<SocketAddr> = lookup_host(listen)
        .await
        .with_context(|| format!("{listen} is no address of this machine; try {flag}"))?
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
                anyhow!("{listen} is no address of this machine; try {flag}")
            }
            _ => anyhow::Error::new(error).context(format!("{listen} cannot be listened on")),
        })
}
