//! v1 operations over HTTP, against the sandbox: fields, errors and effects that v1 documented.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]
#![allow(clippy::type_complexity, reason = "a table of requests is one")]

mod accounts;
mod chats;
mod devices;
mod documented;
mod effects;
mod errors;
mod foreign_responses;
mod groups;
mod ids;
mod lists;
mod losses;
mod meeting_errors;
mod meetings;
mod metrics;
mod partial;
mod random_faults;
mod random_writes;
mod recordings;
mod refusals;
mod relay;
mod repeats;
mod reports;
mod requests;
mod trouble;
mod valid_requests;
mod webinar_errors;
mod webinars;
mod write_back;
mod write_effects;
