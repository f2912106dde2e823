//! Daily limits, counted in this process.

use std::{
    sync::Mutex,
    time::{SystemTime, UNIX_EPOCH},
};

use mappings::RateLabel;

use super::DailyLimit;
use crate::lock;

/// Day number and calls made on it.
#[derive(Debug, Default)]
pub(super) struct DayCount(Mutex<(u64, u32)>);

/// Seconds per day.
const DAY: u64 = 24 * 60 * 60;

impl DayCount {
    /// Counts a call; false if the day's limit is reached.
    pub(super) fn take(&self, limit: DailyLimit) -> bool {
        let mut count = lock(&self.0);
        let (day, calls) = &mut *count;
        if *day != limit.day {
            (*day, *calls) = (limit.day, 0);
        }
        let is_left = *calls < limit.calls;
        *calls += u32::from(is_left);
        is_left
    }
}

impl DailyLimit {
    /// Today's limit.
    pub(super) fn today(label: RateLabel, calls: u32) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            label,
            day: since.map_or(0, |since| since.as_secs()) / DAY,
            calls,
        }
    }
}
