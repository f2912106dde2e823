//! Server that can close a connection instead of responding.

use std::io;
use std::pin::pin;

use axum::{Router, response::Response};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{rt::TokioIo, server::graceful::GracefulShutdown, service::TowerToHyperService};
use tokio::net::TcpListener;

/// Marks a response whose connection is dropped.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a connection dropped on purpose")]
pub(super) struct HungUp;

/// Serves until `shutdown` resolves; requests in flight are finished.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let service = TowerToHyperService::new(router);
    let connections = GracefulShutdown::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let (stream, _) = tokio::select! {
            accepted = listener.accept() => accepted?,
            () = &mut shutdown => break,
        };
        let service = service.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let answer = hyper::service::Service::call(&service, request);
            async move { or_hang_up(answer.await) }
        });
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        let connection = connections.watch(connection);
        // Connection errors are expected: they are the simulated fault.
        tokio::spawn(async { drop(connection.await) });
    }
    connections.shutdown().await;
    Ok(())
}

fn or_hang_up(answer: Result<Response, std::convert::Infallible>) -> Result<Response, HungUp> {
    let Ok(answer) = answer;
    match answer.extensions().get::<HungUp>() {
        Some(hung_up) => Err(*hung_up),
        None => Ok(answer),
    }
}
