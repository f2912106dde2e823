//! v2's rate limits.

use std::num::NonZeroU32;

/// v2's rate limits for accounts of one price plan, by label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Light calls per second.
    pub light: NonZeroU32,
    /// Medium calls per second.
    pub medium: NonZeroU32,
    /// Heavy calls per second.
    pub heavy: NonZeroU32,
    /// Resource-intensive calls per minute.
    pub resource_intensive: NonZeroU32,
    /// Light calls per day; `None` if unlimited.
    pub light_daily: Option<NonZeroU32>,
    /// Medium calls per day; `None` if unlimited.
    pub medium_daily: Option<NonZeroU32>,
    /// Heavy and resource-intensive calls together per day; `None` if unlimited.
    pub heavy_daily: Option<NonZeroU32>,
}
