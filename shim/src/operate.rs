//! The operations address: health, readiness, metrics, who calls, and pages.
//!
//! It is for the operator and listens on this machine only, unless told otherwise. Only the [`pages`]
//! show anything about users.

mod guard;
pub mod pages;
mod usage;

use std::{fmt::Write as _, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::{sync::Semaphore, time::Instant};

use crate::{
    observe::{Metrics, Readings, dropped_log_lines},
    serve::Shim,
    settings::UiConfig,
};
use guard::guard;

/// For all tokens to be there. Below what probes wait: Prometheus gives ten seconds.
const ACCESS_TIME: Duration = Duration::from_secs(5);

/// What the text format says of itself.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What the routes answer from.
#[derive(Clone)]
struct OpsState {
    shim: Shim,
    metrics: Arc<Metrics>,
    /// Reads the ledger, one at a time.
    reading: Arc<Semaphore>,
}

/// `/healthz`, `/readyz`, `/metrics` and `/usage`. The last one says who calls, and answers to known
/// names of this machine only, as the pages do.
pub fn router(shim: Shim, metrics: Arc<Metrics>, config: &UiConfig) -> Router {
    let hosts: Arc<[String]> = config.hosts.clone().into();
    let guarded = middleware::from_fn_with_state(hosts, guard);
    Router::new()
        .route("/healthz", get("alive\n"))
        .route("/readyz", get(readiness))
        .route("/metrics", get(numbers))
        .route("/usage", get(usage::usage).layer(guarded))
        .with_state(OpsState {
            shim,
            metrics,
            reading: Arc::new(Semaphore::new(1)),
        })
}

/// Ready if v2 answers, as far as the last calls show, and a token is there, or to be had, for at
/// least one tenant: one tenant's wrong credentials must not take the others off the air.
async fn readiness(State(state): State<OpsState>) -> Response {
    if state.shim.is_cut_off() {
        let text = "not ready\nv2 is down: calls fail at once until it answers again\n";
        return (StatusCode::SERVICE_UNAVAILABLE, text).into_response();
    }
    let access = state.shim.access(Instant::now() + ACCESS_TIME).await;
    let is_ready = access.iter().any(Result::is_ok);
    let (status, mut text) = if is_ready {
        (StatusCode::OK, "ready\n".to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n".to_owned())
    };
    for (at, tenant) in access.iter().enumerate() {
        if let Err(error) = tenant {
            // Writing to a string does not fail.
            let _ = writeln!(text, "tenant {} of {}: {error}", at + 1, access.len());
        }
    }
    (status, text).into_response()
}

async fn numbers(State(state): State<OpsState>) -> Response {
    let readings = Readings {
        is_cut_off: state.shim.is_cut_off(),
        budget_levels: state.shim.budget_levels(),
        recorded: state.shim.recorded(),
        ledger: state.shim.ledger().map(|ledger| ledger.counts()),
        dropped_log_lines: dropped_log_lines(),
    };
    match state.metrics.render(&readings) {
        Ok(text) => ([(CONTENT_TYPE, METRICS_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "The metrics cannot be written down");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
