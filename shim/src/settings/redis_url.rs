//! `state.url` of Redis: one server, sentinels, or a cluster.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

/// URL of Redis or Valkey. The password is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisUrl {
    /// Its topology.
    pub topology: Topology,
    /// Hosts with optional ports.
    pub hosts: Vec<(String, Option<u16>)>,
    /// Scheme, login and database, with a placeholder for the host.
    pattern: Url,
}

/// Topology of the servers of a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topology {
    /// One server.
    Server,
    /// Sentinels of the master with this name.
    Sentinels(String),
    /// Some nodes of a cluster.
    Cluster,
}

/// The schemes, each alone or with `+sentinel` or `+cluster`. `rediss` and `valkeys` use TLS.
const SCHEMES: [&str; 4] = ["redis", "rediss", "valkey", "valkeys"];

impl RedisUrl {
    /// True for the scheme of a Redis server, of Sentinels or of a cluster.
    pub(super) fn has_scheme(scheme: &str) -> bool {
        topology(scheme).is_some()
    }

    /// Parses `redis://user:password@host:6379/0`, `redis+sentinel://h1,h2/master/0` or
    /// `redis+cluster://h1,h2`. A separate password is used if the URL has none.
    ///
    /// # Errors
    ///
    /// Returns the problem without repeating the URL.
    pub fn read(text: &str, password: Option<&SecretString>) -> Result<Self, &'static str> {
        let (scheme, rest) = text.split_once("://").ok_or("has no host")?;
        let (base, mut topology) = topology(scheme).ok_or("has an unknown scheme")?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let database = match &mut topology {
            Topology::Sentinels(master) => {
                let (name, database) = path.split_once('/').unwrap_or((path, ""));
                if name.is_empty() {
                    return Err("names no master: redis+sentinel://h1,h2/MASTER/0");
                }
                name.clone_into(master);
                database
            }
            Topology::Server | Topology::Cluster => path,
        };
        if !(database.is_empty() || database.parse::<u32>().is_ok()) {
            return Err("has a database that is no number");
        }
        let is_zero = matches!(database, "" | "0");
        if topology == Topology::Cluster && !is_zero {
            return Err("has a database, and clusters have only the first one");
        }
        let hosts: Vec<_> = hosts.split(',').map(|host| address(base, host)).collect();
        let hosts: Option<Vec<_>> = hosts.into_iter().collect();
        let hosts = hosts.ok_or("has a host that is none")?;
        if topology == Topology::Server && hosts.len() > 1 {
            return Err("has several hosts: they need redis+sentinel:// or redis+cluster://");
        }
        let at = if login.is_empty() { "" } else { "@" };
        let pattern = Url::parse(&format!("{base}://{login}{at}host/{database}"));
        let mut pattern =
            pattern.map_err(|_| "has a user or password that must be percent-encoded")?;
        if let (None, Some(password)) = (pattern.password(), password) {
            // A URL with a host accepts any password.
            let _ = pattern.set_password(Some(password.expose_secret()));
        }
        Ok(Self {
            topology,
            hosts,
            pattern,
        })
    }

    /// True for TLS.
    pub fn is_tls(&self) -> bool {
        self.pattern.scheme().ends_with("ss") || self.pattern.scheme() == "valkeys"
    }

    /// The URL of one server, with login and database. `None` for an invalid host.
    pub fn server(&self, host: &str, port: Option<u16>) -> Option<Url> {
        let mut url = self.pattern.clone();
        let host = if host.contains(':') && !host.starts_with('[') {
            format!("[{host}]")
        } else {
            host.to_owned()
        };
        url.set_host(Some(&host)).ok()?;
        url.set_port(port).ok()?;
        Some(url)
    }

    /// The URL of a sentinel. Logins of sentinels are not supported.
    pub fn sentinel(&self, host: &str, port: u16) -> Option<Url> {
        let mut url = self.server(host, Some(port))?;
        url.set_username("").ok()?;
        url.set_password(None).ok()?;
        url.set_path("");
        Some(url)
    }
}

fn topology(scheme: &str) -> Option<(&str, Topology)> {
    let (base, kind) = scheme.split_once('+').unwrap_or((scheme, ""));
    let topology = match kind {
        "" => Topology::Server,
        "sentinel" => Topology::Sentinels(String::new()),
        "cluster" => Topology::Cluster,
        _ => return None,
    };
    SCHEMES.contains(&base).then_some((base, topology))
}

fn address(base: &str, host: &str) -> Option<(String, Option<u16>)> {
    let url = Url::parse(&format!("{base}://{host}")).ok()?;
    let name = url.host_str().filter(|name| !name.is_empty())?;
    let is_bare = url.username().is_empty() && matches!(url.path(), "" | "/");
    is_bare.then(|| (name.to_owned(), url.port()))
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("RedisUrl");
        shown.field("topology", &self.topology);
        shown.field("hosts", &self.hosts).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<RedisUrl, &'static str> {
        RedisUrl::read(text, None)
    }

    #[test]
    fn a_server_keeps_its_login_and_database() {
        let url = read("rediss://shim:hu%40sh@cache.example.com:6380/2").unwrap();
        assert!(url.is_tls());
        let server = url.server("other", Some(1)).unwrap();
        assert_eq!(server.as_str(), "rediss://shim:hu%40sh@other:1/2");
        assert!(!format!("{url:?}").contains("hu"), "{url:?}");
        assert!(!read("valkey://[::1]").unwrap().is_tls());
    }

    #[test]
    fn sentinels_and_clusters_have_hosts_with_and_without_ports() {
        let url = read("redis+sentinel://u:p@h1:1,h2,[::1]:3/main/1").unwrap();
        assert_eq!(url.topology, Topology::Sentinels("main".to_owned()));
        let hosts: Vec<_> = url
            .hosts
            .iter()
            .map(|(host, port)| (host.as_str(), *port))
            .collect();
        assert_eq!(hosts, [("h1", Some(1)), ("h2", None), ("[::1]", Some(3))]);
        assert_eq!(url.sentinel("::1", 3).unwrap().as_str(), "redis://[::1]:3");
        let url = read("valkeys+cluster://h1,h2:7000").unwrap();
        assert!(url.is_tls());
        assert_eq!((url.topology, url.hosts.len()), (Topology::Cluster, 2));
    }

    #[test]
    fn a_password_of_its_own_completes_a_url() {
        let read = |text| RedisUrl::read(text, Some(&"hu@sh".into())).unwrap();
        let url = |text| read(text).server("h", None).unwrap().to_string();
        assert_eq!(url("redis://shim@h"), "redis://shim:hu%40sh@h/");
        assert_eq!(url("redis://h/1"), "redis://:hu%40sh@h/1");
        assert_eq!(url("redis://:own@h/1"), "redis://:own@h/1");
    }

    #[test]
    fn unsupported_recordings_are_rejected() {
        for text in [
            "redis:",
            "redis://",
            "redis://h1,h2",
            "redis://h/x",
            "redis+sentinel://h",
            "redis+cluster://h/1",
            "redis+other://h",
            "http://h",
            "redis+cluster://h1,,h2",
            "redis://a b",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
