//! Read-only pages for the operator, under `/ui` on the operations address.
//!
//! They load nothing from other origins. The list of exchanges has a script that refreshes it; all
//! pages work without scripts. Requests for an unknown host name are rejected (see `guard`).

mod callers;
mod deliveries;
mod differences;
mod exchanges;
mod losses;
mod operation;
mod overview;
mod page;
mod rollouts;
mod traffic;
mod unfinished;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, RawQuery, State},
    http::{StatusCode, header::CONTENT_TYPE},
    middleware,
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};
use maud::Markup;
use serde_json::json;
use tokio::{sync::Semaphore, task::spawn_blocking, time::Instant};

use super::{
    Process,
    guard::guard,
    status::ACCESS_TIME,
    usage::{self, DEFAULT_LIMIT},
};
use crate::{
    observe::{Deliveries, Live, LiveRequest, Observer, Recent, Traffic, ledger::Filter},
    serve::Shim,
    settings::UiConfig,
};
use exchanges::Search;
use overview::Readiness;
use page::Page;

const STYLE: &str = include_str!("pages/style.css");
const LIVE: &str = include_str!("pages/live.js");
const ICON: &str = include_str!("pages/icon.svg");

/// State of the pages.
#[derive(Clone)]
struct PagesState {
    shim: Shim,
    counters: Counters,
    process: Process,
    /// Serializes reads of the ledger.
    reading: Arc<Semaphore>,
}

/// Counts and recent events for the pages. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    /// Counts by operation.
    pub traffic: Arc<Traffic>,
    /// Recent requests.
    pub live: Arc<Live>,
    /// Webhooks and pushes.
    pub deliveries: Arc<Deliveries>,
}

impl Counters {
    /// Observers to register.
    pub fn observers(&self) -> [Arc<dyn Observer>; 3] {
        let Self {
            traffic,
            live,
            deliveries,
        } = self.clone();
        [traffic, live, deliveries]
    }
}

/// Routes `/ui` and below, and `/differences` as JSON.
pub fn router(shim: Shim, counters: Counters, process: Process, config: &UiConfig) -> Router {
    let hosts: Arc<[String]> = config.hosts.clone().into();
    Router::new()
        .route("/", get(|| async { Redirect::to("/ui") }))
        .route("/ui", get(overview))
        .route("/ui/", get(|| async { Redirect::permanent("/ui") }))
        .route("/ui/traffic", get(traffic_page))
        .route("/ui/operation/{*name}", get(operation_page))
        .route("/ui/losses", get(losses_page))
        .route("/ui/callers", get(callers_page))
        .route("/ui/exchanges", get(exchanges_page))
        .route("/ui/exchanges/list", get(exchanges_list))
        .route("/ui/unfinished", get(unfinished_page))
        .route("/ui/exchanges/{id}", get(exchange_page))
        .route("/ui/differences", get(differences_page))
        .route("/ui/rollouts", get(rollouts_page))
        .route("/ui/deliveries", get(deliveries_page))
        .route("/ui/style.css", get(style))
        .route("/ui/live.js", get(script))
        .route("/ui/icon.svg", get(icon))
        .route("/ui/{*other}", get(no_such_page))
        .route("/differences", get(differences_json))
        .layer(middleware::from_fn_with_state(hosts, guard))
        .with_state(PagesState {
            shim,
            counters,
            process,
            reading: Arc::new(Semaphore::new(1)),
        })
}

async fn overview(State(state): State<PagesState>, RawQuery(query): RawQuery) -> Response {
    let page = Page::new("Overview", "/ui", query.as_deref());
    let tenants = state
        .shim
        .tenant_statuses(Instant::now() + ACCESS_TIME)
        .await;
    let readiness = Readiness {
        is_stopping: state.process.stopping.is_cancelled(),
        tenants,
        trouble: state.counters.live.trouble(),
    };
    page.show(&overview::body(
        &state.shim,
        &readiness,
        &state.counters.traffic.counts(),
    ))
}

async fn callers_page(State(state): State<PagesState>, RawQuery(query): RawQuery) -> Response {
    let page = Page::new("Callers", "/ui/callers", query.as_deref());
    let Some(ledger) = state.shim.ledger() else {
        return page.show(&callers::off());
    };
    let filter = Filter {
        limit: DEFAULT_LIMIT,
        ..Filter::default()
    };
    let read = usage::read(state.reading, ledger, filter).await;
    match read.and_then(|usage| Ok(callers::body(usage)?)) {
        Ok(body) => page.show(&body),
        Err(error) => {
            tracing::error!("The ledger cannot be read: {error:#}");
            missing("The ledger cannot be read; see the log.")
        }
    }
}

async fn unfinished_page(State(state): State<PagesState>, RawQuery(query): RawQuery) -> Response {
    let page = Page::new("Unfinished writes", "/ui/unfinished", query.as_deref());
    let unfinished = unfinished::unfinished(&state.shim, &state.counters.live).await;
    page.show(&unfinished::body(&unfinished))
}

async fn traffic_page(State(state): State<PagesState>, RawQuery(query): RawQuery) -> Response {
    let page = Page::new("Traffic", "/ui/traffic", query.as_deref());
    page.show(&traffic::body(&state.counters.traffic.counts()))
}

async fn losses_page(State(state): State<PagesState>, RawQuery(query): RawQuery) -> Response {
    let page = Page::new("Losses", "/ui/losses", query.as_deref());
    let body = losses::body(&state.shim.mappings(), &state.counters.traffic.counts());
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
    let page = Page::below("Exchanges", "/ui/exchanges");
    match exchanges(state, query, exchanges::page).await {
        Some(body) => page.show(&body),
        None => missing("The exchanges cannot be shown."),
    }
}

/// The list alone, for the page's script.
async fn exchanges_list(State(state): State<PagesState>, RawQuery(query): RawQuery) -> Response {
    match exchanges(state, query, exchanges::list).await {
        Some(list) => Html(list.into_string()).into_response(),
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Runs on a blocking thread, because hundreds of exchanges are parsed.
async fn exchanges(
    state: PagesState,
    query: Option<String>,
    shown: fn(&[LiveRequest], &Search, Option<&Recent>, u64) -> Markup,
) -> Option<Markup> {
    let (recent, dropped) = (state.shim.recent(), state.shim.dropped_exchanges());
    let made = spawn_blocking(move || {
        let search = Search::parse(query.as_deref());
        let requests = state.counters.live.requests();
        shown(&requests, &search, recent.as_deref(), dropped)
    });
    made.await.ok()
}

async fn exchange_page(State(state): State<PagesState>, Path(id): Path<String>) -> Response {
    let recent = state.shim.recent();
    let found = spawn_blocking(move || recent.and_then(|recent| recent.find(&id))).await;
    match found.ok().flatten() {
        Some(exchange) => {
            let page = Page::below("Exchange", "/ui/exchanges");
            page.show(&exchanges::detail(&exchange))
        }
        None => missing("This exchange is no longer stored."),
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
    match state.process.outbox.waiting().await {
        Ok(waiting) => page.show(&deliveries::body(&state.counters.deliveries, &waiting)),
        Err(_) => missing("The queues cannot be read."),
    }
}

async fn differences_json(State(state): State<PagesState>) -> Response {
    let Some(shadow) = state.shim.shadow() else {
        return Json(json!({ "shadow": null })).into_response();
    };
    let report = shadow.differences().report();
    let noise: Vec<_> = shadow
        .noise()
        .into_iter()
        .map(|(operation, field)| json!({ "operation": operation, "field": field }))
        .collect();
    Json(json!({
        "shadow": shadow.shown(),
        "since": recording::moment(report.since),
        "operations": report.operations,
        "fields": report.fields,
        "fields_not_told_apart": report.others,
        "noise": noise,
    }))
    .into_response()
}

async fn style() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], STYLE)
}

async fn script() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], LIVE)
}

async fn icon() -> impl IntoResponse {
    ([(CONTENT_TYPE, "image/svg+xml")], ICON)
}

async fn no_such_page() -> Response {
    missing("No such page.")
}

fn missing(why: &str) -> Response {
    let page = Page::below("Not found", "");
    let mut response = page.show(&maud::html! { p { (why) } });
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}
