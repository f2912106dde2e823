//! Requests while Redis fails, and a shim that is frozen.

use std::time::{Duration, Instant};

use crate::{
    redis_server::Server,
    site::{SECRET, Site, call, client, on_redis, on_sqlite, send, soon},
    v2::V2,
};

const USER: [(&str, &str); 1] = [("id", "ada.lovelace@example.com")];

/// Requests of each kind at both replicas, one after the other; the longest of a hundred, without
/// the slowest one.
async fn p99(site: &Site) -> Duration {
    let client = client();
    let mut times = Vec::new();
    for number in 0..100 {
        let port = site.ports()[number % 2];
        let dept = format!("d{number}");
        let since = Instant::now();
        let answer = match number % 4 {
            0 => call(&client, port, "user/list", &[]).await,
            1 => call(&client, port, "user/update", &[USER[0], ("dept", &dept)]).await,
            _ => call(&client, port, "user/get", &USER).await,
        };
        times.push(since.elapsed());
        assert!(answer.unwrap()["error"].is_null());
    }
    times.sort();
    times[98]
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_stay_fast_while_redis_fails() {
    let Some(mut redis) = Server::start() else {
        return;
    };
    let v2 = V2::start().await;
    let site = Site::start(&v2, 2, on_redis(&redis)).await;
    let second = Duration::from_secs(1);
    assert!(p99(&site).await < second);

    redis.signal("-STOP");
    let stopped = p99(&site).await;
    assert!(stopped < second, "stopped: {stopped:?}");
    redis.signal("-CONT");
    soon(async || site.state_status().await == ["ok"; 2]).await;

    redis.cli(&["CLIENT", "PAUSE", "3000", "ALL"]);
    let slow = p99(&site).await;
    assert!(slow < second, "slow: {slow:?}");
    soon(async || site.state_status().await == ["ok"; 2]).await;

    redis.cli(&["CONFIG", "SET", "maxmemory", "1"]);
    let full = p99(&site).await;
    assert!(full < second, "out of memory: {full:?}");
    redis.cli(&["CONFIG", "SET", "maxmemory", "0"]);

    assert_eq!(redis.cli(&["FLUSHALL"]), "OK");
    assert_eq!(redis.cli(&["SCRIPT", "FLUSH"]), "OK");
    assert!(p99(&site).await < second, "flushed");

    redis.cli(&["REPLICAOF", "127.0.0.1", "1"]);
    let read_only = p99(&site).await;
    assert!(read_only < second, "read-only: {read_only:?}");
    redis.cli(&["REPLICAOF", "NO", "ONE"]);

    redis.kill();
    let killed = p99(&site).await;
    assert!(killed < second, "killed: {killed:?}");
    redis.start_again();
    let since = Instant::now();
    soon(async || site.state_status().await == ["ok"; 2]).await;
    assert!(since.elapsed() < Duration::from_secs(40));
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_start_without_redis_serve_and_find_it_later() {
    let Some(mut redis) = Server::start() else {
        return;
    };
    redis.kill();
    let v2 = V2::start().await;
    let site = Site::start(&v2, 2, on_redis(&redis)).await;
    assert_eq!(site.state_status().await, ["degraded"; 2]);
    assert!(p99(&site).await < Duration::from_secs(1));
    redis.start_again();
    soon(async || site.state_status().await == ["ok"; 2]).await;
}

/// A create whose process stops for longer than its lease, after v2 did the first of its calls.
async fn frozen(settings: Vec<(&'static str, String)>) {
    let v2 = V2::with(Duration::from_millis(500)).await;
    let site = Site::start(&v2, 2, settings).await;
    let ports = site.ports();
    let parameters = [
        ("email", "frozen@example.com"),
        ("type", "2"),
        ("dept", "Engines"),
        ("disable_chat", "true"),
    ];
    let first = tokio::spawn({
        let port = ports[0];
        async move {
            let given = (SECRET, parameters.as_slice());
            send(&client(), port, "user/custcreate", given).await
        }
    });
    soon(async || !v2.times("POST /users").is_empty()).await;
    site.signal(0, "STOP");
    let client = client();
    soon(async || {
        let answer = call(&client, ports[1], "user/custcreate", &parameters)
            .await
            .unwrap();
        match answer["error"]["code"].as_i64() {
            None => answer["dept"] == "Engines",
            // The lease of the other process runs.
            Some(code) => {
                assert_eq!(code, 403, "{answer}");
                false
            }
        }
    })
    .await;
    let changes = || v2.times("PATCH ").len();
    let made = changes();
    assert!(made >= 1);
    site.signal(0, "CONT");
    // It answers, in whichever way, and makes no further call.
    let _ = first.await.unwrap();
    assert_eq!(changes(), made);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_shim_makes_no_call_after_its_lease_on_redis() {
    if let Some(redis) = Server::start() {
        frozen(on_redis(&redis)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_shim_makes_no_call_after_its_lease_on_one_file() {
    frozen(on_sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_are_rejected_while_redis_is_stopped_if_configured() {
    let Some(redis) = Server::start() else {
        return;
    };
    let v2 = V2::start().await;
    let mut settings = on_redis(&redis);
    settings.push(("SHIM_STATE_ON_OUTAGE", "refuse-writes".to_owned()));
    let site = Site::start(&v2, 1, settings).await;
    redis.signal("-STOP");
    let (client, port) = (client(), site.ports()[0]);
    v2.forget();
    let changed = [USER[0], ("dept", "Engines")];
    let answer = call(&client, port, "user/update", &changed).await.unwrap();
    assert_eq!(answer["error"]["code"], 403, "{answer}");
    assert!(v2.times("PATCH").is_empty());
    let answer = call(&client, port, "user/get", &USER).await.unwrap();
    assert!(answer["error"].is_null(), "reads go on: {answer}");
}
