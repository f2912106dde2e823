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
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
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

use crate::connect::{Connector, Stream};

/// Below what servers and balancers keep.
pub(super) const IDLE: Duration = Duration::from_secs(30);

/// Between two looks for what is idle for too long, or was closed by v2.
const LOOK: Duration = Duration::from_secs(5);

/// Unread bytes drained on drop so that the connection can be reused.
const UNWANTED: usize = 16 * 1024;

/// The way to one v2.
pub(super) struct Pool {
    connector: Connector,
    to: Uri,
    /// As HTTP/1 says it.
    host: HeaderValue,
    kept: Arc<Kept>,
}

/// The body of an answer.
pub(super) struct AnswerBody {
    body: Incoming,
    /// Over HTTP/1, what it comes from: kept at its end.
    from: Option<(Box<Http1>, Weak<Kept>)>,
}

/// Why there is no answer, or only a part of one.
#[derive(Debug, thiserror::Error)]
pub(super) enum PoolError {
    /// There is no connection.
    #[error("v2 cannot be reached")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
    /// Of a connection.
    #[error(transparent)]
    Broken(#[from] hyper::Error),
    /// It came to its end without an answer.
    #[error("the connection was closed")]
    Closed,
}

struct Kept {
    connections: Mutex<Connections>,
    /// Idle HTTP/1 connections that are kept at most.
    max_idle: usize,
}

#[derive(Default)]
struct Connections {
    /// Idle connections; the most recently used comes last.
    http1: VecDeque<Idle>,
    /// Shared by those who use it, and when the last of them came.
    http2: Option<(http2::SendRequest<Body>, Instant)>,
    /// True while somebody closes what is idle for too long.
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

/// A connection that one request has for itself, and drives.
struct Http1 {
    sender: http1::SendRequest<Body>,
    /// Until it is over.
    connection: Option<http1::Connection<Stream, Body>>,
}

impl Pool {
    /// `max_idle` is the number of idle HTTP/1 connections that are kept at most. Below the number of
    /// requests at a time, some of them connect anew each time.
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

    /// Sends a request with an absolute URI of this v2: on a connection that is there, or a new one.
    ///
    /// What is closed before anything of the request is written to it is no error as long as there
    /// are others.
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
                // It is large, and rare.
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
        // Its requests learn of its end by themselves.
        tokio::spawn(async move { drop(connection.await) });
        let mut connections = self.kept.lock();
        connections.http2 = Some((sender.clone(), Instant::now()));
        connections.watch(&self.kept);
        Ok(Connection::Http2(sender))
    }
}

impl Kept {
    /// A connection that can be used at once.
    fn take(&self) -> Option<Connection> {
        let mut connections = self.lock();
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
        let mut connections = self.lock();
        if connections.http1.len() >= self.max_idle {
            connections.http1.pop_front();
        }
        connections.http1.push_back(Idle { connection, since });
        connections.watch(&self);
    }

    fn lock(&self) -> MutexGuard<'_, Connections> {
        // Each change is a single one: no panic leaves it half done.
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connections {
    /// Sees to it that somebody closes what is there when its time is over.
    fn watch(&mut self, kept: &Arc<Kept>) {
        // Without a runtime, the process is about to end.
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

/// Closes idle connections until none is left.
async fn close_idle(kept: Weak<Kept>) {
    loop {
        sleep(LOOK).await;
        let Some(kept) = kept.upgrade() else { return };
        let mut connections = kept.lock();
        connections.close_idle();
        if connections.http1.is_empty() && connections.http2.is_none() {
            connections.is_watched = false;
            return;
        }
    }
}

impl Http1 {
    /// True if a request can be sent: the last one is over, and the other side is there.
    fn is_idle(&mut self) -> bool {
        // Nothing is awaited here.
        drive(&mut self.connection, &mut no_waker());
        self.connection.is_some() && self.sender.is_ready()
    }

    /// Waits for the answer to what was sent; the error is `None` if the connection ended without a
    /// word.
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

/// Writes and reads what there is. A connection that is over is dropped, so that it gives back what it
/// has not sent; an error goes to its request.
fn drive<C: Future + Unpin>(connection: &mut Option<C>, context: &mut Context<'_>) {
    if let Some(open) = connection
        && Pin::new(open).poll(context).is_ready()
    {
        *connection = None;
    }
}

/// A context that wakes no task: driving the connection is what makes progress.
fn no_waker() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

impl AnswerBody {
    /// The length, if it is said.
    pub(super) fn length(&self) -> Option<u64> {
        self.body.size_hint().exact()
    }

    /// What comes next; `None` at the end.
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
        // What is there already; and that more is wanted.
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

/// Who does not want an answer, as that of a refusal, leaves the connection to the next if the rest
/// is there and short.
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
