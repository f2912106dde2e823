//! HTTP/2: the limits of HTTP/1.1, and its own.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use http_body_util::StreamBody;
use hyper::body::Frame;
use reqwest::{Client, Version};
use shim::front::server::Stopped;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::running::{FORM, KEY, Running, SECRET, ScriptedV2, json, read_to_end, show, soon};

/// Connection preface and empty SETTINGS.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// Frame types.
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;

/// HTTP/2 without TLS, by prior knowledge.
fn client() -> Client {
    shim::install_tls();
    let builder = Client::builder().no_proxy().tls_certs_only([]);
    builder.http2_prior_knowledge().build().unwrap()
}

fn post(shim: &Running, body: impl Into<reqwest::Body>) -> reqwest::RequestBuilder {
    let request = client().post(shim.url("/v1/user/get"));
    request.header("content-type", FORM).body(body)
}

fn form() -> String {
    format!("api_key={KEY}&api_secret={SECRET}&id=u1")
}

/// Encodes a frame.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Reads frames until one of the given type; returns its stream and payload.
async fn next(connection: &mut TcpStream, kind: u8) -> (u32, Vec<u8>) {
    loop {
        let mut head = [0; 9];
        connection.read_exact(&mut head).await.unwrap();
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        connection.read_exact(&mut payload).await.unwrap();
        if head[3] == kind {
            let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
            return (stream, payload);
        }
    }
}

/// A request without its body, encoded with HPACK's static table.
fn open_post(stream: u32) -> Vec<u8> {
    const END_HEADERS: u8 = 4;
    frame(
        HEADERS,
        END_HEADERS,
        stream,
        b"\x83\x86\x44\x0c/v1/user/get\x41\x01a",
    )
}

#[tokio::test]
async fn serves_http2_by_prior_knowledge() {
    let (_v2, shim) = Running::with_users().await;
    let response = post(&shim, form()).send().await.unwrap();
    assert_eq!(response.version(), Version::HTTP_2);
    assert_eq!(json(response).await["id"], "u1");
}

#[tokio::test]
async fn serves_many_concurrent_streams() {
    let (_v2, shim) = Running::with_users().await;
    let client = client();
    let asking = (0..150).map(|_| {
        let request = client.post(shim.url("/v1/user/get"));
        request.header("content-type", FORM).body(form()).send()
    });
    for response in futures_util::future::join_all(asking).await {
        assert_eq!(json(response.unwrap()).await["id"], "u1");
    }
}

#[tokio::test]
async fn head_response_has_no_body() {
    let (_v2, shim) = Running::with_users().await;
    for client in [&shim.client, &client()] {
        let url = shim.url("/v1/user/get");
        let response = client.head(url).send().await.unwrap();
        assert_eq!(response.status(), 405);
        let length = "{\"error\":{\"code\":405,\"message\":\"Use POST.\"}}".len();
        assert_eq!(response.headers()["content-length"], length.to_string());
        assert_eq!(response.bytes().await.unwrap(), "");
    }
}

#[tokio::test]
async fn large_body_gets_the_same_error_as_over_http1() {
    let v2 = ScriptedV2::with_users().await;
    let shim = Running::with_limits(&v2, |limits| limits.body_bytes = 1000).await;
    let body = || "x".repeat(200_000);
    let request = shim.client.post(shim.url("/v1/user/get"));
    let http1 = request.header("content-type", FORM).body(body());
    let http1 = show(http1.send().await.unwrap()).await;
    let http2 = show(post(&shim, body()).send().await.unwrap()).await;
    assert_eq!(http1, http2);
    assert!(http2.starts_with("200 application/json"), "{http2}");
    assert!(http2.contains("\"error\""), "{http2}");
}

#[tokio::test]
async fn answers_a_missing_body_with_an_error() {
    let v2 = ScriptedV2::with_users().await;
    let shim = Running::with_limits(&v2, |limits| limits.body = Duration::from_millis(100)).await;
    let never = futures_util::stream::pending::<Result<Frame<Bytes>, Infallible>>();
    let response = post(&shim, reqwest::Body::wrap(StreamBody::new(never))).send();
    let answer = show(soon(response).await.unwrap()).await;
    assert!(answer.contains(r#""code":300"#), "{answer}");
}

#[tokio::test]
async fn rejects_large_request_heads() {
    let (v2, shim) = Running::with_users().await;
    // A long query string, as old programs send it, is accepted.
    let id = "%25".repeat(10_000);
    let path = format!("/v1/user/get?api_key={KEY}&api_secret={SECRET}&id={id}");
    let response = client().post(shim.url(&path)).send().await.unwrap();
    assert_eq!(response.status(), 200);

    let large = post(&shim, form()).header("x-large", "x".repeat(200_000));
    let refused = large.send().await;
    assert!(
        refused
            .as_ref()
            .map_or(true, |answer| answer.status() == 431),
        "{refused:?}"
    );
    let mut many = post(&shim, form());
    for number in 0..150 {
        many = many.header(format!("x-{number}"), "x");
    }
    assert_eq!(many.send().await.unwrap().status(), 431);
    assert!(v2.seen().len() <= 3, "{:?}", v2.lines());
}

#[tokio::test]
async fn rejects_streams_beyond_the_limit() {
    const REFUSED_STREAM: &[u8] = &[0, 0, 0, 7];
    let (_v2, shim) = Running::with_users().await;
    let mut streams = PREFACE.to_vec();
    // The client has not read the limit of 100 yet.
    for number in 0..101 {
        streams.extend(open_post(2 * number + 1));
    }
    let mut connection = shim.raw(&streams).await;
    let (stream, code) = soon(next(&mut connection, RST_STREAM)).await;
    assert_eq!((stream, code.as_slice()), (201, REFUSED_STREAM));
}

/// An unauthenticated connection has three concurrent requests.
#[tokio::test]
async fn limits_streams_of_unauthenticated_connections() {
    const END_STREAM: u8 = 1;
    let (_v2, shim) = Running::with_users().await;
    let mut streams = PREFACE.to_vec();
    for number in 0..4 {
        streams.extend(open_post(2 * number + 1));
    }
    // The last one is complete first, but waits.
    streams.extend(frame(0, END_STREAM, 7, b"id=x"));
    streams.extend(frame(0, END_STREAM, 1, b"id=x"));
    let mut connection = shim.raw(&streams).await;
    let first = soon(next(&mut connection, HEADERS)).await.0;
    let second = soon(next(&mut connection, HEADERS)).await.0;
    assert_eq!((first, second), (1, 7));
}

#[tokio::test]
async fn rapid_resets_close_the_connection() {
    const ENHANCE_YOUR_CALM: &[u8] = &[0, 0, 0, 11];
    let (_v2, shim) = Running::with_users().await;
    let mut flood = PREFACE.to_vec();
    for number in 0..2000 {
        flood.extend(open_post(2 * number + 1));
        flood.extend(frame(RST_STREAM, 0, 2 * number + 1, &[0, 0, 0, 8]));
    }
    let mut connection = TcpStream::connect(shim.address).await.unwrap();
    // The connection may be closed before everything is written.
    let _ = connection.write_all(&flood).await;
    let (_, payload) = soon(next(&mut connection, GOAWAY)).await;
    assert_eq!(&payload[4..8], ENHANCE_YOUR_CALM);
    assert_eq!(shim.call("user/get", &[("id", "u1")]).await["id"], "u1");
}

/// Idle and half-open connections are closed as over HTTP/1.1.
#[tokio::test]
async fn closes_idle_and_half_open_connections() {
    let v2 = ScriptedV2::with_users().await;
    let shim =
        Running::with_limits(&v2, |limits| limits.headers = Duration::from_millis(100)).await;
    // HEADERS without its CONTINUATION, nothing, half a preface, a whole preface.
    let half = [PREFACE, &frame(HEADERS, 0, 1, b"\x83")].concat();
    for bytes in [&half, &b""[..], &PREFACE[..7], PREFACE] {
        let connection = shim.raw(bytes).await;
        let mut connection = connection;
        let _ = soon(connection.read_to_end(&mut Vec::new())).await;
    }
}

#[tokio::test]
async fn rejects_requests_beyond_the_limit() {
    let (v2, mut arrivals, gate) = ScriptedV2::gated(|_| true).await;
    let shim = Running::with_limits(&v2, |limits| limits.requests = 1).await;
    let first = tokio::spawn(post(&shim, form()).send());
    soon(arrivals.recv()).await.unwrap();
    let second = show(post(&shim, form()).send().await.unwrap()).await;
    assert!(second.contains(r#""code":403"#), "{second}");
    gate.add_permits(10);
    assert_eq!(json(first.await.unwrap().unwrap()).await["id"], "u1");
}

#[tokio::test]
async fn shutdown_waits_for_open_streams() {
    let (v2, mut arrivals, gate) = ScriptedV2::gated(|_| true).await;
    let shim = Running::with_limits(&v2, |limits| limits.shutdown = Duration::from_secs(20)).await;
    let idle = client();
    let nothing = idle.get(shim.url("/")).send().await.unwrap();
    assert_eq!(nothing.status(), 404);
    let address = shim.address;
    let request = tokio::spawn(post(&shim, form()).send());
    soon(arrivals.recv()).await.unwrap();
    let stopped = shim.stop();
    soon(async { while TcpStream::connect(address).await.is_ok() {} }).await;
    gate.add_permits(10);
    assert_eq!(json(request.await.unwrap().unwrap()).await["id"], "u1");
    assert_eq!(soon(stopped).await.unwrap(), Stopped::Drained);
    drop(idle);
}

#[tokio::test]
async fn silent_client_does_not_delay_the_shutdown() {
    let v2 = ScriptedV2::with_users().await;
    let shim = Running::with_limits(&v2, |limits| limits.shutdown = Duration::from_secs(2)).await;
    let mut silent = shim.raw(PREFACE).await;
    let half = shim.raw(&PREFACE[..9]).await;
    let _ = soon(next(&mut silent, SETTINGS)).await;
    assert_eq!(soon(shim.stop()).await.unwrap(), Stopped::Drained);
    drop(half);
}

#[tokio::test]
async fn invalid_http2_closes_only_its_connection() {
    let (_v2, shim) = Running::with_users().await;
    for bytes in [
        [PREFACE, b"GET / HTTP/1.1\r\n\r\n"].concat(),
        [PREFACE, &frame(HEADERS, 4, 1, b"\xff\xff\xff\xff\xff\xff")].concat(),
        [PREFACE, &frame(HEADERS, 4, 2, b"\x83")].concat(),
        b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n".to_vec(),
    ] {
        let mut connection = shim.raw(&bytes).await;
        connection.shutdown().await.unwrap();
        let _ = soon(connection.read_to_end(&mut Vec::new())).await;
    }
    assert_eq!(shim.call("user/get", &[("id", "u1")]).await["id"], "u1");
    soon(read_to_end(shim.raw(b"GET / HTTP/1.0\r\n\r\n").await)).await;
}
