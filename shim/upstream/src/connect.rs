//! Opens connections to v2, with TLS for https URLs, within one timeout.

use std::{error::Error, time::Duration};

use hyper::Uri;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::{client::legacy::connect::HttpConnector, rt::TokioIo};
use rustls::ClientConfig;
use tokio::{net::TcpStream, time};
use tower_service::Service as _;

use crate::resolver::HostResolver;

/// Idle time before each TCP keep-alive probe. The connection is closed after [`PROBES`]
/// unanswered probes.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

const PROBES: u32 = 3;

/// Timeout for unacknowledged data (`TCP_USER_TIMEOUT`).
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);

/// Opens connections.
pub(super) struct Connector {
    https: HttpsConnector<HttpConnector<HostResolver>>,
    within: Duration,
}

/// Connection with or without TLS.
pub(super) type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;

impl Connector {
    pub(super) fn new(resolver: HostResolver, tls: ClientConfig, within: Duration) -> Self {
        let mut http = HttpConnector::new_with_resolver(resolver);
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(within));
        http.set_keepalive(Some(KEEP_ALIVE));
        http.set_keepalive_interval(Some(KEEP_ALIVE));
        http.set_keepalive_retries(Some(PROBES));
        #[cfg(target_os = "linux")]
        http.set_tcp_user_timeout(Some(UNACKNOWLEDGED));
        let https = HttpsConnector::from((http, tls));
        Self { https, within }
    }

    /// Connects to the authority of a URI.
    pub(super) async fn connect(&self, to: Uri) -> Result<Stream, Box<dyn Error + Send + Sync>> {
        let connecting = self.https.clone().call(to);
        time::timeout(self.within, connecting).await?
    }
}
