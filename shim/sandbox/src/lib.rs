//! A small v2 with state, in memory: for the first minute, for tests, for trying out faults.
//!
//! It is served over real HTTP, so that a client talks to it as it talks to the real v2. It starts
//! with the same account every time, checks requests as strictly as v2's description does and fails
//! with v2's codes and words. Nothing outlives the process.
//!
//! Users are Rust, with data beside them: `seed.toml`, `fields.toml`, `errors.toml`. Everything else
//! is data that the engine serves; README.md is the reference of it.
//!
//! A request passes, from the outside in: the layers that the caller puts around
//! [`Sandbox::router`], faults that its headers ask for or that are armed, the check of the access
//! token, the route. Every route reads its input first and takes the one lock afterwards, never
//! across an `await`.

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

/// A bearer token that always works.
pub const TOKEN: &str = "sandbox-token";
/// The `account_id` for issued tokens.
pub const ACCOUNT_ID: &str = "sandbox-account";
/// The OAuth client for issued tokens.
pub const CLIENT_ID: &str = "sandbox-client";
/// The secret of [`CLIENT_ID`]; it protects nothing.
pub const CLIENT_SECRET: &str = "sandbox-client-secret";

/// Sets of faults that are armed at a time.
const MAX_ARMED: usize = 100;

/// An account of the sandbox. Clones share it.
#[derive(Clone)]
pub struct Sandbox {
    state: Arc<Mutex<State>>,
}

impl Sandbox {
    /// An account at its start.
    pub fn new(config: SandboxConfig) -> Self {
        Self {
            state: Arc::new(Mutex::new(State::new(Seed::embedded().populate(config)))),
        }
    }

    /// Back to the start. Issued access tokens and addresses for webhooks stay; armed faults are forgotten.
    pub fn reset(&self) {
        let mut state = self.state();
        let mut fresh = State::new(Seed::embedded().populate(state.config.clone()));
        std::mem::swap(&mut fresh.access_tokens, &mut state.access_tokens);
        std::mem::swap(&mut fresh.webhooks, &mut state.webhooks);
        *state = fresh;
    }

    /// Arms faults for the requests to come; of those that fit, the oldest strikes first. At most
    /// 100 are kept.
    pub fn arm(&self, faults: &Faults) {
        let armed = &mut self.state().faults;
        if armed.len() < MAX_ARMED {
            armed.push(faults.clone());
        }
    }

    /// The armed fault that strikes a request.
    pub(crate) fn armed(&self, request: &Request) -> Option<faults::Rule> {
        let state = self.state();
        state
            .faults
            .iter()
            .find_map(|faults| faults.strike(request))
    }

    /// The v2 below `/v2`, the token endpoint `/oauth/token`, downloads below `/rec` and the
    /// sandbox's own calls below `/sandbox`.
    pub fn router(&self) -> Router {
        routes::router(self)
    }

    /// The base URL of a sandbox that listens on `addr`.
    pub fn v2_base(addr: SocketAddr) -> String {
        format!("http://{addr}/v2")
    }

    /// The token URL of a sandbox that listens on `addr`.
    pub fn token_url(addr: SocketAddr) -> String {
        format!("http://{addr}/oauth/token")
    }

    /// The account, locked. A panic elsewhere leaves it usable: every change is made by one
    /// statement after all checks.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves the router of a sandbox with faults around it, until `shutdown` resolves.
///
/// # Errors
/// When the listener fails.
pub async fn serve_faulty(
    listener: TcpListener,
    router: Router,
    faults: &Faults,
    shutdown: impl Future<Output = ()>,
) -> std::io::Result<()> {
    faults::serve(listener, faults.around(router), shutdown).await
}

/// Serves a sandbox until `shutdown` resolves; running requests are finished.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    sandbox: Sandbox,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    faults::serve(listener, sandbox.router(), shutdown).await
}
