//! Health of each tenant's v2 access: token, missing scopes, and v2's answers to test reads.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant as Clock},
};

use futures_util::future::join_all;
use mappings::{
    Outcome,
    catalog::{
        MissingScope, missing_scopes,
        operation::{Operation, OptionValue},
        probes,
    },
};
use shim_upstream::{RequestId, Scope, TokenError};
use time::{OffsetDateTime, format_description::well_known::Iso8601};
use tokio::time::Instant;

use super::{Generation, Shim, tenants::Tenant};

/// Status of a tenant's access.
#[derive(Clone, Debug)]
pub(crate) struct TenantStatus {
    /// v1 key; not a secret.
    pub(crate) key: Arc<str>,
    /// The error if there is no token.
    pub(crate) access: Result<(), NoAccess>,
    /// Remaining lifetime of the token; `None` for a fixed one.
    pub(crate) ends_in: Option<Duration>,
    /// Scopes that its operations need and its token lacks; `None` if the token's scopes are
    /// unknown.
    pub(crate) missing: Option<Vec<MissingScope>>,
}

/// Failure to get a token.
#[derive(Clone, Debug)]
pub(crate) struct NoAccess {
    pub(crate) error: TokenError,
    /// Message of the system or the token endpoint.
    cause: Option<Arc<str>>,
}

impl fmt::Display for NoAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Some(cause) => write!(f, "{}: {cause}", self.error),
            None => self.error.fmt(f),
        }
    }
}

/// A test read and its result.
#[derive(Debug)]
pub(crate) struct Probed {
    /// The request as text, e.g. `GET /users?page_size=1`.
    pub(crate) request: String,
    pub(crate) outcome: Outcome,
    pub(crate) elapsed: Duration,
}

impl Shim {
    /// Returns the status of all tenants in the order of the settings. Requests missing tokens,
    /// until the deadline.
    pub(crate) async fn tenant_statuses(&self, deadline: Instant) -> Vec<TenantStatus> {
        let now = self.current();
        let tenants = now.0.tenants.iter();
        join_all(tenants.map(|tenant| status(&now, tenant, deadline))).await
    }

    /// Makes one test read in each v2 area that a tenant may use, one after the other. Returns the
    /// results by v1 key.
    pub(crate) async fn probe_tenants(&self, timeout: Duration) -> Vec<(Arc<str>, Vec<Probed>)> {
        let now = self.current();
        let today = OffsetDateTime::now_utc().date();
        let today = today.format(&Iso8601::DATE).unwrap_or_default();
        let mut all = Vec::new();
        for tenant in now.0.tenants.iter() {
            let mut probed = Vec::new();
            for request in probes(usable(&now, tenant), &today) {
                let query = request.query.iter();
                let query: Vec<_> = query
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                let mark = if query.is_empty() { "" } else { "?" };
                let shown = format!("GET {}{mark}{}", request.path, query.join("&"));
                let scope = Scope {
                    id: RequestId::fresh(),
                    deadline: Instant::now() + timeout,
                };
                let started = Clock::now();
                let outcome = tenant.upstream.send(&request, scope, false).await;
                probed.push(Probed {
                    request: shown,
                    outcome,
                    elapsed: started.elapsed(),
                });
            }
            all.push((Arc::clone(tenant.api_key()), probed));
        }
        all
    }
}

async fn status(now: &Generation, tenant: &Tenant, deadline: Instant) -> TenantStatus {
    let access = tenant.upstream.access(deadline).await;
    let token = tenant.upstream.tokens().status();
    let missing = token
        .scopes
        .map(|granted| missing_scopes(&granted, usable(now, tenant)));
    TenantStatus {
        key: Arc::clone(tenant.api_key()),
        access: access.map_err(|error| NoAccess {
            error,
            cause: token.failure,
        }),
        ends_in: token.ends_in,
        missing,
    }
}

/// Operations that a tenant can call successfully: permitted, served, and enabled for the site.
fn usable<'n>(now: &'n Generation, tenant: &'n Tenant) -> impl Iterator<Item = &'n Operation> {
    let is_on = |operation: &&Operation| {
        let option = operation.enabled_by.as_ref();
        let has_token = |name: &String| tenant.site.tokens.0.contains_key(name);
        option.is_none_or(|option| {
            tenant.site.options.get(option) == Some(&OptionValue::Switch(true))
        }) && operation
            .token
            .as_ref()
            .is_none_or(|token| has_token(&token.site))
    };
    let operations = now.catalog().operations().iter();
    let usable = operations.filter(move |operation| tenant.may(operation) && is_on(operation));
    usable.map(|operation| operation.under(&tenant.site.options))
}
