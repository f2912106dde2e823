//! The clock of the system, which tests replace.

use std::{sync::Arc, time::SystemTime};

/// The time in milliseconds since 1970. Tests hand in another clock.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The clock of the system.
pub fn system_clock() -> Clock {
    Arc::new(|| {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let millis = since.unwrap_or_default().as_millis();
        i64::try_from(millis).unwrap_or(i64::MAX)
    })
}
