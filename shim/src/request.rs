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

/// Of a request's name, in hexadecimal.
const DIGITS: usize = 32;

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
        HeaderValue::from_bytes(&self.digits()).unwrap_or(HeaderValue::from_static(""))
    }

    /// What `{:032x}` writes, which takes a fifth of the time: every request has two of them.
    fn digits(self) -> [u8; DIGITS] {
        let mut digits = [0; DIGITS];
        let mut left = self.0;
        for digit in digits.iter_mut().rev() {
            let value = (left & 0xf) as u8;
            *digit = if value < 10 {
                b'0' + value
            } else {
                b'a' - 10 + value
            };
            left >>= 4;
        }
        digits
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_has_the_name_that_is_shown() {
        for number in [0, 1, 0x0123_4567_89ab_cdef << 60, u128::MAX] {
            let id = RequestId(number);
            assert_eq!(id.header(), id.to_string());
        }
    }
}
