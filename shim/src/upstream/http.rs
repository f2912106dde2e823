//! HTTP to v2: one request out, one answer in, without a word about what it says.

use std::error::Error as _;

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

use super::{
    ClientError, SHIM,
    address::BaseUrl,
    connect::Connector,
    install_tls,
    pool::{self, Pool, PoolError},
    tls,
};
use crate::config::{Limits, V2Config};

/// The HTTP client that all tenants share, for its pool of connections.
///
/// Calls go over connections of our own, past all that reqwest does for other servers than v2: it
/// costs more than the rest of a call. What reqwest knows and they do not, the proxies of the
/// environment, is left to it.
pub(crate) struct Http {
    client: Client,
    /// `None` if there is a proxy before v2.
    direct: Option<Pool>,
}

/// An answer whose body is still to come.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    body: AnswerBody,
}

enum AnswerBody {
    Direct(pool::AnswerBody),
    Proxied(Body),
}

/// Why there is no answer, or only a part of one.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    /// On the direct way.
    #[error(transparent)]
    Direct(#[from] PoolError),
    /// On the way through a proxy.
    #[error(transparent)]
    Proxied(#[from] reqwest::Error),
}

impl Http {
    /// A client for a v2, with the proxies of the environment.
    ///
    /// A v2 on this machine and without TLS is reached past them, and needs no certificates, which a
    /// bare system does not have.
    pub(crate) fn new(limits: &Limits, v2: &V2Config) -> Result<Self, ClientError> {
        install_tls();
        let is_local = v2.is_local();
        // Reqwest finds the same ones.
        let proxies = (!is_local).then(Matcher::from_system);
        Self::with(limits, v2, tls::config(is_local)?, proxies.as_ref())
    }

    /// With these proxies, which are none or the environment's.
    fn with(
        limits: &Limits,
        v2: &V2Config,
        tls: ClientConfig,
        proxies: Option<&Matcher>,
    ) -> Result<Self, ClientError> {
        let lookup = v2.names.lookup(v2.base.host())?;
        let builder = Client::builder()
            .user_agent(SHIM)
            .connect_timeout(limits.connect)
            .pool_idle_timeout(pool::IDLE)
            .pool_max_idle_per_host(pool::MAX_IDLE)
            // v2 has no redirects, and one would carry a user's data to wherever it points.
            .redirect(redirect::Policy::none())
            .referer(false)
            .dns_resolver(lookup.clone())
            .tls_backend_preconfigured(tls.clone());
        let (builder, is_proxied) = match proxies {
            Some(proxies) => (builder, is_proxied(&v2.base, proxies)),
            None => (builder.no_proxy(), false),
        };
        let connector = Connector::new(lookup, tls, limits.connect);
        Ok(Self {
            client: builder.build()?,
            direct: match (is_proxied, v2.base.host_header()) {
                (false, Some(host)) => Some(Pool::new(connector, v2.base.uri().clone(), host)),
                _ => None,
            },
        })
    }

    /// A client that never asks the environment, whatever v2 is.
    #[cfg(test)]
    pub(super) fn past_proxies(limits: &Limits, v2: &V2Config) -> Result<Self, ClientError> {
        install_tls();
        Self::with(limits, v2, tls::config(true)?, None)
    }

    /// For what is not a call, or a part of one that costs no time.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Sends a request with an absolute URI.
    pub(super) fn send(
        &self,
        mut request: Request<Body>,
    ) -> impl Future<Output = Result<Answer, HttpError>> {
        // Not an async function: each would have room for a request of its own.
        match &self.direct {
            Some(direct) => {
                // Which reqwest adds on the other way.
                let headers = request.headers_mut();
                headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
                headers.insert(USER_AGENT, HeaderValue::from_static(SHIM));
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

    /// The length of the body, if it is said.
    pub(super) fn length(&self) -> Option<u64> {
        match &self.body {
            AnswerBody::Direct(body) => body.length(),
            AnswerBody::Proxied(body) => body.size_hint().exact(),
        }
    }

    /// What comes next of the body; `None` at its end.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, HttpError> {
        let body = match &mut self.body {
            AnswerBody::Direct(body) => return Ok(body.chunk().await?),
            AnswerBody::Proxied(body) => body,
        };
        loop {
            // What is no data is trailers.
            match body.frame().await.transpose()?.map(Frame::into_data) {
                Some(Ok(data)) => return Ok(Some(data)),
                Some(Err(_)) => {}
                None => return Ok(None),
            }
        }
    }
}

impl HttpError {
    /// False if v2 surely has not acted on the request: there was no connection, or a pooled one
    /// was closed before the request was written to it, or v2 says so.
    pub(super) fn may_have_left(&self) -> bool {
        let is_unsent = match self {
            Self::Direct(error) => matches!(error, PoolError::Unreachable(_)),
            Self::Proxied(error) => error.is_connect() || error.is_builder(),
        };
        !(is_unsent || self.was_refused() || self.hyper().is_some_and(hyper::Error::is_canceled))
    }

    /// True if an HTTP/2 server says that it has not begun with the request, as one that is about to
    /// stop does: it may be sent again at once, to the next connection.
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

#[cfg(test)]
mod tests;
