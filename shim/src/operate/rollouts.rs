//! Rollouts: `GET` returns their figures, `POST` changes a share.

use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::OpsState;

/// A change of a rollout's share.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    name: String,
    percent: u8,
}

pub(super) async fn figures(State(state): State<OpsState>) -> Response {
    Json(state.shim.rollouts()).into_response()
}

/// Accepts `application/json` only: browsers do not send it across origins without a preflight.
pub(super) async fn step(
    State(state): State<OpsState>,
    step: Result<Json<Step>, JsonRejection>,
) -> Response {
    let Step { name, percent } = match step {
        Ok(Json(step)) if step.percent <= 100 => step,
        Err(JsonRejection::MissingJsonContentType(_)) => {
            let text = "send content-type: application/json\n";
            return (StatusCode::UNSUPPORTED_MEDIA_TYPE, text).into_response();
        }
        _ => {
            let text = "send {\"name\": \"…\", \"percent\": …} with a percent from 0 to 100\n";
            return (StatusCode::BAD_REQUEST, text).into_response();
        }
    };
    match state.shim.step(&name, percent).await {
        Some(figures) => Json(figures).into_response(),
        None => (
            StatusCode::NOT_FOUND,
            "there is no [[rollout]] of this name\n",
        )
            .into_response(),
    }
}
