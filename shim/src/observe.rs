//! Observation of requests: log, metrics, traces, recorder, usage ledger, shadow. Requests never
//! wait for any of it.
//!
//! The layers above use two interfaces: an [`Observer`] receives an event for every request, v2
//! call and comparison; `Taps` receive the content of single requests, for the recorder and the
//! shadow.

mod deliveries;
pub mod ledger;
mod live;
mod log;
mod metrics;
mod observer;
mod recent;
pub mod recorder;
mod served_request;
pub mod shadow;
mod taps;
#[cfg_attr(not(feature = "otel"), path = "observe/no_traces.rs")]
mod traces;
mod traffic;

pub use deliveries::Deliveries;
pub use live::Live;
pub(crate) use live::LiveRequest;
pub(crate) use log::dropped_log_lines;
pub use log::{Log, StartedLog, start_log};
pub use metrics::Metrics;
pub(crate) use metrics::Readings;
pub(crate) use observer::guarded;
pub use observer::{
    DeliveryOutcome, DeliveryRecord, Ending, FailedCall, Observer, Observers, RequestRecord,
    RolloutRecord, RolloutSide, ShadowRecord, WebhookRecord, WriteId,
};
pub use recent::{Memory, Recent};
pub(crate) use served_request::ServedRequest;
pub(crate) use taps::Taps;
pub(crate) use traces::Traces;
pub use traffic::Traffic;
pub(crate) use traffic::{OperationTraffic, TrafficCounts};
