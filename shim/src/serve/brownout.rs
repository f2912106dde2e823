//! Brownouts: scheduled windows in which v1 answers with an error on purpose.

use mappings::{
    V1Error,
    catalog::{operation::Operation, protocol::Brownout},
};
use recording::{moment, usage::day_name};

use super::{Generation, Shim};
use crate::settings::{BrownoutConfig, Window};

impl Generation {
    /// The error for a request inside a window; `None` outside.
    pub(super) fn brownout(&self, key: &str, operation: &Operation) -> Option<V1Error> {
        let brownouts = &self.0.brownouts;
        if brownouts.is_empty() {
            return None;
        }
        let now = self.seconds();
        let hit = |brownout: &&BrownoutConfig| {
            brownout.window(now).is_some() && brownout.concerns(key, operation)
        };
        // Several windows: report the one that ends last, because v1 is not back before.
        let hits = brownouts.iter().filter(hit);
        let (ends, brownout) = hits
            .filter_map(|brownout| Some((brownout.window(now)?.ends, brownout)))
            .max_by_key(|(ends, _)| *ends)?;
        let values = Brownout {
            operation: &operation.name,
            replacement: &operation.replacement(),
            until: &moment(ends.saturating_mul(1000)),
            day: &day_name(brownout.sunset),
            link: brownout.link.as_str(),
        };
        Some(self.protocol().brownout(values))
    }

    fn seconds(&self) -> i64 {
        (self.0.shared.clock)().div_euclid(1000)
    }
}

impl Shim {
    /// The active window, or else the next announced one, and whether it is active.
    pub(crate) fn brownout(&self) -> Option<(Window, bool)> {
        let now = self.current();
        let seconds = now.seconds();
        let windows = now.0.brownouts.iter();
        let first = windows
            .filter_map(|brownout| brownout.next(seconds))
            .min()?;
        Some((first, first.begins <= seconds))
    }
}
