//! HTTP transport to v2: sends one request and returns one response.

use std::{error::Error, time::Duration};

use bytes::Bytes;
use futures_util::{TryFutureExt as _, future::Either};
use http_body_util::BodyExt as _;
use hyper::{
    HeaderMap, Request, Response, StatusCode,
    body::{Body as _, Frame},
    header::{ACCEPT, HeaderValue, USER_AGENT},
};
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::{Body, Client, redirect};
use rustls::ClientConfig;

use crate::{
    address::BaseUrl,
    connect::Connector,
    pool::{self, Pool, PoolError},
    resolver::{PublicResolver, ResolverError, ResolverSettings},
    tls::{self, install_tls},
};

/// User agent of requests to v2 and its token endpoint.
const USER_AGENT_VALUE: &str = concat!("shim/", env!("CARGO_PKG_VERSION"));

/// Read timeout within a file.
const SILENCE: Duration = Duration::from_secs(30);

/// Transport settings of v2.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Base URL.
    pub base: BaseUrl,
    /// Host name resolution.
    pub resolver: ResolverSettings,
    /// Timeout of a new connection, TLS included.
    pub connect_timeout: Duration,
    /// Maximum number of idle connections. Over HTTP/1, more concurrent calls than this open new
    /// connections.
    pub max_idle: usize,
    /// v2 and its token endpoints are on this machine, without TLS: ignore the proxies of the
    /// environment and the system's certificates.
    pub is_local: bool,
}

/// Reason why the HTTP client cannot be created.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub enum ClientError {
    /// The client cannot be built.
    Http(#[from] reqwest::Error),
    /// Invalid name servers.
    Resolver(#[from] ResolverError),
    /// No system certificates.
    Tls(#[from] rustls::Error),
}

/// HTTP client shared by all tenants, with its connection pool.
///
/// Direct calls use `Pool` instead of reqwest, whose overhead exceeds that of the rest of a call.
/// Calls through a proxy use reqwest.
pub struct Http {
    client: Client,
    files: Client,
    /// `None` if v2 is behind a proxy.
    direct: Option<Pool>,
}

/// Response with an unread body.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    body: AnswerBody,
}

enum AnswerBody {
    Direct(pool::AnswerBody),
    Proxied(Body),
}

/// Reason why there is no complete response.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    /// Direct connection.
    #[error(transparent)]
    Direct(#[from] PoolError),
    /// Connection through a proxy.
    #[error(transparent)]
    Proxied(#[from] reqwest::Error),
}

impl HttpError {
    /// Why, in the words of the system, and without the URL: ids are in its path.
    pub(super) fn cause(&self) -> String {
        match self {
            Self::Direct(error) => innermost(error),
            Self::Proxied(error) => error
                .source()
                .map_or_else(|| "the proxy gave no answer".to_owned(), innermost),
        }
    }
}

impl Http {
    /// Creates a client that uses the proxies of the environment.
    ///
    /// A local v2 without TLS is reached directly and needs no certificates, which a minimal system
    /// may lack.
    ///
    /// # Errors
    ///
    /// If the system has no certificates, or a proxy or name server cannot be used.
    pub fn new(settings: &HttpSettings) -> Result<Self, ClientError> {
        install_tls();
        let is_local = settings.is_local;
        // Same lookup as reqwest's.
        let proxies = (!is_local).then(Matcher::from_system);
        Self::with(settings, tls::config(is_local)?, proxies.as_ref())
    }

    /// `proxies` are those of the environment, or `None`.
    fn with(
        settings: &HttpSettings,
        tls: ClientConfig,
        proxies: Option<&Matcher>,
    ) -> Result<Self, ClientError> {
        let base = &settings.base;
        let resolver = settings.resolver.resolver(base.host())?;
        let is_proxied = proxies.is_some_and(|proxies| is_proxied(base, proxies));
        let builder = || {
            let builder = Client::builder()
                .user_agent(USER_AGENT_VALUE)
                .connect_timeout(settings.connect_timeout)
                .pool_idle_timeout(pool::IDLE)
                .pool_max_idle_per_host(settings.max_idle)
                // v2 calls have no redirects; following one could send user data elsewhere.
                .redirect(redirect::Policy::none())
                .referer(false)
                .dns_resolver(resolver.clone())
                .tls_backend_preconfigured(tls.clone());
            match proxies {
                Some(_) => builder,
                None => builder.no_proxy(),
            }
        };
        let mut files = builder().read_timeout(SILENCE);
        if !is_proxied {
            // A proxy resolves file hosts itself, and has a name of its own to resolve.
            files = files.dns_resolver(PublicResolver(resolver.clone()));
        }
        let (client, files) = (builder().build()?, files.build()?);
        let connector = Connector::new(resolver, tls, settings.connect_timeout);
        let pool = |host| Pool::new(connector, base.uri().clone(), host, settings.max_idle);
        let host = base.host_header().filter(|_| !is_proxied);
        Ok(Self {
            client,
            files,
            direct: host.map(pool),
        })
    }

    /// A client that ignores the environment.
    #[cfg(test)]
    pub(super) fn past_proxies(settings: &HttpSettings) -> Result<Self, ClientError> {
        install_tls();
        Self::with(settings, tls::config(true)?, None)
    }

    /// Client of the token endpoint, also used to build multipart bodies.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Client for files, which resolves names to public addresses only.
    pub(super) fn files(&self) -> &Client {
        &self.files
    }

    /// Sends a request with an absolute URI.
    pub(super) fn send(
        &self,
        mut request: Request<Body>,
    ) -> impl Future<Output = Result<Answer, HttpError>> {
        // Not an async function, which would store the request in each nested future.
        match &self.direct {
            Some(direct) => {
                // reqwest adds these headers on the proxied path.
                let headers = request.headers_mut();
                headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
                headers.insert(USER_AGENT, HeaderValue::from_static(USER_AGENT_VALUE));
                let answer = direct
                    .send(request)
                    .map_ok(|answer| Answer::of(answer, AnswerBody::Direct));
                Either::Left(answer.err_into())
            }
            None => Either::Right(Box::pin(self.send_proxied(request))),
        }
    }

    async fn send_proxied(&self, request: Request<Body>) -> Result<Answer, HttpError> {
        let response = self.client.execute(request.try_into()?).await?;
        Ok(Answer::of(response.into(), AnswerBody::Proxied))
    }
}

fn is_proxied(base: &BaseUrl, proxies: &Matcher) -> bool {
    proxies.intercept(base.uri()).is_some()
}

impl Answer {
    fn of<B>(response: Response<B>, body: impl FnOnce(B) -> AnswerBody) -> Self {
        let (head, of_response) = response.into_parts();
        Self {
            status: head.status,
            headers: head.headers,
            body: body(of_response),
        }
    }

    /// `Content-Length`, if known.
    pub(super) fn length(&self) -> Option<u64> {
        match &self.body {
            AnswerBody::Direct(body) => body.length(),
            AnswerBody::Proxied(body) => body.size_hint().exact(),
        }
    }

    /// Next chunk of the body; `None` at the end.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, HttpError> {
        let body = match &mut self.body {
            AnswerBody::Direct(body) => return Ok(body.chunk().await?),
            AnswerBody::Proxied(body) => body,
        };
        loop {
            // Skip trailers.
            match body.frame().await.transpose()?.map(Frame::into_data) {
                Some(Ok(data)) => return Ok(Some(data)),
                Some(Err(_)) => {}
                None => return Ok(None),
            }
        }
    }
}

impl HttpError {
    /// False if v2 certainly has not processed the request: connecting failed, a pooled connection
    /// closed before the request was written, or v2 refused it.
    pub(super) fn may_have_left(&self) -> bool {
        let is_unsent = match self {
            Self::Direct(error) => matches!(error, PoolError::Unreachable(_)),
            Self::Proxied(error) => error.is_connect() || error.is_builder(),
        };
        !(is_unsent || self.was_refused() || self.hyper().is_some_and(hyper::Error::is_canceled))
    }

    /// True if an HTTP/2 server refused the request unprocessed, for example because it is shutting
    /// down. The request can be retried immediately on another connection.
    pub(super) fn was_refused(&self) -> bool {
        let error = self.hyper().and_then(|error| error.source());
        let Some(error) = error.and_then(|error| error.downcast_ref::<h2::Error>()) else {
            return false;
        };
        let is_refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
        let is_end = error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR);
        error.is_remote() && (is_refused || is_end)
    }

    fn hyper(&self) -> Option<&hyper::Error> {
        let mut source = match self {
            Self::Direct(PoolError::Broken(error)) => return Some(error),
            Self::Direct(error) => error.source(),
            Self::Proxied(error) => error.source(),
        };
        while let Some(error) = source {
            if let Some(error) = error.downcast_ref() {
                return Some(error);
            }
            source = error.source();
        }
        None
    }
}

/// The innermost cause of an error. The outer ones only state that a request failed.
pub fn innermost(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests;
