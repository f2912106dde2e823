//! A minimal v1 client.

use std::time::Duration;

use anyhow::{Context as _, bail};
use mappings::{Argument, Arguments, Catalog, catalog::operation::Operation};
use reqwest::blocking::{Client as Http, RequestBuilder, Response};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use url::Url;

use crate::http::address;

/// Environment variables with the v1 credentials.
pub(crate) const API_KEY: &str = "MIGRATE_API_KEY";
pub(crate) const API_SECRET: &str = "MIGRATE_API_SECRET";

/// Timeout of a request; v1 clients used 15 s.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Maximum size of a response, in bytes.
const MAX_ANSWER: u64 = 32 << 20;

/// v1 credentials.
pub(crate) struct Credentials {
    pub(crate) key: String,
    pub(crate) secret: SecretString,
}

/// Sends v1 requests to a shim.
pub(crate) struct Client {
    http: Http,
    base: Url,
    credentials: Credentials,
}

impl Client {
    /// Creates a client. The address may end with `/v1`.
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

    /// Base URL, for messages.
    pub(crate) fn base(&self) -> &str {
        self.base.as_str()
    }

    /// Calls an operation with a form.
    ///
    /// # Errors
    ///
    /// There is no response, or it is not JSON. A v1 error is a response.
    pub(crate) fn call(
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

/// Creates an HTTP client. Redirects are not followed, because they could send credentials
/// elsewhere.
pub(crate) fn http(url: &Url) -> anyhow::Result<Http> {
    crate::http::client(url, TIMEOUT)
}

/// Reads the JSON body. `name` identifies the URL in messages, without its query.
pub(crate) fn read(response: reqwest::Result<Response>, name: &str) -> anyhow::Result<Value> {
    let (status, text) = crate::http::body(response, name, MAX_ANSWER)?;
    if status.is_redirection() {
        bail!("{name} redirects ({status}); use the target address");
    }
    serde_json::from_slice(&text)
        .with_context(|| format!("the response of {name} ({status}) is not JSON"))
}
