//! The banner on standard output once the shim, or the sandbox, is ready.

use std::{
    fmt,
    io::{self, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
};

use mappings::Catalog;
use serde_json::json;
use shim_sandbox::Sandbox;

use crate::settings::{SANDBOX_KEY, SANDBOX_SECRET};

/// The `access_token` for chat operations of the sandbox.
pub(super) const SANDBOX_CHAT_TOKEN: &str = "sandbox-chat-token";

/// The upstream, for the banner.
pub(super) enum Backend<'a> {
    /// The sandbox with its number of users.
    Sandbox { users: usize },
    /// A recording with its number of calls.
    Replay { file: &'a Path, calls: usize },
    /// v2, with the number of tenants.
    V2 { base: &'a str, tenants: usize },
}

/// Banner of the shim.
pub(super) struct Serving<'a> {
    /// Address for plain HTTP.
    pub(super) address: Option<SocketAddr>,
    pub(super) tls_address: Option<SocketAddr>,
    pub(super) backend: Backend<'a>,
    /// The operations address.
    pub(super) ops: Option<SocketAddr>,
    /// The address for v2's webhooks, and the number of receivers.
    pub(super) webhooks: Option<(SocketAddr, usize)>,
    pub(super) catalog: &'a Catalog,
}

/// Banner of the sandbox.
pub(super) struct SandboxServing {
    pub(super) address: SocketAddr,
    pub(super) users: usize,
}

/// Prints on standard output. Errors are ignored: the reader may have closed it.
pub(super) fn print(banner: &impl fmt::Display) {
    let mut output = io::stdout().lock();
    let _ = write!(output, "{banner}").and_then(|()| output.flush());
}

impl Serving<'_> {
    /// The banner as one line of JSON, for `log.format = "json"`.
    pub(super) fn json(&self) -> String {
        let (v2, tenants) = match self.backend {
            Backend::Sandbox { .. } => ("sandbox", 1),
            Backend::Replay { .. } => ("recording", 1),
            Backend::V2 { base, tenants } => (base, tenants),
        };
        let line = json!({
            "message": "Listening",
            "version": env!("CARGO_PKG_VERSION"),
            "v1": self.bases(),
            "operations": self.ops.map(|address| format!("http://{}", reachable(address))),
            "webhooks": self.webhooks.map(|(address, _)| super::notifications::url(address)),
            "v2": v2,
            "tenants": tenants,
        });
        format!("{line}\n")
    }

    /// The base URLs of v1, plain HTTP first.
    fn bases(&self) -> Vec<String> {
        let prefix = &self.catalog.protocol().prefix;
        let both = [("http", self.address), ("https", self.tls_address)];
        both.into_iter()
            .filter_map(|(scheme, address)| {
                Some(format!("{scheme}://{}/{prefix}", reachable(address?)))
            })
            .collect()
    }
}

impl fmt::Display for Serving<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bases = self.bases();
        let version = env!("CARGO_PKG_VERSION");
        write!(f, "shim {version}  v1 on {}  →  ", bases.join(" and "))?;
        match self.backend {
            Backend::Sandbox { users } => {
                writeln!(f, "sandbox v2 ({users} users, in memory, gone on exit)")?;
            }
            Backend::Replay { file, calls } => {
                writeln!(f, "{calls} recorded v2 calls from {}", file.display())?;
            }
            Backend::V2 { base, tenants: 1 } => writeln!(f, "{base}")?,
            Backend::V2 { base, tenants } => writeln!(f, "{base} ({tenants} tenants)")?,
        }
        if let Some(ops) = self.ops {
            let ops = reachable(ops);
            writeln!(
                f,
                "operations on http://{ops}  /ui /healthz /readyz /status /metrics"
            )?;
        }
        if let Some((address, receivers)) = self.webhooks {
            let url = super::notifications::url(address);
            let plural = if receivers == 1 { "" } else { "s" };
            writeln!(f, "webhooks on {url}  →  {receivers} receiver{plural}")?;
        }
        let operations = self.catalog.operations();
        let served = operations.iter().filter(|operation| operation.is_served());
        let served = served.count();
        match operations.len().saturating_sub(served) {
            0 => writeln!(f, "{served} v1 operations served (migrate explain)")?,
            more => writeln!(
                f,
                "{served} v1 operations served, {more} more known (migrate explain)"
            )?,
        }
        if let Backend::Sandbox { .. } = self.backend {
            // Without plain HTTP, the reader must trust the certificate first.
            let base = bases.first().map(String::as_str).unwrap_or_default();
            let credentials = format!("-d api_key={SANDBOX_KEY} -d api_secret={SANDBOX_SECRET}");
            write!(
                f,
                "\n\
                 try:\n  \
                 curl {credentials} \\\n       \
                 -d email=ada.lovelace@example.com -d login_type=100 \\\n       \
                 {base}/user/getbyemail\n  \
                 curl {credentials} \\\n       \
                 -d page_size=3 -d data_type=XML {base}/user/list\n  \
                 curl -i {credentials} \\\n       \
                 -d id=ada.lovelace@example.com --data-urlencode 'dept=R&D' -d disable_chat=true -d track_id=x \\\n       \
                 {base}/user/update\n\n"
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for SandboxServing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = reachable(self.address);
        let base = Sandbox::v2_base(address);
        write!(
            f,
            "sandbox v2 on {base}  ({} users, in memory, gone on exit)\n\
             tokens at {}: {} / {} / {}\n\n\
             try:\n  \
             curl -H 'Authorization: Bearer {}' {base}/users/ada.lovelace@example.com\n\n",
            self.users,
            Sandbox::token_url(address),
            shim_sandbox::ACCOUNT_ID,
            shim_sandbox::CLIENT_ID,
            shim_sandbox::CLIENT_SECRET,
            shim_sandbox::TOKEN,
        )
    }
}

/// An address at which this machine reaches a listener: loopback instead of the unspecified
/// address.
pub(super) fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn banner_of_the_sandbox_has_examples() {
        let serving = Serving {
            address: Some(([0, 0, 0, 0], 8080).into()),
            tls_address: None,
            backend: Backend::Sandbox { users: 40 },
            ops: Some(([127, 0, 0, 1], 9090).into()),
            webhooks: None,
            catalog: &Catalog::embedded().unwrap(),
        };
        insta::assert_snapshot!(serving);
        let alone = SandboxServing {
            address: ([127, 0, 0, 1], 8081).into(),
            users: 40,
        };
        insta::assert_snapshot!(alone);
    }

    #[test]
    fn banner_of_a_real_account_has_no_examples() {
        let serving = Serving {
            address: Some(([127, 0, 0, 1], 8080).into()),
            tls_address: Some(([0, 0, 0, 0], 8443).into()),
            backend: Backend::V2 {
                base: "https://api.zoom.us/v2",
                tenants: 2,
            },
            ops: None,
            webhooks: None,
            catalog: &Catalog::embedded().unwrap(),
        };
        insta::assert_snapshot!(serving);
    }
}
