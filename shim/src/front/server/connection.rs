//! HTTP on one connection: version, limits, idle timeout, graceful shutdown.

use std::{convert::Infallible, error::Error, num::NonZero, pin::pin, sync::Arc, time::Duration};

use axum::body::Body;
use futures_util::future::BoxFuture;
use governor::{DefaultDirectRateLimiter, Quota};
use hyper::{
    Request, Response, StatusCode, Version,
    body::Incoming,
    header::{CONNECTION, HeaderValue},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::Notify,
    time::{self, Instant},
};
use tokio_rustls::server::TlsStream;

use super::{
    InProgress,
    connection_limit::Slot,
    shutdown::{FAREWELL, LINGER, Shutdown},
    tls::{self, HandshakeFailure},
};
use crate::{front::peer::Peer, settings::Limits};

/// The request line and headers, in bytes. Old programs put everything into the query string, an
/// id of ten kilobytes, percent-encoded, among it.
const MAX_HEAD: usize = 128 * 1024;

/// The same of HTTP/2, which counts names and values only.
const MAX_HEADER_LIST: u32 = 128 * 1024;

/// Headers of a request.
const MAX_HEADERS: usize = 100;

/// Requests at a time on one HTTP/2 connection: the least that RFC 9113 recommends.
const MAX_STREAMS: u32 = 100;

/// Streams that a client takes back before they were looked at; beyond, its connection ends.
const MAX_RESET_STREAMS: usize = 20;

/// Mistakes of a client that end one stream each; beyond, its connection ends.
const MAX_BROKEN_STREAMS: usize = 100;

/// What one stream, and one connection, may send ahead of what was read, in bytes. It is outside the
/// budget of bodies: all connections together hold no more than 128 MiB by default.
const WINDOW: u32 = 128 << 10;

/// How often an HTTP/2 client that waits for an answer is asked whether it still lives.
const PING: Duration = Duration::from_secs(20);

/// Between two looks at whether a connection is idle.
const SHORTEST: Duration = Duration::from_millis(10);

/// Log lines a minute about failed TLS handshakes.
const LOGGED_FAILURES: NonZero<u32> = NonZero::new(30).unwrap();

/// Marks the response to a request with a valid key and secret.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ValidKey;

/// What answers requests. Boxed, so that a connection is small while nothing is asked.
pub(super) type Service =
    Box<dyn Fn(Request<Body>, Peer) -> BoxFuture<'static, Response<Body>> + Send + Sync>;

/// The HTTP server of every connection.
pub(super) struct HttpServer {
    service: Service,
    /// HTTP/1.1 or, if the client begins with its preface, HTTP/2.
    any: auto::Builder<TokioExecutor>,
    /// The idle timeout.
    idle: Duration,
    /// At the last stage of a shutdown, in place of `idle`.
    linger: Duration,
    /// At that stage, for a client to take its last response and, over HTTP/2, to agree to the end.
    farewell: Duration,
    logged_failures: DefaultDirectRateLimiter,
}

impl HttpServer {
    pub(super) fn new(service: Service, limits: &Limits) -> Self {
        let mut any = auto::Builder::new(TokioExecutor::new());
        any.http1()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.headers)
            .max_buf_size(MAX_HEAD)
            .max_headers(MAX_HEADERS);
        any.http2()
            .timer(TokioTimer::new())
            .max_header_list_size(MAX_HEADER_LIST)
            .max_concurrent_streams(MAX_STREAMS)
            .max_pending_accept_reset_streams(MAX_RESET_STREAMS)
            .max_local_error_reset_streams(MAX_BROKEN_STREAMS)
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .keep_alive_interval(PING)
            .keep_alive_timeout(PING);
        Self {
            service,
            any,
            idle: limits.headers,
            linger: LINGER.min(limits.shutdown / 4),
            farewell: FAREWELL.min(limits.shutdown / 2),
            logged_failures: DefaultDirectRateLimiter::direct(Quota::per_minute(LOGGED_FAILURES)),
        }
    }

    /// Plain HTTP; HTTP/2 by prior knowledge.
    pub(super) async fn serve(
        &self,
        stream: TcpStream,
        peer: Peer,
        slot: &Slot,
        shutdown: Arc<Shutdown>,
    ) {
        self.run(&self.any, stream, peer, slot, shutdown).await;
    }

    /// The version that client and server agreed on; HTTP/1.1 with those who know of no choice.
    pub(super) async fn serve_tls(
        &self,
        stream: TlsStream<TcpStream>,
        peer: Peer,
        slot: &Slot,
        shutdown: Arc<Shutdown>,
    ) {
        let one = if tls::is_http2(&stream) {
            self.any.clone().http2_only()
        } else {
            self.any.clone().http1_only()
        };
        self.run(&one, stream, peer, slot, shutdown).await;
    }

    /// Logs a failed handshake; at `warn` where the operator can help.
    pub(super) fn log_failure(&self, Peer(address): Peer, failure: HandshakeFailure) {
        if failure.is_telling() && self.logged_failures.check().is_ok() {
            tracing::warn!(%address, "A TLS handshake failed: {failure}");
        } else {
            tracing::debug!(%address, "A TLS handshake failed: {failure}");
        }
    }

    async fn run(
        &self,
        http: &auto::Builder<TokioExecutor>,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        peer: Peer,
        slot: &Slot,
        shutdown: Arc<Shutdown>,
    ) {
        let last = Arc::new(LastResponse {
            shutdown,
            given: Notify::new(),
        });
        let service = service_fn(|request: Request<Incoming>| {
            let active = slot.begin_request();
            let is_http2 = request.version() == Version::HTTP_2;
            let is_too_much = is_http2 && request.headers().len() > MAX_HEADERS;
            let (version, last) = (request.version(), Arc::clone(&last));
            let request = request.map(|body| active.receive(body));
            let answered = (!is_too_much).then(|| (self.service)(request, peer));
            async move {
                // Nothing of its body is read before.
                let place = active.place(is_http2).await;
                let mut response = match answered {
                    Some(answered) => answered.await,
                    None => too_many_headers(),
                };
                if response.extensions().get::<ValidKey>().is_some() {
                    active.has_valid_key();
                }
                drop(place);
                match response.extensions_mut().remove::<InProgress>() {
                    Some(body) => body.hold(active),
                    None => drop(active),
                }
                if last.shutdown.is_draining() {
                    last.mark(&mut response, version);
                }
                Ok::<_, Infallible>(response)
            }
        });
        let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
        // Told to end once what it asked for is answered.
        let mut is_leaving = false;
        let mut is_closing = false;
        let mut look = Instant::now() + self.idle;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(kind = kind(error.as_ref()), "A connection ended badly");
                    }
                    return;
                }
                () = last.given.notified(), if !is_leaving => {
                    connection.as_mut().graceful_shutdown();
                    is_leaving = true;
                }
                () = last.shutdown.closing(), if !is_closing => {
                    is_closing = true;
                    look = Instant::now() + self.linger;
                }
                () = slot.evicted() => return,
                () = time::sleep_until(look) => {
                    let patience = match (is_closing, is_leaving) {
                        (true, false) => self.linger,
                        (true, true) => self.farewell,
                        (false, false) => self.idle,
                        // It was told, and has as long again to take its last answer.
                        (false, true) => 2 * self.idle,
                    };
                    match slot.idle() {
                        None => look = Instant::now() + patience.max(SHORTEST),
                        Some(idle) if idle < patience => {
                            look = Instant::now() + patience.saturating_sub(idle);
                        }
                        Some(_) if is_leaving => return,
                        Some(_) => {
                            connection.as_mut().graceful_shutdown();
                            is_leaving = true;
                            look = Instant::now() + patience;
                        }
                    }
                }
            }
        }
    }
}

/// Ends a connection with a response, once the server drains.
struct LastResponse {
    shutdown: Arc<Shutdown>,
    given: Notify,
}

impl LastResponse {
    /// HTTP/1 has a header for it; HTTP/2 ends the connection when it learns that one was given.
    fn mark(&self, response: &mut Response<Body>, version: Version) {
        if version < Version::HTTP_2 {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
        }
        self.given.notify_one();
    }
}

/// As HTTP/1.1 answers it before the service is asked.
fn too_many_headers() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    response
}

/// The kind only: what could not be parsed may be a request with its secret.
fn kind(error: &(dyn Error + 'static)) -> &'static str {
    let Some(error) = error.downcast_ref::<hyper::Error>() else {
        return "hung up";
    };
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
