//! Network addresses: listeners, trusted proxies, and v2.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use shim_upstream::ResolverSettings;
use url::Url;

use super::{
    origin::{Mistakes, Placed},
    table::Upstream,
};

/// Port of name servers.
const DNS_PORT: u16 = 53;

/// Resolution of v2's host.
pub(super) fn resolver(upstream: &Upstream, mistakes: &Mistakes) -> ResolverSettings {
    let addresses = each(&upstream.resolve.value, mistakes, |text| {
        let address: Option<IpAddr> = text.parse().ok();
        address.ok_or_else(|| {
            format!(
                "upstream.resolve: {text:?} is no address; write v2's own, as \"203.0.113.7\", or \
                 name servers that know it as upstream.dns"
            )
        })
    });
    let servers = each(&upstream.dns.value, mistakes, |text| {
        let server = text.parse().ok();
        let server = server.or_else(|| Some(SocketAddr::new(text.parse().ok()?, DNS_PORT)));
        server.ok_or_else(|| {
            format!(
                "upstream.dns: {text:?} is no address of a name server; write it as \
                 \"192.0.2.53\", or with its port, as \"127.0.0.1:5353\""
            )
        })
    });
    ResolverSettings { addresses, servers }
}

/// Networks of trusted proxies, whose `X-Forwarded-For` is used.
pub(super) fn proxies(written: &[Placed<String>], mistakes: &Mistakes) -> Vec<IpNet> {
    each(written, mistakes, |text| {
        let alone = || text.parse().map(|address: IpAddr| IpNet::from(address));
        let network: Result<IpNet, _> = text.parse();
        network.or_else(|_| alone()).map_err(|_| {
            format!(
                "trusted_proxies: {text:?} is no address and no network; write it as \"10.0.0.5\" \
                 or \"10.0.0.0/8\""
            )
        })
    })
}

/// Origins whose scripts may read responses.
pub(super) fn origins(written: &[Placed<String>], mistakes: &Mistakes) -> Vec<String> {
    each(written, mistakes, |text| {
        let url: Option<Url> = text.parse().ok();
        let origin = url.map(|url| url.origin().ascii_serialization());
        origin.filter(|origin| origin == text).ok_or_else(|| {
            format!(
                "cors_origins: {text:?} is no origin; write scheme, host and port only, as \
                 \"https://app.example.com\""
            )
        })
    })
}

fn each<T>(
    written: &[Placed<String>],
    mistakes: &Mistakes,
    read: impl Fn(&str) -> Result<T, String>,
) -> Vec<T> {
    let each = written.iter().filter_map(|item| {
        let value = read(item.value.trim());
        let value = value.map_err(|text| mistakes.add(item.origin.clone(), text));
        value.ok()
    });
    each.collect()
}

pub(super) fn address(
    key: &str,
    listen: Placed<String>,
    example: &str,
    mistakes: &Mistakes,
) -> String {
    let port = listen.value.strip_prefix(':').unwrap_or(&listen.value);
    if port.parse::<u16>().is_ok() {
        // As in other servers, `8080` is a port of this machine only, and `:8080` a port of all its
        // addresses.
        let is_everywhere = listen.value.starts_with(':');
        let host = if is_everywhere {
            "0.0.0.0"
        } else {
            "127.0.0.1"
        };
        return format!("{host}:{port}");
    }
    if !is_address(&listen.value) {
        let text = format!(
            "{key} = {:?} is no address to listen on; write host:port, as {example}",
            listen.value
        );
        mistakes.add(listen.origin, text);
    }
    listen.value
}

fn is_address(listen: &str) -> bool {
    listen
        .rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
}
