//! The sandbox's own calls, which v2 does not have: below `/sandbox`, with a bearer token.

use axum::Router;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;

use crate::request::{Answer, Segments, no_content};
use crate::{Faults, Sandbox, engine};

pub(super) fn routes() -> Router<Sandbox> {
    Router::new()
        .route("/sandbox/reset", post(reset))
        .route("/sandbox/faults", post(arm))
        .route("/sandbox/meetings/{meetingId}/start", post(start))
        .route("/sandbox/webinars/{meetingId}/start", post(start))
}

async fn reset(Shared(sandbox): Shared<Sandbox>) -> Answer {
    sandbox.reset();
    no_content()
}

/// The body is faults as `--sandbox-faults` takes them.
async fn arm(Shared(sandbox): Shared<Sandbox>, spec: String) -> Response {
    match Faults::of_spec(&spec) {
        Ok(faults) => {
            sandbox.arm(&faults);
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

/// As if the host had started the meeting or webinar.
async fn start(Shared(sandbox): Shared<Sandbox>, path: Segments) -> Answer {
    engine::start(&mut sandbox.state(), path.at(0))?;
    no_content()
}
