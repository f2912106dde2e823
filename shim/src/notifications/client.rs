//! One HTTP request to a receiver.

use std::{error::Error, io, net::SocketAddr, time::Duration};

use axum::http::header::CONTENT_TYPE;
use futures_util::{FutureExt as _, future::BoxFuture};
use reqwest::{
    Client as Http,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect,
};
use secrecy::ExposeSecret as _;
use shim_upstream::{install_tls, is_public};
use tokio::net::lookup_host;

use super::{
    outbox::Message,
    pusher::{Deliver, Failure},
};
use crate::settings::ReceiverConfig;

const USER_AGENT: &str = concat!("shim/", env!("CARGO_PKG_VERSION"));

/// Timeout of an attempt, as in v1.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Timeout of connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The HTTP client cannot be built.
#[derive(Debug, thiserror::Error)]
#[error("receiver {receiver}: no HTTP client: {source}")]
pub struct ClientError {
    /// The label of the receiver.
    pub receiver: String,
    /// Cause.
    pub source: reqwest::Error,
}

/// Sends notifications to one receiver.
pub struct Client {
    http: Http,
    config: ReceiverConfig,
}

impl Client {
    /// A client for a receiver.
    ///
    /// # Errors
    ///
    /// Fails if the system has no trusted certificates.
    pub fn new(config: &ReceiverConfig) -> Result<Self, ClientError> {
        install_tls();
        let builder = Http::builder()
            .user_agent(USER_AGENT)
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(redirect::Policy::none())
            .referer(false)
            .http1_only()
            // A request on a connection that the receiver just closed would cost an attempt.
            .pool_max_idle_per_host(0);
        let builder = if config.is_local() {
            builder.no_proxy().tls_certs_only([])
        } else if config.allows_private {
            builder
        } else {
            builder.dns_resolver(PublicOnly)
        };
        let http = builder.build().map_err(|source| ClientError {
            receiver: config.label(),
            source,
        })?;
        let config = config.clone();
        Ok(Self { http, config })
    }

    async fn send(&self, message: Message) -> Result<(), Failure> {
        let content_type = if message.is_json {
            "application/json"
        } else {
            "application/x-www-form-urlencoded"
        };
        let mut request = self
            .http
            .post(self.config.url.clone())
            .header(CONTENT_TYPE, content_type)
            .body(message.body);
        if let Some((user, password)) = &self.config.basic {
            request = request.basic_auth(user, Some(password.expose_secret()));
        }
        match request.send().await {
            Ok(response) if response.status().is_success() => Ok(()),
            Ok(response) => Err(Failure::Status(response.status().as_u16())),
            Err(error) if error.is_timeout() => Err(Failure::Timeout),
            Err(error) if error.is_connect() && is_private_address(&error) => {
                Err(Failure::PrivateAddress)
            }
            Err(error) if error.is_connect() => Err(Failure::NoConnection),
            Err(_) => Err(Failure::Interrupted),
        }
    }
}

impl Deliver for Client {
    fn deliver(&self, message: Message) -> BoxFuture<'_, Result<(), Failure>> {
        self.send(message).boxed()
    }
}

/// Resolves hosts to public addresses only.
struct PublicOnly;

/// All addresses of a host are private.
#[derive(Debug, thiserror::Error)]
#[error("all addresses are private")]
struct OnlyPrivate;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let found = async move {
            let found: Vec<SocketAddr> = lookup_host((name.as_str(), 0)).await?.collect();
            let public: Vec<_> = found.into_iter().filter(|at| is_public(at.ip())).collect();
            if public.is_empty() {
                return Err(Box::new(io::Error::other(OnlyPrivate)) as _);
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        };
        Box::pin(found)
    }
}

fn is_private_address(error: &reqwest::Error) -> bool {
    let mut source: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = source {
        let inner = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        if error.is::<OnlyPrivate>()
            || inner.is_some_and(<dyn Error + Send + Sync>::is::<OnlyPrivate>)
        {
            return true;
        }
        source = error.source();
    }
    false
}
