//! Accepts connections within limits, serves HTTP on them, and shuts down gracefully.

mod connection;
mod connection_limit;
mod tls;

use std::{io, pin::pin, sync::Arc, time::Duration};

use axum::{Router, body::Body};
use futures_util::{FutureExt as _, future::BoxFuture};
use hyper::{Request, Response};
use tokio::{
    net::{TcpListener, TcpStream},
    time,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower_service::Service as _;

pub use super::peer::Peer;
use crate::settings::Limits;
use connection::{HttpServer, Service};
use connection_limit::ConnectionLimit;
pub use tls::Tls;

/// After the system refused a connection for want of something, before asking it again.
const PAUSE: Duration = Duration::from_millis(100);

/// How serving ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// All requests in work were answered.
    Drained,
    /// Some were cut off when their time was over.
    CutOff,
}

/// What answers requests.
pub trait Handler: Clone + Send + Sync + 'static {
    /// The response to one request of a client.
    fn respond(&self, request: Request<Body>, peer: Peer) -> BoxFuture<'static, Response<Body>>;

    /// Waits for what goes on after its client is gone. No request may come any more.
    fn drain(&self) -> impl Future<Output = ()> + Send;
}

/// Where v1 is served: in plain HTTP, over TLS, or both. Over either, HTTP/1.1 and HTTP/2.
#[derive(Debug, Default)]
pub struct Listeners {
    /// Plain HTTP.
    pub plain: Option<TcpListener>,
    /// TLS, with what it is opened with.
    pub tls: Option<(TcpListener, Tls)>,
}

impl From<TcpListener> for Listeners {
    fn from(listener: TcpListener) -> Self {
        Self {
            plain: Some(listener),
            tls: None,
        }
    }
}

/// Serves v1 on listeners until `shutdown` resolves, then lets the requests in work end, within
/// [`Limits::shutdown`].
pub async fn serve(
    listeners: impl Into<Listeners>,
    handler: impl Handler,
    limits: &Limits,
    shutdown: impl Future<Output = ()>,
) -> Stopped {
    let responder = handler.clone();
    let service: Service = Box::new(move |request, peer| responder.respond(request, peer));
    let acceptor = Acceptor::new(service, limits);
    acceptor.run_until(listeners.into(), shutdown).await;
    let drained = time::timeout(limits.shutdown, async {
        acceptor.drain().await;
        handler.drain().await;
    });
    match drained.await {
        Ok(()) => Stopped::Drained,
        Err(_) => Stopped::CutOff,
    }
}

/// Serves the operations address as long as it is polled, within the same bounds.
pub async fn serve_ops(listener: TcpListener, ops: Router, limits: &Limits) {
    let service: Service = Box::new(move |request, _| {
        let answered = ops.clone().call(request);
        answered
            .map(|answered| answered.unwrap_or_else(|never| match never {}))
            .boxed()
    });
    let acceptor = Acceptor::new(service, limits);
    acceptor
        .run_until(listener.into(), std::future::pending())
        .await;
}

/// What all listeners of one service share.
struct Acceptor {
    http: Arc<HttpServer>,
    /// Connections.
    connections: Arc<ConnectionLimit>,
    /// Those of them whose TLS handshake is not done.
    handshakes: Arc<ConnectionLimit>,
    handshake_time: Duration,
    draining: CancellationToken,
    tasks: TaskTracker,
}

impl Acceptor {
    fn new(service: Service, limits: &Limits) -> Self {
        Self {
            http: Arc::new(HttpServer::new(service, limits)),
            connections: Arc::new(ConnectionLimit::new(limits.connections)),
            handshakes: Arc::new(ConnectionLimit::new(limits.handshakes)),
            handshake_time: limits.handshake,
            draining: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }
    }

    /// Accepts connections until `shutdown` resolves.
    async fn run_until(&self, listeners: Listeners, shutdown: impl Future<Output = ()>) {
        let Listeners { plain, tls } = listeners;
        let plain = async {
            match &plain {
                Some(listener) => self.accept(listener, None).await,
                None => std::future::pending().await,
            }
        };
        let tls = async {
            match &tls {
                Some((listener, tls)) => self.accept(listener, Some(tls)).await,
                None => std::future::pending().await,
            }
        };
        let shutdown = pin!(shutdown);
        tokio::select! {
            () = plain => {}
            () = tls => {}
            () = shutdown => {}
        }
    }

    /// Lets connections end what they are asked for, and waits for it.
    async fn drain(&self) {
        self.draining.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Accepts for ever.
    async fn accept(&self, listener: &TcpListener, tls: Option<&Tls>) {
        loop {
            let (stream, peer) = match accept(listener).await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "A connection could not be accepted");
                    time::sleep(PAUSE).await;
                    continue;
                }
            };
            let slot = self.connections.acquire().await;
            let (http, draining) = (Arc::clone(&self.http), self.draining.clone());
            let Some(tls) = tls else {
                self.tasks
                    .spawn(async move { http.serve(stream, peer, &slot, &draining).await });
                continue;
            };
            let handshake = self.handshakes.acquire().await;
            let (tls, time) = (tls.now(), self.handshake_time);
            self.tasks.spawn(async move {
                let opened = tokio::select! {
                    opened = time::timeout(time, tls::open(stream, tls)) => opened,
                    () = handshake.evicted() => return,
                    () = slot.evicted() => return,
                    () = draining.cancelled() => return,
                };
                drop(handshake);
                match opened {
                    Ok(Ok(stream)) => http.serve_tls(stream, peer, &slot, &draining).await,
                    Ok(Err(failure)) => http.log_failure(peer, failure),
                    Err(_) => tracing::debug!("A TLS handshake took too long"),
                }
            });
        }
    }
}

async fn accept(listener: &TcpListener) -> io::Result<(TcpStream, Peer)> {
    let (stream, peer) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, Peer::new(peer.ip())))
}
