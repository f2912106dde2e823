//! The HTTP side of a request: checks before an operation is known, response headers, observation.

use std::panic::AssertUnwindSafe;

use axum::body::{Body, HttpBody as _};
use futures_util::FutureExt as _;
use hyper::{
    Method, Request, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_LENGTH, HeaderValue, X_CONTENT_TYPE_OPTIONS},
    http::request::Parts,
};
use mappings::catalog::protocol::ProtocolError;
use shim_upstream::{FROM_SHIM, REQUEST_ID, RequestId};
use tokio::time::Instant;
use tracing::Instrument as _;

use super::{Generation, Shim, plain, relay, reply::Reply};
use crate::{
    front::{decode::operation_path, server::Peer},
    observe::{guarded, ledger::Note},
};

pub(super) async fn respond(shim: Shim, request: Request<Body>, peer: Peer) -> Response<Body> {
    let is_head = request.method() == Method::HEAD;
    let mut response = serve(shim, request, peer).await;
    if is_head {
        let length = response.body().size_hint().exact().unwrap_or_default();
        let known = response.headers_mut().entry(CONTENT_LENGTH);
        known.or_insert(length.into());
        *response.body_mut() = Body::empty();
    }
    response
}

async fn serve(shim: Shim, request: Request<Body>, peer: Peer) -> Response<Body> {
    let id = RequestId::fresh();
    // At error level, so that log lines of every level carry the request id.
    let span = tracing::error_span!("request", %id);
    let (head, body) = request.into_parts();
    let shim = shim.current();
    let cors = &shim.0.cors;
    let mut response = if let Some(preflight) = cors.preflight(&head.method, &head.headers) {
        preflight
    } else {
        let answered = answer(&shim, (&head, body, peer), id);
        answered.instrument(span).await
    };
    let headers = response.headers_mut();
    cors.add_to(headers, &head.headers);
    headers.insert(REQUEST_ID, id.header());
    // Responses contain addresses and links that start meetings.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

async fn answer(
    shim: &Generation,
    (head, body, peer): (&Parts, Body, Peer),
    id: RequestId,
) -> Response<Body> {
    let started = Instant::now();
    let method = known_method(&head.method);
    if head.headers.contains_key(FROM_SHIM) {
        tracing::error!(
            "Request loop: upstream.url leads back to this shim (a hosts file?); \
             set upstream.dns or upstream.resolve"
        );
        return loop_detected();
    }
    if let Some(relay) = &shim.0.shared.relay
        && let Some(token) = relay::token_of(head.uri.path())
    {
        return shim.relay(relay, token, head).await;
    }
    let Some(path) = operation_path(head.uri.path(), shim.protocol().prefixes()) else {
        tracing::info!("{method} (not below /v1)  404");
        return not_v1();
    };
    let operation = shim.catalog().find(&path);
    let client = peer.behind(&head.headers, &shim.0.trusted_proxies);
    let ledger = shim.0.shared.ledger.as_ref();
    let begin = || guarded(|| Note::begin(&head.headers, client.0));
    let mut note = ledger.and_then(|_| begin());
    let replied = async {
        let request = (head, body, client);
        let reply = shim.reply(&path, operation, request, id, note.as_mut());
        let reply = reply.await;
        (shim.encode(&reply), reply)
    };
    // A panic is a defect of the shim; the client still gets a readable error.
    let replied = AssertUnwindSafe(replied).catch_unwind().await;
    let (response, reply) = replied.unwrap_or_else(|_| {
        let reply = Reply::refusal(shim.protocol(), ProtocolError::Internal, "");
        (shim.encode(&reply), reply)
    });
    // The response is complete: a panic in an observer must not lose it.
    guarded(|| {
        let record = reply.record(
            id,
            shim.catalog(),
            method,
            operation,
            (client.0, started.elapsed()),
        );
        shim.0.shared.observer.served(&record);
        if let (Some(ledger), Some(note)) = (ledger, note) {
            ledger.note(note, &record);
        }
    });
    response
}

/// Without this check, a shim whose upstream is itself would wait for itself.
fn loop_detected() -> Response<Body> {
    plain(StatusCode::LOOP_DETECTED, "508 This is the shim, not v2\n")
}

/// Lets programs distinguish a wrong base URL from an unknown operation.
fn not_v1() -> Response<Body> {
    plain(
        StatusCode::NOT_FOUND,
        "404 Not Found: v1 is below /v1, as POST /v1/user/get\n",
    )
}

/// A method can be any token; unknown ones are kept out of the log.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::DELETE => "DELETE",
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        Method::POST => "POST",
        Method::PUT => "PUT",
        _ => "other",
    }
}
