//! Slow, broken and excess connections, and shutdown.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use shim::{
    Dependencies,
    front::server::Stopped,
    state::{
        AnswerCache, Engine, Name, State,
        engine::{Answer, Begun, Ending, Processes, Progress, Reservation, Run, Subject, Write},
        queue::{Claim, Claimed, Counts, Dead, DeadLetter, NewMessage, Put, Settlement},
    },
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::running::{FORM, Running, ScriptedV2, Setup, json, read_to_end, show, soon};

#[tokio::test]
async fn answers_a_missing_body_with_an_error() {
    let v2 = ScriptedV2::with_users().await;
    let shim = Running::with_limits(&v2, |limits| limits.body = Duration::from_millis(100)).await;
    let connection = shim
        .raw(b"POST /v1/user/get HTTP/1.1\r\nHost: shim\r\nContent-Length: 100\r\n\r\nid=1")
        .await;
    let answer = soon(read_to_end(connection)).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.contains(r#""code":300"#), "{answer}");
}

/// Incomplete requests do not exclude others.
#[tokio::test]
async fn evicts_connections_with_incomplete_bodies() {
    let v2 = ScriptedV2::with_users().await;
    let shim = Running::with_limits(&v2, |limits| limits.connections = 2).await;
    let half = b"POST /v1/user/get HTTP/1.1\r\nHost: shim\r\nContent-Length: 100\r\n\r\nid=1";
    let mut slow = Vec::new();
    for _ in 0..4 {
        slow.push(shim.raw(half).await);
    }
    let answered = soon(shim.call("user/get", &[("id", "u1")])).await;
    assert_eq!(answered["id"], "u1");
}

#[tokio::test]
async fn closes_a_connection_without_headers_after_the_timeout() {
    let v2 = ScriptedV2::with_users().await;
    let shim =
        Running::with_limits(&v2, |limits| limits.headers = Duration::from_millis(100)).await;
    let connection = shim.raw(b"POST /v1/user/get HTTP/1.1\r\nHost:").await;
    soon(read_to_end(connection)).await;
}

#[tokio::test]
async fn invalid_http_closes_only_its_connection() {
    let (_v2, shim) = Running::with_users().await;
    for bytes in [
        b"\x16\x03\x01\x02\0\x01\0".as_slice(),
        b"GET\r\n\r\n",
        b"POST /v1/user/get HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST /v1/user/get HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /v1/\0 HTTP/1.1\r\n\r\n",
    ] {
        let mut connection = shim.raw(bytes).await;
        connection.shutdown().await.unwrap();
        soon(read_to_end(connection)).await;
    }
    let long = format!("POST /v1/user/get?{} HTTP/1.1\r\n\r\n", "x".repeat(200_000));
    let connection = shim.raw(&long.into_bytes()).await;
    soon(read_to_end(connection)).await;
    assert_eq!(shim.call("user/get", &[("id", "u1")]).await["id"], "u1");
}

#[tokio::test]
async fn serves_pipelined_requests() {
    let (_v2, shim) = Running::with_users().await;
    let one = "POST /v1/user/get HTTP/1.1\r\nHost: shim\r\nContent-Length: 0\r\n";
    let both = format!("{one}\r\n{one}Connection: close\r\n\r\n");
    let answer = soon(read_to_end(shim.raw(both.as_bytes()).await)).await;
    assert_eq!(
        answer.matches("Api key and secret are required.").count(),
        2
    );
}

#[tokio::test]
async fn rejects_requests_beyond_the_limit() {
    let (v2, mut arrivals, gate) = ScriptedV2::gated(|_| true).await;
    let shim = Running::with_limits(&v2, |limits| limits.requests = 1).await;
    let first = tokio::spawn(shim.form("user/get", &[("id", "u1")]).send());
    soon(arrivals.recv()).await.unwrap();
    let second = shim.form("user/get", &[("id", "u1")]).send().await.unwrap();
    assert_eq!(
        show(second).await,
        "200 application/json;charset=UTF-8\n\
         {\"error\":{\"code\":403,\"message\":\"Sorry, the maximum number of api requests are \
         already reached. Please try later.\"}}"
    );
    gate.add_permits(10);
    let first = first.await.unwrap().unwrap();
    assert_eq!(json(first).await["id"], "u1");
}

#[tokio::test]
async fn write_keeps_its_permit_after_the_client_disconnects() {
    let (v2, mut arrivals, gate) = ScriptedV2::gated(|_| true).await;
    let shim = Running::with_limits(&v2, |limits| limits.requests = 1).await;
    let write = shim.form("user/update", &[("id", "u1"), ("dept", "x")]);
    let left = tokio::spawn(write.send());
    soon(arrivals.recv()).await.unwrap();
    left.abort();
    assert!(left.await.unwrap_err().is_cancelled());
    // Also after the shim has noticed.
    for _ in 0..20 {
        let second = shim.call("user/get", &[("id", "u1")]).await;
        assert_eq!(second["error"]["code"], 403, "{second}");
    }
    gate.add_permits(10);
    // The permit is released when the write completes.
    let is_there_room =
        async { while shim.call("user/get", &[("id", "u1")]).await["id"] != "u1" {} };
    soon(is_there_room).await;
}

#[tokio::test]
async fn shutdown_waits_for_requests_in_progress() {
    let (v2, mut arrivals, gate) = ScriptedV2::gated(|_| true).await;
    let shim = Running::with_limits(&v2, |limits| limits.shutdown = Duration::from_secs(20)).await;
    let idle = shim.raw(b"").await;
    let address = shim.address;
    let request = tokio::spawn(shim.form("user/get", &[("id", "u1")]).send());
    soon(arrivals.recv()).await.unwrap();
    let stopped = shim.stop();
    // No new connection is accepted.
    soon(async { while TcpStream::connect(address).await.is_ok() {} }).await;
    gate.add_permits(10);
    let response = request.await.unwrap().unwrap();
    assert_eq!(json(response).await["id"], "u1");
    assert_eq!(soon(stopped).await.unwrap(), Stopped::Drained);
    drop(idle);
}

#[tokio::test]
async fn shutdown_cuts_off_after_the_timeout() {
    let (v2, mut arrivals, _gate) = ScriptedV2::gated(|_| true).await;
    let shim =
        Running::with_limits(&v2, |limits| limits.shutdown = Duration::from_millis(50)).await;
    let request = tokio::spawn(
        shim.form("user/update", &[("id", "u1"), ("dept", "x")])
            .send(),
    );
    soon(arrivals.recv()).await.unwrap();
    assert_eq!(soon(shim.stop()).await.unwrap(), Stopped::CutOff);
    request.abort();
}

/// An engine whose every call panics.
#[derive(Debug)]
struct Defect;

macro_rules! defects {
    ($($name:ident($($given:ty),*) -> $answer:ty;)+) => {
        impl Engine for Defect {
            fn kind(&self) -> &'static str {
                "defect"
            }

            fn processes(&self) -> Option<Processes> {
                None
            }

            $(fn $name(&self, $(_: $given),*) -> Answer<'_, $answer> {
                panic!("a defect")
            })+
        }
    };
}

defects! {
    list(Name, Name) -> (Option<Bytes>, u64);
    save_cursors(Name, Name, Bytes) -> ();
    value(Name) -> Option<Bytes>;
    set_value(Name, Bytes, Duration) -> ();
    generation(Name) -> u64;
    advance(Name) -> ();
    begin(Write, Run, Duration, Bytes) -> Begun;
    step(Write, Run, Duration, Option<Bytes>) -> bool;
    end(Write, Run, Ending) -> bool;
    progress(Write, Run) -> Progress;
    is_open(Write) -> bool;
    reserve(Reservation) -> Option<Duration>;
    refused(Name, Name, Option<Subject>, Duration) -> ();
    fail(Name, Duration) -> u64;
    failures(Name) -> u64;
    put(Name, NewMessage, i64) -> Put;
    has_seen(Name, Name, i64) -> bool;
    claim(Name, i64, Duration, Run) -> Option<Claimed>;
    renew(Name, Claim, i64, Duration) -> bool;
    settle(Name, Claim, Settlement, i64) -> bool;
    next_due(Name) -> Option<i64>;
    dead_letters(Name, usize) -> Vec<DeadLetter>;
    requeue(Name, Dead, i64) -> usize;
    counts(Name) -> Counts;
}

#[tokio::test]
async fn panic_is_answered_with_an_error() {
    let v2 = ScriptedV2::with_users().await;
    let setup = Setup {
        dependencies: |limits| {
            let state = State::on(Arc::new(Defect), AnswerCache::from(limits));
            Dependencies::with(state.unwrap())
        },
        ..Setup::default()
    };
    let shim = Running::with(&v2, setup).await;
    let create = [("email", "new@example.com"), ("type", "1")];
    for (operation, parameters) in [("user/list", &[][..]), ("user/create", &create)] {
        let response = shim.form(operation, parameters).send().await.unwrap();
        assert_eq!(
            show(response).await,
            "200 application/json;charset=UTF-8\n\
             {\"error\":{\"code\":500,\"message\":\"The shim failed; nothing is known about the \
             outcome.\"}}"
        );
    }
}

/// Idle connections and partial bodies hold no request permits.
#[tokio::test]
async fn idle_and_slow_connections_do_not_stop_a_fast_client() {
    let v2 = ScriptedV2::with_users().await;
    let shim = Running::with_limits(&v2, |limits| limits.requests = 1).await;
    let mut open = Vec::new();
    for _ in 0..200 {
        let mut idle = shim.raw(b"GET /idle HTTP/1.1\r\nHost: shim\r\n\r\n").await;
        let mut answer = [0; 12];
        soon(idle.read_exact(&mut answer)).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 404");
        open.push(idle);
    }
    for _ in 0..50 {
        let half = format!(
            "POST /v1/user/get HTTP/1.1\r\nHost: shim\r\nContent-Type: {FORM}\r\n\
             Content-Length: 100\r\n\r\napi_key="
        );
        open.push(shim.raw(half.as_bytes()).await);
    }
    for _ in 0..5 {
        let answer = soon(shim.call("user/get", &[("id", "u1")])).await;
        assert_eq!(answer["id"], "u1", "{answer}");
    }
    drop(open);
}
