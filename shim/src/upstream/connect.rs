//! Connections to v2, as reqwest makes them: with TLS where the URL says so, and all of it within
//! one time.

use std::{error::Error, pin::Pin, sync::Arc, task, time::Duration};

use hyper::Uri;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::{client::legacy::connect::HttpConnector, rt::TokioIo};
use rustls::ClientConfig;
use tokio::{net::TcpStream, time};
use tower_service::Service;

use super::names::Lookup;

/// A peer that is silent for so long is asked whether it is still there, again after as long, and
/// given up after [`PROBES`].
const KEEP_ALIVE: Duration = Duration::from_secs(15);

const PROBES: u32 = 3;

/// What was sent and is not acknowledged for so long is lost.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);

/// Makes connections. It is copied with every request, for the few that need one.
#[derive(Clone)]
pub(super) struct Connector(Arc<Parts>);

struct Parts {
    https: HttpsConnector<HttpConnector<Lookup>>,
    within: Duration,
}

impl Connector {
    pub(super) fn new(lookup: Lookup, tls: ClientConfig, within: Duration) -> Self {
        let mut http = HttpConnector::new_with_resolver(lookup);
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(within));
        http.set_keepalive(Some(KEEP_ALIVE));
        http.set_keepalive_interval(Some(KEEP_ALIVE));
        http.set_keepalive_retries(Some(PROBES));
        #[cfg(target_os = "linux")]
        http.set_tcp_user_timeout(Some(UNACKNOWLEDGED));
        let https = HttpsConnector::from((http, tls));
        Self(Arc::new(Parts { https, within }))
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut task::Context<'_>) -> task::Poll<Result<(), Self::Error>> {
        task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let connecting = self.0.https.clone().call(to);
        let within = self.0.within;
        Box::pin(async move { time::timeout(within, connecting).await? })
    }
}
