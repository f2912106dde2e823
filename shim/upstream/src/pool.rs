//! The connection pool of one v2 host.
//!
//! With a single host there is no map of hosts and no queue for connections. The caller that waits
//! for an HTTP/1 response drives the connection itself, so no task of its own is woken for every
//! request, chunk and response.

use std::{
    collections::VecDeque,
    error::Error,
    future::poll_fn,
    pin::{Pin, pin},
    sync::{Arc, Mutex, Weak},
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use hyper::{
    Request, Response, Uri,
    body::{Body as _, Frame, Incoming},
    client::conn::{http1, http2},
    header::{HOST, HeaderValue},
};
use hyper_util::{
    client::legacy::connect::Connection as _,
    rt::{TokioExecutor, TokioTimer},
};
use reqwest::Body;
use tokio::{
    runtime::Handle,
    task::unconstrained,
    time::{Instant, sleep},
};

use crate::{
    connect::{Connector, Stream},
    lock,
};

/// Idle timeout, below that of common servers and load balancers.
pub(super) const IDLE: Duration = Duration::from_secs(30);

/// Interval at which idle or closed connections are removed.
const LOOK: Duration = Duration::from_secs(5);

/// Maximum unread bytes drained on drop so that the connection can be reused.
const UNWANTED: usize = 16 * 1024;

/// Connection pool of one v2 host.
pub(super) struct Pool {
    connector: Connector,
    to: Uri,
    /// `Host` header for HTTP/1.
    host: HeaderValue,
    kept: Arc<Kept>,
}

/// Response body.
pub(super) struct AnswerBody {
    body: Incoming,
    /// HTTP/1 connection to return to the pool at the end of the body.
    from: Option<(Box<Http1>, Weak<Kept>)>,
}

/// Reason why there is no complete response.
#[derive(Debug, thiserror::Error)]
pub(super) enum PoolError {
    /// Connecting failed.
    #[error("v2 cannot be reached")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
    /// The connection failed.
    #[error(transparent)]
    Broken(#[from] hyper::Error),
    /// The connection closed without a response.
    #[error("the connection was closed")]
    Closed,
}

struct Kept {
    connections: Mutex<Connections>,
    /// Maximum number of idle HTTP/1 connections.
    max_idle: usize,
}

#[derive(Default)]
struct Connections {
    /// Idle connections, most recently used last.
    http1: VecDeque<Idle>,
    /// Shared connection, with the time of its last use.
    http2: Option<(http2::SendRequest<Body>, Instant)>,
    /// True while a task removes idle connections.
    is_watched: bool,
}

struct Idle {
    connection: Box<Http1>,
    since: Instant,
}

enum Connection {
    Http1(Box<Http1>),
    Http2(http2::SendRequest<Body>),
}

/// HTTP/1 connection used, and driven, by a single request.
struct Http1 {
    sender: http1::SendRequest<Body>,
    /// `None` once closed.
    connection: Option<http1::Connection<Stream, Body>>,
}

impl Pool {
    /// `max_idle` is the maximum number of idle HTTP/1 connections. With more concurrent requests,
    /// some open a new connection each time.
    pub(super) fn new(connector: Connector, to: Uri, host: HeaderValue, max_idle: usize) -> Self {
        Self {
            connector,
            to,
            host,
            kept: Arc::new(Kept {
                connections: Mutex::default(),
                max_idle,
            }),
        }
    }

    /// Sends a request with an absolute URI of this v2, on an idle connection or a new one.
    ///
    /// If an idle connection turns out to be closed before anything was written, the next one is
    /// used.
    pub(super) async fn send(
        &self,
        mut request: Request<Body>,
    ) -> Result<Response<AnswerBody>, PoolError> {
        let uri = request.uri().clone();
        let path = uri
            .path_and_query()
            .cloned()
            .map_or_else(Uri::default, Uri::from);
        loop {
            let kept = self.kept.take();
            let is_new = kept.is_none();
            let connection = match kept {
                Some(connection) => connection,
                // Boxed because the future is large and rarely needed.
                None => Box::pin(self.connect()).await?,
            };
            let unsent = match connection {
                Connection::Http1(mut connection) => {
                    *request.uri_mut() = path.clone();
                    request.headers_mut().insert(HOST, self.host.clone());
                    // `unconstrained`: this future is polled without a waker, so tokio's
                    // cooperative budget would lose the wake-up.
                    let answer = unconstrained(connection.sender.try_send_request(request));
                    match connection.answer(pin!(answer)).await {
                        Ok(response) => {
                            let from = Some((connection, Arc::downgrade(&self.kept)));
                            return Ok(response.map(|body| AnswerBody { body, from }));
                        }
                        Err(unsent) => unsent,
                    }
                }
                Connection::Http2(mut connection) => {
                    uri.clone_into(request.uri_mut());
                    request.headers_mut().remove(HOST);
                    match connection.try_send_request(request).await {
                        Ok(response) => {
                            return Ok(response.map(|body| AnswerBody { body, from: None }));
                        }
                        Err(unsent) => Some(unsent),
                    }
                }
            };
            let mut unsent = unsent.ok_or(PoolError::Closed)?;
            match unsent.take_message() {
                Some(again) if !is_new => request = again,
                _ => return Err(unsent.into_error().into()),
            }
        }
    }

    async fn connect(&self) -> Result<Connection, PoolError> {
        let stream = self.connector.connect(self.to.clone()).await;
        let stream = stream.map_err(PoolError::Unreachable)?;
        let unreachable = |error: hyper::Error| PoolError::Unreachable(error.into());
        if !stream.connected().is_negotiated_h2() {
            let (sender, connection) = http1::handshake(stream).await.map_err(unreachable)?;
            return Ok(Connection::Http1(Box::new(Http1 {
                sender,
                connection: Some(connection),
            })));
        }
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.timer(TokioTimer::new());
        let (sender, connection) = builder.handshake(stream).await.map_err(unreachable)?;
        // Its requests detect its end themselves.
        tokio::spawn(async move { drop(connection.await) });
        let mut connections = lock(&self.kept.connections);
        connections.http2 = Some((sender.clone(), Instant::now()));
        connections.watch(&self.kept);
        Ok(Connection::Http2(sender))
    }
}

impl Kept {
    /// Takes a usable connection.
    fn take(&self) -> Option<Connection> {
        let mut connections = lock(&self.connections);
        if let Some((http2, used)) = &mut connections.http2 {
            if used.elapsed() < IDLE && !http2.is_closed() {
                *used = Instant::now();
                return Some(Connection::Http2(http2.clone()));
            }
            connections.http2 = None;
        }
        while let Some(mut idle) = connections.http1.pop_back() {
            if idle.since.elapsed() < IDLE && idle.connection.is_idle() {
                return Some(Connection::Http1(idle.connection));
            }
        }
        None
    }

    fn keep(self: Arc<Self>, mut connection: Box<Http1>) {
        if !connection.is_idle() {
            return;
        }
        let since = Instant::now();
        let mut connections = lock(&self.connections);
        if connections.http1.len() >= self.max_idle {
            connections.http1.pop_front();
        }
        connections.http1.push_back(Idle { connection, since });
        connections.watch(&self);
    }
}

impl Connections {
    /// Starts the task that removes idle connections, unless it is running.
    fn watch(&mut self, kept: &Arc<Kept>) {
        // Without a runtime, the process is about to exit.
        if !self.is_watched
            && let Ok(runtime) = Handle::try_current()
        {
            self.is_watched = true;
            runtime.spawn(close_idle(Arc::downgrade(kept)));
        }
    }

    fn close_idle(&mut self) {
        self.http1
            .retain_mut(|idle| idle.since.elapsed() < IDLE && idle.connection.is_idle());
        self.http2
            .take_if(|(http2, used)| used.elapsed() >= IDLE || http2.is_closed());
    }
}

/// Removes idle connections until none is left.
async fn close_idle(kept: Weak<Kept>) {
    loop {
        sleep(LOOK).await;
        let Some(kept) = kept.upgrade() else { return };
        let mut connections = lock(&kept.connections);
        connections.close_idle();
        if connections.http1.is_empty() && connections.http2.is_none() {
            connections.is_watched = false;
            return;
        }
    }
}

impl Http1 {
    /// True if the previous request is complete and the peer has not closed.
    fn is_idle(&mut self) -> bool {
        // Polled once without waiting.
        drive(&mut self.connection, &mut no_waker());
        self.connection.is_some() && self.sender.is_ready()
    }

    /// Waits for a response; the error is `None` if the connection closed silently.
    async fn answer<T, E>(
        &mut self,
        mut answer: Pin<&mut impl Future<Output = Result<T, E>>>,
    ) -> Result<T, Option<E>> {
        let connection = &mut self.connection;
        poll_fn(|context| {
            drive(connection, context);
            match answer.as_mut().poll(&mut no_waker()) {
                Poll::Ready(answer) => Poll::Ready(answer.map_err(Some)),
                Poll::Pending if connection.is_none() => Poll::Ready(Err(None)),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }
}

/// Makes I/O progress. A closed connection is dropped, which returns unsent requests; errors are
/// reported to the request.
fn drive<C: Future + Unpin>(connection: &mut Option<C>, context: &mut Context<'_>) {
    if let Some(open) = connection
        && Pin::new(open).poll(context).is_ready()
    {
        *connection = None;
    }
}

/// Context without a waker: progress comes from driving the connection.
fn no_waker() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

impl AnswerBody {
    /// `Content-Length`, if known.
    pub(super) fn length(&self) -> Option<u64> {
        self.body.size_hint().exact()
    }

    /// Next chunk; `None` at the end.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, PoolError> {
        loop {
            if self.body.is_end_stream() {
                self.end();
                return Ok(None);
            }
            let frame = poll_fn(|context| self.poll(context)).await?;
            match frame.map(Frame::into_data) {
                Some(Ok(data)) => return Ok(Some(data)),
                // Trailers.
                Some(Err(_)) => {}
                None => {
                    self.end();
                    return Ok(None);
                }
            }
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Frame<Bytes>>, PoolError>> {
        let mut body = Pin::new(&mut self.body);
        let Some((connection, _)) = &mut self.from else {
            return body.poll_frame(context).map(|frame| Ok(frame.transpose()?));
        };
        let connection = &mut connection.connection;
        // Buffered data first; this also registers demand for more.
        if let Poll::Ready(frame) = body.as_mut().poll_frame(&mut no_waker()) {
            return Poll::Ready(Ok(frame.transpose()?));
        }
        drive(connection, context);
        match body.poll_frame(&mut no_waker()) {
            Poll::Ready(frame) => Poll::Ready(Ok(frame.transpose()?)),
            Poll::Pending if connection.is_none() => Poll::Ready(Err(PoolError::Closed)),
            Poll::Pending => Poll::Pending,
        }
    }

    fn end(&mut self) {
        if let Some((connection, kept)) = self.from.take()
            && let Some(kept) = kept.upgrade()
        {
            kept.keep(connection);
        }
    }
}

/// Drains the rest of an unread response, such as that of a rejection, if it is buffered and short,
/// so that the connection can be reused.
impl Drop for AnswerBody {
    fn drop(&mut self) {
        let mut unwanted = 0;
        while self.from.is_some() && unwanted <= UNWANTED {
            if self.body.is_end_stream() {
                self.end();
                return;
            }
            match self.poll(&mut no_waker()) {
                Poll::Ready(Ok(Some(frame))) => {
                    unwanted += frame.data_ref().map_or(0, Bytes::len);
                }
                Poll::Ready(Ok(None)) => self.end(),
                Poll::Ready(Err(_)) | Poll::Pending => return,
            }
        }
    }
}

#[cfg(test)]
mod tests;
