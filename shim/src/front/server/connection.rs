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

/// Limit of request line and headers, in bytes. Old programs put everything into the query string,
/// including percent-encoded values of 10 kB.
const MAX_HEAD: usize = 128 * 1024;

/// Limit of HTTP/2 headers, in bytes; only names and values count.
const MAX_HEADER_LIST: u32 = 128 * 1024;

/// Limit of headers in a request.
const MAX_HEADERS: usize = 100;

/// Concurrent requests on one HTTP/2 connection: the minimum that RFC 9113 recommends.
const MAX_STREAMS: u32 = 100;

/// Streams that a client may reset before they are accepted; beyond, its connection is closed.
const MAX_RESET_STREAMS: usize = 20;

/// Protocol errors that end only their stream; beyond, the connection is closed.
const MAX_BROKEN_STREAMS: usize = 100;

/// Flow-control window of a stream, and of a connection, in bytes. Not part of the budget of
/// bodies: all connections together hold at most 128 MiB by default.
const WINDOW: u32 = 128 << 10;

/// Interval and timeout of HTTP/2 keep-alive pings.
const PING: Duration = Duration::from_secs(20);

/// Minimum interval between idle checks.
const MIN_CHECK_INTERVAL: Duration = Duration::from_millis(10);

/// Log lines per minute about failed TLS handshakes.
const LOGGED_FAILURES: NonZero<u32> = NonZero::new(30).unwrap();

/// Marks the response to an authenticated request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ValidKey;

/// Serves requests. Boxed futures keep idle connections small.
pub(super) type Service =
    Box<dyn Fn(Request<Body>, Peer) -> BoxFuture<'static, Response<Body>> + Send + Sync>;

/// HTTP server shared by all connections.
pub(super) struct HttpServer {
    service: Service,
    /// Detects HTTP/2 by its connection preface; otherwise HTTP/1.1.
    any: auto::Builder<TokioExecutor>,
    /// Idle timeout.
    idle: Duration,
    /// Idle timeout in the last stage of a shutdown.
    linger: Duration,
    /// Time in that stage for a client to read its last response and, over HTTP/2, to acknowledge
    /// the end.
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

    /// Serves plain HTTP, with HTTP/2 by prior knowledge.
    pub(super) async fn serve(
        &self,
        stream: TcpStream,
        peer: Peer,
        slot: &Slot,
        shutdown: Arc<Shutdown>,
    ) {
        self.run(&self.any, stream, peer, slot, shutdown).await;
    }

    /// Serves the version negotiated by ALPN; HTTP/1.1 without it.
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

    /// Logs a failed handshake, at `warn` if the operator can fix it.
    pub(super) fn log_failure(&self, Peer(address): Peer, failure: HandshakeFailure) {
        if failure.is_actionable() && self.logged_failures.check().is_ok() {
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
                // Held before any of its body is read.
                let permit = active.permit(is_http2).await;
                let mut response = match answered {
                    Some(answered) => answered.await,
                    None => too_many_headers(),
                };
                if response.extensions().get::<ValidKey>().is_some() {
                    active.has_valid_key();
                }
                drop(permit);
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
        // True once the connection was asked to finish its requests and close.
        let mut is_leaving = false;
        let mut is_closing = false;
        let mut look = Instant::now() + self.idle;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(kind = kind(error.as_ref()), "A connection failed");
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
                    let timeout = match (is_closing, is_leaving) {
                        (true, false) => self.linger,
                        (true, true) => self.farewell,
                        (false, false) => self.idle,
                        // Already asked to close; twice the timeout is left to read the last
                        // response.
                        (false, true) => 2 * self.idle,
                    };
                    match slot.idle() {
                        None => look = Instant::now() + timeout.max(MIN_CHECK_INTERVAL),
                        Some(idle) if idle < timeout => {
                            look = Instant::now() + timeout.saturating_sub(idle);
                        }
                        Some(_) if is_leaving => return,
                        Some(_) => {
                            connection.as_mut().graceful_shutdown();
                            is_leaving = true;
                            look = Instant::now() + timeout;
                        }
                    }
                }
            }
        }
    }
}

/// Closes a connection after its next response while the server drains.
struct LastResponse {
    shutdown: Arc<Shutdown>,
    given: Notify,
}

impl LastResponse {
    /// Announces the end: in a header over HTTP/1; HTTP/2 sends GOAWAY when notified.
    fn mark(&self, response: &mut Response<Body>, version: Version) {
        if version < Version::HTTP_2 {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
        }
        self.given.notify_one();
    }
}

/// The response that hyper itself gives over HTTP/1.1.
fn too_many_headers() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    response
}

/// Kind of an error. Its text is not logged, because unparsable input may contain a secret.
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
