//! Verification of webhooks: the headers `x-zm-signature` and `x-zm-request-timestamp`.

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

/// Version of the signature, in the header and in the signed text.
const VERSION: &str = "v0";

/// Maximum age of a webhook, in milliseconds. v2's last retry comes after 85 minutes.
const MAX_AGE: i64 = 90 * 60 * 1000;

/// Maximum clock difference if v2's clock is ahead, in milliseconds.
const MAX_AHEAD: i64 = 5 * 60 * 1000;

/// Smallest timestamp that is read as milliseconds. In seconds, it is in the year 5138.
const MILLIS_FROM: i64 = 100_000_000_000;

/// Maximum length of the challenge in an endpoint validation, in characters.
const MAX_PLAIN: usize = 128;

/// Reason why a webhook is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SignatureError {
    /// A header is missing or is not text.
    Missing,
    /// The signature matches no secret token.
    Wrong,
    /// The timestamp is not a number, too old, or too far ahead.
    Stale,
}

impl SignatureError {
    /// The value of the metric label.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "unsigned",
            Self::Wrong => "wrong_signature",
            Self::Stale => "stale",
        }
    }
}

/// Verifies a webhook that arrived at `now`, in milliseconds since 1970. Returns the token that
/// signed it.
pub(super) fn verify<'t>(
    tokens: &'t [SecretString],
    signature: Option<&[u8]>,
    timestamp: Option<&[u8]>,
    body: &[u8],
    now: i64,
) -> Result<&'t SecretString, SignatureError> {
    let (signature, timestamp) = signature.zip(timestamp).ok_or(SignatureError::Missing)?;
    let time = millis(timestamp).ok_or(SignatureError::Stale)?;
    if now.saturating_sub(time) > MAX_AGE || time.saturating_sub(now) > MAX_AHEAD {
        return Err(SignatureError::Stale);
    }
    let mut signed = VERSION.as_bytes().to_vec();
    for part in [b":", timestamp, b":", body] {
        signed.extend_from_slice(part);
    }
    // All tokens are compared, so that the time does not reveal which one matches.
    let mut matching = None;
    for token in tokens {
        let expected = format!("{VERSION}={}", authenticator(token, &signed));
        if bool::from(expected.as_bytes().ct_eq(signature)) {
            matching = Some(token);
        }
    }
    matching.ok_or(SignatureError::Wrong)
}

/// The response to the challenge of an endpoint validation. `None` for a text that v2 does not
/// send: the response could be the valid signature of a webhook.
pub(super) fn challenge_response(token: &SecretString, plain: &str) -> Option<String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_valid = (1..=MAX_PLAIN).contains(&plain.len()) && plain.bytes().all(is_plain);
    is_valid.then(|| authenticator(token, plain.as_bytes()))
}

/// HMAC-SHA-256 in lower-case hexadecimal digits.
fn authenticator(token: &SecretString, text: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(token.expose_secret().as_bytes()) else {
        // Cannot happen: HMAC accepts keys of any length.
        return String::new();
    };
    mac.update(text);
    let digits = Bytes::copy_from_slice(&mac.finalize().into_bytes());
    format!("{digits:x}")
}

/// A timestamp in seconds or milliseconds.
fn millis(timestamp: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(timestamp).ok()?;
    let number: i64 = text
        .parse()
        .ok()
        .filter(|_| text.bytes().all(|b| b.is_ascii_digit()))?;
    if number < MILLIS_FROM {
        number.checked_mul(1000)
    } else {
        Some(number)
    }
}
