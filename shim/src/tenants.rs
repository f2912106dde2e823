//! Who may call, and the v2 account behind each caller.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use mappings::Site;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

use crate::upstream::Upstream;

/// A caller with its v2 account.
#[derive(Debug)]
pub(crate) struct Tenant {
    credential: Credential,
    /// v2 as this tenant sees it.
    pub(crate) upstream: Upstream,
    /// What the core must know of it.
    pub(crate) site: Site,
    writes: AtomicU64,
}

/// A v1 key and secret. Only digests are kept: equal length, and nothing to leak.
#[derive(Debug)]
struct Credential {
    key: [u8; 32],
    secret: [u8; 32],
}

/// All tenants.
#[derive(Debug)]
pub(crate) struct Tenants(Vec<Arc<Tenant>>);

impl Tenant {
    pub(crate) fn new(
        api_key: &str,
        api_secret: &SecretString,
        upstream: Upstream,
        site: Site,
    ) -> Self {
        Self {
            credential: Credential::new(api_key, api_secret.expose_secret()),
            upstream,
            site,
            writes: AtomicU64::new(0),
        }
    }

    /// The same for the same tenant in every process; says nothing about it.
    pub(crate) fn id(&self) -> &[u8; 32] {
        &self.credential.key
    }

    /// Something was written, or may have been: what was read before it is out of date.
    pub(crate) fn wrote(&self) {
        self.writes.fetch_add(1, Ordering::SeqCst);
    }

    /// Changes with every write.
    pub(crate) fn generation(&self) -> u64 {
        self.writes.load(Ordering::SeqCst)
    }
}

impl Tenants {
    pub(crate) fn new(tenants: impl IntoIterator<Item = Tenant>) -> Self {
        Self(tenants.into_iter().map(Arc::new).collect())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Tenant> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// The tenant with this key and secret. How long it takes says nothing about either.
    pub(crate) fn authenticate(&self, api_key: &str, api_secret: &str) -> Option<Arc<Tenant>> {
        let given = Credential::new(api_key, api_secret);
        let mut found = None;
        for tenant in &self.0 {
            if bool::from(tenant.credential.equals(&given)) {
                found = Some(Arc::clone(tenant));
            }
        }
        found
    }
}

impl Credential {
    fn new(key: &str, secret: &str) -> Self {
        Self {
            key: Sha256::digest(key).into(),
            secret: Sha256::digest(secret).into(),
        }
    }

    fn equals(&self, other: &Self) -> Choice {
        self.key.ct_eq(&other.key) & self.secret.ct_eq(&other.secret)
    }
}
