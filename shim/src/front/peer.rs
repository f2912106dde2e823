//! The client address of a request, also behind trusted proxies.

use std::net::{IpAddr, SocketAddr};

use hyper::{HeaderMap, header::HeaderName};
use ipnet::IpNet;

/// What proxies write their own clients' addresses into, each at the end.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub(crate) IpAddr);

impl Peer {
    /// An IPv4 address is the same on a listener for both versions.
    pub fn new(address: IpAddr) -> Self {
        Self(address.to_canonical())
    }

    /// The client behind proxies that are trusted: going back from the connection's own peer, the
    /// first hop that is not trusted. What stands before that one may be made up.
    pub(crate) fn behind(self, headers: &HeaderMap, trusted: &[IpNet]) -> Self {
        let is_trusted = |Self(address): Self| trusted.iter().any(|net| net.contains(&address));
        let mut client = self;
        if !is_trusted(client) {
            return client;
        }
        // Several headers are one list, in their order.
        let values = headers.get_all(FORWARDED_FOR).iter().rev();
        let hops = values.flat_map(|value| {
            let hops = value.to_str().unwrap_or_default().rsplit(',');
            hops.map(str::trim)
        });
        for hop in hops {
            let Some(before) = address(hop) else {
                // A proxy that is trusted says it does not know.
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

/// Some proxies add the port, and write an IPv6 address in brackets then.
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
    fn who_is_not_trusted_speaks_for_itself_only() {
        assert_eq!(behind("192.0.2.9", &["198.51.100.1"], &[]), "192.0.2.9");
        let trusted = ["10.0.0.0/8"];
        assert_eq!(
            behind("192.0.2.9", &["198.51.100.1"], &trusted),
            "192.0.2.9"
        );
    }

    #[test]
    fn the_last_hop_that_is_not_trusted_is_the_client() {
        let trusted = ["10.0.0.0/8", "2001:db8::/32"];
        for (headers, client) in [
            (&["198.51.100.1"][..], "198.51.100.1"),
            // The first one was made up by the second.
            (&["203.0.113.5, 198.51.100.1"], "198.51.100.1"),
            (&["203.0.113.5", "198.51.100.1"], "198.51.100.1"),
            (
                &["203.0.113.5, 198.51.100.1, 10.0.0.7, 2001:db8::1"],
                "198.51.100.1",
            ),
            // Nobody but proxies.
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
        fn anything_may_come(header in "[ -~é]{0,80}") {
            behind("10.1.2.3", &[&header], &["10.0.0.0/8"]);
        }
    }
}
