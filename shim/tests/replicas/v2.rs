//! The sandbox, with a note of each call and when it came.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse as _, Response},
};
use reqwest::StatusCode;
use shim_sandbox::{Paging, Sandbox, SandboxConfig};
use tokio::{net::TcpListener, time::sleep};

/// A v2 of a test.
#[derive(Clone)]
pub(crate) struct V2 {
    pub(crate) base: String,
    shared: Arc<Shared>,
}

struct Shared {
    calls: Mutex<Vec<(Instant, String)>>,
    /// How long a create takes.
    create_time: Duration,
    /// How paths end of calls that are refused for an hour.
    refused: Mutex<Option<&'static str>>,
}

impl V2 {
    pub(crate) async fn start() -> Self {
        Self::with(Duration::ZERO).await
    }

    pub(crate) async fn with(create_time: Duration) -> Self {
        let shared = Arc::new(Shared {
            calls: Mutex::default(),
            create_time,
            refused: Mutex::default(),
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let layer = from_fn_with_state(Arc::clone(&shared), note);
        let config = SandboxConfig {
            paging: Paging::TokenOnly,
            ..SandboxConfig::default()
        };
        let router = Sandbox::new(config).router().layer(layer);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            base: Sandbox::v2_base(address),
            shared,
        }
    }

    /// Refuses calls whose path ends so, with `Retry-After`.
    pub(crate) fn refuse(&self, path: &'static str) {
        *self.shared.refused.lock().unwrap() = Some(path);
    }

    /// When calls came, as `GET /users/email`; all that begin so.
    pub(crate) fn times(&self, call: &str) -> Vec<Instant> {
        let calls = self.shared.calls.lock().unwrap();
        let its = calls.iter().filter(|(_, known)| known.starts_with(call));
        its.map(|(at, _)| *at).collect()
    }

    pub(crate) fn forget(&self) {
        self.shared.calls.lock().unwrap().clear();
    }
}

async fn note(State(v2): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let path = path.strip_prefix("/v2").unwrap_or(path).to_owned();
    let call = format!("{} {path}", request.method());
    let is_create = call == "POST /users";
    v2.calls.lock().unwrap().push((Instant::now(), call));
    let refused = *v2.refused.lock().unwrap();
    if refused.is_some_and(|end| path.ends_with(end)) {
        return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "3600")]).into_response();
    }
    let response = next.run(request).await;
    if is_create {
        sleep(v2.create_time).await;
    }
    response
}
