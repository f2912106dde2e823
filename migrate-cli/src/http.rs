//! HTTP requests to a shim.

use std::{io::Read as _, time::Duration};

use anyhow::{Context as _, bail};
use reqwest::{
    StatusCode,
    blocking::{Client, Response},
    redirect,
};
use url::Url;

/// Parses the address of a shim. `example` is shown in the error.
///
/// # Errors
///
/// The address is invalid or has credentials.
pub(crate) fn address(text: &str, example: &str) -> anyhow::Result<Url> {
    let url = Url::parse(text.trim())
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .with_context(|| format!("the address must be a full URL, as {example}"))?;
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
        bail!("the address has a user or a query; credentials come from the environment");
    }
    Ok(url)
}

/// Creates a client with a timeout per request.
///
/// # Errors
///
/// The client cannot be built.
pub(crate) fn client(url: &Url, timeout: Duration) -> anyhow::Result<Client> {
    // Fails if the process already has a provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder()
        .timeout(timeout)
        .redirect(redirect::Policy::none())
        .user_agent(concat!("migrate/", env!("CARGO_PKG_VERSION")));
    // Plain HTTP needs no certificates, and a local shim no proxy.
    let builder = if url.scheme() == "http" {
        builder.no_proxy().tls_certs_only([])
    } else {
        builder
    };
    builder.build().context("cannot create the HTTP client")
}

/// Appends the path of an endpoint to the address of a shim, unless it already ends with it.
///
/// # Errors
///
/// The address is invalid or has credentials.
pub(crate) fn endpoint(address: &str, path: &str) -> anyhow::Result<Url> {
    let mut url = self::address(address, "http://127.0.0.1:9090")?;
    let base = url.path().trim_end_matches('/').trim_end_matches(path);
    let path = format!("{base}{path}");
    url.set_path(&path);
    Ok(url)
}

/// Status and body of a response. `name` identifies the URL in messages.
///
/// # Errors
///
/// There is no response, or it is larger than `limit` bytes.
pub(crate) fn body(
    response: reqwest::Result<Response>,
    name: &str,
    limit: u64,
) -> anyhow::Result<(StatusCode, Vec<u8>)> {
    let response = response
        .map_err(reqwest::Error::without_url)
        .with_context(|| format!("{name} does not respond"))?;
    let status = response.status();
    let mut body = Vec::new();
    response
        .take(limit + 1)
        .read_to_end(&mut body)
        .with_context(|| format!("the response of {name} was cut off"))?;
    if body.len() as u64 > limit {
        bail!("the response of {name} is larger than {} MiB", limit >> 20);
    }
    Ok((status, body))
}

/// Response body of a GET, up to `limit` bytes.
///
/// # Errors
///
/// There is no response, or an error status.
pub(crate) fn get(client: &Client, url: &Url, limit: u64) -> anyhow::Result<Vec<u8>> {
    let (status, body) = body(client.get(url.clone()).send(), url.as_str(), limit)?;
    if !status.is_success() {
        let message = String::from_utf8_lossy(&body);
        let message = message.chars().filter(|char| !char.is_control()).take(200);
        let message: String = message.collect();
        bail!("{url} returned {}: {message}", status.as_u16());
    }
    Ok(body)
}
