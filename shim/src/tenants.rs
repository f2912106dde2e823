//! Who may call, and the v2 account behind each caller.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use mappings::Site;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

use crate::{
    budget::{Budget, Budgets},
    config::{SiteConfig, V2Config},
    label::{Label, Labels},
    upstream::{Endpoint, Tokens, Upstream},
};

/// A caller with its v2 account.
#[derive(Debug)]
pub(crate) struct Tenant {
    credential: Credential,
    /// v2 as this tenant sees it, which it may share with others of the same account.
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
pub(crate) struct Tenants {
    tenants: Vec<Arc<Tenant>>,
    /// Of each account once, in the order of the tenants.
    budgets: Vec<Arc<Budget>>,
}

impl Tenant {
    fn new(api_key: &str, api_secret: &SecretString, upstream: Upstream, site: Site) -> Self {
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
    /// The tenants of a v2, all with the same options.
    pub(crate) fn new(
        v2: V2Config,
        site: &SiteConfig,
        endpoint: &Arc<Endpoint>,
        labels: Labels,
    ) -> Self {
        let mut accounts = Budgets::new(labels);
        let mut budgets: Vec<Arc<Budget>> = Vec::new();
        let mut tenants = Vec::new();
        for tenant in v2.tenants {
            let budget = accounts.of_account(tenant.account(), tenant.plan);
            if !budgets.iter().any(|known| Arc::ptr_eq(known, &budget)) {
                budgets.push(Arc::clone(&budget));
            }
            let site = Site {
                strict: site.strict,
                account_id: tenant.account_id,
                options: site.options.clone(),
            };
            let tokens = Tokens::new(endpoint.http.clone(), tenant.access);
            let upstream = Upstream::new(Arc::clone(endpoint), tokens, budget);
            let tenant = Tenant::new(&tenant.api_key, &tenant.api_secret, upstream, site);
            tenants.push(Arc::new(tenant));
        }
        Self { tenants, budgets }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Tenant> {
        self.tenants.iter().map(AsRef::as_ref)
    }

    /// The calls that could be made at once: accounts from 1, in the order of the tenants.
    pub(crate) fn budget_levels(&self) -> Vec<(usize, Label, u32)> {
        let mut levels = Vec::new();
        for (at, budget) in self.budgets.iter().enumerate() {
            let of_label = |label| Some((at + 1, label, budget.level(label)?));
            levels.extend(Label::ALL.into_iter().filter_map(of_label));
        }
        levels
    }

    /// The tenant with this key and secret. How long it takes says nothing about either.
    pub(crate) fn authenticate(&self, api_key: &str, api_secret: &str) -> Option<Arc<Tenant>> {
        let given = Credential::new(api_key, api_secret);
        let mut found = None;
        for tenant in &self.tenants {
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
