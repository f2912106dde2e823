//! Replicas that share their state: behind nginx, on one SQLite file or one Redis, in front of one v2.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "test code outside of test functions"
)]

mod budget;
mod costs;
mod outages;
mod readable;
#[expect(dead_code, reason = "the tests of the state engine use the rest")]
#[path = "../../src/state/tests/redis_server.rs"]
mod redis_server;
mod restarts;
mod rollout;
#[expect(dead_code, reason = "the other test programs use the rest")]
#[path = "../servers/mod.rs"]
mod servers;
mod site;
mod twins;
mod v2;
