//! Who sent a webhook, and when: `x-zm-signature` and `x-zm-request-timestamp`.

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

/// The version of the signature, in the header and in what is signed.
const VERSION: &str = "v0";

/// How old a webhook may be, in milliseconds: v2's last retry comes after 85 minutes.
const MAX_AGE: i64 = 90 * 60 * 1000;

/// How far ahead v2's clock may be, in milliseconds.
const MAX_AHEAD: i64 = 5 * 60 * 1000;

/// The smallest timestamp that counts as milliseconds: seconds reach it in the year 5138.
const MILLIS_FROM: i64 = 100_000_000_000;

/// Characters of the longest text that is encrypted to prove that the address belongs to the app.
const MAX_PLAIN: usize = 128;

/// Why a webhook is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unsigned {
    /// A header is absent or not text.
    Missing,
    /// No secret token made the signature.
    Wrong,
    /// The timestamp is not a number, too old, or too far ahead.
    Stale,
}

impl Unsigned {
    /// One word, for metrics.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "unsigned",
            Self::Wrong => "wrong_signature",
            Self::Stale => "stale",
        }
    }
}

/// The token that signed a webhook that arrived at `now`, in milliseconds since 1970.
pub(super) fn signer<'t>(
    tokens: &'t [SecretString],
    signature: Option<&[u8]>,
    timestamp: Option<&[u8]>,
    body: &[u8],
    now: i64,
) -> Result<&'t SecretString, Unsigned> {
    let (signature, timestamp) = signature.zip(timestamp).ok_or(Unsigned::Missing)?;
    let time = millis(timestamp).ok_or(Unsigned::Stale)?;
    if now.saturating_sub(time) > MAX_AGE || time.saturating_sub(now) > MAX_AHEAD {
        return Err(Unsigned::Stale);
    }
    let mut signed = VERSION.as_bytes().to_vec();
    for part in [b":", timestamp, b":", body] {
        signed.extend_from_slice(part);
    }
    // All tokens are compared, so that the time says nothing about which of them fits.
    let mut fitting = None;
    for token in tokens {
        let expected = format!("{VERSION}={}", authenticator(token, &signed));
        if bool::from(expected.as_bytes().ct_eq(signature)) {
            fitting = Some(token);
        }
    }
    fitting.ok_or(Unsigned::Wrong)
}

/// What proves that the address belongs to the app. `None` for a text in another form than v2's: it
/// could be what a webhook's signature is made from.
pub(super) fn encrypted(token: &SecretString, plain: &str) -> Option<String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_sound = (1..=MAX_PLAIN).contains(&plain.len()) && plain.bytes().all(is_plain);
    is_sound.then(|| authenticator(token, plain.as_bytes()))
}

/// HMAC-SHA-256 in lower-case hexadecimal digits.
fn authenticator(token: &SecretString, text: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(token.expose_secret().as_bytes()) else {
        // Cannot be: any length is a key.
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
