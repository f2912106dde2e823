//! Response headers.

use std::collections::BTreeSet;

use reqwest::Response;

use crate::running::{Running, ScriptedV2};

fn header(response: &Response, name: &str) -> Option<String> {
    let value = response.headers().get(name)?;
    Some(value.to_str().unwrap().to_owned())
}

#[tokio::test]
async fn response_and_v2_calls_share_one_request_id() {
    let (v2, shim) = Running::with_users().await;
    let mut ids = BTreeSet::new();
    for operation in ["user/get", "user/update"] {
        v2.forget();
        let request = shim.form(operation, &[("id", "u1"), ("dept", "x")]);
        let request = request.header("x-request-id", "of-the-client");
        let id = header(&request.send().await.unwrap(), "x-request-id").unwrap();
        let seen = v2.seen();
        assert!(!seen.is_empty() && seen.iter().all(|call| call.request_id == id));
        ids.insert(id);
    }
    for path in ["/v1/user/get", "/v1/no/such", "/elsewhere"] {
        let response = shim.client.get(shim.url(path)).send().await.unwrap();
        ids.extend(header(&response, "x-request-id"));
    }
    assert_eq!(ids.len(), 5);
    assert!(!ids.contains("of-the-client"));
}

#[tokio::test]
async fn responses_disable_caching_and_sniffing() {
    let (_v2, shim) = Running::with_users().await;
    let served = shim.form("user/get", &[("id", "u1")]);
    let refused = shim.client.post(shim.url("/v1/user/get"));
    let elsewhere = shim.client.get(shim.url("/elsewhere"));
    for request in [served, refused, elsewhere] {
        let response = request.send().await.unwrap();
        assert_eq!(header(&response, "cache-control").unwrap(), "no-store");
        assert_eq!(
            header(&response, "x-content-type-options").unwrap(),
            "nosniff"
        );
    }
}

async fn deprecation_headers(file: &str) -> [Option<String>; 3] {
    let v2 = ScriptedV2::with_users().await;
    let shim = Running::with_file(&v2, file).await;
    let response = shim.form("user/get", &[("id", "u1")]).send().await.unwrap();
    ["deprecation", "sunset", "link"].map(|name| header(&response, name))
}

#[tokio::test]
async fn responses_have_deprecation_headers() {
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        deprecation_headers("").await,
        [
            some("@1541030400"),
            some("Sun, 31 May 2020 00:00:00 GMT"),
            some("<https://developers.zoom.us/docs/api/>; rel=\"successor-version\""),
        ]
    );
    let own = "[deprecation]\nsunset = \"2027-06-30\"\nlink = \"https://wiki.example.com/a b\"";
    assert_eq!(
        deprecation_headers(own).await,
        [
            some("@1541030400"),
            some("Wed, 30 Jun 2027 00:00:00 GMT"),
            some("<https://wiki.example.com/a%20b>; rel=\"successor-version\""),
        ]
    );
    let silent = deprecation_headers("[deprecation]\nheaders = false").await;
    assert_eq!(silent, [None, None, None]);
}

#[tokio::test]
async fn cors_allows_configured_origins_only() {
    const ALLOWED: &str = "https://app.example.com";
    let v2 = ScriptedV2::with_users().await;
    let shim = Running::with_file(&v2, format!("cors_origins = [\"{ALLOWED}\"]\n")).await;
    let plain = Running::before(&v2).await;
    let asked = async |shim: &Running, origin: &str| {
        let request = shim.form("user/get", &[("id", "u1")]);
        let response = request.header("origin", origin).send().await.unwrap();
        assert_eq!(response.status(), 200);
        header(&response, "access-control-allow-origin")
    };
    let preflight = async |shim: &Running, origin: &str| {
        let url = shim.url("/v1/user/get");
        let request = shim.client.request(reqwest::Method::OPTIONS, url);
        let request = request.header("access-control-request-method", "POST");
        let response = request.header("origin", origin).send().await.unwrap();
        let allowed = header(&response, "access-control-allow-origin");
        let methods = header(&response, "access-control-allow-methods");
        (response.status().as_u16(), allowed, methods)
    };
    let allowed = || Some(ALLOWED.to_owned());
    assert_eq!(asked(&shim, ALLOWED).await, allowed());
    let expected = (204, allowed(), Some("POST".to_owned()));
    assert_eq!(preflight(&shim, ALLOWED).await, expected);
    for (shim, origin) in [
        (&shim, "https://evil.example.com"),
        (&shim, "null"),
        (&shim, "https://app.example.com.evil.example.com"),
        (&plain, ALLOWED),
    ] {
        assert_eq!(asked(shim, origin).await, None, "{origin}");
        assert_eq!(preflight(shim, origin).await, (405, None, None), "{origin}");
    }
}
