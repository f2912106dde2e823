use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use hyper::header::HOST;
use mappings::{Method, Outcome};
use reqwest::Proxy;
use rustls::{RootCertStore, ServerConfig, pki_types::PrivatePkcs8KeyDer};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::{
    client::{
        Upstream,
        tests::{answered, get, request, soon, with_http},
    },
    token::{Token, Tokens},
};

/// Does not exist in DNS.
const SERVER: &str = "v2.example.com";

fn v2(base: &str) -> HttpSettings {
    HttpSettings {
        base: BaseUrl::parse(base).unwrap(),
        resolver: ResolverSettings {
            addresses: vec!["127.0.0.1".parse().unwrap()],
            servers: Vec::new(),
        },
        connect_timeout: Duration::from_secs(3),
        max_idle: 8,
        is_local: true,
    }
}

fn upstream(http: Http, v2: &HttpSettings) -> Upstream {
    let token = Token::new(&"t0".into()).unwrap();
    with_http(http, v2.base.clone(), Tokens::Fixed(token))
}

async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Lines of a request head without `x-request-id`; the header lines are sorted.
async fn head(stream: &mut TcpStream) -> Vec<String> {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        read.push(stream.read_u8().await.unwrap());
    }
    let read = String::from_utf8(read).unwrap();
    let mut lines: Vec<_> = read.lines().map(str::to_owned).collect();
    lines.retain(|line| !line.is_empty() && !line.starts_with("x-request-id"));
    lines[1..].sort();
    lines
}

/// Responds to each request with `"here"` and returns the request heads.
async fn heads(listener: TcpListener, requests: usize) -> Vec<Vec<String>> {
    let mut heads = Vec::new();
    for _ in 0..requests {
        let (mut stream, _) = listener.accept().await.unwrap();
        heads.push(head(&mut stream).await);
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\n\"here\"";
        stream.write_all(answer).await.unwrap();
    }
    heads
}

#[tokio::test]
async fn direct_and_proxied_requests_are_equal() {
    let (listener, port) = listen().await;
    let heads = tokio::spawn(heads(listener, 2));
    let v2 = v2(&format!("http://{SERVER}:{port}/v2"));
    let direct = Http::past_proxies(&v2).unwrap();
    // The proxy is the same server: the requested host does not exist.
    let proxy = Proxy::all(format!("http://127.0.0.1:{port}")).unwrap();
    let client = Client::builder()
        .user_agent(USER_AGENT_VALUE)
        .tls_certs_only([]);
    let client = client.proxy(proxy).build().unwrap();
    let proxied = Http {
        files: client.clone(),
        client,
        direct: None,
    };
    for http in [direct, proxied] {
        let outcome = upstream(http, &v2).send(&get(), soon(), false).await;
        assert_eq!(outcome, answered(200, json!("here")));
    }

    let heads = heads.await.unwrap();
    let (direct, proxied) = (&heads[0], &heads[1]);
    let path = "/v2/users/a%40b.c%2F..";
    assert_eq!(direct[0], format!("GET {path} HTTP/1.1"));
    let whole = format!("GET http://{SERVER}:{port}{path} HTTP/1.1");
    assert_eq!(proxied[0], whole);
    assert_eq!(direct[1..], proxied[1..]);
    let expected = [
        "accept: */*".to_owned(),
        "authorization: Bearer t0".to_owned(),
        format!("host: {SERVER}:{port}"),
        format!("user-agent: {USER_AGENT_VALUE}"),
        "x-shim-call: 1".to_owned(),
    ];
    assert_eq!(direct[1..], expected);
}

#[test]
fn uses_proxies_that_match_v2() {
    let proxy = "http://proxy.example.com:3128";
    let all = || Matcher::builder().all(proxy);
    let secure = Matcher::builder().https(proxy);
    let none = Matcher::builder().build();
    for (proxies, expected) in [
        (all().build(), [true, true]),
        (secure.build(), [false, true]),
        (all().no(".example.com").build(), [false, false]),
        (none, [false, false]),
    ] {
        install_tls();
        let is_proxied = |base| {
            let tls = tls::config(true).unwrap();
            let http = Http::with(&v2(base), tls, Some(&proxies)).unwrap();
            http.direct.is_none()
        };
        let bases = ["http://v2.example.com/v2", "https://v2.example.com/v2"];
        assert_eq!(bases.map(is_proxied), expected, "{proxies:?}");
    }
}

/// TLS identity of [`SERVER`], and a client configuration that trusts it.
fn identity() -> (TlsAcceptor, ClientConfig) {
    install_tls();
    let issued = rcgen::generate_simple_self_signed([SERVER.to_owned()]).unwrap();
    let certificate = issued.cert.der().clone();
    let key = PrivatePkcs8KeyDer::from(issued.signing_key.serialize_der());
    let server = ServerConfig::builder().with_no_client_auth();
    let server = server.with_single_cert(vec![certificate.clone()], key.into());
    let mut server = server.unwrap();
    server.alpn_protocols = tls::config(true).unwrap().alpn_protocols;
    let mut trusted = RootCertStore::empty();
    trusted.add(certificate).unwrap();
    let client = ClientConfig::builder().with_root_certificates(trusted);
    let mut client = client.with_no_client_auth();
    client.alpn_protocols = tls::config(true).unwrap().alpn_protocols;
    (Arc::new(server).into(), client)
}

/// HTTP/2 server over TLS that refuses the first requests, then responds with the request's
/// authority; counts all requests.
async fn http2(tls: TlsAcceptor, refuses: usize) -> (u16, Arc<AtomicUsize>) {
    let (listener, port) = listen().await;
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(stream) = tls.accept(stream).await else {
                continue;
            };
            let mut connection = h2::server::handshake(stream).await.unwrap();
            while let Some(Ok((request, mut respond))) = connection.accept().await {
                if counted.fetch_add(1, Ordering::SeqCst) < refuses {
                    respond.send_reset(h2::Reason::REFUSED_STREAM);
                    continue;
                }
                assert!(!request.headers().contains_key(HOST));
                let head = Response::new(());
                let mut body = respond.send_response(head, false).unwrap();
                let authority = json!(request.uri().authority().unwrap().as_str());
                body.send_data(authority.to_string().into(), true).unwrap();
            }
        }
    });
    (port, count)
}

#[tokio::test]
async fn negotiates_http2_and_retries_refused_streams() {
    let unsent = Outcome::NoAnswer { maybe_done: false };
    // Two immediate retries, then a pause and another attempt with two retries.
    for (refuses, requests) in [(0, 1), (2, 3), (5, 6), (6, 6)] {
        let (server, client) = identity();
        let (port, count) = http2(server, refuses).await;
        let v2 = v2(&format!("https://{SERVER}:{port}/v2"));
        let http = Http::with(&v2, client, None).unwrap();
        let write = request(Method::Post, mappings::Body::None);
        let outcome = upstream(http, &v2).send(&write, soon(), false).await;
        let expected = if requests > refuses {
            answered(200, json!(format!("{SERVER}:{port}")))
        } else {
            unsent.clone()
        };
        assert_eq!(
            (outcome, count.load(Ordering::SeqCst)),
            (expected, requests)
        );
    }
}

#[tokio::test]
async fn rejects_certificates_of_unknown_issuers() {
    let (server, _) = identity();
    let (port, count) = http2(server, 0).await;
    let v2 = v2(&format!("https://{SERVER}:{port}/v2"));
    let http = Http::past_proxies(&v2).unwrap();
    let outcome = upstream(http, &v2).send(&get(), soon(), false).await;
    assert_eq!(outcome, Outcome::NoAnswer { maybe_done: false });
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn handshake_timeout_means_nothing_sent() {
    let (listener, port) = listen().await;
    let v2 = HttpSettings {
        connect_timeout: Duration::from_millis(50),
        ..v2(&format!("https://{SERVER}:{port}/v2"))
    };
    let http = Http::past_proxies(&v2).unwrap();
    let write = request(Method::Post, mappings::Body::None);
    let outcome = upstream(http, &v2).send(&write, soon(), false).await;
    assert_eq!(outcome, Outcome::NoAnswer { maybe_done: false });
    drop(listener);
}
