//! `GET /rollouts`: the figures of all rollouts. `POST /rollouts`: a step by hand.

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};

use super::OpsState;

const JSON: &str = "application/json";

/// A step of a rollout.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    name: String,
    percent: u8,
}

pub(super) async fn figures(State(state): State<OpsState>) -> Response {
    json(&state.shim.rollouts())
}

/// Takes JSON only: a page of another site cannot have a browser send that without being allowed to.
pub(super) async fn step(
    State(state): State<OpsState>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let content_type = headers.get(CONTENT_TYPE);
    let content_type = content_type.map(|value| value.to_str().unwrap_or_default());
    if content_type.is_none_or(|text| text.split(';').next().map(str::trim) != Some(JSON)) {
        let text = "send content-type: application/json\n";
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, text).into_response();
    }
    let step = serde_json::from_slice::<Step>(&body);
    let Ok(Step {
        name,
        percent: percent @ 0..=100,
    }) = step
    else {
        let text = "send {\"name\": \"…\", \"percent\": …} with a percent from 0 to 100\n";
        return (StatusCode::BAD_REQUEST, text).into_response();
    };
    match state.shim.step(&name, percent).await {
        Some(figures) => json(&figures),
        None => (
            StatusCode::NOT_FOUND,
            "there is no [[rollout]] of this name\n",
        )
            .into_response(),
    }
}

fn json(value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(json) => ([(CONTENT_TYPE, JSON)], json).into_response(),
        Err(error) => {
            tracing::error!(%error, "The figures cannot be written down");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
