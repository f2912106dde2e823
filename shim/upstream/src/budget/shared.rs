//! Interface of a budget shared by several processes.

use std::{fmt, num::NonZeroU32, time::Duration};

use futures_util::future::BoxFuture;
use mappings::{Method, RateLabel};

use super::Pace;

/// Digest that identifies a v2 account without revealing it.
pub type AccountDigest = [u8; 32];

/// Counts the calls of an account across processes.
pub trait SharedBudget: fmt::Debug + Send + Sync {
    /// Reserves a turn.
    fn reserve<'a>(&'a self, call: &'a SharedCall<'a>) -> BoxFuture<'a, Reserved>;

    /// Shares a rejection by v2 for the given time.
    fn refused<'a>(&'a self, call: &'a SharedCall<'a>, time: Duration) -> BoxFuture<'a, ()>;

    /// Number of processes that make calls, as far as is known.
    fn processes(&self) -> NonZeroU32;

    /// True while all processes share the count. Otherwise each also limits itself to its share.
    fn is_common(&self) -> bool;
}

/// Call to reserve a turn for.
#[derive(Debug)]
pub struct SharedCall<'a> {
    /// The v2 account.
    pub account: &'a AccountDigest,
    /// Rate label.
    pub label: RateLabel,
    /// Rate limit, if any.
    pub pace: Option<Pace>,
    /// Daily limit, if any.
    pub daily: Option<DailyLimit>,
    /// HTTP method.
    pub method: Method,
    /// Path with placeholders.
    pub template: &'a str,
    /// Hash of the ids in the path, if any.
    pub subject: Option<u64>,
    /// Maximum acceptable wait.
    pub most: Duration,
}

/// Daily limit of a label or a group of labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DailyLimit {
    /// Label, or the first one of the group.
    pub label: RateLabel,
    /// Days since 1970 in UTC.
    pub day: u64,
    /// Calls per day.
    pub calls: u32,
}

/// Result of a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reserved {
    /// The call may be made after this time.
    After(Duration),
    /// v2 would reject the call, or the wait is too long. Nothing was taken.
    Refused,
    /// The shared count is unavailable.
    Unreachable,
}
