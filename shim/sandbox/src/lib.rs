//! A small in-memory v2 with state: for demos, tests and fault injection.
//!
//! It is served over real HTTP, so that clients use it like the real v2. It always starts with the
//! same account, validates requests as strictly as v2's documentation and fails with v2's codes and
//! messages. Nothing is persisted.
//!
//! Users are implemented in Rust with data files: `seed.toml`, `fields.toml`, `errors.toml`.
//! Everything else is data that the engine serves; README.md is its reference.
//!
//! A request passes, from the outside in: the middleware that the caller adds to
//! [`Sandbox::router`], fault injection by headers or armed rules, the access token check, the
//! route. Every route reads its input before it takes the only lock, which is never held across an
//! `await`.

mod access_tokens;
mod account;
mod calendar;
mod config;
mod email;
mod embedded;
mod engine;
mod error;
mod faults;
mod limits;
mod oauth;
mod paging;
mod password;
mod random;
mod request;
mod response;
mod role;
mod routes;
mod rules;
mod seed;
mod settings;
mod state;
mod user;
mod webhooks;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::Request;
use tokio::net::TcpListener;

pub use self::config::{LimitWording, MAX_USERS, Paging, SandboxConfig};
pub use self::faults::{Faults, FaultsError};
use self::seed::Seed;
use self::state::State;
pub use self::webhooks::{Subscription, WebhookFault};

/// Bearer token that is always valid.
pub const TOKEN: &str = "sandbox-token";
/// `account_id` of issued tokens.
pub const ACCOUNT_ID: &str = "sandbox-account";
/// OAuth client id.
pub const CLIENT_ID: &str = "sandbox-client";
/// Secret of [`CLIENT_ID`]; not confidential.
pub const CLIENT_SECRET: &str = "sandbox-client-secret";

/// Maximum number of armed fault sets.
const MAX_ARMED: usize = 100;

/// Simulated account. Clones share its state.
#[derive(Clone)]
pub struct Sandbox {
    state: Arc<Mutex<State>>,
}

impl Sandbox {
    /// Creates an account in its initial state.
    pub fn new(config: SandboxConfig) -> Self {
        Self {
            state: Arc::new(Mutex::new(State::new(Seed::embedded().populate(config)))),
        }
    }

    /// Restores the initial state. Issued access tokens and webhook subscriptions stay; armed
    /// faults are removed.
    pub fn reset(&self) {
        let mut state = self.state();
        let mut fresh = State::new(Seed::embedded().populate(state.config.clone()));
        std::mem::swap(&mut fresh.access_tokens, &mut state.access_tokens);
        std::mem::swap(&mut fresh.webhooks, &mut state.webhooks);
        *state = fresh;
    }

    /// Arms faults for future requests; the oldest matching one applies first. At most 100 sets are
    /// kept.
    pub fn arm(&self, faults: &Faults) {
        let armed = &mut self.state().faults;
        if armed.len() < MAX_ARMED {
            armed.push(faults.clone());
        }
    }

    /// The armed fault for a request.
    pub(crate) fn armed_fault(&self, request: &Request) -> Option<faults::Rule> {
        let state = self.state();
        state
            .faults
            .iter()
            .find_map(|faults| faults.first_match(request))
    }

    /// Router with v2 below `/v2`, the token endpoint `/oauth/token`, downloads below `/rec` and
    /// the sandbox's own endpoints below `/sandbox`.
    pub fn router(&self) -> Router {
        routes::router(self)
    }

    /// Base URL of a sandbox listening on `addr`.
    pub fn v2_base(addr: SocketAddr) -> String {
        format!("http://{addr}/v2")
    }

    /// Token URL of a sandbox listening on `addr`.
    pub fn token_url(addr: SocketAddr) -> String {
        format!("http://{addr}/oauth/token")
    }

    /// Locks the state. Poisoning is harmless: changes are made in one statement after all checks.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves a router with fault injection until `shutdown` resolves.
///
/// # Errors
///
/// If the listener fails.
pub async fn serve_faulty(
    listener: TcpListener,
    router: Router,
    faults: &Faults,
    shutdown: impl Future<Output = ()>,
) -> std::io::Result<()> {
    faults::serve(listener, faults.around(router), shutdown).await
}

/// Serves a sandbox until `shutdown` resolves; requests in flight are finished.
///
/// # Errors
///
/// If the listener fails.
pub async fn serve(
    listener: TcpListener,
    sandbox: Sandbox,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    faults::serve(listener, sandbox.router(), shutdown).await
}
