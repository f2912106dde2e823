//! A sandbox and a client for it.

#![expect(dead_code, reason = "each test file uses a part of it")]

mod description;

use std::net::SocketAddr;

use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use shim_sandbox::{Sandbox, SandboxConfig};
use time::{Duration, OffsetDateTime};
use tokio::net::TcpListener;

/// Client of a separate sandbox, which ends with the test's runtime.
pub(crate) struct Client {
    http: reqwest::Client,
    addr: SocketAddr,
}

impl Client {
    pub(crate) async fn start() -> Self {
        Self::with(SandboxConfig::default()).await
    }

    pub(crate) async fn with(config: SandboxConfig) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("its address");
        // Fails only if another test has installed it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::new();
        tokio::spawn(shim_sandbox::serve(
            listener,
            Sandbox::new(config),
            std::future::pending(),
        ));
        Self { http: client, addr }
    }

    /// Request below `/v2` with the static token.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).bearer_auth(shim_sandbox::TOKEN)
    }

    /// Request below `/v2` without a token.
    pub(crate) fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", Sandbox::v2_base(self.addr)))
    }

    pub(crate) fn token_request(&self) -> RequestBuilder {
        self.http.post(Sandbox::token_url(self.addr))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PATCH, path, Some(body)).await
    }

    /// Sends the request and checks the response against v2's documentation.
    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let request = self.request(method.clone(), path);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        let answer = Answer::of(request).await;
        description::check(method.as_str(), path, answer.status, &answer.text);
        answer
    }

    /// Calls an endpoint below `/sandbox`.
    pub(crate) async fn own(&self, path: &str, body: &str) -> Answer {
        let url = format!("http://{}/sandbox/{path}", self.addr);
        let request = self.http.post(url).bearer_auth(shim_sandbox::TOKEN);
        Answer::of(request.body(body.to_owned())).await
    }

    /// All entries of a list, page by page.
    pub(crate) async fn walk(&self, path: &str, list: &str) -> Vec<Value> {
        let mark = if path.contains('?') { '&' } else { '?' };
        let mut entries = Vec::new();
        let mut token = String::new();
        loop {
            let page = self
                .get(&format!("{path}{mark}next_page_token={token}"))
                .await
                .body(200);
            entries.extend(page[list].as_array().expect("a list").clone());
            page["next_page_token"]
                .as_str()
                .expect("a token")
                .clone_into(&mut token);
            if token.is_empty() {
                return entries;
            }
        }
    }

    /// Id of the user with this address.
    pub(crate) async fn id_of(&self, email: &str) -> String {
        self.get(&format!("/users/{email}")).await.body(200)["id"]
            .as_str()
            .expect("an id")
            .to_owned()
    }
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.expect("an answer");
        Self {
            status: response.status().as_u16(),
            text: response.text().await.expect("a text"),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {:?}", self.text))
    }

    /// JSON body of a response that must have this status.
    #[track_caller]
    pub(crate) fn body(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json()
    }

    /// Response without a body.
    #[track_caller]
    pub(crate) fn empty(&self, status: u16) {
        assert_eq!((self.status, self.text.as_str()), (status, ""));
    }

    /// v2 error whose message must contain `words`.
    #[track_caller]
    pub(crate) fn error(&self, status: u16, code: u32, words: &str) {
        let body = self.body(status);
        assert_eq!(body["code"], code, "{}", self.text);
        let message = body["message"].as_str().unwrap_or_default();
        assert!(
            message.contains(words),
            "{message:?} does not say {words:?}"
        );
    }
}

/// The date this many days ago.
pub(crate) fn day(ago: i64) -> String {
    (OffsetDateTime::now_utc() - Duration::days(ago))
        .date()
        .to_string()
}

/// The last four weeks as parameters.
pub(crate) fn month() -> String {
    format!("from={}&to={}", day(28), day(0))
}
