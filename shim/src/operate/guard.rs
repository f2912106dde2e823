//! Access to the pages: the allowed host names, and the security headers for browsers.

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

/// Nothing but the pages' own style sheet, icon, script and lists: nothing inline, no frame.
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

/// Lets a request through if it names this machine, and adds the headers to its answer.
pub(crate) async fn guard(
    State(hosts): State<Arc<[String]>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = if request.headers().get_all(HOST).iter().count() > 1 {
        (StatusCode::BAD_REQUEST, "More than one Host header.\n").into_response()
    } else if names_us(&request, &hosts) {
        next.run(request).await
    } else {
        let text = "This name is not known as one of the operations address.\n\
                    Use its IP address or localhost, or add the name to `hosts` under [ui].\n";
        (StatusCode::MISDIRECTED_REQUEST, text).into_response()
    };
    for (name, value) in HEADERS {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

/// True if a request names this machine, and no other one: HTTP/2 names the host in the URI, as does
/// a request that is meant for a proxy.
fn names_us(request: &Request, hosts: &[String]) -> bool {
    let header = request.headers().get(HOST);
    let header = header.map(|host| host.to_str().unwrap_or_default());
    let authority = request.uri().authority().map(Authority::as_str);
    let mut named = header.into_iter().chain(authority).peekable();
    named.peek().is_some() && named.all(|host| is_ours(host, hosts))
}

/// A page of another site can have its own name resolve to this machine (DNS rebinding), but it
/// cannot have an address, or a name that this machine is known by, as its own.
fn is_ours(host: &str, hosts: &[String]) -> bool {
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
    fn names_of_other_sites_are_not_ours() {
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
            assert!(is_ours(host, &hosts), "{host}");
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
            assert!(!is_ours(host, &hosts), "{host}");
        }
    }
}
