//! Asking a shim over HTTP.

use std::{io::Read as _, time::Duration};

use anyhow::{Context as _, bail};
use reqwest::{blocking::Client, redirect};
use url::Url;

/// Reads the address of a shim; `example` is what to write instead.
///
/// # Errors
///
/// If it is no address, or has credentials in it.
pub(crate) fn address(text: &str, example: &str) -> anyhow::Result<Url> {
    let url = Url::parse(text.trim())
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .with_context(|| format!("write the address in full, as {example}"))?;
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
        bail!("the address has a user or a query; credentials come from the environment");
    }
    Ok(url)
}

/// A client for a shim; `patience` is the timeout of a request.
///
/// # Errors
///
/// The client cannot be built.
pub(crate) fn client(url: &Url, patience: Duration) -> anyhow::Result<Client> {
    // The process may have one already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder()
        .timeout(patience)
        .redirect(redirect::Policy::none())
        .user_agent(concat!("migrate/", env!("CARGO_PKG_VERSION")));
    // A shim on this machine is reached past proxies, and needs no certificates.
    let builder = if url.scheme() == "http" {
        builder.no_proxy().tls_certs_only([])
    } else {
        builder
    };
    builder.build().context("the HTTP client cannot be made")
}

/// What a shim answers to a GET, of so many bytes at most.
///
/// # Errors
///
/// If it does not answer, or with an error.
pub(crate) fn get(client: &Client, url: &Url, limit: u64) -> anyhow::Result<Vec<u8>> {
    let response = client
        .get(url.clone())
        .send()
        .map_err(reqwest::Error::without_url)
        .with_context(|| format!("{url} does not answer"))?;
    let status = response.status();
    let mut text = Vec::new();
    response
        .take(limit)
        .read_to_end(&mut text)
        .context("the answer broke off")?;
    if !status.is_success() {
        let told = String::from_utf8_lossy(&text);
        let told: String = told
            .chars()
            .filter(|char| !char.is_control())
            .take(200)
            .collect();
        bail!("{url} answers {}: {told}", status.as_u16());
    }
    Ok(text)
}
