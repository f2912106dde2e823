//! Tenants: the v1 credentials and the v2 account behind each.

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

/// A caller with its v2 account.
#[derive(Debug)]
pub(crate) struct Tenant {
    /// Of its key and its account: what is remembered of another account is not for it.
    id: Key,
    /// Of its v2 account, which it may share.
    account: Key,
    api_key: Arc<str>,
    owner: Option<String>,
    credential: Credential,
    /// v2 as this tenant sees it, which it may share with others of the same account.
    pub(crate) upstream: Upstream,
    permissions: Permissions,
    /// What the core must know of it.
    pub(crate) site: Site,
    /// What records say of it.
    pub(crate) recorded_site: Arc<RecordedSite>,
    /// Its share of the places for requests in work.
    places: Arc<Semaphore>,
}

/// Tenants that may fill all places for requests together, if there are as many.
const FULL_SHARES: usize = 4;

/// All tenants.
#[derive(Debug, Default)]
pub(crate) struct Tenants {
    callers: Vec<Arc<Tenant>>,
    accounts: Accounts,
    /// Each once, in the order of the tenants.
    ordered: Vec<Arc<Account>>,
}

impl Tenant {
    /// The same for the same tenant in every process; says nothing about it.
    pub(crate) fn id(&self) -> &Key {
        &self.id
    }

    /// The same for all tenants of its v2 account.
    pub(crate) fn account(&self) -> &Key {
        &self.account
    }

    /// Its v1 key: a name, not a secret.
    pub(crate) fn api_key(&self) -> &Arc<str> {
        &self.api_key
    }

    /// Who maintains its programs, if somebody is named.
    pub(crate) fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }

    /// True if the tenant may use the operation.
    pub(crate) fn may(&self, operation: &Operation) -> bool {
        let Permissions {
            read_only,
            operations,
        } = &self.permissions;
        let is_listed = |names: &BTreeSet<String>| names.contains(&operation.name);
        (operation.read || !read_only) && operations.as_ref().is_none_or(is_listed)
    }

    /// A place for one request; `None` if the tenant has its share of them at work. One tenant shuts
    /// out no other.
    pub(crate) fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }
}

impl Tenants {
    /// The tenants of a v2. Those that were there before, with the same account, go on with its
    /// budget and breaker and with their tokens. With `budget`, other processes make calls for the same
    /// accounts. `places` are those for requests in work. `links` are
    /// those of a tenant to files.
    pub(crate) fn new(
        v2: V2Config,
        endpoint: &Arc<Endpoint>,
        links: impl Fn(Key) -> Option<Arc<dyn Links>>,
        places: usize,
        (budget, before): (Option<Arc<dyn SharedBudget>>, &Self),
    ) -> Self {
        let shares = v2.tenants.len().clamp(1, FULL_SHARES);
        let share = places.div_ceil(shares);
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
                places: Arc::new(Semaphore::new(share)),
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

    /// True while v2 is known to be down for all accounts in use.
    pub(crate) fn are_cut_off(&self) -> bool {
        self.accounts.are_down()
    }

    /// The calls that could be made at once: accounts from 1, in the order of the tenants.
    pub(crate) fn budget_levels(&self) -> Vec<(usize, RateLabel, u32)> {
        let mut levels = Vec::new();
        for (at, account) in self.ordered.iter().enumerate() {
            let of_label = |label| Some((at + 1, label, account.budget.level(label)?));
            levels.extend(RateLabel::ALL.into_iter().filter_map(of_label));
        }
        levels
    }

    /// The tenant with this key and secret. How long it takes says nothing about either.
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

/// Names the v2 account of a tenant, as far as the settings tell it.
fn account(tenant: &TenantConfig) -> Key {
    match (&tenant.account_id, &tenant.access) {
        (Some(id), _) | (None, Access::OAuth(OAuth { account_id: id, .. })) => {
            Key::new([b"account".as_slice(), id.as_bytes()])
        }
        (None, Access::Token(token)) => Key::new([b"token".as_slice(), token.header().as_bytes()]),
    }
}
