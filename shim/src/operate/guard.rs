//! Access control of the pages: allowed host names, and security headers for browsers.

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{
        HeaderValue, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderName, REFERRER_POLICY,
            X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
        },
        uri::Authority,
    },
    middleware::Next,
    response::{IntoResponse, Response},
};

/// Allows only the pages' own style sheet, icon, script and requests; nothing inline, no frames.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 8] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
    (CACHE_CONTROL, "no-store"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=()",
    ),
];

/// Passes requests to a known host name, and adds security headers to the response.
pub(crate) async fn guard(
    State(hosts): State<Arc<[String]>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = if request.headers().get_all(HOST).iter().count() > 1 {
        (StatusCode::BAD_REQUEST, "More than one Host header.\n").into_response()
    } else if has_known_host(&request, &hosts) {
        next.run(request).await
    } else {
        let text = "This host name is not allowed for the operations address.\n\
                    Use its IP address or localhost, or add the name to `hosts` under [ui].\n";
        (StatusCode::MISDIRECTED_REQUEST, text).into_response()
    };
    for (name, value) in HEADERS {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

/// Returns whether all host names of a request are known. HTTP/2 and proxy requests have one in the
/// URI.
fn has_known_host(request: &Request, hosts: &[String]) -> bool {
    let header = request.headers().get(HOST);
    let header = header.map(|host| host.to_str().unwrap_or_default());
    let authority = request.uri().authority().map(Authority::as_str);
    let mut named = header.into_iter().chain(authority).peekable();
    named.peek().is_some() && named.all(|host| is_known(host, hosts))
}

/// Prevents DNS rebinding: a page of another site can make its own host name resolve to this machine,
/// but cannot use an IP address or a configured name.
fn is_known(host: &str, hosts: &[String]) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let name = name.trim_end_matches('.').to_lowercase();
    name == "localhost" || name.parse::<IpAddr>().is_ok() || hosts.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_host_names_of_other_sites() {
        let hosts = ["shim.example.com".to_owned()];
        for host in [
            "localhost",
            "LOCALHOST:9090",
            "localhost.:9090",
            "127.0.0.1:9090",
            "192.0.2.7",
            "[::1]:9090",
            "[::1]",
            "shim.example.com:9090",
            "Shim.Example.com",
        ] {
            assert!(is_known(host, &hosts), "{host}");
        }
        for host in [
            "",
            ":9090",
            "evil.example.com",
            "localhost.evil.example.com",
            "127.0.0.1.evil.example.com:9090",
            "shim.example.com.evil.example.com",
            "[evil]:9090",
        ] {
            assert!(!is_known(host, &hosts), "{host}");
        }
    }
}
