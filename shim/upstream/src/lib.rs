//! The client of v2: sends one request and reports its outcome.
//!
//! Depends on `mappings` for values (requests, outcomes, rates) and on nothing of the shim: settings
//! are plain values, and calls are reported to a callback.
//!
//! | module | job |
//! |---|---|
//! | `client` | one call: token, rate budget, circuit breaker, attempts, retries |
//! | `budget`, `rate_label` | the rate limits of an account, by v2's rate labels |
//! | `breaker` | the circuit breaker of an account |
//! | `account` | what the tenants of an account share: budget and breaker |
//! | `retry`, `reply` | what one attempt came to, and whether another one is safe |
//! | `token` | access tokens, fixed or by server-to-server OAuth |
//! | `http`, `pool`, `connect`, `tls`, `resolver` | HTTP, pooled connections, TLS, host names |
//! | `file` | files that v2 names by URL: recordings |
//! | `greeting` | whether a server can be found and reached, for diagnosis |
//! | `address` | the base URL, and the URLs of calls below it |
//! | `request` | the id and the deadline of the v1 request that a call is made for |

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
mod rate_label;
mod reply;
mod request;
mod resolver;
mod retry;
mod tls;
mod token;

pub use account::{Account, Accounts};
pub use address::{BaseUrl, BaseUrlError, UnsafePath};
pub use breaker::Breaker;
pub use budget::{
    AccountDigest, Budget, DailyLimit, Exhausted, Pace, Reserved, SharedBudget, SharedCall,
};
pub use client::{CallLimits, CallRecord, Endpoint, ReservedTurns, Upstream};
pub use file::FileError;
pub use greeting::{Greeting, greet, lookup};
pub use http::{ClientError, Http, HttpSettings};
pub use rate_label::{RateLabel, RateLabels};
pub use request::{FROM_SHIM, REQUEST_ID, RequestId, Scope};
pub use resolver::{ResolverError, ResolverSettings, is_public};
pub use retry::RetryCounts;
pub use tls::install_tls;
pub use token::{Access, OAuth, Token, TokenError, TokenStatus, Tokens, innermost};
