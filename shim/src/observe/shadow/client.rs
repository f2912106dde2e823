//! The HTTP client of the shadow: sends reads as v1 clients sent them.

use mappings::{Argument, Arguments, Catalog};
use reqwest::{Client as Http, RequestBuilder, Response, redirect};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use shim_upstream::{BaseUrl, install_tls};
use url::Url;

use super::NotCompared;
use crate::settings::{Limits, ShadowCredentials};

/// Another one than before v2: that one is refused by a shim, which would be asking itself.
const USER_AGENT: &str = concat!("shim-shadow/", env!("CARGO_PKG_VERSION"));

/// True for how a shim of any version calls itself when it asks its shadow.
pub(crate) fn is_shadow_of_another(user_agent: &[u8]) -> bool {
    user_agent.starts_with(b"shim-shadow/")
}

/// Asks the shadow.
pub(super) struct Client {
    http: Http,
    base: BaseUrl,
    credentials: ShadowCredentials,
    answer_bytes: usize,
}

impl Client {
    pub(super) fn new(
        base: BaseUrl,
        credentials: ShadowCredentials,
        limits: &Limits,
    ) -> reqwest::Result<Self> {
        install_tls();
        let builder = Http::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(limits.connect)
            // One would carry credentials to wherever it points.
            .redirect(redirect::Policy::none())
            .referer(false);
        let is_local = base.is_loopback() && base.is_plain();
        let builder = if is_local {
            builder.no_proxy().tls_certs_only([])
        } else {
            builder
        };
        Ok(Self {
            http: builder.build()?,
            base,
            credentials,
            answer_bytes: limits.answer_bytes,
        })
    }

    /// Where it is, without credentials: a base has none.
    pub(super) fn base(&self) -> &str {
        self.base.as_str()
    }

    /// The largest answer that is read.
    pub(super) fn answer_bytes(&self) -> usize {
        self.answer_bytes
    }

    /// Its own secret, which may be quoted in its answers.
    pub(super) fn secret(&self) -> Option<&SecretString> {
        match &self.credentials {
            ShadowCredentials::Forwarded => None,
            ShadowCredentials::Own { secret, .. } => Some(secret),
        }
    }

    /// The request for a read: the parameters that it knows, and JSON for an answer. `None` if it
    /// is none to be asked.
    pub(super) fn request(
        &self,
        catalog: &Catalog,
        operation: &str,
        arguments: &Arguments,
    ) -> Option<RequestBuilder> {
        // What changes something is never sent to a shadow, wherever this is called from.
        let operation = catalog.find(operation).filter(|known| known.read)?;
        let uri = self.base.join(&format!("/{}", operation.name), &[]).ok()?;
        let url = Url::parse(&uri.to_string()).ok()?;
        let protocol = catalog.protocol();
        let (key, secret) = match &self.credentials {
            ShadowCredentials::Own { key, secret } => (key.as_str(), secret.expose_secret()),
            ShadowCredentials::Forwarded => (
                arguments.text(&protocol.key)?,
                arguments.text(&protocol.secret)?,
            ),
        };
        let mut form = vec![
            (protocol.key.as_str(), key),
            (protocol.secret.as_str(), secret),
        ];
        for (name, value) in arguments.iter() {
            let is_known = operation.parameters.iter().any(|known| known.name == name);
            if let (true, Argument::Text(text)) = (is_known, value) {
                form.push((name, text));
            }
        }
        Some(self.http.post(url).form(&form))
    }
}

/// Sends a request and reads v1's answer.
pub(super) async fn answer(request: RequestBuilder, limit: usize) -> Result<Value, NotCompared> {
    let response = request.send().await;
    let response = response.map_err(|_| NotCompared::Unreachable)?;
    // v1 said 200 to everything: what does not is a server in between, or trouble.
    if !response.status().is_success() {
        return Err(NotCompared::Unreadable);
    }
    let body = body(response, limit).await?;
    let answer: Value = serde_json::from_slice(&body).map_err(|_| NotCompared::Unreadable)?;
    if answer.is_object() {
        Ok(answer)
    } else {
        Err(NotCompared::Unreadable)
    }
}

async fn body(mut response: Response, limit: usize) -> Result<Vec<u8>, NotCompared> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= limit => body.extend_from_slice(&chunk),
            Ok(Some(_)) => return Err(NotCompared::Unreadable),
            Ok(None) => return Ok(body),
            Err(_) => return Err(NotCompared::Unreachable),
        }
    }
}
