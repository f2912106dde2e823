//! What the engine does when its Redis server fails.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mappings::translation::{Journal, WriteKey};
use tempfile::TempDir;
use tokio::task::spawn_blocking;

use super::{
    Bench, CACHE, LONG, fresh, fresh_write,
    redis_server::{Server, words},
    soon,
};
use crate::{
    settings::{OnOutage, RedisUrl, StateConfig, StateUrl},
    state::{Engine, Key, State, StateError, engine::Begun, new_run, redis::Redis, writes::Entry},
};

pub(super) async fn opened(url: &str) -> Result<Arc<dyn Engine>, StateError> {
    let url = RedisUrl::read(url, None).unwrap();
    let opened = spawn_blocking(move || Redis::open(&url, None, 0));
    opened.await.unwrap().map(|engine| Arc::new(engine) as _)
}

pub(super) async fn bench() -> Option<Bench> {
    let server = Server::start()?;
    Some(Bench {
        engine: opened(&server.url()).await.unwrap(),
        folder: None,
        server: Some(server),
    })
}

/// The longest that one operation may take, with room for a busy machine: timeouts are 100 ms.
const BOUND: Duration = Duration::from_secs(1);

/// Fails quickly, and comes back.
async fn fails_and_comes_back(on: &Arc<dyn Engine>, repair: impl FnOnce()) {
    soon(async || {
        let since = Instant::now();
        let failed = on.generation(fresh()).await.is_err();
        assert!(since.elapsed() < BOUND, "{:?}", since.elapsed());
        failed && on.is_down()
    })
    .await;
    repair();
    soon(async || on.generation(fresh()).await.is_ok()).await;
}

#[tokio::test]
async fn restarted_server_keeps_the_state() {
    let Some(mut server) = Server::durable() else {
        return;
    };
    let on = opened(&server.url()).await.unwrap();
    let (write, run) = (fresh_write(), new_run());
    on.begin(write, run, LONG, "journal".into()).await.unwrap();
    server.kill();
    fails_and_comes_back(&on, || server.start_again()).await;
    assert!(on.step(write, run, LONG, None).await.unwrap());
}

#[tokio::test]
async fn restarted_server_without_data_is_used_again() {
    for options in ["--save 3600 1", "--appendonly yes --appendfsync everysec"] {
        let Some(mut server) = Server::with(|_| words(options)) else {
            return;
        };
        let on = opened(&server.url()).await.unwrap();
        let (write, run) = (fresh_write(), new_run());
        on.begin(write, run, LONG, "journal".into()).await.unwrap();
        server.kill();
        fails_and_comes_back(&on, || server.start_again()).await;
        // What it had not written is gone: the run has lost its lease, and another one begins.
        if !on.step(write, run, LONG, None).await.unwrap() {
            let begun = on.begin(write, new_run(), LONG, "journal".into());
            assert_eq!(begun.await.unwrap(), Begun::Leased(None), "{options}");
        }
    }
}

#[tokio::test]
async fn closed_connections_are_replaced() {
    let Some(server) = Server::start() else {
        return;
    };
    let on = opened(&server.url()).await.unwrap();
    let (write, run) = (fresh_write(), new_run());
    on.begin(write, run, LONG, "journal".into()).await.unwrap();
    server.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
    soon(async || on.step(write, run, LONG, None).await.is_ok_and(|held| held)).await;
}

#[tokio::test]
async fn a_stopped_server_costs_no_more_than_the_timeouts() {
    let Some(server) = Server::start() else {
        return;
    };
    let on = opened(&server.url()).await.unwrap();
    server.signal("-STOP");
    fails_and_comes_back(&on, || server.signal("-CONT")).await;
}

#[tokio::test]
async fn a_slow_server_costs_no_more_than_the_timeouts() {
    let Some(server) = Server::start() else {
        return;
    };
    let on = opened(&server.url()).await.unwrap();
    server.cli(&["CLIENT", "PAUSE", "5000", "ALL"]);
    fails_and_comes_back(&on, || {}).await;
}

#[tokio::test]
async fn flushed_scripts_are_loaded_again() {
    let Some(server) = Server::start() else {
        return;
    };
    let on = opened(&server.url()).await.unwrap();
    on.advance(fresh()).await.unwrap();
    assert_eq!(server.cli(&["SCRIPT", "FLUSH"]), "OK");
    on.advance(fresh()).await.unwrap();
}

#[tokio::test]
async fn after_a_flush_a_run_has_lost_its_lease() {
    let Some(server) = Server::start() else {
        return;
    };
    let on = opened(&server.url()).await.unwrap();
    let (write, run) = (fresh_write(), new_run());
    on.begin(write, run, LONG, "journal".into()).await.unwrap();
    assert_eq!(server.cli(&["FLUSHALL"]), "OK");
    assert!(!on.step(write, run, LONG, None).await.unwrap());
    let begun = on.begin(write, run, LONG, "journal".into()).await.unwrap();
    assert_eq!(begun, Begun::Leased(None));
}

#[tokio::test]
async fn a_full_server_fails_writes_only() {
    let Some(server) = Server::start() else {
        return;
    };
    let on = opened(&server.url()).await.unwrap();
    assert_eq!(server.cli(&["CONFIG", "SET", "maxmemory", "1"]), "OK");
    assert!(
        on.begin(fresh_write(), new_run(), LONG, "".into())
            .await
            .is_err()
    );
    assert_eq!(on.generation(fresh()).await.unwrap(), 0);
    server.cli(&["CONFIG", "SET", "maxmemory", "0"]);
    assert!(
        on.begin(fresh_write(), new_run(), LONG, "".into())
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_replica_is_not_written_to() {
    let Some(server) = Server::start() else {
        return;
    };
    let on = opened(&server.url()).await.unwrap();
    server.cli(&["REPLICAOF", "127.0.0.1", "1"]);
    soon(async || on.advance(fresh()).await.is_err() && on.is_down()).await;
    server.cli(&["REPLICAOF", "NO", "ONE"]);
    soon(async || on.advance(fresh()).await.is_ok()).await;
}

#[tokio::test]
async fn a_server_that_evicts_keys_is_refused() {
    let Some(server) = Server::start() else {
        return;
    };
    server.cli(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
    let error = opened(&server.url()).await.unwrap_err();
    assert!(error.to_string().contains("noeviction"), "{error}");
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    let Some(server) = Server::start() else {
        return;
    };
    server.cli(&["CONFIG", "SET", "requirepass", "right"]);
    let url = |password| format!("redis://:{password}@127.0.0.1:{}/0", server.port);
    assert!(opened(&url("wrong")).await.is_err());
    assert!(opened(&url("right")).await.is_ok());
}

#[tokio::test]
async fn without_a_server_writes_are_local_or_refused() {
    let folder = TempDir::new().unwrap();
    let key_file = folder.path().join("key");
    std::fs::write(&key_file, [7; 32]).unwrap();
    // The discard port: nothing listens.
    let url = RedisUrl::read("redis://127.0.0.1:9/0", None).unwrap();
    let config = |on_outage| StateConfig {
        on_outage,
        ..StateConfig::new(StateUrl::Redis(url.clone()), Some(key_file.clone()))
    };
    let open = async |on_outage| {
        let config = config(on_outage);
        spawn_blocking(move || State::open(&config, CACHE))
            .await
            .unwrap()
            .unwrap()
    };
    let tenant = Key::new([b"tenant".as_slice()]);
    let write = WriteKey([1; 32]);
    let local = open(OnOutage::Local).await;
    assert!(local.is_degraded());
    let begun = local
        .begin(
            local.write_name(&tenant, &tenant, &write),
            &Journal::default(),
        )
        .await;
    assert!(matches!(begun, Ok(Entry::Runs(..))));
    let refusing = open(OnOutage::RefuseWrites).await;
    assert!(
        refusing
            .begin(
                refusing.write_name(&tenant, &tenant, &write),
                &Journal::default()
            )
            .await
            .is_err()
    );
}

#[tokio::test]
async fn stored_values_are_encrypted() {
    let Some(server) = Server::start() else {
        return;
    };
    let folder = TempDir::new().unwrap();
    let key_file = folder.path().join("key");
    std::fs::write(&key_file, [7; 32]).unwrap();
    let url = RedisUrl::read(&server.url(), None).unwrap();
    let config = StateConfig::new(StateUrl::Redis(url), Some(key_file));
    let state = spawn_blocking(move || State::open(&config, CACHE))
        .await
        .unwrap()
        .unwrap();
    let words = [
        "ada@example.com",
        "/users/u1",
        "token-of-a-page",
        "a-body",
        "tenant-id",
    ];
    let [address, list, token, body, tenant] = words;
    let tenant = Key::new([tenant.as_bytes()]);
    let cursors = vec![(2, token.to_owned())];
    state.save_cursors(&tenant, list, &tenant, &cursors).await;
    let queue = state.queue("words");
    let id = Key::new([address.as_bytes()]);
    queue.put(id, id, body.as_bytes(), 0).await.unwrap();
    let write = WriteKey(*id.as_bytes());
    let Ok(Entry::Runs(run, _)) = state
        .begin(
            state.write_name(&tenant, &tenant, &write),
            &Journal::default(),
        )
        .await
    else {
        panic!("no run");
    };
    run.finish(address.as_bytes()).await;
    assert!(server.cli(&["DBSIZE"]).parse::<u32>().unwrap() > 3);
    server.cli(&["CONFIG", "SET", "appendonly", "no"]);
    server.cli(&["SAVE"]);
    let mut seen = Vec::new();
    let mut folders = vec![server.folder.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                seen.extend(std::fs::read(path).unwrap());
            }
        }
    }
    assert!(seen.len() > 100);
    for word in words {
        let is_there = seen.windows(word.len()).any(|part| part == word.as_bytes());
        assert!(!is_there, "{word}");
    }
    let digest = id.as_bytes();
    assert!(
        !seen.windows(32).any(|part| part == digest),
        "a digest without a key"
    );
}
