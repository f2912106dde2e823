//! The v1 request that calls are made for: its id and its deadline; and whom a call is about.

use std::{
    fmt,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use hyper::header::{HeaderName, HeaderValue};
use tokio::time::Instant;

/// The header of every v2 call: a shim that receives it is its own v2.
pub const FROM_SHIM: HeaderName = HeaderName::from_static("x-shim-call");

/// The header with the request's id: in v1's response, and in v2 calls.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of one v1 request, in its response, in its v2 calls and in the log. The shim generates it:
/// what a client sends could be anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId(u128);

/// The length of an id in hexadecimal.
const DIGITS: usize = 32;

/// The v1 request that a call is made for, and its deadline.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    /// The id of the request.
    pub id: RequestId,
    /// When the response must be there.
    pub deadline: Instant,
}

/// Subject of a call, as a hash of what fills the placeholders of its path. `/users/7` and `/users/7/settings` have the same subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Subject(u64);

impl Subject {
    /// `None` for a path without placeholders.
    pub(crate) fn of(template: &str, path: &str) -> Option<Self> {
        let filled = template
            .split('/')
            .zip(path.split('/'))
            .filter(|(segment, _)| segment.starts_with('{'));
        let mut hasher = DefaultHasher::new();
        let count = filled.map(|(_, id)| id.hash(&mut hasher)).count();
        (count > 0).then(|| Self(hasher.finish()))
    }

    pub(crate) fn number(self) -> u64 {
        self.0
    }
}

impl RequestId {
    /// A new random id.
    pub fn fresh() -> Self {
        Self(fastrand::u128(..))
    }

    /// The id as a number of 128 bits.
    pub fn number(self) -> u128 {
        self.0
    }

    /// The value of [`REQUEST_ID`].
    pub fn header(self) -> HeaderValue {
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
    fn calls_about_one_user_have_one_subject() {
        let of = |template, path| Subject::of(template, path);
        let ada = of("/users/{userId}", "/users/ada");
        assert!(ada.is_some());
        assert_eq!(of("/users/{userId}/settings", "/users/ada/settings"), ada);
        assert_ne!(of("/users/{userId}", "/users/grace"), ada);
        assert_eq!(of("/users", "/users"), None);
    }

    #[test]
    fn a_header_has_the_name_that_is_shown() {
        for number in [0, 1, 0x0123_4567_89ab_cdef << 60, u128::MAX] {
            let id = RequestId(number);
            assert_eq!(id.header(), id.to_string());
        }
    }
}
