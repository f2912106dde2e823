//! What everything that is done for one v1 request shares.

use std::fmt;

use hyper::header::{HeaderName, HeaderValue};
use tokio::time::Instant;

/// Carries the request's name: in the answer, and to v2.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The name of one request, in its answer, in its v2 calls and in the log. The shim gives it:
/// what a client sends could be anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId(u128);

/// Which v1 request something is done for, and until when it is of use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope {
    pub(crate) id: RequestId,
    pub(crate) deadline: Instant,
}

impl RequestId {
    /// Another one than any other.
    pub(crate) fn fresh() -> Self {
        Self(fastrand::u128(..))
    }

    /// The number that it is, of 128 bits.
    pub fn number(self) -> u128 {
        self.0
    }

    pub(crate) fn header(self) -> HeaderValue {
        // Hexadecimal digits always are a header's value.
        HeaderValue::from_str(&self.to_string()).unwrap_or(HeaderValue::from_static(""))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}
