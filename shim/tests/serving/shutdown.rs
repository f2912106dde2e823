//! Graceful shutdown behind a load balancer.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use shim::front::server::Stopped;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    task::JoinSet,
    time::sleep,
};

use crate::running::{FORM, KEY, Running, SECRET, ScriptedV2, Setup, json, soon};

/// A plain HTTP/1.1 connection. Client libraries would retry.
struct Connection(BufReader<TcpStream>);

impl Connection {
    async fn open(shim: &Running) -> io::Result<Self> {
        Ok(Self(BufReader::new(
            TcpStream::connect(shim.address).await?,
        )))
    }

    /// Requests a user; returns whether the connection stays open.
    async fn get(&mut self) -> io::Result<bool> {
        self.send().await?;
        self.receive().await
    }

    async fn send(&mut self) -> io::Result<()> {
        let body = format!("api_key={KEY}&api_secret={SECRET}&id=u1");
        let request = format!(
            "POST /v1/user/get HTTP/1.1\r\nHost: shim\r\nContent-Type: {FORM}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.0.write_all(request.as_bytes()).await
    }

    async fn receive(&mut self) -> io::Result<bool> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.0.read_line(&mut head).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let head = head.to_lowercase();
        let value = |name: &str| head.lines().find_map(|line| line.strip_prefix(name));
        let length = value("content-length: ").unwrap().parse().unwrap();
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await?;
        assert!(String::from_utf8(body).unwrap().contains(r#""id":"u1""#));
        Ok(value("connection: ") != Some("close"))
    }
}

async fn draining(v2: &ScriptedV2) -> Running {
    let setup = Setup {
        adjust: |limits| {
            limits.drain = Duration::from_secs(2);
            limits.shutdown = Duration::from_secs(20);
        },
        ..Setup::default()
    };
    Running::with(v2, setup).await
}

#[tokio::test]
async fn draining_connections_serve_one_more_request() {
    let v2 = ScriptedV2::with_users().await;
    let shim = draining(&v2).await;
    let mut kept = Connection::open(&shim).await.unwrap();
    assert!(kept.get().await.unwrap());
    shim.begin_stop();
    assert_eq!(shim.ops("/readyz").await, (503, "draining\n".to_owned()));
    assert_eq!(shim.ops("/healthz").await.0, 200);
    assert_eq!(shim.status().await["ready"], false);
    let mut new = Connection::open(&shim).await.unwrap();
    for connection in [&mut kept, &mut new] {
        assert!(!connection.get().await.unwrap());
        assert_eq!(soon(connection.0.read(&mut [0])).await.unwrap(), 0);
    }
    assert_eq!(soon(shim.stop()).await.unwrap(), Stopped::Drained);
}

#[tokio::test]
async fn waiting_connection_is_served_during_shutdown() {
    let (v2, mut arrivals, gate) = ScriptedV2::gated(|_| true).await;
    let setup = Setup {
        adjust: |limits| {
            limits.connections = 1;
            limits.shutdown = Duration::from_secs(20);
        },
        ..Setup::default()
    };
    let shim = Running::with(&v2, setup).await;
    let mut connections = Vec::new();
    for _ in 0..2 {
        let mut connection = Connection::open(&shim).await.unwrap();
        connection.send().await.unwrap();
        connections.push(connection);
        if connections.len() == 1 {
            soon(arrivals.recv()).await.unwrap();
        }
    }
    let stopped = shim.stop();
    gate.add_permits(1000);
    for connection in &mut connections {
        assert!(!soon(connection.receive()).await.unwrap());
    }
    assert_eq!(soon(stopped).await.unwrap(), Stopped::Drained);
}

/// A load balancer that polls `/readyz`.
#[derive(Default)]
struct Balancer {
    is_shim_leaving: AtomicBool,
    served: AtomicUsize,
}

impl Balancer {
    fn sends_more(&self) -> bool {
        !self.is_shim_leaving.load(Ordering::SeqCst)
    }

    async fn watch(&self, shim: &Running) {
        while shim.ops("/readyz").await.0 == 200 {
            sleep(Duration::from_millis(50)).await;
        }
        // Until requests that were routed before have been sent.
        sleep(Duration::from_millis(500)).await;
        self.is_shim_leaving.store(true, Ordering::SeqCst);
    }

    fn count(&self) -> usize {
        self.served.fetch_add(1, Ordering::SeqCst)
    }
}

async fn kept_connections(shim: &Running, balancer: &Balancer) {
    while balancer.sends_more() {
        let mut connection = Connection::open(shim).await.unwrap();
        while connection.get().await.unwrap() {
            balancer.count();
        }
        balancer.count();
    }
}

async fn new_connections(shim: &Running, balancer: &Balancer) {
    while balancer.sends_more() {
        let mut connection = Connection::open(shim).await.unwrap();
        connection.get().await.unwrap();
        balancer.count();
    }
}

async fn http2(shim: &Running, balancer: &Balancer) {
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .http2_prior_knowledge()
        .build()
        .unwrap();
    while balancer.sends_more() {
        let body = format!("api_key={KEY}&api_secret={SECRET}&id=u1");
        let request = client.post(shim.url("/v1/user/get")).body(body);
        let response = request.header("content-type", FORM).send().await.unwrap();
        assert_eq!(json(response).await["id"], "u1");
        balancer.count();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_cuts_no_request() {
    let v2 = ScriptedV2::with_users().await;
    let shim = Arc::new(draining(&v2).await);
    let balancer = Arc::new(Balancer::default());
    let mut load = JoinSet::new();
    for _ in 0..3 {
        for kind in 0..3 {
            let (shim, balancer) = (Arc::clone(&shim), Arc::clone(&balancer));
            load.spawn(async move {
                match kind {
                    0 => kept_connections(&shim, &balancer).await,
                    1 => new_connections(&shim, &balancer).await,
                    _ => http2(&shim, &balancer).await,
                }
            });
        }
    }
    let is_warm = async {
        while balancer.served.load(Ordering::SeqCst) < 100 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    soon(is_warm).await;
    shim.begin_stop();
    let before = balancer.served.load(Ordering::SeqCst);
    soon(balancer.watch(&shim)).await;
    // A panicked task is a request that was cut off.
    load.join_all().await;
    assert!(balancer.served.load(Ordering::SeqCst) > before + 20);
    let shim = Arc::into_inner(shim).unwrap();
    assert_eq!(soon(shim.stop()).await.unwrap(), Stopped::Drained);
}
