//! One typed configuration from a file, the environment and flags, in that order.
//!
//! The configuration is validated as a whole before a socket opens. All mistakes are reported at
//! once, each with its place and the correct form. This is the lowest layer: it uses no other
//! module of the shim.

mod brownout;
mod effective;
pub mod identity;
mod key;
mod ledger;
mod log;
mod mappings_folder;
mod network;
mod origin;
mod read;
mod record;
mod redis_url;
mod relay;
mod rollout;
mod second_v1;
mod secret_digest;
mod shadow;
mod state;
mod table;
mod tenant;
mod tls;
mod validate;
mod variables;
mod warnings;
mod webhooks;
mod written;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

use ipnet::IpNet;
use mappings::{
    Catalog, Tokens,
    catalog::{Rates, operation::OptionValue, protocol::Options},
};
use recording::PseudonymKey;
use reqwest::StatusCode;
use shim_upstream::{Access, BaseUrl, HttpSettings, OAuth, ResolverSettings};
use time::{Date, Month};
use url::Url;

use origin::Mistakes;
use table::Site;
use written::Written;

pub use brownout::{BrownoutConfig, Window};
pub use effective::Effective;
pub(crate) use key::Kind;
pub use ledger::{LedgerConfig, LedgerPlace};
pub use log::{LogConfig, LogFormat};
pub(crate) use mappings_folder::MappingsFolder;
pub use origin::{ConfigError, Mistake, Origin};
pub use record::RecordConfig;
pub use redis_url::{RedisUrl, Topology};
pub use relay::RelayConfig;
pub use rollout::RolloutConfig;
pub(crate) use rollout::{Allowed, OtherSide};
pub(crate) use second_v1::{SecondV1, V1Credentials};
pub(crate) use secret_digest::SecretDigest;
pub use shadow::{ShadowConfig, Side};
pub use state::{OnOutage, StateConfig, StateUrl};
pub(crate) use table::{keys, sections};
pub use tls::TlsConfig;
pub use variables::UnknownVariable;
pub use webhooks::{ReceiverConfig, WebhooksConfig};

/// Default address of the shim: loopback only, because v1's credentials come over plain HTTP.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8080";

/// Default operations address: loopback only.
pub const DEFAULT_OPS_LISTEN: &str = "127.0.0.1:9090";

/// The last day of v1's support, as Zoom announced it.
pub(crate) const V1_DEPRECATED: (i32, Month, u8) = (2018, Month::November, 1);

/// Zoom's documentation of v1's successor.
pub(crate) const V2_DOCUMENTS: &str = "https://developers.zoom.us/docs/api/";

/// The v1 key for the sandbox and for recordings.
pub(crate) const SANDBOX_KEY: &str = "sandbox-key";
/// The secret of [`SANDBOX_KEY`].
pub(crate) const SANDBOX_SECRET: &str = "sandbox-secret";

/// Default number of users of the sandbox: more than v1's default page of 30.
pub const DEFAULT_SANDBOX_USERS: usize = 40;

/// The complete, validated settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// Address for plain HTTP as `host:port`; `None` for TLS only.
    pub listen: Option<String>,
    /// The TLS listener, if enabled.
    pub tls: Option<TlsConfig>,
    /// The operations address.
    pub ops: OpsListen,
    /// The log.
    pub log: LogConfig,
    /// Export of traces, if enabled.
    pub traces: Option<TracesConfig>,
    /// The upstream.
    pub source: Source,
    /// Options of the site.
    pub site: SiteConfig,
    /// Limits of requests.
    pub limits: Limits,
    /// The recorder, if enabled.
    pub record: Option<RecordConfig>,
    /// The ledger of callers, if enabled.
    pub ledger: Option<LedgerConfig>,
    /// State kept between requests.
    pub state: StateConfig,
    /// Key of the pseudonyms for addresses and names in all stored exchanges.
    pub pseudonym_key: Option<PseudonymKey>,
    /// The shadow, if enabled.
    pub shadow: Option<ShadowConfig>,
    /// The operator's pages.
    pub ui: UiConfig,
    /// The endpoint for v2's webhooks, if enabled.
    pub webhooks: Option<WebhooksConfig>,
    /// Receivers of v1's push notifications.
    pub receivers: Vec<ReceiverConfig>,
    /// Given settings without effect, because v2 is in this process.
    pub unused: BTreeSet<String>,
}

/// Encoding of the body of a push notification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodyStyle {
    /// `application/x-www-form-urlencoded`, as v1 sent it.
    #[default]
    Form,
    /// `application/json`: one object with the same names.
    Json,
}

/// Identity of a caller in a rollout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CallerIdentity {
    /// The v1 key.
    #[default]
    Key,
    /// The v1 key and the client's address.
    Address,
}

/// Settings of the operator's pages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UiConfig {
    /// Number of recent exchanges kept in memory.
    pub recent: usize,
    /// Allowed host names of the operations address, besides `localhost` and addresses.
    pub hosts: Vec<String>,
}

/// The operations address: `/ui`, `/metrics` and so on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpsListen {
    /// Disabled.
    Off,
    /// This `host:port`. If it cannot be bound, the shim does not start.
    At(String),
    /// Not set: [`DEFAULT_OPS_LISTEN`]. With the sandbox, any free port if that one is taken.
    Default,
}

/// The upstream.
#[derive(Clone, Debug)]
pub enum Source {
    /// An in-process v2.
    Sandbox {
        /// Number of users at the start.
        users: usize,
    },
    /// Recorded responses of v2.
    Replay,
    /// v2 itself.
    V2(V2Config),
}

/// v2 and its tenants.
#[derive(Clone, Debug)]
pub struct V2Config {
    pub(crate) base: BaseUrl,
    pub(crate) resolver: ResolverSettings,
    pub(crate) tenants: Vec<TenantConfig>,
}

/// One v1 credential with its v2 account.
#[derive(Clone, Debug)]
pub(crate) struct TenantConfig {
    pub(crate) api_key: String,
    pub(crate) api_secret: SecretDigest,
    /// Included in v1's responses.
    pub(crate) account_id: Option<String>,
    /// The team that maintains its programs.
    pub(crate) owner: Option<String>,
    pub(crate) access: Access,
    /// v2's rate limits of the account. By default unlimited, so that only v2's own refusals apply:
    /// a guessed price plan would either slow the account down or not prevent refusals.
    pub(crate) rates: Option<Rates>,
    /// An unsupported parameter is an error instead of a warning.
    pub(crate) strict: bool,
    /// The catalog's options.
    pub(crate) options: Options,
    /// Tokens for operations that require one besides the credentials.
    pub(crate) tokens: Tokens,
    pub(crate) permissions: Permissions,
}

/// Permissions of a tenant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Permissions {
    /// Only reads.
    pub(crate) read_only: bool,
    /// Only these operations; all if `None`.
    pub(crate) operations: Option<BTreeSet<String>>,
}

/// Options of a site.
#[derive(Clone, Debug)]
pub struct SiteConfig {
    /// An unsupported parameter is an error, before anything is written. Tenants may override it.
    pub strict: bool,
    /// The catalog's options. Tenants may override them.
    pub options: Options,
    /// HTTP status of errors that the caller did not cause. v1 always returned 200; clients that
    /// retry by status need a 5xx.
    pub upstream_status: StatusCode,
    /// Deprecation notice in responses; `None` for no notice.
    pub deprecation: Option<Deprecation>,
    /// Rollouts, which send some callers to a second v1.
    pub rollouts: Vec<RolloutConfig>,
    /// Announced windows in which v1 returns errors.
    pub brownouts: Vec<BrownoutConfig>,
    /// Trusted proxies, whose `X-Forwarded-For` is used.
    pub trusted_proxies: Vec<IpNet>,
    /// Relay of files, if enabled.
    pub relay: Option<RelayConfig>,
    /// Origins of browser programs that may call v1: `https://app.example.com`.
    pub cors_origins: Vec<String>,
}

/// Deprecation notice in responses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deprecation {
    /// The date of the deprecation.
    pub since: Date,
    /// The date on which v1 ends.
    pub sunset: Date,
    /// URL of instructions for migrating.
    pub link: Url,
}

/// Export of traces by OTLP.
#[derive(Clone, Debug, PartialEq)]
pub struct TracesConfig {
    /// Base URL of a collector for OTLP over HTTP, such as `http://127.0.0.1:4318`.
    pub endpoint: Url,
    /// Share of requests that are traced: above 0, at most 1.
    pub share: f64,
}

/// Limits of time, memory and v2 calls.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Timeout of a v1 request. v1's Ruby and Python clients give up after 15 s.
    pub request: Duration,
    /// Timeout of connecting to v2.
    pub connect: Duration,
    /// Timeout of a v2 call.
    pub call: Duration,
    /// Maximum size of a v2 response, in bytes. A page of 300 users is below 1 MB.
    pub answer_bytes: usize,
    /// Maximum number of concurrent v2 calls for the entries of a list.
    pub list_calls: usize,
    /// Time to live of cached responses about users.
    pub cache_time: Duration,
    /// Maximum size of that cache, in bytes.
    pub cache_bytes: u64,
    /// Maximum size of a request body, in bytes. A picture has up to 2 MiB, three times that
    /// percent-encoded.
    pub body_bytes: usize,
    /// Timeout of receiving a request body.
    pub body: Duration,
    /// Timeout of receiving the request line and headers.
    pub headers: Duration,
    /// Maximum number of concurrent v1 requests. More get v1's rate limit error.
    pub requests: usize,
    /// Maximum number of connections. For a new one, the connection that has been idle longest is
    /// closed.
    pub connections: usize,
    /// Maximum number of concurrent TLS handshakes. For a new one, the oldest is aborted.
    pub handshakes: usize,
    /// Timeout of a TLS handshake.
    pub handshake: Duration,
    /// Maximum number of failed logins per minute for a key and an address. More are rejected
    /// unchecked; 0 for no limit.
    pub failed_attempts: u32,
    /// Time after the stop signal in which connections are still accepted.
    pub drain: Duration,
    /// Time for running requests after that.
    pub shutdown: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self::from(&Site::default())
    }
}

impl From<&Site> for Limits {
    fn from(site: &Site) -> Self {
        let limits = &site.limits;
        Self {
            request: limits.request_seconds.value,
            connect: site.upstream.connect_seconds.value,
            call: site.upstream.call_seconds.value,
            answer_bytes: site.upstream.answer_bytes.value,
            list_calls: site.list.parallel.value,
            cache_time: site.cache.seconds.value,
            cache_bytes: site.cache.bytes.value,
            body_bytes: limits.body_bytes.value,
            body: limits.body_seconds.value,
            headers: limits.header_seconds.value,
            requests: limits.requests.value,
            connections: limits.connections.value,
            handshakes: limits.handshakes.value,
            handshake: limits.handshake_seconds.value,
            failed_attempts: limits.failed_attempts.value,
            drain: limits.drain_seconds.value,
            shutdown: limits
                .shutdown_seconds
                .value
                .unwrap_or(limits.body_seconds.value + limits.request_seconds.value),
        }
    }
}

/// Settings from the command line.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// Values of setting flags, by flag: `--listen`.
    pub given: BTreeMap<&'static str, String>,
    /// `--sandbox`, with its number of users.
    pub sandbox: Option<usize>,
    /// `--replay`
    pub replay: bool,
}

/// Sources of settings. Later ones override earlier ones.
pub struct Sources<'a> {
    /// Name and text of the configuration file.
    pub file: Option<(&'a str, &'a str)>,
    /// Looks up an environment variable.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
    /// The command line.
    pub flags: Flags,
    /// Reads the file of a secret or a certificate.
    pub read: &'a dyn Fn(&Path) -> std::io::Result<String>,
}

impl Config {
    /// Reads and validates all settings.
    ///
    /// # Errors
    ///
    /// Returns all mistakes.
    pub fn load(sources: &Sources<'_>, catalog: &Catalog) -> Result<Self, ConfigError> {
        let mistakes = Mistakes::default();
        let written = Written::read(sources, catalog, &mistakes);
        let is_broken = written.is_broken;
        let config = written.validate(sources, catalog, &mistakes);
        if is_broken {
            mistakes.forget_missing();
        }
        let mistakes = mistakes.into_sorted();
        match config {
            Some(config) if mistakes.is_empty() => Ok(config),
            _ => Err(ConfigError {
                file: sources.file.map(|(name, _)| name.to_owned()),
                mistakes,
            }),
        }
    }
}

/// Options of a site, for the sandbox.
fn sandbox_options(site: &SiteConfig) -> Options {
    let options = site.options.clone();
    options.with(read::PLAN_WRITES, OptionValue::Switch(true))
}

impl V2Config {
    /// Settings of the shim's own sandbox: one tenant with server-to-server OAuth, which may read
    /// chats and use operations that spend money.
    ///
    /// `base` must be an http URL with a path; `None` otherwise.
    #[must_use]
    pub fn sandbox(
        base: &str,
        (api_key, api_secret): (&str, &str),
        oauth_url: Url,
        (account_id, client_id, client_secret): (&str, &str, &str),
        chat_token: &str,
        site: &SiteConfig,
    ) -> Option<Self> {
        let tenant = TenantConfig {
            api_key: api_key.to_owned(),
            api_secret: SecretDigest::of(api_secret),
            account_id: Some(account_id.to_owned()),
            owner: None,
            access: Access::OAuth(OAuth {
                url: oauth_url,
                account_id: account_id.to_owned(),
                client_id: client_id.to_owned(),
                client_secret: client_secret.into(),
            }),
            rates: None,
            strict: site.strict,
            options: sandbox_options(site),
            tokens: tenant::tokens(Some(&chat_token.into())),
            permissions: Permissions::default(),
        };
        Some(Self {
            base: BaseUrl::parse(base).ok()?,
            resolver: ResolverSettings::default(),
            tenants: vec![tenant],
        })
    }

    /// The same sandbox with other options.
    pub(crate) fn sandbox_with(&self, site: &SiteConfig) -> Self {
        let mut changed = self.clone();
        for tenant in &mut changed.tenants {
            tenant.strict = site.strict;
            tenant.options = sandbox_options(site);
        }
        changed
    }

    /// The base URL and the number of tenants.
    pub(crate) fn shown(&self) -> (String, usize) {
        (self.base.as_str().to_owned(), self.tenants.len())
    }

    /// Host and port, if the system resolves v2's host name.
    pub(crate) fn resolved_by_system(&self) -> Option<(String, u16)> {
        let is_resolved = self.resolver.is_system();
        is_resolved.then(|| (self.base.host().to_owned(), self.base.port()))
    }

    /// Settings of the HTTP client for v2.
    pub(crate) fn http(&self, limits: &Limits) -> HttpSettings {
        HttpSettings {
            base: self.base.clone(),
            resolver: self.resolver.clone(),
            connect_timeout: limits.connect,
            max_idle: limits.requests,
            is_local: self.is_local(),
        }
    }

    /// True if v2 and its token endpoints are on this machine, without TLS.
    fn is_local(&self) -> bool {
        let mut token_urls = self
            .tenants
            .iter()
            .filter_map(|tenant| match &tenant.access {
                Access::OAuth(oauth) => Some(oauth.url.as_str()),
                Access::Token(_) => None,
            });
        let is_local = |base: &BaseUrl| base.is_loopback() && base.is_plain();
        is_local(&self.base)
            && token_urls.all(|url| BaseUrl::parse(url).is_ok_and(|url| is_local(&url)))
    }

    /// True if requests to v2 are sent unencrypted over a network.
    pub(crate) fn is_exposed(&self) -> bool {
        self.base.is_plain() && !self.base.is_loopback()
    }
}

#[cfg(test)]
mod tests;
