//! How many calls v2 takes from an account.

use std::num::NonZeroU32;

/// The calls that v2 takes from an account of a plan, by rate label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Light calls by second.
    pub light: NonZeroU32,
    /// Medium calls by second.
    pub medium: NonZeroU32,
    /// Heavy calls by second.
    pub heavy: NonZeroU32,
    /// Resource-intensive calls by minute.
    pub resource_intensive: NonZeroU32,
    /// Light calls by day, if v2 limits them.
    pub light_daily: Option<NonZeroU32>,
    /// Medium calls by day, if v2 limits them.
    pub medium_daily: Option<NonZeroU32>,
    /// Heavy and resource-intensive calls together by day, if v2 limits them.
    pub heavy_daily: Option<NonZeroU32>,
}
