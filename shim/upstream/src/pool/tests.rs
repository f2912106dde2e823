use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use hyper::Method;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::coop::consume_budget,
    time::{advance, pause, resume, timeout},
};

use super::*;
use crate::{
    address::BaseUrl,
    resolver::ResolverSettings,
    tls::{self, install_tls},
};

const MAX_IDLE: usize = 64;

/// Server that sends these bytes for each request and closes after `requests` of them; returns the
/// number of connections it accepted.
async fn server(answer: Vec<u8>, requests: usize) -> (Pool, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
            let answer = answer.clone();
            tokio::spawn(async move {
                for _ in 0..requests {
                    let mut read = Vec::new();
                    while !read.ends_with(b"\r\n\r\n") {
                        read.push(stream.read_u8().await?);
                    }
                    stream.write_all(&answer).await?;
                }
                stream.shutdown().await
            });
        }
    });
    install_tls();
    let base = BaseUrl::parse(&format!("http://127.0.0.1:{port}/v2")).unwrap();
    let resolver = ResolverSettings::default().resolver(base.host()).unwrap();
    let connector = Connector::new(resolver, tls::config(true).unwrap(), IDLE);
    let host = base.host_header().unwrap();
    (
        Pool::new(connector, base.uri().clone(), host, MAX_IDLE),
        count,
    )
}

fn request(pool: &Pool) -> Request<Body> {
    let mut request = Request::new(Body::default());
    *request.uri_mut() = pool.to.clone();
    // Methods other than reads are not retried once written.
    *request.method_mut() = Method::POST;
    request
}

async fn answer(pool: &Pool) -> Result<Vec<u8>, PoolError> {
    let mut body = pool.send(request(pool)).await?.into_body();
    let mut whole = Vec::new();
    while let Some(chunk) = body.chunk().await? {
        whole.extend_from_slice(&chunk);
    }
    Ok(whole)
}

fn with_body(body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

#[tokio::test]
async fn reuses_connections() {
    let chunked =
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n2\r\nre\r\n0\r\n\r\n";
    let large = vec![b'x'; 3_000_000];
    for (bytes, expected) in [
        (with_body(b"here"), &b"here"[..]),
        (with_body(b""), b""),
        (b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(), b""),
        (chunked.to_vec(), b"here"),
        (with_body(&large), &large),
    ] {
        let (pool, count) = server(bytes, usize::MAX).await;
        for _ in 0..5 {
            assert!(answer(&pool).await.unwrap() == expected);
        }
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn concurrent_requests_use_separate_connections() {
    let (pool, count) = server(with_body(b"here"), usize::MAX).await;
    for _ in 0..2 {
        let answers = join_all((0..MAX_IDLE + 8).map(|_| answer(&pool))).await;
        assert!(answers.iter().all(Result::is_ok));
        assert_eq!(lock(&pool.kept.connections).http1.len(), MAX_IDLE);
    }
    assert_eq!(count.load(Ordering::SeqCst), MAX_IDLE + 8 + 8);
}

#[tokio::test]
async fn does_not_reuse_closed_connections() {
    let (pool, count) = server(with_body(b"here"), 1).await;
    for _ in 0..5 {
        assert_eq!(answer(&pool).await.unwrap(), b"here");
    }
    assert_eq!(count.load(Ordering::SeqCst), 5);
}

#[tokio::test]
async fn does_not_keep_closing_connections() {
    let bytes = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nhere";
    let (pool, _) = server(bytes.to_vec(), usize::MAX).await;
    assert_eq!(answer(&pool).await.unwrap(), b"here");
    assert!(lock(&pool.kept.connections).http1.is_empty());
}

#[tokio::test]
async fn unread_long_response_closes_the_connection() {
    let (pool, count) = server(with_body(&vec![b'x'; 3_000_000]), usize::MAX).await;
    let mut body = pool.send(request(&pool)).await.unwrap().into_body();
    assert!(body.chunk().await.unwrap().is_some());
    drop(body);
    drop(pool.send(request(&pool)).await);
    assert_eq!(answer(&pool).await.unwrap().len(), 3_000_000);
    assert_eq!(count.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn unread_short_response_keeps_the_connection() {
    for bytes in [
        with_body(b""),
        with_body(b"too much"),
        with_body(&[b'x'; 8000]),
    ] {
        let (pool, count) = server(bytes, usize::MAX).await;
        for _ in 0..5 {
            drop(pool.send(request(&pool)).await.unwrap());
        }
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }
}

/// After much work within one poll, tokio's cooperative budget makes I/O report `Pending` although
/// data is available.
#[tokio::test]
async fn cooperative_budget_does_not_lose_responses() {
    let close = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nhere";
    for bytes in [with_body(&vec![b'x'; 100_000]), close.to_vec()] {
        for done in 118..130 {
            let (pool, _) = server(bytes.clone(), usize::MAX).await;
            let mut asked = pin!(answer(&pool));
            let mut polls = 0;
            let answered = poll_fn(|context| {
                polls += 1;
                // Alternate, because it could otherwise never complete.
                let done = if polls % 2 == 0 { done } else { 0 };
                for _ in 0..done {
                    let _ = pin!(consume_budget()).poll(&mut no_waker());
                }
                asked.as_mut().poll(context)
            });
            let answered = timeout(Duration::from_secs(5), answered).await;
            assert!(answered.unwrap().is_ok(), "{done}");
        }
    }
}

#[tokio::test]
async fn truncated_response_is_an_error() {
    let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhere";
    for bytes in [&bytes[..], &bytes[..20], b""] {
        let (pool, count) = server(bytes.to_vec(), 1).await;
        let error = answer(&pool).await.unwrap_err();
        assert!(matches!(error, PoolError::Broken(_)), "{error:?}");
        // The request may have been processed.
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn refused_connection_is_unreachable() {
    let (mut pool, count) = server(Vec::new(), 0).await;
    pool.to = Uri::from_static("http://127.0.0.1:1/v2");
    let error = answer(&pool).await.unwrap_err();
    assert!(matches!(error, PoolError::Unreachable(_)), "{error:?}");
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn closes_idle_connections() {
    let (pool, count) = server(with_body(b"here"), usize::MAX).await;
    assert_eq!(answer(&pool).await.unwrap(), b"here");
    assert_eq!(lock(&pool.kept.connections).http1.len(), 1);
    pause();
    advance(IDLE + Duration::from_secs(1)).await;
    resume();
    assert_eq!(answer(&pool).await.unwrap(), b"here");
    assert_eq!(count.load(Ordering::SeqCst), 2);
    pause();
    while !lock(&pool.kept.connections).http1.is_empty() {
        advance(Duration::from_secs(1)).await;
    }
    assert!(!lock(&pool.kept.connections).is_watched);
}

#[tokio::test]
async fn shares_http2_connection_until_idle() {
    let (pool, _) = server(Vec::new(), 0).await;
    let (own, other) = tokio::io::duplex(64 * 1024);
    tokio::spawn(async move {
        let mut connection = h2::server::handshake(other).await.unwrap();
        while connection.accept().await.is_some() {}
    });
    let builder = http2::Builder::new(TokioExecutor::new());
    let (sender, connection) = builder.handshake(TokioIo::new(own)).await.unwrap();
    tokio::spawn(connection);

    let keep = || lock(&pool.kept.connections).http2 = Some((sender.clone(), Instant::now()));
    let is_there = || matches!(pool.kept.take(), Some(Connection::Http2(_)));
    pause();
    keep();
    for _ in 0..3 {
        // Use extends its lifetime.
        advance(IDLE * 9 / 10).await;
        assert!(is_there());
    }
    advance(IDLE).await;
    assert!(!is_there());
    assert!(lock(&pool.kept.connections).http2.is_none());

    keep();
    lock(&pool.kept.connections).watch(&pool.kept);
    while lock(&pool.kept.connections).http2.is_some() {
        advance(Duration::from_secs(1)).await;
    }
    assert!(!lock(&pool.kept.connections).is_watched);
}
