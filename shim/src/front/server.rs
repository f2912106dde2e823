//! Accepts connections within limits, serves HTTP on them, and shuts down gracefully.

mod connection;
mod connection_limit;
mod shutdown;
mod tls;

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::{Router, body::Body};
use futures_util::{
    FutureExt as _,
    future::{BoxFuture, join},
};
use hyper::{Request, Response};
use tokio::{
    net::{TcpListener, TcpStream},
    time,
};
use tokio_util::task::TaskTracker;
use tower_service::Service as _;

pub use super::peer::Peer;
use crate::settings::Limits;
pub(crate) use connection::ValidKey;
use connection::{HttpServer, Service};
pub use connection_limit::OpenConnections;
use connection_limit::{ActiveRequest, ConnectionLimit};
use shutdown::{LINGER, Shutdown};
pub use tls::Tls;

/// Pause after a failed `accept`, e.g. for lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Maximum number of connections in the accept queue of a closed listener: tokio's backlog.
const BACKLOG: usize = 1024;

/// Result of serving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// All requests were answered.
    Drained,
    /// Some requests were cut off at the end of the shutdown timeout.
    CutOff,
}

/// Serves requests.
pub trait Handler: Clone + Send + Sync + 'static {
    /// Returns the response to one request.
    fn respond(&self, request: Request<Body>, peer: Peer) -> BoxFuture<'static, Response<Body>>;

    /// Waits for work that outlives its client. Called after the last request.
    fn drain(&self) -> impl Future<Output = ()> + Send;
}

/// Keeps a request in progress, and its connection busy, until dropped. Attached to a response as
/// an extension and to its body.
#[derive(Clone, Default)]
pub(crate) struct InProgress(Arc<OnceLock<ActiveRequest>>);

impl InProgress {
    fn hold(&self, request: ActiveRequest) {
        // One request per response, so this is never set before.
        let _ = self.0.set(request);
    }
}

/// Listeners of v1: plain HTTP, TLS, or both, each with HTTP/1.1 and HTTP/2.
#[derive(Debug, Default)]
pub struct Listeners {
    /// Plain HTTP.
    pub plain: Option<TcpListener>,
    /// TLS, with its certificate.
    pub tls: Option<(TcpListener, Tls)>,
    /// Counts the connections of both.
    pub open: OpenConnections,
}

impl From<TcpListener> for Listeners {
    fn from(listener: TcpListener) -> Self {
        Self {
            plain: Some(listener),
            ..Self::default()
        }
    }
}

/// Serves v1 until `shutdown` resolves, then shuts down gracefully: for [`Limits::drain`],
/// connections are still accepted, and each is closed after its next response. Then the listeners
/// are closed, and requests in progress have [`Limits::shutdown`] to finish.
pub async fn serve(
    listeners: impl Into<Listeners>,
    handler: impl Handler,
    limits: &Limits,
    shutdown: impl Future<Output = ()>,
) -> Stopped {
    let responder = handler.clone();
    let service: Service = Box::new(move |request, peer| responder.respond(request, peer));
    let listeners = listeners.into();
    let acceptor = Acceptor::new(service, limits, listeners.open.clone());
    let served = async {
        acceptor.run(listeners).await;
        acceptor.tasks.close();
        acceptor.tasks.wait().await;
        handler.drain().await;
    };
    let stages = async {
        shutdown.await;
        acceptor.shutdown.drain();
        time::sleep(limits.drain).await;
        acceptor.shutdown.close();
        time::sleep(limits.shutdown).await;
    };
    tokio::select! {
        biased;
        () = served => Stopped::Drained,
        () = stages => Stopped::CutOff,
    }
}

/// Serves the operations address until dropped, within the same limits.
pub async fn serve_ops(listener: TcpListener, ops: Router, limits: &Limits) {
    let service: Service = Box::new(move |request, _| {
        let answered = ops.clone().call(request);
        answered
            .map(|answered| answered.unwrap_or_else(|never| match never {}))
            .boxed()
    });
    let acceptor = Acceptor::new(service, limits, OpenConnections::default());
    acceptor.run(listener.into()).await;
}

/// State shared by all listeners of a service.
struct Acceptor {
    http: Arc<HttpServer>,
    /// Limit of open connections.
    connections: Arc<ConnectionLimit>,
    /// Limit of connections in a TLS handshake.
    handshakes: Arc<ConnectionLimit>,
    handshake_time: Duration,
    shutdown: Arc<Shutdown>,
    tasks: TaskTracker,
}

impl Acceptor {
    fn new(service: Service, limits: &Limits, open: OpenConnections) -> Self {
        Self {
            http: Arc::new(HttpServer::new(service, limits)),
            connections: Arc::new(ConnectionLimit::new(limits.connections, open)),
            handshakes: Arc::new(ConnectionLimit::new(
                limits.handshakes,
                OpenConnections::default(),
            )),
            handshake_time: limits.handshake,
            shutdown: Arc::default(),
            tasks: TaskTracker::new(),
        }
    }

    /// Accepts connections until the listeners close.
    async fn run(&self, Listeners { plain, tls, .. }: Listeners) {
        let plain = async {
            if let Some(listener) = plain {
                self.accept(listener, None).await;
            }
        };
        let tls = async {
            if let Some((listener, tls)) = tls {
                self.accept(listener, Some(&tls)).await;
            }
        };
        join(plain, tls).await;
    }

    async fn accept(&self, listener: TcpListener, tls: Option<&Tls>) {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = self.shutdown.closing() => break,
            };
            if let Err(error) = self.spawn(accepted, tls).await {
                tracing::warn!(%error, "A connection could not be accepted");
                time::sleep(ACCEPT_PAUSE).await;
            }
        }
        // These connections are established for their clients; closing the listener would reset
        // them.
        for accepted in queued(listener) {
            if let Err(error) = self.spawn(accepted, tls).await {
                tracing::warn!(%error, "A connection could not be accepted");
            }
        }
    }

    /// Serves a connection once the limit permits.
    async fn spawn(
        &self,
        accepted: io::Result<(TcpStream, SocketAddr)>,
        tls: Option<&Tls>,
    ) -> io::Result<()> {
        let (stream, address) = accepted?;
        stream.set_nodelay(true)?;
        let peer = Peer::new(address.ip());
        let slot = self.connections.acquire().await;
        let (http, shutdown) = (Arc::clone(&self.http), Arc::clone(&self.shutdown));
        let Some(tls) = tls else {
            self.tasks.spawn(async move {
                http.serve(stream, peer, &slot, shutdown).await;
            });
            return Ok(());
        };
        let handshake = self.handshakes.acquire().await;
        let (tls, time) = (tls.config(), self.handshake_time);
        self.tasks.spawn(async move {
            let too_late = async {
                shutdown.closing().await;
                time::sleep(LINGER).await;
            };
            let opened = tokio::select! {
                opened = time::timeout(time, tls::open(stream, tls)) => opened,
                () = handshake.evicted() => return,
                () = slot.evicted() => return,
                () = too_late => return,
            };
            drop(handshake);
            match opened {
                Ok(Ok(stream)) => http.serve_tls(stream, peer, &slot, shutdown).await,
                Ok(Err(failure)) => http.log_failure(peer, failure),
                Err(_) => tracing::debug!("A TLS handshake took too long"),
            }
        });
        Ok(())
    }
}

/// Closes a listener; returns the connections in its accept queue.
fn queued(listener: TcpListener) -> Vec<io::Result<(TcpStream, SocketAddr)>> {
    let Ok(listener) = listener.into_std() else {
        return Vec::new();
    };
    // Accepts through the standard listener, because tokio's may not have seen them yet. It returns
    // an error as soon as the queue is empty.
    let accepted = std::iter::from_fn(|| listener.accept().ok()).take(BACKLOG);
    let opened = accepted.map(|(stream, address)| {
        stream.set_nonblocking(true)?;
        Ok((TcpStream::from_std(stream)?, address))
    });
    opened.collect()
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream as Client;

    use super::*;

    #[tokio::test]
    async fn connections_in_the_accept_queue_are_served() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let clients: Vec<_> = (0..3).map(|_| Client::connect(address).unwrap()).collect();
        let queued = queued(listener);
        assert_eq!(
            queued.iter().filter(|one| one.is_ok()).count(),
            clients.len()
        );
        assert!(Client::connect(address).is_err());
    }
}
