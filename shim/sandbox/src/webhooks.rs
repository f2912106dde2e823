//! Webhooks as v2 sends them: signed JSON, with v2's timeout and retries, and with faults on demand.

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

/// For an answer, as v2 allows.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Addresses that hear of events at a time.
const MAX_SUBSCRIPTIONS: usize = 20;

/// Events of one request, and events that wait for their turn, at most.
const MAX_EVENTS: usize = 1000;

/// The age of an old timestamp, in seconds: older than any retry.
const OLD: i64 = 2 * 60 * 60;

/// An address that hears of events: the body of `POST /sandbox/webhooks`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscription {
    /// Where to post: `http://127.0.0.1:8082/webhooks/zoom`.
    pub url: String,
    /// What signs.
    pub secret_token: String,
    /// What goes wrong.
    #[serde(default)]
    pub faults: Vec<WebhookFault>,
    /// Waits before the attempts after the first one, in seconds.
    #[serde(default = "retries")]
    pub retries: Vec<u64>,
}

/// What goes wrong with webhooks.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum WebhookFault {
    /// Each event comes twice at the same time, with two signatures.
    Repeat,
    /// Each event comes after the next one.
    Reorder,
    /// The signature is made with another token.
    WrongSignature,
    /// The timestamp, signed correctly, is two hours old.
    OldTimestamp,
    /// The first answer to each event counts as later than the 3 s that v2 waits: the event is sent again.
    Deadline,
}

/// Who hears of events, and what waits for its turn.
#[derive(Clone, Debug, Default)]
pub(crate) struct Webhooks {
    subscriptions: Vec<Subscription>,
    /// Held back for [`WebhookFault::Reorder`].
    held: VecDeque<Value>,
}

impl Subscription {
    /// The waits of v2 before its second, third and fourth attempt, in seconds.
    pub const RETRIES: [u64; 3] = [5 * 60, 20 * 60, 60 * 60];
}

fn retries() -> Vec<u64> {
    Subscription::RETRIES.to_vec()
}

impl Sandbox {
    /// Sends all events to an address from now on, at most to 20.
    pub fn subscribe(&self, subscription: Subscription) -> bool {
        let subscriptions = &mut self.state().webhooks.subscriptions;
        let has_room = subscriptions.len() < MAX_SUBSCRIPTIONS;
        if has_room {
            subscriptions.push(subscription);
        }
        has_room
    }

    /// Sends a webhook for an event about this object.
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

/// Sends the events of a request once it is answered.
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

/// Posts a webhook; the status of the answer.
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
