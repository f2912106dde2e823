//! The system clock, which tests replace.

use std::{sync::Arc, time::SystemTime};

/// Returns the time in milliseconds since 1970.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The system clock as a [`Clock`].
pub fn system_clock() -> Clock {
    Arc::new(unix_millis)
}

/// System time in microseconds since 1970.
pub(crate) fn unix_micros() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    i64::try_from(since.unwrap_or_default().as_micros()).unwrap_or(i64::MAX)
}

/// System time in milliseconds since 1970.
pub(crate) fn unix_millis() -> i64 {
    unix_micros() / 1000
}

/// System time in seconds since 1970.
pub(crate) fn unix_seconds() -> i64 {
    unix_millis() / 1000
}
