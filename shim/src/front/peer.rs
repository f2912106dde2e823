//! The client address of a request, also behind trusted proxies.

use std::net::{IpAddr, SocketAddr};

use hyper::{HeaderMap, header::HeaderName};
use ipnet::IpNet;

/// List of client addresses; each proxy appends the one it sees.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Address of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub(crate) IpAddr);

impl Peer {
    /// Converts IPv4-mapped addresses, which dual-stack listeners report, to IPv4.
    pub fn new(address: IpAddr) -> Self {
        Self(address.to_canonical())
    }

    /// The right-most address that is not a trusted proxy's: the connection's own, then the
    /// header's entries from the end. Entries before it can be forged.
    pub(crate) fn behind(self, headers: &HeaderMap, trusted: &[IpNet]) -> Self {
        let is_trusted = |Self(address): Self| trusted.iter().any(|net| net.contains(&address));
        let mut client = self;
        if !is_trusted(client) {
            return client;
        }
        // Repeated headers form one list, in order.
        let values = headers.get_all(FORWARDED_FOR).iter().rev();
        let hops = values.flat_map(|value| {
            let hops = value.to_str().unwrap_or_default().rsplit(',');
            hops.map(str::trim)
        });
        for hop in hops {
            let Some(before) = address(hop) else {
                // Not an address, e.g. `unknown`: the trusted proxy has no better one.
                break;
            };
            client = Self::new(before);
            if !is_trusted(client) {
                break;
            }
        }
        client
    }
}

/// Parses an address, with optional port, brackets and quotes as some proxies write it.
fn address(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim_matches('"');
    let with_port = || hop.parse().map(|address: SocketAddr| address.ip());
    let bare = hop.trim_start_matches('[').trim_end_matches(']');
    bare.parse().or_else(|_| with_port()).ok()
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn behind(peer: &str, headers: &[&str], trusted: &[&str]) -> String {
        let mut map = HeaderMap::new();
        for value in headers {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            map.append(FORWARDED_FOR, value);
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        let peer = Peer::new(peer.parse().unwrap());
        peer.behind(&map, &trusted).0.to_string()
    }

    #[test]
    fn ignores_the_header_of_an_untrusted_peer() {
        assert_eq!(behind("192.0.2.9", &["198.51.100.1"], &[]), "192.0.2.9");
        let trusted = ["10.0.0.0/8"];
        assert_eq!(
            behind("192.0.2.9", &["198.51.100.1"], &trusted),
            "192.0.2.9"
        );
    }

    #[test]
    fn client_is_the_last_untrusted_hop() {
        let trusted = ["10.0.0.0/8", "2001:db8::/32"];
        for (headers, client) in [
            (&["198.51.100.1"][..], "198.51.100.1"),
            // The first entry is forged.
            (&["203.0.113.5, 198.51.100.1"], "198.51.100.1"),
            (&["203.0.113.5", "198.51.100.1"], "198.51.100.1"),
            (
                &["203.0.113.5, 198.51.100.1, 10.0.0.7, 2001:db8::1"],
                "198.51.100.1",
            ),
            // Only proxies.
            (&["10.0.0.7"], "10.0.0.7"),
            (&[], "10.1.2.3"),
            (&["198.51.100.1, unknown"], "10.1.2.3"),
            (&["198.51.100.1, "], "10.1.2.3"),
            (&["198.51.100.1:4711"], "198.51.100.1"),
            (&["\"[2001:db9::1]:4711\""], "2001:db9::1"),
            (&["[2001:db9::1]"], "2001:db9::1"),
            (&["::ffff:198.51.100.1"], "198.51.100.1"),
        ] {
            assert_eq!(behind("10.1.2.3", headers, &trusted), client, "{headers:?}");
        }
        assert_eq!(
            behind("::ffff:10.1.2.3", &["198.51.100.1"], &trusted),
            "198.51.100.1"
        );
    }

    proptest! {
        #[test]
        fn no_header_panics(header in "[ -~é]{0,80}") {
            behind("10.1.2.3", &[&header], &["10.0.0.0/8"]);
        }
    }
}
