//! Client of a second v1, which is a shadow or the other side of a rollout.

use mappings::{
    Argument, Arguments, Catalog, V1Answer, V1Error, V1Object, catalog::operation::Operation,
};
use reqwest::{
    Client as Http, RequestBuilder, Response,
    multipart::{Form, Part},
    redirect,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use shim_upstream::{BaseUrl, install_tls};
use url::Url;

use crate::settings::{Limits, SecondV1, V1Credentials};

/// A client of a second v1.
pub(crate) struct V1Client {
    http: Http,
    base: BaseUrl,
    credentials: V1Credentials,
    answer_bytes: usize,
}

/// Reasons why a request has no usable answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum V1Failure {
    /// No connection; the request was not sent.
    NotSent,
    /// No response.
    Unreachable,
    /// The answer is not v1's, or too large.
    Unreadable,
}

impl V1Client {
    /// Creates a client. `user_agent` must differ from the one towards v2, which a shim refuses.
    pub(crate) fn new(
        second: SecondV1,
        user_agent: &str,
        limits: &Limits,
    ) -> reqwest::Result<Self> {
        install_tls();
        let SecondV1 { base, credentials } = second;
        let builder = Http::builder()
            .user_agent(user_agent)
            .connect_timeout(limits.connect)
            // A redirect would send the credentials to another host.
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

    /// Base URL; contains no credentials.
    pub(crate) fn base(&self) -> &str {
        self.base.as_str()
    }

    /// Maximum size of an answer, in bytes.
    pub(crate) fn answer_bytes(&self) -> usize {
        self.answer_bytes
    }

    /// The configured secret, which answers may quote.
    pub(crate) fn secret(&self) -> Option<&SecretString> {
        match &self.credentials {
            V1Credentials::Forwarded => None,
            V1Credentials::Own { secret, .. } => Some(secret),
        }
    }

    /// Builds a request with the operation's parameters, without the format parameter, so that the
    /// answer is JSON. `client` is the client's key and secret. `None` if the request cannot be
    /// built.
    pub(crate) fn request(
        &self,
        catalog: &Catalog,
        operation: &Operation,
        arguments: &Arguments,
        client: Option<(&str, &str)>,
    ) -> Option<RequestBuilder> {
        let uri = self.base.join(&format!("/{}", operation.name), &[]).ok()?;
        let url = Url::parse(&uri.to_string()).ok()?;
        let protocol = catalog.protocol();
        let (key, secret) = match &self.credentials {
            V1Credentials::Own { key, secret } => (key.as_str(), secret.expose_secret()),
            V1Credentials::Forwarded => client?,
        };
        let mut texts = vec![
            (protocol.key.as_str(), key),
            (protocol.secret.as_str(), secret),
        ];
        let mut files = Vec::new();
        for (name, value) in arguments.iter() {
            if !operation.parameters.iter().any(|known| known.name == name) {
                continue;
            }
            match value {
                Argument::Text(text) => texts.push((name, text)),
                Argument::File(file) => files.push((name, file)),
            }
        }
        let request = self.http.post(url);
        if files.is_empty() {
            return Some(request.form(&texts));
        }
        let form = texts.into_iter().fold(Form::new(), |form, (name, text)| {
            form.text(name.to_owned(), text.to_owned())
        });
        let form = files.into_iter().fold(form, |form, (name, file)| {
            let part = Part::bytes(file.bytes.to_vec());
            let part = part.file_name(file.name.clone().unwrap_or_else(|| name.to_owned()));
            form.part(name.to_owned(), part)
        });
        Some(request.multipart(form))
    }
}

/// Sends a request and reads v1's answer of at most `limit` bytes.
pub(crate) async fn answer(request: RequestBuilder, limit: usize) -> Result<Value, V1Failure> {
    let response = request.send().await.map_err(|error| {
        if error.is_connect() {
            V1Failure::NotSent
        } else {
            V1Failure::Unreachable
        }
    })?;
    // v1 always returned 200; any other status comes from a proxy or a failing server.
    if !response.status().is_success() {
        return Err(V1Failure::Unreadable);
    }
    let body = body(response, limit).await?;
    let answer: Value = serde_json::from_slice(&body).map_err(|_| V1Failure::Unreadable)?;
    if answer.is_object() {
        Ok(answer)
    } else {
        Err(V1Failure::Unreadable)
    }
}

/// Converts an answer of a second v1; its warnings are unknown.
pub(crate) fn v1_answer(answer: &Value) -> V1Answer {
    let error = answer.get("error").and_then(|error| {
        let code = error.get("code")?.as_i64()?;
        let message = error.get("message")?.as_str()?.to_owned();
        Some(V1Error { code, message })
    });
    V1Answer {
        result: match error {
            Some(error) => Err(error),
            None => Ok(answer
                .as_object()
                .map_or_else(|| V1Object::from(&serde_json::Map::new()), V1Object::from)),
        },
        warnings: Vec::new(),
    }
}

async fn body(mut response: Response, limit: usize) -> Result<Vec<u8>, V1Failure> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= limit => body.extend_from_slice(&chunk),
            Ok(Some(_)) => return Err(V1Failure::Unreadable),
            Ok(None) => return Ok(body),
            Err(_) => return Err(V1Failure::Unreachable),
        }
    }
}
