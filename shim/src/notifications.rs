//! v2's webhooks in, v1's push notifications out.
//!
//! A webhook is verified and stored before it is acknowledged. Every receiver has its own queue in
//! the state engine, in which the notifications of a meeting keep their order.
//!
//! | module | job |
//! |---|---|
//! | `signature` | verifies sender and age of a webhook |
//! | `webhooks` | HTTP endpoint: verifies, stores, acknowledges |
//! | `outbox` | the queues of the receivers |
//! | `pusher` | delivers due notifications, with retries |
//! | `client` | one HTTP request to a receiver |

mod client;
mod outbox;
mod pusher;
mod signature;
mod webhooks;

pub use client::{Client, ClientError};
pub use outbox::{Dead, Message, Outbox, Stored, Target, Targets, Waiting};
pub use pusher::{Deliver, Failure, Pusher};
pub use webhooks::{MAX_BODY, Mappings, PATH, Webhooks, router};

pub use crate::clock::{Clock, system_clock};

#[cfg(test)]
mod tests;
