//! Connections: accepting them within bounds, and letting them go.

use std::{io, pin::pin, sync::Arc, time::Duration};

use axum::Router;
use hyper::{
    Request,
    body::Incoming,
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time,
};

use crate::{Shim, config::Limits, throttle::Peer};

/// The request line and headers, in bytes. Old programs put everything into the query string, an
/// id of ten kilobytes, percent-encoded, among it.
const MAX_HEAD: usize = 128 * 1024;

/// Headers of a request.
const MAX_HEADERS: usize = 100;

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

/// Serves v1 on a listener until `shutdown` resolves, then lets the requests in work end, within
/// [`Limits::shutdown`].
pub async fn serve(
    listener: TcpListener,
    shim: Shim,
    limits: &Limits,
    shutdown: impl Future<Output = ()>,
) -> Stopped {
    let connections = accept_until(listener, shim.router(), limits, shutdown).await;
    let drained = time::timeout(limits.shutdown, async {
        connections.shutdown().await;
        shim.drain().await;
    });
    match drained.await {
        Ok(()) => Stopped::Drained,
        Err(_) => Stopped::CutOff,
    }
}

/// Serves the operations address as long as it is polled, within the same bounds.
pub async fn serve_ops(listener: TcpListener, ops: Router, limits: &Limits) {
    accept_until(listener, ops, limits, std::future::pending()).await;
}

/// Accepts connections until `shutdown` resolves, and gives those that are still there.
async fn accept_until(
    listener: TcpListener,
    router: Router,
    limits: &Limits,
    shutdown: impl Future<Output = ()>,
) -> GracefulShutdown {
    let connections = GracefulShutdown::new();
    let service = TowerToHyperService::new(router);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.headers)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_HEADERS);

    let places = Arc::new(Semaphore::new(limits.connections));
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            () = &mut shutdown => break,
        };
        let (stream, peer, place) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "A connection could not be accepted");
                time::sleep(PAUSE).await;
                continue;
            }
        };
        let service = service.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
            service.call(request)
        });
        let connection = http.serve_connection(TokioIo::new(stream), service);
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(kind = kind(&error), "A connection ended badly");
            }
            drop(place);
        });
    }
    connections
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, Peer, OwnedSemaphorePermit)> {
    let place = Arc::clone(places)
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, Peer(peer.ip()), place))
}

/// The kind only: what could not be parsed may be a request with its secret.
fn kind(error: &hyper::Error) -> &'static str {
    if error.is_parse_too_large() {
        "request head too large"
    } else if error.is_parse() {
        "not HTTP"
    } else if error.is_timeout() {
        "too slow"
    } else if error.is_incomplete_message() || error.is_canceled() {
        "hung up"
    } else {
        "other"
    }
}
