//! Reachability checks for diagnosis, one step at a time.

use std::{
    net::IpAddr,
    time::{Duration, SystemTime},
};

use hyper::header::{DATE, HeaderValue};
use url::Url;

use crate::{
    http::{Http, HttpSettings, innermost},
    request::FROM_SHIM,
};

/// Timeout of a name lookup and of a response.
const TIMEOUT: Duration = Duration::from_secs(8);

/// Response to a request without credentials.
#[derive(Clone, Copy, Debug)]
pub struct Greeting {
    /// HTTP status.
    pub status: u16,
    /// The server's `Date` header, if any.
    pub date: Option<SystemTime>,
    /// Local time halfway between request and response.
    pub here: SystemTime,
}

/// Addresses that calls would use for a host name.
///
/// # Errors
///
/// The error of the system or the name server.
pub async fn lookup(settings: &HttpSettings, name: &str) -> Result<Vec<IpAddr>, String> {
    let resolver = settings.resolver.resolver(settings.base.host());
    let resolver = resolver.map_err(|error| innermost(&error))?;
    let found = tokio::time::timeout(TIMEOUT, resolver.find(name)).await;
    let found = found.map_err(|_| format!("no answer within {} s", TIMEOUT.as_secs()))?;
    let found = found.map_err(|error| innermost(error.as_ref()))?;
    Ok(found.map(|address| address.ip()).collect())
}

/// Sends a request without credentials over a new connection, with TLS for https URLs.
///
/// # Errors
///
/// Connection, certificate or timeout errors.
pub async fn greet(http: &Http, url: Url) -> Result<Greeting, String> {
    let asked = SystemTime::now();
    let request = http.client().get(url);
    // Lets a shim detect that it is configured as its own v2.
    let request = request.header(FROM_SHIM, HeaderValue::from_static("1"));
    let response = request.timeout(TIMEOUT).send().await;
    let response = response.map_err(|error| innermost(&error.without_url()))?;
    let taken = asked.elapsed().unwrap_or_default();
    let date = response.headers().get(DATE);
    Ok(Greeting {
        status: response.status().as_u16(),
        date: date.and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok()),
        here: asked + taken / 2,
    })
}
