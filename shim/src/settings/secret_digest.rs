//! SHA-256 digests of secrets. The secrets themselves are not kept.

use std::fmt;

use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

/// The SHA-256 of an `api_secret`.
///
/// v1's secrets are long and random, so that they cannot be guessed from a digest, however fast it
/// is. A slow password hash would add work to every request, wrong ones included.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct SecretDigest([u8; 32]);

impl SecretDigest {
    pub(crate) fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret).into())
    }

    /// Parses 64 hexadecimal digits, as printed by `sha256sum`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
            return None;
        };
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let byte = |[high, low]: &[u8; 2]| u8::try_from(digit(*high)? * 16 + digit(*low)?).ok();
        let bytes: Option<Vec<u8>> = pairs.iter().map(byte).collect();
        Some(Self(bytes?.try_into().ok()?))
    }

    /// Compares in constant time.
    pub(crate) fn equals(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretDigest(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_as_sha256sum_writes_it() {
        // printf %s and-its-secret | sha256sum
        let text = "02dfd9c87b89b7e098437f858a476a42987304dfdb424e6aaed7d34c74827756";
        assert_eq!(
            SecretDigest::parse(text),
            Some(SecretDigest::of("and-its-secret"))
        );
        let upper = text.to_uppercase();
        assert_eq!(SecretDigest::parse(&upper), SecretDigest::parse(text));
        for wrong in [
            "",
            "00",
            &text[1..],
            &format!("{text}00"),
            &text.replace('a', "g"),
        ] {
            assert_eq!(SecretDigest::parse(wrong), None, "{wrong}");
        }
    }
}
