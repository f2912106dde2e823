//! Tenants: v1 credentials and the v2 account behind each.

use std::{collections::BTreeSet, sync::Arc};

use mappings::{Links, Site, catalog::operation::Operation};
use recording::RecordedSite;
use shim_upstream::{
    Access, Account, Accounts, Endpoint, OAuth, RateLabel, SharedBudget, Tokens, Upstream,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    front::credential::Credential,
    settings::{Permissions, TenantConfig, V2Config},
    state::Key,
};

/// A v1 credential with its v2 account and permissions.
#[derive(Debug)]
pub(crate) struct Tenant {
    /// Digest of key and account, so that state of another account is never used.
    id: Key,
    /// Digest of the v2 account, which other tenants may share.
    account: Key,
    api_key: Arc<str>,
    owner: Option<String>,
    credential: Credential,
    /// v2 client; accounts are shared with other tenants of the same account.
    pub(crate) upstream: Upstream,
    permissions: Permissions,
    /// Site settings for the translation.
    pub(crate) site: Site,
    /// Site settings that recordings contain.
    pub(crate) recorded_site: Arc<RecordedSite>,
    /// Limits the tenant's concurrent requests to its share.
    permits: Arc<Semaphore>,
}

/// Up to this number of tenants, the shares add up to the global limit; with more, they exceed it.
const FULL_SHARES: usize = 4;

/// All tenants.
#[derive(Debug, Default)]
pub(crate) struct Tenants {
    callers: Vec<Arc<Tenant>>,
    accounts: Accounts,
    /// Accounts without duplicates, in the order of the tenants.
    ordered: Vec<Arc<Account>>,
}

impl Tenant {
    /// Opaque id, the same in every process.
    pub(crate) fn id(&self) -> &Key {
        &self.id
    }

    /// Opaque id of the v2 account.
    pub(crate) fn account(&self) -> &Key {
        &self.account
    }

    /// v1 key; not a secret.
    pub(crate) fn api_key(&self) -> &Arc<str> {
        &self.api_key
    }

    /// Maintainer of the programs that use the key, if configured.
    pub(crate) fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }

    /// Returns whether the tenant may use the operation.
    pub(crate) fn may(&self, operation: &Operation) -> bool {
        let Permissions {
            read_only,
            operations,
        } = &self.permissions;
        let is_listed = |names: &BTreeSet<String>| names.contains(&operation.name);
        (operation.read || !read_only) && operations.as_ref().is_none_or(is_listed)
    }

    /// Acquires a request permit; `None` if the tenant's share is used up, so that one tenant cannot
    /// starve the others.
    pub(crate) fn permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.permits).try_acquire_owned().ok()
    }
}

impl Tenants {
    /// Creates the tenants of a v2. Tenants of `before` with the same account keep its budget,
    /// circuit breaker and tokens. `budget` is shared with other processes, `links` creates the
    /// file links of a tenant, and `permits` is the global limit of concurrent requests.
    pub(crate) fn new(
        v2: V2Config,
        endpoint: &Arc<Endpoint>,
        links: impl Fn(Key) -> Option<Arc<dyn Links>>,
        permits: usize,
        (budget, before): (Option<Arc<dyn SharedBudget>>, &Self),
    ) -> Self {
        let shares = v2.tenants.len().clamp(1, FULL_SHARES);
        let share = permits.div_ceil(shares);
        let mut accounts = Accounts::new(budget);
        let mut ordered: Vec<Arc<Account>> = Vec::new();
        let mut callers = Vec::new();
        for tenant in v2.tenants {
            let digest = account(&tenant);
            let account = accounts.account(*digest.as_bytes(), tenant.rates, &before.accounts);
            if !ordered.iter().any(|known| Arc::ptr_eq(known, &account)) {
                ordered.push(Arc::clone(&account));
            }
            let credential = Credential::new(&tenant.api_key, tenant.api_secret);
            let id = Key::new([credential.key().as_slice(), digest.as_bytes()]);
            let known = before.iter().find(|known| known.id == id);
            let tokens = known
                .and_then(|known| known.upstream.tokens().of_same_access(&tenant.access))
                .unwrap_or_else(|| Tokens::new(endpoint.http.client().clone(), tenant.access));
            let upstream = Upstream::new(Arc::clone(endpoint), tokens, account);
            let site = Site {
                strict: tenant.strict,
                account_id: tenant.account_id,
                options: tenant.options,
                tokens: tenant.tokens,
                links: links(id),
            };
            callers.push(Arc::new(Tenant {
                id,
                account: digest,
                api_key: tenant.api_key.into(),
                owner: tenant.owner,
                credential,
                upstream,
                permissions: tenant.permissions,
                recorded_site: Arc::new(RecordedSite::from(&site)),
                site,
                permits: Arc::new(Semaphore::new(share)),
            }));
        }
        Self {
            callers,
            accounts,
            ordered,
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Tenant> {
        self.callers.iter().map(AsRef::as_ref)
    }

    /// True while the circuit breakers of all accounts in use are open.
    pub(crate) fn are_down(&self) -> bool {
        self.accounts.are_down()
    }

    /// Calls available at once, by account (numbered from 1) and label.
    pub(crate) fn budget_levels(&self) -> Vec<(usize, RateLabel, u32)> {
        let mut levels = Vec::new();
        for (at, account) in self.ordered.iter().enumerate() {
            let of_label = |label| Some((at + 1, label, account.budget.level(label)?));
            levels.extend(RateLabel::ALL.into_iter().filter_map(of_label));
        }
        levels
    }

    /// Finds the tenant with this key and secret, in constant time.
    pub(crate) fn authenticate(&self, given: &Credential) -> Option<Arc<Tenant>> {
        let mut found = None;
        for tenant in &self.callers {
            if bool::from(tenant.credential.equals(given)) {
                found = Some(Arc::clone(tenant));
            }
        }
        found
    }
}

/// Digest of a tenant's v2 account, as far as the settings identify it.
fn account(tenant: &TenantConfig) -> Key {
    match (&tenant.account_id, &tenant.access) {
        (Some(id), _) | (None, Access::OAuth(OAuth { account_id: id, .. })) => {
            Key::new([b"account".as_slice(), id.as_bytes()])
        }
        (None, Access::Token(token)) => Key::new([b"token".as_slice(), token.header().as_bytes()]),
    }
}
