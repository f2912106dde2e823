//! Integration tests of the core: the catalog, and translations against a scripted v2.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]
#![allow(clippy::format_push_string, reason = "speed is no matter here")]
#![allow(clippy::match_bool, reason = "a scripted v2 reads as a table")]

mod access;
mod catalog;
mod chats;
mod contact_groups;
mod dashboard;
mod devices;
mod driver;
mod errors;
mod fields;
mod groups;
mod im_groups;
mod lists;
mod live_meetings;
mod meetings;
mod members;
mod notifications;
mod odd;
mod options;
mod order;
mod paging;
mod parameters;
mod plans;
mod readme;
mod recording_lists;
mod recordings;
mod registrants;
mod reports;
mod sub_accounts;
mod user_reports;
mod webinars;
mod writes;
