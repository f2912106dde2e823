//! Whether a server can be found and reached as calls reach it: for diagnosis, one step at a time.

use std::{
    net::IpAddr,
    time::{Duration, SystemTime},
};

use hyper::header::{DATE, HeaderValue};
use url::Url;

use crate::{
    http::{Http, HttpSettings},
    request::FROM_SHIM,
    token::innermost,
};

/// For a name to be resolved, and for a server to answer.
const TIMEOUT: Duration = Duration::from_secs(8);

/// What a server answered to a request without credentials.
#[derive(Clone, Copy, Debug)]
pub struct Greeting {
    /// The HTTP status.
    pub status: u16,
    /// The time of the server, to a second, if it says one.
    pub date: Option<SystemTime>,
    /// The time of this machine, halfway between request and response.
    pub here: SystemTime,
}

/// The addresses that calls would use for a host name.
///
/// # Errors
///
/// What the system or the name server says.
pub async fn lookup(settings: &HttpSettings, name: &str) -> Result<Vec<IpAddr>, String> {
    let resolver = settings.resolver.resolver(settings.base.host());
    let resolver = resolver.map_err(|error| innermost(&error))?;
    let found = tokio::time::timeout(TIMEOUT, resolver.find(name)).await;
    let found = found.map_err(|_| format!("no answer within {} s", TIMEOUT.as_secs()))?;
    let found = found.map_err(|error| innermost(error.as_ref()))?;
    Ok(found.map(|address| address.ip()).collect())
}

/// Asks a server for something without credentials, over a new connection: with TLS where the URL
/// says so.
///
/// # Errors
///
/// What prevents an answer: the connection, its certificate, or the time that it takes.
pub async fn greet(http: &Http, url: Url) -> Result<Greeting, String> {
    let asked = SystemTime::now();
    let request = http.client().get(url);
    // A shim that is asked knows by it that it is its own v2.
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
