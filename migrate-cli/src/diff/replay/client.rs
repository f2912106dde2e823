//! A v1 client, as plain as the old ones were.

use std::{io::Read as _, time::Duration};

use anyhow::{Context as _, bail};
use mappings::{Argument, Arguments, Catalog, catalog::operation::Operation};
use reqwest::blocking::{Client as Http, RequestBuilder, Response};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use url::Url;

use crate::http::address;

/// The variables that hold what v1 programs prove themselves with.
pub(crate) const API_KEY: &str = "MIGRATE_API_KEY";
pub(crate) const API_SECRET: &str = "MIGRATE_API_SECRET";

/// For an answer; v1's own clients gave up after 15 seconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// The largest answer that is read.
const MAX_ANSWER: u64 = 32 << 20;

/// What v1 clients prove themselves with.
pub(crate) struct Credentials {
    pub(crate) key: String,
    pub(crate) secret: SecretString,
}

/// Asks a shim.
pub(crate) struct Client {
    http: Http,
    base: Url,
    credentials: Credentials,
}

impl Client {
    /// A client of the shim at an address, with or without `/v1`.
    pub(crate) fn new(base: &str, credentials: Credentials) -> anyhow::Result<Self> {
        let mut url = address(base, "http://127.0.0.1:8080").context("--shim")?;
        let path = url
            .path()
            .trim_end_matches('/')
            .trim_end_matches("/v1")
            .to_owned();
        url.set_path(&path);
        Ok(Self {
            http: http(&url)?,
            base: url,
            credentials,
        })
    }

    /// The address, for messages.
    pub(crate) fn base(&self) -> &str {
        self.base.as_str()
    }

    /// Calls an operation.
    ///
    /// # Errors
    ///
    /// If there is no answer, or one that is no JSON. A v1 error is an answer.
    pub(crate) fn ask(
        &self,
        catalog: &Catalog,
        operation: &Operation,
        arguments: &Arguments,
    ) -> anyhow::Result<Value> {
        let response = self.request(catalog, operation, arguments).send();
        read(response, self.base())
    }

    fn request(
        &self,
        catalog: &Catalog,
        operation: &Operation,
        arguments: &Arguments,
    ) -> RequestBuilder {
        let protocol = catalog.protocol();
        let mut url = self.base.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}/{}/{}", protocol.prefix, operation.name));
        let mut form = vec![
            (protocol.key.as_str(), self.credentials.key.as_str()),
            (
                protocol.secret.as_str(),
                self.credentials.secret.expose_secret(),
            ),
        ];
        form.extend(arguments.iter().filter_map(|(name, value)| match value {
            Argument::Text(text) => Some((name, text.as_str())),
            Argument::File(_) => None,
        }));
        self.http.post(url).form(&form)
    }
}

/// What asks the host of a URL; follows no redirect, which could carry credentials elsewhere.
pub(crate) fn http(url: &Url) -> anyhow::Result<Http> {
    crate::http::client(url, PATIENCE)
}

/// The JSON of an answer. `name` stands for the address in messages: it has no query.
pub(crate) fn read(response: reqwest::Result<Response>, name: &str) -> anyhow::Result<Value> {
    let response = response
        .map_err(reqwest::Error::without_url)
        .with_context(|| format!("{name} does not answer"))?;
    let status = response.status();
    if status.is_redirection() {
        bail!("{name} leads elsewhere ({status}); name the address it leads to");
    }
    let mut text = Vec::new();
    response
        .take(MAX_ANSWER + 1)
        .read_to_end(&mut text)
        .with_context(|| format!("the answer of {name} broke off"))?;
    if text.len() as u64 > MAX_ANSWER {
        bail!(
            "the answer of {name} is larger than {} MiB",
            MAX_ANSWER >> 20
        );
    }
    serde_json::from_slice(&text)
        .with_context(|| format!("what {name} answers ({status}) is not JSON"))
}
