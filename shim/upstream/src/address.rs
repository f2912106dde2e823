//! The base URL of v2, and URLs below it.

use std::net::IpAddr;

use bytes::Bytes;
use hyper::{
    Uri,
    header::HeaderValue,
    http::uri::{Parts, PathAndQuery},
};
use url::{Url, form_urlencoded};

/// Validated base URL of v2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    /// Without a trailing slash.
    text: String,
    uri: Uri,
}

/// Reason why a base URL is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// Not an absolute URL.
    #[error("is not a URL; write it in full, as https://api.zoom.us/v2")]
    NotAUrl,
    /// Neither http nor https.
    #[error("is not an http or https URL")]
    NotHttp,
    /// Without a path.
    #[error("has no path; v2 lives under /v2")]
    NoPath,
    /// With user, query or fragment.
    #[error("has a user, a query or a fragment; leave only the base")]
    NotABase,
}

/// Initial capacity for path and query.
const USUAL_LENGTH: usize = 128;

/// The path of a call would be altered by URL parsing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a path segment would be read as URL structure, or the URL is too long")]
pub struct UnsafePath;

impl BaseUrl {
    /// Parses a configured base URL.
    ///
    /// # Errors
    ///
    /// The error text continues a sentence that begins with the name of the setting.
    pub fn parse(text: &str) -> Result<Self, BaseUrlError> {
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
        let uri = text.parse().map_err(|_| BaseUrlError::NotAUrl)?;
        Ok(Self { text, uri })
    }

    /// The URL of a call. `path` is percent-encoded, `query` is not.
    ///
    /// URL parsers drop `.`, `..` and `%2e%2e` segments and cut at `?` and `#`. Ids are already
    /// encoded and validated here; this check is defence in depth.
    ///
    /// # Errors
    ///
    /// If URL parsing would alter the path, or the URL is too long.
    pub fn join(&self, path: &str, query: &[(String, String)]) -> Result<Uri, UnsafePath> {
        if !is_plain_path(path) {
            return Err(UnsafePath);
        }
        let mut whole = String::with_capacity(USUAL_LENGTH);
        whole.push_str(self.uri.path());
        whole.push_str(path);
        if !query.is_empty() {
            whole.push('?');
            let start = whole.len();
            let mut pairs = form_urlencoded::Serializer::for_suffix(whole, start);
            whole = pairs.extend_pairs(query).finish();
        }
        let mut parts = Parts::default();
        parts.scheme = self.uri.scheme().cloned();
        parts.authority = self.uri.authority().cloned();
        let whole = PathAndQuery::from_maybe_shared(Bytes::from(whole));
        parts.path_and_query = Some(whole.map_err(|_| UnsafePath)?);
        Uri::from_parts(parts).map_err(|_| UnsafePath)
    }

    /// The base as a [`Uri`].
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Value of HTTP/1's `Host` header: host, and port unless it is the default.
    pub fn host_header(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(self.uri.authority()?.as_str()).ok()
    }

    /// True if the host is a loopback address.
    pub fn is_loopback(&self) -> bool {
        let host = self.host();
        let address = host.trim_matches(['[', ']']).parse();
        host == "localhost" || address.is_ok_and(|address: IpAddr| address.is_loopback())
    }

    /// True for http without TLS.
    pub fn is_plain(&self) -> bool {
        self.uri.scheme_str() == Some("http")
    }

    /// The host as configured.
    pub fn host(&self) -> &str {
        self.uri.host().unwrap_or_default()
    }

    /// The port, explicit or default.
    pub fn port(&self) -> u16 {
        let usual = if self.is_plain() { 80 } else { 443 };
        self.uri.port_u16().unwrap_or(usual)
    }

    /// The base without a trailing slash.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// True if all URL parsers keep the path unchanged: valid or percent-encoded characters, and no dot
/// segments.
fn is_plain_path(path: &str) -> bool {
    let segments = path.strip_prefix('/').map(|path| path.split('/'));
    segments.is_some_and(|mut segments| segments.all(is_plain_segment))
}

fn is_plain_segment(segment: &str) -> bool {
    let mut rest = segment.as_bytes();
    let (mut characters, mut dots) = (0, 0);
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let mut byte = *first;
        if byte == b'%' {
            let Some((digits, after)) = rest.split_first_chunk::<2>() else {
                return false;
            };
            if !digits.iter().all(u8::is_ascii_hexdigit) {
                return false;
            }
            rest = after;
            if digits.eq_ignore_ascii_case(b"2e") {
                byte = b'.';
            }
        } else if !is_segment_byte(byte) {
            return false;
        }
        characters += 1;
        dots += usize::from(byte == b'.');
    }
    characters != dots || !(1..=2).contains(&dots)
}

/// `pchar` of RFC 3986, without `%`.
fn is_segment_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn base() -> BaseUrl {
        BaseUrl::parse("https://api.example.com/v2/").unwrap()
    }

    fn joined(path: &str) -> Option<String> {
        base().join(path, &[]).map(|uri| uri.to_string()).ok()
    }

    #[test]
    fn paths_pass_unchanged() {
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
    fn rejects_paths_with_url_structure() {
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
        let uri = base().join("/users", &query).unwrap();
        assert_eq!(uri.query(), Some("a=x%26y%3Dz+%23%C3%A9"));
    }

    #[test]
    fn validates_base_urls() {
        let error = |text| BaseUrl::parse(text).unwrap_err();
        assert_eq!(error("api.zoom.us/v2"), BaseUrlError::NotAUrl);
        assert_eq!(error("ftp://api.zoom.us/v2"), BaseUrlError::NotHttp);
        assert_eq!(error("https://api.zoom.us"), BaseUrlError::NoPath);
        assert_eq!(error("https://api.zoom.us/"), BaseUrlError::NoPath);
        assert_eq!(error("https://a:b@api.zoom.us/v2"), BaseUrlError::NotABase);
        assert_eq!(error("https://api.zoom.us/v2?x"), BaseUrlError::NotABase);
    }

    #[test]
    fn reports_host_and_port() {
        for (text, host, port, is_loopback, is_plain) in [
            (
                "https://API.example.com/v2",
                "api.example.com",
                443,
                false,
                false,
            ),
            ("http://localhost/v2", "localhost", 80, true, true),
            ("http://127.1:8080/v2", "127.0.0.1", 8080, true, true),
            ("https://[::1]:8443/v2", "[::1]", 8443, true, false),
            (
                "https://[2001:db8::1]/v2",
                "[2001:db8::1]",
                443,
                false,
                false,
            ),
            (
                "http://127.0.0.1.example.com/v2",
                "127.0.0.1.example.com",
                80,
                false,
                true,
            ),
        ] {
            let base = BaseUrl::parse(text).unwrap();
            assert_eq!((base.host(), base.port()), (host, port));
            assert_eq!(
                (base.is_loopback(), base.is_plain()),
                (is_loopback, is_plain)
            );
        }
    }

    proptest! {
        /// Any text either stays exactly one path segment or is rejected.
        #[test]
        fn segments_stay_segments(segment in "[a.%2eE/\\\\?#@:\\s\\PC]{0,8}") {
            let path = format!("/users/{segment}/settings");
            if let Ok(uri) = base().join(&path, &[]) {
                prop_assert_eq!(uri.host(), Some("api.example.com"));
                prop_assert_eq!(uri.path(), format!("/v2{path}"));
                prop_assert_eq!(uri.query(), None);
                // Browser-style URL parsing agrees.
                let url = Url::parse(&uri.to_string()).unwrap();
                prop_assert_eq!(url.as_str(), format!("https://api.example.com/v2{path}"));
            }
        }
    }
}
