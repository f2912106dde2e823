//! v1's credentials, compared in constant time.

use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

use crate::settings::SecretDigest;

/// A key and a secret. Only digests are kept: of equal length, and nothing to leak.
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

    /// The digest of the key: the same for the same key in every process.
    pub(crate) fn key(&self) -> &[u8; 32] {
        &self.key
    }

    /// Takes the same time whatever differs.
    pub(crate) fn equals(&self, other: &Self) -> Choice {
        self.key.ct_eq(&other.key) & self.secret.equals(&other.secret)
    }
}
