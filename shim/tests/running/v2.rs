//! A v2 that answers by a script and keeps the requests.

use std::{
    future::Future,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{Response, StatusCode},
};
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, mpsc},
};

type Script = dyn Fn(Seen) -> Pin<Box<dyn Future<Output = Answer> + Send>> + Send + Sync;

/// A scripted v2.
#[derive(Clone)]
pub(crate) struct ScriptedV2 {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// A received request.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Path and query as received.
    pub(crate) uri: String,
    pub(crate) authorization: String,
    pub(crate) request_id: String,
    pub(crate) body: Bytes,
}

/// A response of v2.
pub(crate) struct Answer(Response<Body>);

impl ScriptedV2 {
    /// Answers by a script.
    pub(crate) async fn start<F>(script: impl Fn(Seen) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        let script: Arc<Script> = Arc::new(move |seen| Box::pin(script(seen)));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        let router = Router::new().fallback(move |request: Request| {
            let (script, kept) = (Arc::clone(&script), Arc::clone(&kept));
            async move {
                let seen = Seen::read(request).await;
                kept.lock().unwrap().push(seen.clone());
                script(seen).await.0
            }
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, seen }
    }

    /// Answers reads with a small user, and writes with 204.
    pub(crate) async fn with_users() -> Self {
        Self::start(|seen| async move { seen.usual() }).await
    }

    /// Reports requests that the filter selects, and answers them once the gate has permits.
    pub(crate) async fn gated(
        is_gated: fn(&Seen) -> bool,
    ) -> (Self, mpsc::UnboundedReceiver<()>, Arc<Semaphore>) {
        let (arrived, arrivals) = mpsc::unbounded_channel();
        let gate = Arc::new(Semaphore::new(0));
        let opened = Arc::clone(&gate);
        let v2 = Self::start(move |seen| {
            let (arrived, gate) = (arrived.clone(), Arc::clone(&opened));
            async move {
                if is_gated(&seen) {
                    let _ = arrived.send(());
                    let _ = gate.acquire().await.unwrap();
                }
                seen.usual()
            }
        });
        (v2.await, arrivals, gate)
    }

    pub(crate) fn base(&self) -> String {
        format!("http://{}/v2", self.address)
    }

    pub(crate) fn oauth(&self) -> String {
        format!("http://{}/oauth", self.address)
    }

    /// Method and URI of each request, as received.
    pub(crate) fn lines(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        seen.iter().map(Seen::line).collect()
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn forget(&self) {
        self.seen.lock().unwrap().clear();
    }
}

impl Seen {
    async fn read(request: Request) -> Self {
        let (head, body) = request.into_parts();
        let header = |name| {
            let value = head.headers.get(name);
            value.map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
        };
        Self {
            method: head.method.to_string(),
            uri: head.uri.to_string(),
            authorization: header("authorization"),
            request_id: header("x-request-id"),
            body: axum::body::to_bytes(body, usize::MAX).await.unwrap(),
        }
    }

    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.uri)
    }

    pub(crate) fn path(&self) -> &str {
        self.uri.split('?').next().unwrap()
    }

    /// A plausible response.
    pub(crate) fn usual(&self) -> Answer {
        if self.method != "GET" {
            return match self.path() {
                "/v2/users" => {
                    let sent: Value = serde_json::from_slice(&self.body).unwrap_or_default();
                    let email = sent.pointer("/user_info/email");
                    Answer::json(201, &json!({ "id": "u1", "email": email, "type": 1 }))
                }
                _ => Answer::status(204),
            };
        }
        let asked = self.path().rsplit('/').next().unwrap();
        let named = percent_encoding::percent_decode_str(asked).decode_utf8_lossy();
        let (id, email) = if named.contains('@') {
            ("u1", &*named)
        } else {
            (&*named, "ada@example.com")
        };
        match asked {
            "settings" => Answer::json(
                200,
                &json!({
                    "in_meeting": { "chat": true }, "schedule_meeting": {}, "recording": {},
                    "email_notification": {}, "feature": {},
                }),
            ),
            "token" => Answer::json(200, &json!({ "token": "a-zak" })),
            _ => Answer::json(
                200,
                &json!({
                    "id": id,
                    "email": email,
                    "first_name": "Ada",
                    "type": 2,
                    "pmi": 2_035_134_243_u64,
                    "status": "active",
                    "login_types": [100],
                }),
            ),
        }
    }
}

impl Answer {
    pub(crate) fn new(status: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> Self {
        let mut response = Response::builder().status(StatusCode::from_u16(status).unwrap());
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        Self(response.body(body.into()).unwrap())
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::new(
            status,
            &[("content-type", "application/json")],
            body.to_string(),
        )
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::new(status, &[], Body::empty())
    }
}
