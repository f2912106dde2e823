//! v1 credentials, compared in constant time.

use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

use crate::settings::SecretDigest;

/// A key and a secret, kept as digests only: of equal length, and useless if leaked.
#[derive(Debug)]
pub(crate) struct Credential {
    key: [u8; 32],
    secret: SecretDigest,
}

impl Credential {
    pub(crate) fn new(key: &str, secret: SecretDigest) -> Self {
        Self {
            key: Sha256::digest(key).into(),
            secret,
        }
    }

    /// Digest of the key, the same in every process.
    pub(crate) fn key(&self) -> &[u8; 32] {
        &self.key
    }

    /// Compares in constant time.
    pub(crate) fn equals(&self, other: &Self) -> Choice {
        self.key.ct_eq(&other.key) & self.secret.equals(&other.secret)
    }
}
