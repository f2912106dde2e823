//! Deliveries over TLS and to private addresses, by two processes, and over kills at any moment.

use std::{collections::BTreeMap, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use crate::stage::{PATIENCE, Push, Receiver, STATUS, Stage, form};

/// A receiver at `localhost` with TLS, and its authority.
async fn with_tls() -> (String, String) {
    shim::install_tls();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let config = rustls::ServerConfig::builder().with_no_client_auth();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = config
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "https://localhost:{}/",
        listener.local_addr().unwrap().port()
    );
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                let mut request = Vec::new();
                while !String::from_utf8_lossy(&request).contains("&host_id=") {
                    assert!(stream.read_buf(&mut request).await.unwrap() > 0);
                }
                let answer = b"HTTP/1.1 204 No Content\r\n\r\n";
                stream.write_all(answer).await.unwrap();
                let _ = stream.shutdown().await;
            });
        }
    });
    (url, issuer.pem())
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_verified_and_names_of_private_addresses_refused() {
    let stage = Stage::start().await;
    let (url, authority) = with_tls().await;
    let file = stage.folder.path().join("ca.pem");
    std::fs::write(&file, authority).unwrap();
    for (allowed, trusted, code, outcome) in [
        ("true", true, 0, "delivered"),
        ("true", false, 1, "no connection"),
        ("false", true, 1, "the host has a private address"),
    ] {
        let mut command = stage.command(&["notifications", "test"], &url);
        command.env("SHIM_RECEIVER_ALLOW_PRIVATE", allowed);
        if trusted {
            command.env("SSL_CERT_FILE", &file);
        }
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(code), "{text}");
        assert_eq!(text.matches(outcome).count(), 2, "{text}");
    }
}

/// The meeting of a push.
fn uuid(push: &Push) -> String {
    form(push, &STATUS)[1].clone()
}

#[tokio::test]
async fn two_processes_push_each_notification_once_and_in_order() {
    const MEETINGS: usize = 8;
    let (stage, receiver) = (Stage::start().await, Receiver::start().await);
    let shims = [
        stage.shim("127.0.0.1:0", &receiver.url, &stage.log()),
        stage.shim("127.0.0.1:0", &receiver.url, &stage.log()),
    ];
    let mut expected: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (number, event) in ["meeting.started", "meeting.ended", "meeting.started"]
        .iter()
        .enumerate()
    {
        for meeting in 0..MEETINGS {
            let shim = &shims[(number + meeting) % 2];
            let meeting = format!("m{meeting}");
            assert_eq!(stage.webhook(shim, event, &meeting, number).await, 200);
            let status = event.trim_start_matches("meeting.").to_uppercase();
            expected.entry(meeting).or_default().push(status);
        }
    }
    let mut delivered: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for push in receiver.accepted(3 * MEETINGS).await {
        let status = form(&push, &STATUS)[2].clone();
        delivered.entry(uuid(&push)).or_default().push(status);
    }
    assert_eq!(delivered, expected);
    // Nothing came twice before the next one.
    assert_eq!(
        stage.webhook(&shims[0], "meeting.ended", "last", 9).await,
        200
    );
    let pushes = receiver.accepted(3 * MEETINGS + 1).await;
    assert_eq!(uuid(&pushes[3 * MEETINGS]), "last");
}

#[tokio::test]
async fn kills_at_any_moment_lose_nothing() {
    const KILLS: usize = 5;
    const EVENTS: usize = 12;
    let (stage, receiver) = (Stage::start().await, Receiver::start().await);
    let mut shim = stage.shim("127.0.0.1:0", &receiver.url, &stage.log());
    let listen = shim.webhooks.split('/').nth(2).unwrap().to_owned();
    // v2 comes again until it is answered.
    stage.subscribe(&shim, &[1; 60]);
    for round in 0..KILLS {
        let before = receiver.got.borrow().len();
        for event in 0..EVENTS {
            stage
                .event("meeting.started", &format!("{round}.{event}"))
                .await;
        }
        // After none, some or most of them.
        let mut got = receiver.got.subscribe();
        let enough = got.wait_for(|got| got.len() >= before + round * 2);
        timeout(PATIENCE, enough).await.unwrap().unwrap();
        drop(shim);
        shim = stage.shim(&listen, &receiver.url, &stage.log());
    }
    let distinct = |got: &Vec<Push>| {
        got.iter()
            .map(uuid)
            .collect::<std::collections::BTreeSet<_>>()
    };
    let mut got = receiver.got.subscribe();
    let all = got.wait_for(|got| distinct(got).len() == KILLS * EVENTS);
    let all = timeout(PATIENCE, all).await.unwrap().unwrap().clone();
    // Only what was under way at a kill comes again.
    for meeting in distinct(&all) {
        let times = all.iter().filter(|push| uuid(push) == meeting).count();
        assert!(times <= 3, "{meeting}: {times}");
    }
}
