//! Webhooks as sent by v2: signed JSON, with v2's timeout and retries, and fault injection.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State as Shared};
use axum::http::{HeaderValue, StatusCode, Uri, header::HOST};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http_body_util::Full;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::Sha256;
use time::OffsetDateTime;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::{ACCOUNT_ID, Sandbox};

/// Response timeout, as in v2.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Maximum number of subscriptions.
const MAX_SUBSCRIPTIONS: usize = 20;

/// Maximum number of events per request.
const MAX_EVENTS: usize = 1000;

/// Age of an outdated timestamp in seconds; exceeds that of any retry.
const OLD: i64 = 2 * 60 * 60;

/// Webhook subscription: the body of `POST /sandbox/webhooks`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscription {
    /// Target: `http://127.0.0.1:8082/webhooks/zoom`.
    pub url: String,
    /// Signing key.
    pub secret_token: String,
    /// Simulated faults.
    #[serde(default)]
    pub faults: Vec<WebhookFault>,
    /// Pauses before retries, in seconds.
    #[serde(default = "retries")]
    pub retries: Vec<u64>,
}

/// Webhook fault.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum WebhookFault {
    /// Send each event twice concurrently, with two signatures.
    Repeat,
    /// Send each event after the next one.
    Reorder,
    /// Sign with another token.
    WrongSignature,
    /// Sign a timestamp that is two hours old.
    OldTimestamp,
    /// The first answer to each event counts as later than the 3 s that v2 waits: the event is sent again.
    Deadline,
}

/// Subscriptions and pending events.
#[derive(Clone, Debug, Default)]
pub(crate) struct Webhooks {
    subscriptions: Vec<Subscription>,
    /// Events held back for [`WebhookFault::Reorder`].
    held: VecDeque<Value>,
}

impl Subscription {
    /// v2's pauses before the second, third and fourth attempt, in seconds.
    pub const RETRIES: [u64; 3] = [5 * 60, 20 * 60, 60 * 60];
}

fn retries() -> Vec<u64> {
    Subscription::RETRIES.to_vec()
}

impl Sandbox {
    /// Adds a subscription for all future events; false if there are 20 already.
    pub fn subscribe(&self, subscription: Subscription) -> bool {
        let subscriptions = &mut self.state().webhooks.subscriptions;
        let has_room = subscriptions.len() < MAX_SUBSCRIPTIONS;
        if has_room {
            subscriptions.push(subscription);
        }
        has_room
    }

    /// Sends a webhook about an object.
    pub(crate) fn send(&self, event: &str, object: &Value, further: Map<String, Value>) {
        let now = OffsetDateTime::now_utc();
        let time = now.unix_timestamp_nanos() / 1_000_000;
        let mut body = json!({
            "event": event,
            "event_ts": i64::try_from(time).unwrap_or_default(),
            "payload": { "account_id": ACCOUNT_ID, "object": object },
        });
        if let Value::Object(members) = &mut body {
            members.extend(further);
        }
        let webhooks = {
            let mut state = self.state();
            let is_reordered = |one: &Subscription| one.faults.contains(&WebhookFault::Reorder);
            let holds = state.webhooks.subscriptions.iter().any(is_reordered);
            let held = state.webhooks.held.pop_front();
            if holds && held.is_none() {
                state.webhooks.held.push_back(body);
                return;
            }
            let bodies: Vec<_> = std::iter::once(body).chain(held).collect();
            (state.webhooks.subscriptions.clone(), bodies)
        };
        let (subscriptions, bodies) = webhooks;
        let bodies: Arc<[Bytes]> = bodies.iter().map(|body| body.to_string().into()).collect();
        for subscription in subscriptions {
            let repeats = subscription.faults.contains(&WebhookFault::Repeat);
            for _ in 0..=usize::from(repeats) {
                let (subscription, bodies) = (subscription.clone(), Arc::clone(&bodies));
                tokio::spawn(async move {
                    for body in bodies.iter() {
                        attempts(&subscription, body).await;
                    }
                });
            }
        }
    }
}

/// Middleware that sends the events of a request after its response.
pub(crate) async fn after(
    Shared(sandbox): Shared<Sandbox>,
    request: Request,
    next: Next,
) -> Response {
    let response = next.run(request).await;
    let events = sandbox
        .state()
        .store
        .as_mut()
        .map(|store| std::mem::take(&mut store.events));
    for (event, object) in events.unwrap_or_default().into_iter().take(MAX_EVENTS) {
        sandbox.send(&event, &object, Map::new());
    }
    response
}

async fn attempts(subscription: &Subscription, body: &Bytes) {
    let mut waits = subscription.retries.iter();
    let mut is_late = subscription.faults.contains(&WebhookFault::Deadline);
    loop {
        let answered = timeout(TIMEOUT, post(subscription, body)).await;
        let is_taken = matches!(answered, Ok(Some(status)) if status.is_success());
        let is_taken = is_taken && !std::mem::take(&mut is_late);
        match waits.next() {
            Some(wait) if !is_taken => sleep(Duration::from_secs(*wait)).await,
            _ => return,
        }
    }
}

/// Posts a webhook and returns the response status.
async fn post(subscription: &Subscription, body: &Bytes) -> Option<StatusCode> {
    let has = |fault| subscription.faults.contains(&fault);
    let mut timestamp = OffsetDateTime::now_utc().unix_timestamp();
    if has(WebhookFault::OldTimestamp) {
        timestamp -= OLD;
    }
    let token = if has(WebhookFault::WrongSignature) {
        "another token"
    } else {
        &subscription.secret_token
    };
    let mut mac = Hmac::<Sha256>::new_from_slice(token.as_bytes()).ok()?;
    mac.update(format!("v0:{timestamp}:").as_bytes());
    mac.update(body);
    let digits = Bytes::copy_from_slice(&mac.finalize().into_bytes());

    let uri: Uri = subscription.url.parse().ok()?;
    let authority = uri.authority()?;
    let stream = TcpStream::connect((uri.host()?, uri.port_u16().unwrap_or(80)))
        .await
        .ok()?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .ok()?;
    tokio::spawn(connection);
    let request = hyper::Request::post(uri.path_and_query()?.as_str())
        .header(HOST, HeaderValue::from_str(authority.as_str()).ok()?)
        .header("content-type", "application/json; charset=utf-8")
        .header("user-agent", "Zoom Marketplace/1.0a")
        .header("clientid", super::CLIENT_ID)
        .header("x-zm-request-timestamp", timestamp.to_string())
        .header("x-zm-signature", format!("v0={digits:x}"))
        .body(Full::new(body.clone()))
        .ok()?;
    let response = sender.send_request(request).await.ok()?;
    Some(response.status())
}
