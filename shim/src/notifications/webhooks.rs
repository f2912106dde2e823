//! The HTTP endpoint for v2's webhooks: verifies, stores, acknowledges.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::State,
    http::{
        HeaderMap, Request, StatusCode,
        header::{CONTENT_LENGTH, CONTENT_TYPE},
    },
    response::{IntoResponse as _, Response},
    routing::post,
};
use mappings::{Catalog, Links, notification::Event};
use parking_lot::RwLock;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::{sync::Semaphore, time::timeout};

use super::{
    Clock,
    outbox::{Outbox, Stored},
    signature::{challenge_response, verify},
};
use crate::{
    observe::{Observer, WebhookRecord},
    serve::Shim,
};

/// Path of the endpoint.
pub const PATH: &str = "/webhooks/zoom";

/// Maximum size of a webhook, in bytes.
pub const MAX_BODY: usize = 1 << 20;

/// Maximum number of concurrent webhooks. They use at most this many MiB.
const PARALLEL: usize = 64;

/// Deadline for the response, from the head of the request. v2 gives up after 3 s.
const DEADLINE: Duration = Duration::from_millis(2500);

const SIGNATURE: &str = "x-zm-signature";
const TIMESTAMP: &str = "x-zm-request-timestamp";

/// Catalog and links for notifications.
pub trait Mappings: Send + Sync {
    /// The current catalog.
    fn catalog(&self) -> Arc<Catalog>;

    /// The shim's own links to files of a v2 account, if it relays them.
    fn links(&self, account: &str) -> Option<Arc<dyn Links>>;
}

impl Mappings for Shim {
    fn catalog(&self) -> Arc<Catalog> {
        self.mappings()
    }

    fn links(&self, account: &str) -> Option<Arc<dyn Links>> {
        Shim::links(self, account)
    }
}

/// Without links.
impl Mappings for Arc<Catalog> {
    fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(self)
    }

    fn links(&self, _: &str) -> Option<Arc<dyn Links>> {
        None
    }
}

/// The endpoint for v2's webhooks.
pub struct Webhooks {
    mappings: Box<dyn Mappings>,
    tokens: RwLock<Arc<[SecretString]>>,
    outbox: Outbox,
    observer: Arc<dyn Observer>,
    clock: Clock,
    places: Semaphore,
}

/// The response to a webhook, with its outcome in one word.
struct Handled {
    status: StatusCode,
    body: Value,
    outcome: &'static str,
    /// The name of the event, if the catalog has it.
    event: Option<String>,
}

/// Serves webhooks at [`PATH`].
pub fn router(webhooks: Arc<Webhooks>) -> Router {
    Router::new().route(PATH, post(serve)).with_state(webhooks)
}

async fn serve(State(webhooks): State<Arc<Webhooks>>, request: Request<Body>) -> Response {
    let Ok(_place) = webhooks.places.try_acquire() else {
        return webhooks.answer(Handled::refused(
            StatusCode::SERVICE_UNAVAILABLE,
            "overload",
        ));
    };
    let handled = timeout(DEADLINE, webhooks.read(request)).await;
    let late = Handled::refused(StatusCode::SERVICE_UNAVAILABLE, "late");
    webhooks.answer(handled.unwrap_or(late))
}

impl Webhooks {
    /// An endpoint that accepts webhooks signed with one of these secret tokens.
    pub fn new(
        mappings: impl Mappings + 'static,
        tokens: Vec<SecretString>,
        outbox: Outbox,
        observer: Arc<dyn Observer>,
        clock: Clock,
    ) -> Self {
        Self {
            mappings: Box::new(mappings),
            tokens: RwLock::new(tokens.into()),
            outbox,
            observer,
            clock,
            places: Semaphore::new(PARALLEL),
        }
    }

    /// Replaces the secret tokens.
    pub fn replace_tokens(&self, tokens: Vec<SecretString>) {
        *self.tokens.write() = tokens.into();
    }

    fn tokens(&self) -> Arc<[SecretString]> {
        let tokens = self.tokens.read();
        Arc::clone(&tokens)
    }

    async fn read(&self, request: Request<Body>) -> Handled {
        let (head, body) = request.into_parts();
        let too_large = || Handled::refused(StatusCode::PAYLOAD_TOO_LARGE, "too_large");
        let length = head.headers.get(CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if length.is_some_and(|length| length > MAX_BODY as u64) {
            return too_large();
        }
        match to_bytes(body, MAX_BODY).await {
            Ok(body) => self.handle(&head.headers, body).await,
            Err(error) if is_too_large(&error) => too_large(),
            Err(_) => Handled::refused(StatusCode::BAD_REQUEST, "malformed"),
        }
    }

    async fn handle(&self, headers: &HeaderMap, body: Bytes) -> Handled {
        let header = |name: &str| Some(headers.get(name)?.as_bytes());
        let now = (self.clock)();
        let (signature, timestamp) = (header(SIGNATURE), header(TIMESTAMP));
        let tokens = self.tokens();
        let token = match verify(&tokens, signature, timestamp, &body, now) {
            Ok(token) => token,
            Err(error) => return Handled::refused(StatusCode::UNAUTHORIZED, error.as_str()),
        };
        let catalog = self.mappings.catalog();
        let Ok(event) = Event::read(&catalog, &body) else {
            return Handled::refused(StatusCode::BAD_REQUEST, "malformed");
        };
        if let Some(plain) = event.plain_token() {
            let Some(encrypted) = challenge_response(token, &plain) else {
                return Handled::refused(StatusCode::BAD_REQUEST, "malformed");
            };
            let answer = json!({ "plainToken": plain, "encryptedToken": encrypted });
            return Handled::new(StatusCode::OK, answer, "validation");
        }
        if let Some(alert) = event.alert() {
            tracing::warn!(
                event = alert,
                "v2 reports that the app lost its authorization"
            );
            return Handled::new(StatusCode::OK, Value::Null, "alert");
        }
        let links = self.mappings.links(&event.account());
        let (status, outcome) = match self.outbox.store(&event, links.as_ref(), now).await {
            Ok(Stored::Stored) => (StatusCode::OK, "stored"),
            Ok(Stored::Repeat) => (StatusCode::OK, "repeat"),
            Ok(Stored::Unwanted) if event.known_name().is_none() => {
                (StatusCode::OK, "no_counterpart")
            }
            Ok(Stored::Unwanted) => (StatusCode::OK, "no_receiver"),
            Ok(Stored::Full) => (StatusCode::SERVICE_UNAVAILABLE, "full"),
            Err(error) => {
                tracing::error!(%error, "A webhook cannot be stored");
                (StatusCode::SERVICE_UNAVAILABLE, "not_stored")
            }
        };
        Handled {
            event: event.known_name().map(str::to_owned),
            ..Handled::new(status, Value::Null, outcome)
        }
    }

    fn answer(&self, handled: Handled) -> Response {
        self.observer.webhook(&WebhookRecord {
            event: handled.event.as_deref(),
            outcome: handled.outcome,
        });
        match handled.body {
            Value::Null => handled.status.into_response(),
            body => {
                let kind = [(CONTENT_TYPE, "application/json")];
                (handled.status, kind, body.to_string()).into_response()
            }
        }
    }
}

impl Handled {
    fn new(status: StatusCode, body: Value, outcome: &'static str) -> Self {
        Self {
            status,
            body,
            outcome,
            event: None,
        }
    }

    fn refused(status: StatusCode, outcome: &'static str) -> Self {
        Self::new(status, Value::Null, outcome)
    }
}

fn is_too_large(error: &axum::Error) -> bool {
    let source = std::error::Error::source(error);
    source.is_some_and(<dyn std::error::Error>::is::<http_body_util::LengthLimitError>)
}
