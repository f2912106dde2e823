//! Replacement for `traces.rs` in builds without OpenTelemetry.

use std::time::Duration;

use super::observer::{Observer, RequestRecord};
use crate::settings::TracesConfig;

/// Never constructed.
#[derive(Debug)]
pub(crate) enum Traces {}

impl Traces {
    pub(crate) fn start(_: &TracesConfig) -> anyhow::Result<Self> {
        anyhow::bail!("this shim is built without OpenTelemetry")
    }

    pub(crate) fn stop(&self, _: Duration) {
        match *self {}
    }
}

impl Observer for Traces {
    fn served(&self, _: &RequestRecord<'_>) {
        match *self {}
    }
}
