//! Redis with TLS, with users, behind sentinels, and as a cluster.

use std::{fs, path::PathBuf, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use tokio::task::spawn_blocking;

use super::{LONG, fresh_write, redis::opened, redis_server::Server, soon};
use crate::{
    settings::RedisUrl,
    state::{Engine, StateError, engine::Begun, new_run, redis::Redis},
};

async fn opened_with(
    url: String,
    ca_file: Option<PathBuf>,
    wait_replicas: u32,
) -> Result<Arc<dyn Engine>, StateError> {
    let opened = spawn_blocking(move || {
        let url = RedisUrl::read(&url, None).unwrap();
        Redis::open(&url, ca_file.as_deref(), wait_replicas)
    });
    opened.await.unwrap().map(|engine| Arc::new(engine) as _)
}

/// What a user of Redis needs to be allowed, as the documentation has it.
const COMMANDS: [&str; 9] = [
    "~shim:1:*",
    "-@all",
    "+@read",
    "+@write",
    "+@scripting",
    "+@connection",
    "+time",
    "+role",
    "+wait",
];

#[tokio::test]
async fn a_user_with_the_documented_rights_is_enough() {
    let Some(server) = Server::start() else {
        return;
    };
    let mut words = vec!["ACL", "SETUSER", "shim", "on", ">hu@sh"];
    words.extend(COMMANDS);
    assert_eq!(server.cli(&words), "OK");
    assert_eq!(server.cli(&["ACL", "SETUSER", "default", "off"]), "OK");
    let url = |login: &str| format!("redis://{login}@127.0.0.1:{}/0", server.port);
    let on = opened(&url("shim:hu%40sh")).await.unwrap();
    super::cursors_come_back_with_the_generation(Arc::clone(&on)).await;
    super::a_response_is_kept_only_for_waiting_requests(Arc::clone(&on)).await;
    super::calls_are_spread_over_time(Arc::clone(&on)).await;
    super::failures_are_forgotten_after_their_window(Arc::clone(&on)).await;
    super::a_dead_letter_is_requeued_at_the_end(on).await;
    let Err(error) = opened(&url("shim:other")).await else {
        panic!("a wrong password");
    };
    assert!(!error.to_string().contains("other"), "{error}");
}

/// A CA, and the certificate of 127.0.0.1 that it issued.
fn certificates() -> TempDir {
    let folder = TempDir::new().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    for (name, text) in [
        ("ca.pem", authority.pem()),
        ("cert.pem", certificate.pem()),
        ("key.pem", key.serialize_pem()),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

#[tokio::test]
async fn a_server_with_tls_is_believed_by_its_authority_only() {
    let certificates = certificates();
    let Some(server) = Server::with_tls(&certificates) else {
        return;
    };
    shim_upstream::install_tls();
    let url = || format!("rediss://127.0.0.1:{}/0", server.port);
    let authority = certificates.path().join("ca.pem");
    let on = opened_with(url(), Some(authority), 0).await.unwrap();
    super::cursors_come_back_with_the_generation(on).await;
    let stranger = opened_with(url(), None, 0).await.unwrap();
    assert!(stranger.is_down(), "the system does not know the authority");
    let missing = certificates.path().join("none.pem");
    let error = opened_with(url(), Some(missing), 0).await.unwrap_err();
    assert!(matches!(error, StateError::CaFile { .. }), "{error}");
}

#[tokio::test]
async fn after_a_failover_the_new_master_has_the_lease() {
    let Some(mut master) = Server::start() else {
        return;
    };
    let Some(replica) = Server::with(|_| {
        let master = master.port.to_string();
        ["--replicaof", "127.0.0.1", &master]
            .map(str::to_owned)
            .to_vec()
    }) else {
        return;
    };
    soon(async || {
        replica
            .cli(&["INFO", "replication"])
            .contains("master_link_status:up")
    })
    .await;
    let Some((sentinel, _folder)) = Server::sentinel(master.port) else {
        return;
    };
    let port = replica.port.to_string();
    soon(async || {
        sentinel
            .cli(&["SENTINEL", "replicas", "main"])
            .contains(&port)
    })
    .await;

    let url = format!("redis+sentinel://127.0.0.1:{}/main/0", sentinel.port);
    let on = opened_with(url, None, 1).await.unwrap();
    assert!(!on.is_down());
    let (write, run) = (fresh_write(), new_run());
    let begun = on.begin(write, run, LONG, "journal".into()).await.unwrap();
    assert_eq!(begun, Begun::Leased(None));
    // The start waited for the replica: nothing else has.
    master.kill();
    soon(async || {
        on.step(write, run, LONG, None)
            .await
            .is_ok_and(|stepped| stepped)
    })
    .await;
    assert_eq!(replica.cli(&["ROLE"]).lines().next(), Some("master"));
}

#[tokio::test]
async fn cluster_behaves_like_a_single_server() {
    let node = || {
        Server::with(|port| {
            let bus = (port + 10_000).to_string();
            ["--cluster-enabled", "yes", "--cluster-port", &bus]
                .map(str::to_owned)
                .to_vec()
        })
    };
    let (Some(first), Some(second), Some(third)) = (node(), node(), node()) else {
        return;
    };
    let nodes = [first, second, third];
    for (node, slots) in nodes
        .iter()
        .zip([["0", "5000"], ["5001", "11000"], ["11001", "16383"]])
    {
        assert_eq!(
            node.cli(&["CLUSTER", "ADDSLOTSRANGE", slots[0], slots[1]]),
            "OK"
        );
        let port = nodes[0].port.to_string();
        assert_eq!(node.cli(&["CLUSTER", "MEET", "127.0.0.1", &port]), "OK");
    }
    let is_whole = |node: &Server| node.cli(&["CLUSTER", "INFO"]).contains("cluster_state:ok");
    soon(async || nodes.iter().all(is_whole)).await;

    let hosts: Vec<_> = nodes[..2]
        .iter()
        .map(|node| format!("127.0.0.1:{}", node.port))
        .collect();
    let on = opened(&format!("redis+cluster://{}", hosts.join(",")))
        .await
        .unwrap();
    assert!(!on.is_down());
    // Their names are spread over the nodes.
    for _ in 0..5 {
        super::cursors_come_back_with_the_generation(Arc::clone(&on)).await;
        super::a_write_has_one_run_at_a_time(Arc::clone(&on)).await;
        super::a_response_is_kept_only_for_waiting_requests(Arc::clone(&on)).await;
        super::a_refusal_is_about_one_subject_or_all_and_takes_nothing(Arc::clone(&on)).await;
        super::a_group_is_delivered_in_order_and_one_at_a_time(Arc::clone(&on)).await;
    }
    assert!(nodes.iter().all(|node| node.cli(&["DBSIZE"]) != "0"));
}
