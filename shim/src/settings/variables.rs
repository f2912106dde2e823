//! The names of the environment variables.

pub(super) const API_KEY: &str = "SHIM_API_KEY";
pub(super) const API_SECRET: &str = "SHIM_API_SECRET";
pub(super) const LEDGER: &str = "SHIM_LEDGER";
pub(super) const LISTEN: &str = "SHIM_LISTEN";
pub(super) const OAUTH_ACCOUNT_ID: &str = "SHIM_OAUTH_ACCOUNT_ID";
pub(super) const OAUTH_CLIENT_ID: &str = "SHIM_OAUTH_CLIENT_ID";
pub(super) const OAUTH_CLIENT_SECRET: &str = "SHIM_OAUTH_CLIENT_SECRET";
pub(super) const OAUTH_URL: &str = "SHIM_OAUTH_URL";
pub(super) const LOG_FORMAT: &str = "SHIM_LOG_FORMAT";
pub(super) const OPS_LISTEN: &str = "SHIM_OPS_LISTEN";
pub(super) const TLS_CERT_FILE: &str = "SHIM_TLS_CERT_FILE";
pub(super) const TLS_KEY_FILE: &str = "SHIM_TLS_KEY_FILE";
pub(super) const TLS_LISTEN: &str = "SHIM_TLS_LISTEN";
pub(super) const TRACES_ENDPOINT: &str = "SHIM_TRACES_ENDPOINT";
pub(super) const TRUSTED_PROXIES: &str = "SHIM_TRUSTED_PROXIES";
pub(super) const UPSTREAM_DNS: &str = "SHIM_UPSTREAM_DNS";
pub(super) const UPSTREAM_PLAN: &str = "SHIM_UPSTREAM_PLAN";
pub(super) const UPSTREAM_RESOLVE: &str = "SHIM_UPSTREAM_RESOLVE";
pub(super) const UPSTREAM_TOKEN: &str = "SHIM_UPSTREAM_TOKEN";
pub(super) const UPSTREAM_URL: &str = "SHIM_UPSTREAM_URL";
