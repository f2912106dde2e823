//! Status of the process and its dependencies, for people and dashboards: `GET /status`.

use std::time::Duration;

use axum::{
    extract::State,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use recording::moment;
use serde_json::json;
use tokio::time::Instant;

use super::OpsState;

/// Timeout for requesting tokens; below the 10 s scrape timeout of Prometheus.
pub(super) const ACCESS_TIME: Duration = Duration::from_secs(5);

/// Always 200: restarting the shim or removing it from service does not help if a dependency is
/// down.
pub(super) async fn status(State(state): State<OpsState>) -> Response {
    let OpsState { shim, process, .. } = state;
    let tenants = shim.tenant_statuses(Instant::now() + ACCESS_TIME).await;
    let tokens: Vec<_> = tenants
        .iter()
        .zip(1..)
        .map(|(tenant, number)| match &tenant.access {
            Ok(()) => {
                let missing = tenant.missing.as_ref();
                let missing: Option<Vec<_>> =
                    missing.map(|missing| missing.iter().map(|missing| &missing.scope).collect());
                json!({ "tenant": number, "status": "ok", "missing_scopes": missing })
            }
            Err(error) => {
                json!({ "tenant": number, "status": "failed", "error": error.to_string() })
            }
        })
        .collect();
    let status = json!({
        "ready": !process.stopping.is_cancelled(),
        "v2": { "status": if shim.is_upstream_down() { "down" } else { "up" } },
        "tokens": tokens,
        "state": shim.state_status(),
        "brownout": shim.brownout().map(|(window, is_in_force)| json!({
            "begins": moment(window.begins.saturating_mul(1000)),
            "ends": moment(window.ends.saturating_mul(1000)),
            "in_force": is_in_force,
        })),
    });
    ([(CONTENT_TYPE, "application/json")], format!("{status}\n")).into_response()
}
