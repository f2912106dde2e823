//! Pages for the operator, under `/ui` on the operations address.
//!
//! They show and change nothing, run no script and load nothing from elsewhere. A page of another
//! site must not read them: a name that is not this machine's is refused, whatever it resolves to.

mod deliveries;
mod differences;
mod exchanges;
mod losses;
mod operation;
mod overview;
mod page;
mod rollouts;
mod traffic;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, RawQuery, State},
    http::{StatusCode, header::CONTENT_TYPE},
    middleware,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use serde_json::{Value, json};
use tokio::{task::spawn_blocking, time::Instant};

use super::{guard::guard, status::ACCESS_TIME};
use crate::{
    notifications::Outbox,
    observe::{Deliveries, Traffic},
    serve::Shim,
    settings::UiConfig,
};
use page::Page;

const STYLE: &str = include_str!("pages/style.css");
const ICON: &str = include_str!("pages/icon.svg");

/// What the pages are made from.
#[derive(Clone)]
struct PagesState {
    shim: Shim,
    traffic: Arc<Traffic>,
    deliveries: Arc<Deliveries>,
    outbox: Outbox,
}

/// `/ui` and what is below it, and `/differences` as JSON.
pub fn router(
    shim: Shim,
    traffic: Arc<Traffic>,
    (outbox, deliveries): (Outbox, Arc<Deliveries>),
    config: &UiConfig,
) -> Router {
    let hosts: Arc<[String]> = config.hosts.clone().into();
    Router::new()
        .route("/ui", get(overview))
        .route("/ui/", get(|| async { Redirect::permanent("/ui") }))
        .route("/ui/traffic", get(traffic_page))
        .route("/ui/operation/{*name}", get(operation_page))
        .route("/ui/losses", get(losses_page))
        .route("/ui/exchanges", get(exchanges_page))
        .route("/ui/exchanges/{id}", get(exchange_page))
        .route("/ui/differences", get(differences_page))
        .route("/ui/rollouts", get(rollouts_page))
        .route("/ui/deliveries", get(deliveries_page))
        .route("/ui/style.css", get(style))
        .route("/ui/icon.svg", get(icon))
        .route("/ui/{*other}", get(no_such_page))
        .route("/differences", get(differences_json))
        .layer(middleware::from_fn_with_state(hosts, guard))
        .with_state(PagesState {
            shim,
            traffic,
            deliveries,
            outbox,
        })
}

async fn overview(State(state): State<PagesState>, RawQuery(query): RawQuery) -> Response {
    let page = Page::new("Overview", "/ui", query.as_deref());
    let tenants = state
        .shim
        .tenant_statuses(Instant::now() + ACCESS_TIME)
        .await;
    page.show(&overview::body(
        &state.shim,
        &tenants,
        &state.traffic.seen(),
    ))
}

async fn traffic_page(State(state): State<PagesState>, RawQuery(query): RawQuery) -> Response {
    let page = Page::new("Traffic", "/ui/traffic", query.as_deref());
    page.show(&traffic::body(&state.traffic.seen()))
}

async fn losses_page(State(state): State<PagesState>, RawQuery(query): RawQuery) -> Response {
    let page = Page::new("Losses", "/ui/losses", query.as_deref());
    let body = losses::body(&state.shim.mappings(), &state.traffic.seen());
    page.show(&body)
}

async fn operation_page(State(state): State<PagesState>, Path(name): Path<String>) -> Response {
    let catalog = state.shim.mappings();
    match catalog.find(&name) {
        Some(operation) => {
            let page = Page::below(&operation.name, "/ui/traffic");
            page.show(&operation::body(&catalog, operation))
        }
        None => missing("v1 had no such operation."),
    }
}

async fn exchanges_page(State(state): State<PagesState>, RawQuery(query): RawQuery) -> Response {
    let page = Page::new("Exchanges", "/ui/exchanges", query.as_deref());
    let (recent, dropped) = (state.shim.recent(), state.shim.not_kept());
    // Hundreds of exchanges are read for it.
    let list = spawn_blocking(move || exchanges::list(recent.as_deref(), dropped)).await;
    match list {
        Ok(list) => page.show(&list),
        Err(_) => missing("The exchanges cannot be shown."),
    }
}

async fn exchange_page(State(state): State<PagesState>, Path(id): Path<String>) -> Response {
    let recent = state.shim.recent();
    let found = spawn_blocking(move || recent.and_then(|recent| recent.find(&id))).await;
    match found.ok().flatten() {
        Some(exchange) => {
            let page = Page::below("Exchange", "/ui/exchanges");
            page.show(&exchanges::detail(&exchange))
        }
        None => missing("This exchange is not kept, or not any more."),
    }
}

async fn differences_page(State(state): State<PagesState>, RawQuery(query): RawQuery) -> Response {
    let page = Page::new("Differences", "/ui/differences", query.as_deref());
    page.show(&differences::body(state.shim.shadow().as_deref()))
}

async fn rollouts_page(State(state): State<PagesState>, RawQuery(query): RawQuery) -> Response {
    let page = Page::new("Rollouts", "/ui/rollouts", query.as_deref());
    page.show(&rollouts::body(&state.shim.rollouts()))
}

async fn deliveries_page(State(state): State<PagesState>, RawQuery(query): RawQuery) -> Response {
    let page = Page::new("Deliveries", "/ui/deliveries", query.as_deref());
    match state.outbox.waiting().await {
        Ok(waiting) => page.show(&deliveries::body(&state.deliveries, &waiting)),
        Err(_) => missing("The queues cannot be read."),
    }
}

async fn differences_json(State(state): State<PagesState>) -> Response {
    let Some(shadow) = state.shim.shadow() else {
        return as_json(&json!({ "shadow": null }));
    };
    let found = shadow.differences().found();
    let noise: Vec<_> = shadow
        .noise()
        .into_iter()
        .map(|(operation, field)| json!({ "operation": operation, "field": field }))
        .collect();
    as_json(&json!({
        "shadow": shadow.shown(),
        "since": recording::moment(found.since),
        "operations": found.operations,
        "fields": found.fields,
        "fields_not_told_apart": found.others,
        "noise": noise,
    }))
}

fn as_json(value: &Value) -> Response {
    ([(CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

async fn style() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], STYLE)
}

async fn icon() -> impl IntoResponse {
    ([(CONTENT_TYPE, "image/svg+xml")], ICON)
}

async fn no_such_page() -> Response {
    missing("There is no such page.")
}

fn missing(why: &str) -> Response {
    let page = Page::below("Not found", "");
    let mut response = page.show(&maud::html! { p { (why) } });
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}
