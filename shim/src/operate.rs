//! The operations address: health, readiness, metrics, usage and pages.
//!
//! Intended for the operator; listens on the loopback interface by default. Only the [`pages`] show
//! data about users.

mod guard;
pub mod pages;
mod rollouts;
mod status;
mod usage;

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::{
    front::server::{OpenConnections, Tls},
    notifications::{Outbox, Waiting},
    observe::{Metrics, Readings, dropped_log_lines},
    serve::Shim,
    settings::UiConfig,
};
use guard::guard;

/// Content type of the Prometheus text format.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// State of the whole process.
#[derive(Clone, Debug, Default)]
pub struct Process {
    /// Cancelled when a shutdown begins.
    pub stopping: CancellationToken,
    /// TLS configuration of the v1 listener.
    pub tls: Option<Tls>,
    /// Queues of notifications.
    pub outbox: Outbox,
    /// The connections of v1 clients.
    pub connections: OpenConnections,
}

/// State of the routes.
#[derive(Clone)]
struct OpsState {
    shim: Shim,
    metrics: Arc<Metrics>,
    process: Process,
    /// Serializes reads of the ledger.
    reading: Arc<Semaphore>,
}

/// Routes `/healthz`, `/readyz`, `/status`, `/metrics`, `/rollouts` and `/usage`. The last two,
/// like the pages, accept only known host names: `/rollouts` changes state, and `/usage` identifies
/// callers.
pub fn router(shim: Shim, metrics: Arc<Metrics>, config: &UiConfig, process: Process) -> Router {
    let hosts: Arc<[String]> = config.hosts.clone().into();
    let guarded = middleware::from_fn_with_state(hosts, guard);
    Router::new()
        .route("/healthz", get("alive\n"))
        .route("/readyz", get(readiness))
        .route("/status", get(status::status))
        .route("/metrics", get(numbers))
        .route(
            "/rollouts",
            get(rollouts::figures)
                .post(rollouts::step)
                .layer(guarded.clone()),
        )
        .route("/usage", get(usage::usage).layer(guarded))
        .with_state(OpsState {
            shim,
            metrics,
            process,
            reading: Arc::new(Semaphore::new(1)),
        })
}

/// Fails only during a shutdown. If it failed while v2 is down, a load balancer would remove all
/// replicas at once, and programs would get no response at all instead of a v1 error.
async fn readiness(State(state): State<OpsState>) -> (StatusCode, &'static str) {
    if state.process.stopping.is_cancelled() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining\n")
    } else {
        (StatusCode::OK, "ready\n")
    }
}

async fn numbers(State(state): State<OpsState>) -> Response {
    let queued = state.process.outbox.waiting().await.unwrap_or_default();
    let queued = queued
        .into_iter()
        .map(|Waiting { receiver, counts }| (receiver, counts.waiting, counts.dead));
    let rollouts = state.shim.rollouts().into_iter();
    let readings = Readings {
        is_ready: !state.process.stopping.is_cancelled(),
        is_state_degraded: state.shim.state_status().status != "ok",
        certificate_expires: state.process.tls.as_ref().and_then(Tls::expires),
        queued: queued.collect(),
        is_cut_off: state.shim.is_upstream_down(),
        requests: state.shim.requests(),
        connections: (
            state.process.connections.count(),
            state.shim.max_connections(),
        ),
        tokens: state.shim.tokens_ok(),
        budget_levels: state.shim.budget_levels(),
        recorded: state.shim.recorder_counts(),
        ledger: state.shim.ledger().map(|ledger| ledger.counts()),
        dropped_log_lines: dropped_log_lines(),
        rollouts: rollouts.map(|step| (step.name, step.percent)).collect(),
    };
    match state.metrics.render(&readings) {
        Ok(text) => ([(CONTENT_TYPE, METRICS_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "The metrics cannot be written down");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
