//! The v2 client: sends a request and returns its outcome.
//!
//! Depends on `mappings` for values (requests, outcomes, rates) and on nothing of the shim:
//! settings are plain values, and calls are reported to a callback.
//!
//! | module | job |
//! |---|---|
//! | `client` | one call: token, rate budget, circuit breaker, attempts, retries |
//! | `budget` | the rate limits of an account, by v2's rate labels |
//! | `breaker` | the circuit breaker of an account |
//! | `account` | state shared by the tenants of an account: budget and breaker |
//! | `retry`, `reply` | result of one attempt, and whether a retry is safe |
//! | `token` | access tokens, fixed or by server-to-server OAuth |
//! | `http`, `pool`, `connect`, `tls`, `resolver` | HTTP, pooled connections, TLS, host names |
//! | `file` | files that v2 refers to by URL: recordings |
//! | `greeting` | reachability checks, for diagnosis |
//! | `address` | the base URL, and URLs below it |
//! | `request` | id and deadline of the v1 request, subject of a call |

mod account;
mod address;
mod breaker;
mod budget;
mod client;
mod connect;
mod file;
mod greeting;
mod http;
mod pool;
mod reply;
mod request;
mod resolver;
mod retry;
mod tls;
mod token;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use account::{Account, Accounts};
pub use address::{BaseUrl, BaseUrlError, UnsafePath};
pub use breaker::Breaker;
pub use budget::{
    AccountDigest, Budget, DailyLimit, Exhausted, Pace, Reserved, SharedBudget, SharedCall,
};
pub use client::{CallLimits, CallRecord, Endpoint, ReservedTurns, Upstream};
pub use file::FileError;
pub use greeting::{Greeting, greet, lookup};
pub use http::{ClientError, Http, HttpSettings, innermost};
pub use mappings::RateLabel;
pub use request::{FROM_SHIM, REQUEST_ID, RequestId, Scope};
pub use resolver::{ResolverError, ResolverSettings, is_public};
pub use retry::RetryCounts;
pub use tls::install_tls;
pub use token::{Access, OAuth, Token, TokenError, TokenStatus, Tokens};

/// Locks a mutex. Poisoning is ignored: each update in this crate is a single step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
