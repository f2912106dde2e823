//! A ledger in PostgreSQL, shared by several shims.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "test code outside of test functions"
)]

#[expect(
    dead_code,
    unused_imports,
    reason = "the other test programs use the rest"
)]
mod running;
#[expect(dead_code, reason = "the other test programs use the rest")]
mod servers;

use std::{process::Command, sync::Arc, time::Duration};

use mappings::Catalog;
use recording::usage::Usage;
use running::{Running, ScriptedV2, Setup};
use servers::{PASSWORD, Postgres};
use shim::{
    observe::ledger::{Filter, Ledger, LedgerError},
    settings::{LedgerConfig, LedgerPlace},
};
use tokio::task::spawn_blocking;

const TIMEOUT: Duration = Duration::from_secs(30);

fn start(url: &str) -> Result<Arc<Ledger>, LedgerError> {
    let mut config = LedgerConfig::new(LedgerPlace::read(url, None));
    // Tests flush explicitly.
    config.flush = Duration::from_secs(3600);
    Ledger::start(config, &Catalog::embedded().unwrap()).map(Arc::new)
}

async fn serving(v2: &ScriptedV2, ledger: &Arc<Ledger>) -> Running {
    let setup = Setup {
        ledger: Some(Arc::clone(ledger)),
        ..Setup::default()
    };
    Running::with(v2, setup).await
}

async fn get(shim: &Running) {
    assert_eq!(shim.call("user/get", &[("id", "u1")]).await["id"], "u1");
}

/// Writes pending sums; returns whether that succeeded.
async fn flush(ledger: &Arc<Ledger>) -> bool {
    let ledger = Arc::clone(ledger);
    spawn_blocking(move || ledger.flush(TIMEOUT)).await.unwrap()
}

async fn usage(ledger: &Arc<Ledger>) -> Usage {
    let (ledger, filter) = (
        Arc::clone(ledger),
        Filter {
            limit: 100,
            ..Filter::default()
        },
    );
    spawn_blocking(move || ledger.usage(&filter, TIMEOUT).unwrap())
        .await
        .unwrap()
}

fn answered(usage: &Usage) -> u64 {
    let operations = usage
        .consumers
        .iter()
        .flat_map(|consumer| &consumer.operations);
    operations.map(|used| used.outcomes.answered).sum()
}

#[tokio::test]
async fn several_shims_write_one_ledger() {
    let Some(server) = Postgres::start() else {
        return;
    };
    let v2 = ScriptedV2::with_users().await;
    let ledgers = [(), ()].map(|()| start(&server.url_with(PASSWORD)).unwrap());
    let mut shims = Vec::new();
    for ledger in &ledgers {
        shims.push(serving(&v2, ledger).await);
    }
    for shim in shims.iter().chain(&shims[..1]) {
        get(shim).await;
    }
    let written = ledgers.each_ref().map(flush);
    assert_eq!(futures_util::future::join_all(written).await, [true, true]);
    let usages = [usage(&ledgers[0]).await, usage(&ledgers[1]).await];
    for usage in &usages {
        assert_eq!(
            (answered(usage), usage.unwritten, usage.consumers.len()),
            (3, 0, 1)
        );
        assert_eq!(usage.consumers[0].operations[0].parameters[0].requests, 3);
    }
    assert!(usages[0].ledger.is_some());
    assert_eq!(usages[0].ledger, usages[1].ledger);
}

#[tokio::test]
async fn writes_after_an_outage_without_loss() {
    let Some(mut server) = Postgres::start() else {
        return;
    };
    let v2 = ScriptedV2::with_users().await;
    let ledger = start(&server.url_with(PASSWORD)).unwrap();
    let shim = serving(&v2, &ledger).await;
    get(&shim).await;
    assert!(flush(&ledger).await);
    server.kill();
    get(&shim).await;
    assert!(!flush(&ledger).await);
    get(&shim).await;
    server.resume();
    assert!(flush(&ledger).await);
    assert_eq!(answered(&usage(&ledger).await), 3);
}

/// The server accepts connections, but never answers.
#[tokio::test]
async fn frozen_server_does_not_block_requests() {
    let Some(server) = Postgres::start() else {
        return;
    };
    let v2 = ScriptedV2::with_users().await;
    let ledger = start(&server.url_with(PASSWORD)).unwrap();
    let shim = serving(&v2, &ledger).await;
    get(&shim).await;
    server.signal_all("STOP");
    let writing = tokio::spawn({
        let ledger = Arc::clone(&ledger);
        async move { flush(&ledger).await }
    });
    get(&shim).await;
    assert!(!writing.await.unwrap());
    server.signal_all("CONT");
    assert!(flush(&ledger).await);
    assert_eq!(answered(&usage(&ledger).await), 2);
}

#[tokio::test]
async fn starts_while_the_server_is_down() {
    let Some(mut server) = Postgres::stopped() else {
        return;
    };
    let v2 = ScriptedV2::with_users().await;
    let ledger = start(&server.url_with(PASSWORD)).unwrap();
    let shim = serving(&v2, &ledger).await;
    get(&shim).await;
    assert!(!flush(&ledger).await);
    server.resume();
    assert!(flush(&ledger).await);
    let usage = usage(&ledger).await;
    assert_eq!((answered(&usage), usage.kept.spans.len()), (1, 1));
}

#[test]
fn permanent_errors_prevent_the_start() {
    let Some(server) = Postgres::start() else {
        return;
    };
    let refusal = |url: &str| {
        let error = anyhow::Error::from(start(url).unwrap_err());
        format!("{error:#}")
    };
    let wrong = refusal(&server.url_with("not-the-hush"));
    assert!(wrong.contains("password authentication failed"), "{wrong}");
    assert!(!wrong.contains("hush"), "{wrong}");
    let url = server.url_with(PASSWORD).replace("/postgres?", "/no_such?");
    assert!(
        refusal(&url).contains("does not exist"),
        "{}",
        refusal(&url)
    );

    // Tables of a later version are not changed.
    drop(start(&server.url_with(PASSWORD)).unwrap());
    let newer = "UPDATE shim_ledger.version SET schema = 3";
    let changed = Command::new("psql")
        .args([&server.url_with(PASSWORD), "-qc", newer])
        .status();
    assert!(changed.unwrap().success());
    let newer = refusal(&server.url_with(PASSWORD));
    assert!(
        newer.contains("a newer shim wrote the ledger (schema 3"),
        "{newer}"
    );
}

#[tokio::test]
async fn usage_command_merges_several_ledgers() {
    let Some(server) = Postgres::start() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder
        .path()
        .join("ledger.sqlite")
        .to_str()
        .unwrap()
        .to_owned();
    let print = |ledgers: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_shim"))
            .arg("usage")
            .args(ledgers)
            .env("SHIM_LEDGER_PASSWORD", PASSWORD)
            .output()
            .unwrap()
    };
    let none = print(&[&server.url()]);
    let error = String::from_utf8(none.stderr).unwrap();
    assert_eq!(none.status.code(), Some(1));
    assert!(error.contains("empty"), "{error}");

    let v2 = ScriptedV2::with_users().await;
    for place in [&file, &server.url_with(PASSWORD)] {
        let ledger = start(place).unwrap();
        get(&serving(&v2, &ledger).await).await;
        assert!(flush(&ledger).await);
    }
    let both = print(&[&file, &server.url()]);
    let documents = Usage::read_all(&both.stdout).unwrap();
    let all: Vec<_> = documents.iter().map(answered).collect();
    assert_eq!(all, [1, 1]);
}

#[test]
fn uses_tls_if_the_certificate_is_trusted() {
    let Some(mut server) = Postgres::stopped() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let program = || Command::new(env!("CARGO_BIN_EXE_shim"));
    let made = program()
        .arg("dev-cert")
        .arg("--dir")
        .arg(folder.path())
        .output();
    assert!(made.unwrap().status.success());
    server.offer_tls(folder.path());
    server.resume();
    let url = server.url().replace("sslmode=disable", "sslmode=require");
    let usage = |roots: &str| {
        let mut usage = program();
        usage
            .args(["usage", &url])
            .env("SHIM_LEDGER_PASSWORD", PASSWORD);
        let read = usage
            .env("SSL_CERT_FILE", folder.path().join(roots))
            .output();
        String::from_utf8(read.unwrap().stderr).unwrap()
    };
    assert!(
        usage("ca.pem").contains("the ledger is empty"),
        "{}",
        usage("ca.pem")
    );
    // An authority that did not sign it.
    let other = tempfile::tempdir().unwrap();
    let made = program()
        .arg("dev-cert")
        .arg("--dir")
        .arg(other.path())
        .output();
    assert!(made.unwrap().status.success());
    let other = other.path().join("ca.pem");
    let refused = usage(other.to_str().unwrap());
    assert!(refused.contains("certificate"), "{refused}");
}
