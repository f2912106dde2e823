//! HTTP to v2: one request out, one answer in, without a word about what it says.

use std::{error::Error as _, time::Duration};

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::{
    HeaderMap, Request, StatusCode,
    body::{Body as _, Incoming},
    header::{ACCEPT, HOST, HeaderValue, USER_AGENT},
};
use hyper_util::{
    client::{legacy, proxy::matcher::Matcher},
    rt::{TokioExecutor, TokioTimer},
};
use reqwest::{Body, Client, redirect};
use rustls::ClientConfig;

use super::{ClientError, SHIM, address::BaseUrl, connect::Connector, install_tls, tls};
use crate::config::{Limits, V2Config};

/// Below what servers and balancers keep.
const POOL_IDLE: Duration = Duration::from_secs(30);

const POOL_MAX_IDLE: usize = 32;

/// The HTTP client that all tenants share, for its pool of connections.
///
/// Calls go to hyper's client, past all that reqwest does for other servers than v2: it costs as
/// much again as the rest of a call. What reqwest knows and hyper does not, the proxies of the
/// environment, is left to it.
pub(crate) struct Http {
    client: Client,
    /// `None` if there is a proxy before v2.
    direct: Option<Direct>,
}

/// The way to v2 without a proxy.
struct Direct {
    client: legacy::Client<Connector, Body>,
    /// Without TLS only: with it, it may become HTTP/2, which has no such header.
    host: Option<HeaderValue>,
}

/// An answer whose body is still to come.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    body: AnswerBody,
}

enum AnswerBody {
    Direct(Incoming),
    Proxied(Body),
}

/// Why there is no answer, or only a part of one.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    /// On the direct way.
    #[error(transparent)]
    Direct(#[from] legacy::Error),
    /// In an answer on the direct way.
    #[error(transparent)]
    Broken(#[from] hyper::Error),
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
            .pool_idle_timeout(POOL_IDLE)
            .pool_max_idle_per_host(POOL_MAX_IDLE)
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
            direct: (!is_proxied).then(|| Direct::new(connector, &v2.base)),
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
    pub(super) async fn send(&self, request: Request<Body>) -> Result<Answer, HttpError> {
        if let Some(direct) = &self.direct {
            let (head, body) = direct.send(request).await?.into_parts();
            return Ok(Answer {
                status: head.status,
                headers: head.headers,
                body: AnswerBody::Direct(body),
            });
        }
        let response = self.client.execute(request.try_into()?).await?;
        let (head, body) = hyper::Response::<Body>::from(response).into_parts();
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body: AnswerBody::Proxied(body),
        })
    }
}

impl Direct {
    fn new(connector: Connector, base: &BaseUrl) -> Self {
        let client = legacy::Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE)
            .pool_max_idle_per_host(POOL_MAX_IDLE)
            .build(connector);
        let host = base.uri().authority().filter(|_| base.is_plain());
        Self {
            client,
            host: host.and_then(|host| HeaderValue::from_str(host.as_str()).ok()),
        }
    }

    /// With the headers that reqwest adds on the other way.
    async fn send(
        &self,
        mut request: Request<Body>,
    ) -> Result<hyper::Response<Incoming>, legacy::Error> {
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        headers.insert(USER_AGENT, HeaderValue::from_static(SHIM));
        if let Some(host) = &self.host {
            headers.insert(HOST, host.clone());
        }
        self.client.request(request).await
    }
}

fn is_proxied(base: &BaseUrl, proxies: &Matcher) -> bool {
    proxies.intercept(base.uri()).is_some()
}

impl Answer {
    /// The length of the body, if it is said.
    pub(super) fn length(&self) -> Option<u64> {
        match &self.body {
            AnswerBody::Direct(body) => body.size_hint().exact(),
            AnswerBody::Proxied(body) => body.size_hint().exact(),
        }
    }

    /// What comes next of the body; `None` at its end.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, HttpError> {
        loop {
            let frame = match &mut self.body {
                AnswerBody::Direct(body) => body.frame().await.transpose()?,
                AnswerBody::Proxied(body) => body.frame().await.transpose()?,
            };
            // What is no data is trailers.
            match frame.map(hyper::body::Frame::into_data) {
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
            Self::Direct(error) => error.is_connect(),
            Self::Proxied(error) => error.is_connect() || error.is_builder(),
            Self::Broken(_) => false,
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
            Self::Direct(error) => error.source(),
            Self::Proxied(error) => error.source(),
            Self::Broken(error) => return Some(error),
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
