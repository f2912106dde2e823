//! The windows in which v1 answers an error on purpose.

use mappings::{
    V1Error,
    catalog::{operation::Operation, protocol::Brownout},
};
use recording::{moment, usage::day_name};

use super::{Generation, Shim};
use crate::settings::{BrownoutConfig, Window};

impl Generation {
    /// The error of a request that comes in a window; `None` outside of all windows.
    pub(super) fn brownout(&self, key: &str, operation: &Operation) -> Option<V1Error> {
        let brownouts = &self.0.brownouts;
        if brownouts.is_empty() {
            return None;
        }
        let now = self.seconds();
        let hit = |brownout: &&BrownoutConfig| {
            brownout.window(now).is_some() && brownout.concerns(key, operation)
        };
        // Of several, the one that ends last: before that, v1 is not back.
        let hits = brownouts.iter().filter(hit);
        let (ends, brownout) = hits
            .filter_map(|brownout| Some((brownout.window(now)?.ends, brownout)))
            .max_by_key(|(ends, _)| *ends)?;
        let told = Brownout {
            operation: &operation.name,
            replacement: &operation.replacement(),
            until: &moment(ends.saturating_mul(1000)),
            day: &day_name(brownout.sunset),
            link: brownout.link.as_str(),
        };
        Some(self.protocol().brownout(told))
    }

    fn seconds(&self) -> i64 {
        (self.0.shared.clock)().div_euclid(1000)
    }
}

impl Shim {
    /// The window in force, or else the next one, if one is announced; and whether it is in force.
    pub(crate) fn brownout(&self) -> Option<(Window, bool)> {
        let now = self.now();
        let seconds = now.seconds();
        let windows = now.0.brownouts.iter();
        let first = windows
            .filter_map(|brownout| brownout.next(seconds))
            .min()?;
        Some((first, first.begins <= seconds))
    }
}
