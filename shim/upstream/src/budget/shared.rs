//! A budget that several processes share.

use std::{fmt, num::NonZeroU32, time::Duration};

use futures_util::future::BoxFuture;
use mappings::Method;

use super::Pace;
use crate::rate_label::RateLabel;

/// Names a v2 account without telling which: a digest.
pub type AccountDigest = [u8; 32];

/// Counts the calls of an account, for all processes that make them.
pub trait SharedBudget: fmt::Debug + Send + Sync {
    /// Reserves a call.
    fn reserve<'a>(&'a self, call: &'a SharedCall<'a>) -> BoxFuture<'a, Reserved>;

    /// Remembers for some time that v2 refuses a call.
    fn refused<'a>(&'a self, call: &'a SharedCall<'a>, time: Duration) -> BoxFuture<'a, ()>;

    /// The processes that make calls, as far as is known.
    fn processes(&self) -> NonZeroU32;

    /// True while all of them count together. If not, each keeps to its part of the rate, too.
    fn is_common(&self) -> bool;
}

/// A call whose turn is reserved.
#[derive(Debug)]
pub struct SharedCall<'a> {
    /// The v2 account.
    pub account: &'a AccountDigest,
    /// Which rate limit v2 counts it against.
    pub label: RateLabel,
    /// That limit, if there is one.
    pub pace: Option<Pace>,
    /// The limit of a day, if there is one.
    pub daily: Option<DailyLimit>,
    /// Which call it is.
    pub method: Method,
    /// The path with its placeholders.
    pub template: &'a str,
    /// Whom it is about, if anybody: a digest of the path's ids.
    pub subject: Option<u64>,
    /// The longest acceptable wait.
    pub most: Duration,
}

/// How many calls of a label, or of several together, v2 takes in a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DailyLimit {
    /// What is counted: the label, or the first of those that are counted together.
    pub label: RateLabel,
    /// Days since 1970, in UTC.
    pub day: u64,
    /// Calls a day.
    pub calls: u32,
}

/// What became of a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reserved {
    /// The call may be made after this time.
    After(Duration),
    /// v2 would refuse it, or the wait would be too long. Nothing was taken.
    Refused,
    /// The count cannot be reached.
    Unreachable,
}
