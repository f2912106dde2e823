//! Where a request goes: the configured base, the path of the call, nothing else.

use std::net::IpAddr;

use url::{Host, Url};

/// The v2 base URL, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BaseUrl {
    /// Without a slash at its end.
    text: String,
    url: Url,
}

/// Why a text is no base URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BaseUrlError {
    /// It is not an absolute URL.
    #[error("is not a URL; write it in full, as https://api.zoom.us/v2")]
    NotAUrl,
    /// It is not http.
    #[error("is not an http or https URL")]
    NotHttp,
    /// It has no path.
    #[error("has no path; v2 lives under /v2")]
    NoPath,
    /// It has something that a base cannot have.
    #[error("has a user, a query or a fragment; leave only the base")]
    NotABase,
}

/// The path of a call would not arrive as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a path segment would be read as URL structure")]
pub(crate) struct UnsafePath;

impl BaseUrl {
    /// Checks the text of a configuration.
    pub(crate) fn parse(text: &str) -> Result<Self, BaseUrlError> {
        let url = Url::parse(text.trim()).map_err(|_| BaseUrlError::NotAUrl)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(BaseUrlError::NotHttp);
        }
        let has_user = !url.username().is_empty() || url.password().is_some();
        if has_user || url.query().is_some() || url.fragment().is_some() {
            return Err(BaseUrlError::NotABase);
        }
        if url.path().trim_matches('/').is_empty() {
            return Err(BaseUrlError::NoPath);
        }
        let text = url.as_str().trim_end_matches('/').to_owned();
        let url = Url::parse(&text).map_err(|_| BaseUrlError::NotAUrl)?;
        Ok(Self { text, url })
    }

    /// The URL of a call. `path` is percent-encoded, `query` is not.
    ///
    /// URL parsers drop `.`, `..` and `%2e%2e` segments and cut at `?` and `#`. Ids are encoded
    /// and checked before they get here; that what arrives is what was meant is checked again.
    pub(crate) fn join(&self, path: &str, query: &[(String, String)]) -> Result<Url, UnsafePath> {
        let base = self.url.path();
        let mut url = self.url.clone();
        url.set_path(&[base, path].concat());
        let whole = url.path().strip_prefix(base);
        if whole != Some(path) || !path.starts_with('/') {
            return Err(UnsafePath);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    /// True if the base is on this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        match self.url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
            Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
            None => false,
        }
    }

    /// True if what is sent can be read on the way.
    pub(crate) fn is_plain(&self) -> bool {
        self.url.scheme() == "http"
    }

    /// The host, as it is configured.
    pub(crate) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The port, said or not.
    pub(crate) fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or_default()
    }

    /// The base without a slash at its end.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn base() -> BaseUrl {
        BaseUrl::parse("https://api.example.com/v2/").unwrap()
    }

    fn joined(path: &str) -> Option<String> {
        base().join(path, &[]).map(String::from).ok()
    }

    #[test]
    fn a_path_arrives_as_it_is() {
        for path in [
            "/users",
            "/users/a%40b.c",
            "/users/%2F..%2Fadmin/settings",
            "/users/%3Fx%23y%25%2B%26%20",
            "/users/%00%0D%0A",
            "/users/%C3%AB",
            "/users/...",
        ] {
            let expected = format!("https://api.example.com/v2{path}");
            assert_eq!(joined(path), Some(expected));
        }
    }

    #[test]
    fn what_would_become_structure_is_refused() {
        for path in [
            "/users/.",
            "/users/..",
            "/users/%2e%2e",
            "/users/%2E%2e/x",
            "/users/.%2e/settings",
            "/users/%2e/settings",
            "/users/../../oauth",
            "/users/a?b",
            "/users/a#b",
            "/users/a\\b",
            "/users/a\nb",
            "/users/a b",
            "/users/ë",
            "users",
            "@evil.example.com/users",
            ".evil.example.com/users",
        ] {
            assert_eq!(joined(path), None, "{path}");
        }
    }

    #[test]
    fn query_values_are_encoded() {
        let query = [("a".to_owned(), "x&y=z #é".to_owned())];
        let url = base().join("/users", &query).unwrap();
        assert_eq!(url.query(), Some("a=x%26y%3Dz+%23%C3%A9"));
    }

    #[test]
    fn bases_are_checked() {
        let error = |text| BaseUrl::parse(text).unwrap_err();
        assert_eq!(error("api.zoom.us/v2"), BaseUrlError::NotAUrl);
        assert_eq!(error("ftp://api.zoom.us/v2"), BaseUrlError::NotHttp);
        assert_eq!(error("https://api.zoom.us"), BaseUrlError::NoPath);
        assert_eq!(error("https://api.zoom.us/"), BaseUrlError::NoPath);
        assert_eq!(error("https://a:b@api.zoom.us/v2"), BaseUrlError::NotABase);
        assert_eq!(error("https://api.zoom.us/v2?x"), BaseUrlError::NotABase);
    }

    proptest! {
        /// Whatever a segment is, either it is the one segment that follows, or nothing is sent.
        #[test]
        fn a_segment_stays_a_segment(segment in "[a.%2eE/\\\\?#@:\\s\\PC]{0,8}") {
            let path = format!("/users/{segment}/settings");
            if let Ok(url) = base().join(&path, &[]) {
                prop_assert_eq!(url.host_str(), Some("api.example.com"));
                prop_assert_eq!(url.path(), format!("/v2{path}"));
                prop_assert_eq!(url.query(), None);
            }
        }
    }
}
