//! The sandbox's own endpoints below `/sandbox`, which need a bearer token.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State as Shared};
use axum::http::header::{AUTHORIZATION, HOST};
use axum::http::{self, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use serde::Deserialize;
use serde_json::{Map, Value};
use tower_service::Service as _;

use crate::request::{Answer, Segments, no_content};
use crate::{Faults, Sandbox, Subscription, TOKEN, engine};

/// Member of a recording with the download token.
const TOKEN_FIELD: &str = "download_access_token";

pub(super) fn routes() -> Router<Sandbox> {
    Router::new()
        .route("/sandbox/reset", post(reset))
        .route("/sandbox/faults", post(arm))
        .route("/sandbox/webhooks", post(subscribe))
        .route("/sandbox/events", post(event))
        .route("/sandbox/meetings/{meetingId}/recorded", post(recorded))
        .route("/sandbox/meetings/{meetingId}/start", post(start))
        .route("/sandbox/webinars/{meetingId}/start", post(start))
}

async fn reset(Shared(sandbox): Shared<Sandbox>) -> Answer {
    sandbox.reset();
    no_content()
}

/// The body has the syntax of `--sandbox-faults`.
async fn arm(Shared(sandbox): Shared<Sandbox>, spec: String) -> Response {
    match Faults::of_spec(&spec) {
        Ok(faults) => {
            sandbox.arm(&faults);
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

/// Sends all events to the URL in the body.
async fn subscribe(Shared(sandbox): Shared<Sandbox>, body: String) -> Response {
    let subscription = match serde_json::from_str::<Subscription>(&body) {
        Ok(subscription) => subscription,
        Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    };
    let has_room = sandbox.subscribe(subscription);
    let full = StatusCode::SERVICE_UNAVAILABLE;
    let status = if has_room {
        StatusCode::NO_CONTENT
    } else {
        full
    };
    status.into_response()
}

/// Event to send: the body of `POST /sandbox/events`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {
    event: String,
    #[serde(default)]
    object: Map<String, Value>,
}

async fn event(Shared(sandbox): Shared<Sandbox>, body: String) -> Response {
    match serde_json::from_str::<Event>(&body) {
        Ok(Event { event, object }) => {
            sandbox.send(&event, &Value::Object(object), Map::new());
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

/// Simulates the end of recording processing: the webhook's object is the API's response.
async fn recorded(Shared(sandbox): Shared<Sandbox>, request: Request) -> Response {
    let path = request.uri().path();
    let path = path
        .replacen("/sandbox", "/v2", 1)
        .replacen("/recorded", "/recordings", 1);
    let host = request.headers().get(HOST).cloned();
    let asked = http::Request::get(format!("{path}?include_fields={TOKEN_FIELD}"))
        .header(AUTHORIZATION, format!("Bearer {TOKEN}"))
        .header(HOST, host.unwrap_or(HeaderValue::from_static("localhost")))
        .body(Body::empty());
    let Ok(asked) = asked else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let Ok(answered) = sandbox.router().call(asked).await;
    if !answered.status().is_success() {
        return answered;
    }
    let body = to_bytes(answered.into_body(), usize::MAX)
        .await
        .unwrap_or_default();
    let mut object: Map<String, Value> = serde_json::from_slice(&body).unwrap_or_default();
    let token = object.remove(TOKEN_FIELD).unwrap_or_default();
    let further = Map::from_iter([("download_token".to_owned(), token)]);
    sandbox.send("recording.completed", &Value::Object(object), further);
    StatusCode::NO_CONTENT.into_response()
}

/// Simulates the start of a meeting or webinar by its host.
async fn start(Shared(sandbox): Shared<Sandbox>, path: Segments) -> Answer {
    let mut state = sandbox.state();
    let (account, store) = state.parts();
    engine::start(account, store, path.at(0))?;
    no_content()
}
