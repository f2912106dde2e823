//! TLS: handshakes, replacement of the certificate, plain HTTP besides.

use std::{sync::Arc, time::Duration};

use reqwest::{Client, Response, Version};
use shim::front::server::Stopped;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::mpsc,
};

use crate::{
    certificates::{Authority, HOST},
    running::{FORM, KEY, Running, SECRET, ScriptedV2, Setup, json, read_to_end, soon},
};

fn url(shim: &Running) -> String {
    format!("https://{HOST}:{}/v1/user/get", shim.tls_address.port())
}

async fn ask(client: &Client, url: &str) -> reqwest::Result<Response> {
    let body = format!("api_key={KEY}&api_secret={SECRET}&id=u1");
    let request = client.post(url).header("content-type", FORM).body(body);
    request.send().await
}

async fn with_tls(v2: &ScriptedV2, authority: &Authority) -> Running {
    let setup = Setup {
        tls: Some(authority.tls()),
        ..Setup::default()
    };
    Running::with(v2, setup).await
}

#[tokio::test]
async fn serves_http1_and_http2_over_tls_and_plain_http() {
    let v2 = ScriptedV2::with_users().await;
    let authority = Authority::new();
    let shim = with_tls(&v2, &authority).await;
    let versions = [
        (authority.client(), Version::HTTP_2),
        (
            authority.client_with(reqwest::ClientBuilder::http1_only),
            Version::HTTP_11,
        ),
        (
            authority.client_with(|client| client.tls_version_max(reqwest::tls::Version::TLS_1_2)),
            Version::HTTP_2,
        ),
    ];
    for (client, version) in versions {
        let response = ask(&client, &url(&shim)).await.unwrap();
        assert_eq!(response.version(), version);
        assert_eq!(json(response).await["id"], "u1");
    }
    assert_eq!(shim.call("user/get", &[("id", "u1")]).await["id"], "u1");
}

#[tokio::test]
async fn client_without_the_authority_sends_no_request() {
    let v2 = ScriptedV2::with_users().await;
    let shim = with_tls(&v2, &Authority::new()).await;
    let error = ask(&Authority::new().client(), &url(&shim)).await;
    assert!(error.unwrap_err().is_connect());
    assert!(v2.seen().is_empty());
}

#[tokio::test]
async fn rejects_plain_http_at_the_tls_address() {
    let v2 = ScriptedV2::with_users().await;
    let authority = Authority::new();
    let shim = with_tls(&v2, &authority).await;
    let mut stream = TcpStream::connect(shim.tls_address).await.unwrap();
    stream
        .write_all(b"GET /v1/user/get HTTP/1.1\r\nHost: shim\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    let _ = soon(stream.read_to_end(&mut answer)).await;
    // An alert, no HTTP.
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    let response = ask(&authority.client(), &url(&shim)).await.unwrap();
    assert_eq!(response.status(), 200);
}

/// With more silent clients than handshake slots, the oldest are evicted.
#[tokio::test]
async fn silent_handshakes_are_evicted() {
    let v2 = ScriptedV2::with_users().await;
    let authority = Authority::new();
    let setup = Setup {
        tls: Some(authority.tls()),
        adjust: |limits| {
            limits.handshakes = 3;
            limits.handshake = Duration::from_secs(600);
        },
        ..Setup::default()
    };
    let shim = Running::with(&v2, setup).await;
    let mut silent = Vec::new();
    for at in 0..20 {
        let mut stream = TcpStream::connect(shim.tls_address).await.unwrap();
        // Some send the beginning of a handshake.
        if at % 2 == 0 {
            stream.write_all(b"\x16\x03\x01\x02\0\x01").await.unwrap();
        }
        silent.push(stream);
    }
    let response = soon(ask(&authority.client(), &url(&shim))).await.unwrap();
    assert_eq!(json(response).await["id"], "u1");
    // The first one was evicted.
    let first = silent.remove(0);
    soon(read_to_end(first)).await;
}

#[tokio::test]
async fn handshake_times_out() {
    let v2 = ScriptedV2::with_users().await;
    let setup = Setup {
        tls: Some(Authority::new().tls()),
        adjust: |limits| limits.handshake = Duration::from_millis(50),
        ..Setup::default()
    };
    let shim = Running::with(&v2, setup).await;
    let stream = TcpStream::connect(shim.tls_address).await.unwrap();
    soon(read_to_end(stream)).await;
}

/// Idle connections do not exclude active ones.
#[tokio::test]
async fn evicts_the_longest_idle_connection() {
    let v2 = ScriptedV2::with_users().await;
    let authority = Authority::new();
    let setup = Setup {
        tls: Some(authority.tls()),
        adjust: |limits| {
            limits.connections = 5;
            limits.headers = Duration::from_secs(600);
            limits.handshake = Duration::from_secs(600);
        },
        ..Setup::default()
    };
    let shim = Running::with(&v2, setup).await;
    let mut idle = Vec::new();
    for _ in 0..5 {
        idle.push(shim.raw(b"POST /v1/user/get HTTP/1.1\r\nHost:").await);
        idle.push(TcpStream::connect(shim.tls_address).await.unwrap());
        idle.push(shim.raw(b"").await);
    }
    for _ in 0..3 {
        let response = soon(ask(&authority.client(), &url(&shim))).await.unwrap();
        assert_eq!(json(response).await["id"], "u1");
        let plain = soon(shim.call("user/get", &[("id", "u1")])).await;
        assert_eq!(plain["id"], "u1");
    }
    soon(read_to_end(idle.remove(0))).await;
}

#[tokio::test]
async fn replaces_the_certificate_under_load() {
    let v2 = ScriptedV2::with_users().await;
    let (before, after) = (Authority::new(), Authority::new());
    let tls = before.tls();
    let setup = Setup {
        tls: Some(tls.clone()),
        ..Setup::default()
    };
    let shim = Running::with(&v2, setup).await;
    let address = url(&shim);
    // A client that trusts both authorities and opens a connection per request.
    let both = Arc::new(before.client_with(|client| {
        client
            .tls_certs_only([before.certificate(), after.certificate()])
            .pool_max_idle_per_host(0)
    }));
    let kept = before.client();
    assert!(ask(&kept, &address).await.is_ok());
    let (stop, mut stopped) = mpsc::channel::<()>(1);
    let load: Vec<_> = (0..4)
        .map(|_| {
            let (both, address, stop) = (Arc::clone(&both), address.clone(), stop.clone());
            tokio::spawn(async move {
                let mut answered = 0;
                while !stop.is_closed() {
                    let response = ask(&both, &address).await.unwrap();
                    assert_eq!(json(response).await["id"], "u1");
                    answered += 1;
                }
                answered
            })
        })
        .collect();
    for _ in 0..5 {
        tls.replace(&before.identity());
        assert!(ask(&before.client(), &address).await.is_ok());
        tls.replace(&after.identity());
        assert!(ask(&after.client(), &address).await.is_ok());
    }
    stopped.close();
    for task in load {
        assert!(task.await.unwrap() > 0);
    }
    // Existing connections stay; new ones get the new certificate.
    assert!(ask(&kept, &address).await.is_ok());
    assert!(ask(&before.client(), &address).await.is_err());
}

#[tokio::test]
async fn shutdown_waits_for_requests_over_tls() {
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let (v2, mut arrivals, gate) = ScriptedV2::gated(|_| true).await;
        let authority = Authority::new();
        let setup = Setup {
            tls: Some(authority.tls()),
            adjust: |limits| limits.shutdown = Duration::from_secs(20),
            ..Setup::default()
        };
        let shim = Running::with(&v2, setup).await;
        let client = authority.client_with(|client| match version {
            Version::HTTP_11 => client.http1_only(),
            _ => client,
        });
        let silent = TcpStream::connect(shim.tls_address).await.unwrap();
        let (address, tls_address) = (url(&shim), shim.tls_address);
        let asking = client.clone();
        let request = tokio::spawn(async move { ask(&asking, &address).await });
        soon(arrivals.recv()).await.unwrap();
        let stopped = shim.stop();
        soon(async { while TcpStream::connect(tls_address).await.is_ok() {} }).await;
        gate.add_permits(10);
        let response = request.await.unwrap().unwrap();
        assert_eq!(response.version(), version);
        assert_eq!(json(response).await["id"], "u1");
        assert_eq!(soon(stopped).await.unwrap(), Stopped::Drained);
        drop(silent);
    }
}
