//! One typed configuration from a file, the environment and flags, in that order.
//!
//! It is checked as a whole before a socket opens: all mistakes are reported at once, each with its
//! place and what to write instead. The lowest layer: uses no other module of the shim.

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

/// The shim listens here unless told otherwise: on this machine only, because v1's credentials
/// come over plain HTTP.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8080";

/// The operations address unless told otherwise: on this machine only.
pub const DEFAULT_OPS_LISTEN: &str = "127.0.0.1:9090";

/// The day that Zoom announced as v1's last supported one.
pub(crate) const V1_DEPRECATED: (i32, Month, u8) = (2018, Month::November, 1);

/// What comes after v1.
pub(crate) const V2_DOCUMENTS: &str = "https://developers.zoom.us/docs/api/";

/// The v1 key that programs send while v2 is in this process.
pub(crate) const SANDBOX_KEY: &str = "sandbox-key";
/// The secret of [`SANDBOX_KEY`].
pub(crate) const SANDBOX_SECRET: &str = "sandbox-secret";

/// Users of the sandbox: more than v1's default page of 30.
pub const DEFAULT_SANDBOX_USERS: usize = 40;

/// The settings of the shim, complete and checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen in plain HTTP, as `host:port`; `None` to listen with TLS only.
    pub listen: Option<String>,
    /// Where to listen with TLS, if anywhere.
    pub tls: Option<TlsConfig>,
    /// Where to answer the operator.
    pub ops: OpsListen,
    /// How the log is written.
    pub log: LogConfig,
    /// Where traces go, if anywhere.
    pub traces: Option<TracesConfig>,
    /// Where answers come from.
    pub source: Source,
    /// What a site may choose.
    pub site: SiteConfig,
    /// What a request may take.
    pub limits: Limits,
    /// What is recorded, if anything.
    pub record: Option<RecordConfig>,
    /// Where it is noted who still calls v1, if anywhere.
    pub ledger: Option<LedgerConfig>,
    /// Where what is remembered between requests is kept.
    pub state: StateConfig,
    /// Addresses and names are replaced by pseudonyms under this key, wherever exchanges are kept.
    pub pseudonym_key: Option<PseudonymKey>,
    /// What answers are compared with, if anything.
    pub shadow: Option<ShadowConfig>,
    /// What the pages for the operator show.
    pub ui: UiConfig,
    /// Where v2's webhooks arrive, if anywhere.
    pub webhooks: Option<WebhooksConfig>,
    /// Who receives v1's push notifications.
    pub receivers: Vec<ReceiverConfig>,
    /// What is set and has no effect, because v2 is in this process.
    pub unused: BTreeSet<String>,
}

/// How the body of a push notification is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodyStyle {
    /// `application/x-www-form-urlencoded`, as v1 sent it.
    #[default]
    Form,
    /// `application/json`: the same names in one object.
    Json,
}

/// What tells the callers of a rollout apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CallerIdentity {
    /// The v1 key.
    #[default]
    Key,
    /// The v1 key and the client's address.
    Address,
}

/// What the pages for the operator show, and to whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UiConfig {
    /// How many exchanges are kept in memory to be shown.
    pub recent: usize,
    /// Names that the operations address has, beside `localhost` and addresses.
    pub hosts: Vec<String>,
}

/// Where the operator is answered: `/ui`, `/metrics` and so on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpsListen {
    /// Nowhere.
    Off,
    /// On this `host:port`, or nothing starts.
    At(String),
    /// On [`DEFAULT_OPS_LISTEN`], without a setting. With the sandbox, another free port is used if
    /// that one is taken.
    Default,
}

/// Where answers come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// An in-process v2 with so many users.
    Sandbox {
        /// Users at the start.
        users: usize,
    },
    /// Recorded answers of v2.
    Replay,
    /// v2 itself.
    V2(V2Config),
}

/// v2 and who may use it.
#[derive(Clone, Debug)]
pub struct V2Config {
    pub(crate) base: BaseUrl,
    pub(crate) resolver: ResolverSettings,
    pub(crate) tenants: Vec<TenantConfig>,
}

/// One v1 credential and the v2 account behind it.
#[derive(Clone, Debug)]
pub(crate) struct TenantConfig {
    pub(crate) api_key: String,
    pub(crate) api_secret: SecretDigest,
    /// v1 answers carry it.
    pub(crate) account_id: Option<String>,
    /// Who maintains its programs.
    pub(crate) owner: Option<String>,
    pub(crate) access: Access,
    /// How many calls v2 takes from the account. Without any, v2's own refusals are all that is
    /// heeded: the default, because a guessed plan would either slow an account down or not keep it
    /// from being refused.
    pub(crate) rates: Option<Rates>,
    /// What v2 cannot honour is an error.
    pub(crate) strict: bool,
    /// The catalog's options.
    pub(crate) options: Options,
    /// What opens operations that want a token besides the credentials.
    pub(crate) tokens: Tokens,
    pub(crate) permissions: Permissions,
}

/// What a tenant may do.
#[derive(Clone, Debug, Default)]
pub(crate) struct Permissions {
    /// Nothing that writes.
    pub(crate) read_only: bool,
    /// Only these operations; all if `None`.
    pub(crate) operations: Option<BTreeSet<String>>,
}

/// What a site may choose.
#[derive(Clone, Debug)]
pub struct SiteConfig {
    /// A parameter that v2 cannot honour is an error, before anything is written; tenants may
    /// differ.
    pub strict: bool,
    /// The catalog's options; tenants may differ.
    pub options: Options,
    /// The HTTP status of errors that are v2's or the shim's trouble, not the caller's. v1 said
    /// 200 to everything; clients that retry by status want a 5xx.
    pub upstream_status: StatusCode,
    /// What answers say of v1's end; `None` to say nothing.
    pub deprecation: Option<Deprecation>,
    /// Which callers a second v1 answers.
    pub rollouts: Vec<RolloutConfig>,
    /// The windows in which v1 answers an error before it ends.
    pub brownouts: Vec<BrownoutConfig>,
    /// The proxies before the shim: what they say of their own clients' addresses is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// How files are relayed, if they are.
    pub relay: Option<RelayConfig>,
    /// The origins whose browser programs may call v1: `https://app.example.com`.
    pub cors_origins: Vec<String>,
}

/// v1's end, as answers tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deprecation {
    /// Since when programs should not use v1.
    pub since: Date,
    /// When v1 ends, or ended.
    pub sunset: Date,
    /// Where to read what to do instead.
    pub link: Url,
}

/// Where traces go, by OpenTelemetry's protocol.
#[derive(Clone, Debug, PartialEq)]
pub struct TracesConfig {
    /// The base URL of a collector that takes OTLP over HTTP, as `http://127.0.0.1:4318`.
    pub endpoint: Url,
    /// The share of requests that are traced, above 0 and up to 1.
    pub share: f64,
}

/// What a request may take, in time, memory and v2 calls.
#[derive(Clone, Debug)]
pub struct Limits {
    /// For a whole v1 request. v1's Ruby and Python clients give up after 15 seconds.
    pub request: Duration,
    /// For a connection to v2.
    pub connect: Duration,
    /// For one v2 call.
    pub call: Duration,
    /// The largest v2 answer, in bytes; a page of 300 users is under one megabyte.
    pub answer_bytes: usize,
    /// v2 calls at a time for the entries of one list.
    pub list_calls: usize,
    /// How long a list may reuse what it read of a user.
    pub cache_time: Duration,
    /// How much of that is kept, in bytes.
    pub cache_bytes: u64,
    /// The largest request body. A picture has up to 2 MiB, three times that percent-encoded.
    pub body_bytes: usize,
    /// For a request body to arrive.
    pub body: Duration,
    /// For the request line and headers to arrive.
    pub headers: Duration,
    /// v1 requests at a time; more are answered with v1's rate limit error.
    pub requests: usize,
    /// Connections at a time; for one more, the one that asked for nothing for longest is let go.
    pub connections: usize,
    /// TLS handshakes at a time; for one more, the oldest one is let go.
    pub handshakes: usize,
    /// For a TLS handshake.
    pub handshake: Duration,
    /// Failed attempts with one key from one address in a minute, after which more are not looked
    /// at; 0 for any number.
    pub failed_attempts: u32,
    /// From the stop signal on: how long connections are still accepted.
    pub drain: Duration,
    /// After that: how long requests in work may take.
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

/// What the command line says.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// The values of flags that set a key, by flag: `--listen`.
    pub given: BTreeMap<&'static str, String>,
    /// `--sandbox`, with its number of users.
    pub sandbox: Option<usize>,
    /// `--replay`
    pub replay: bool,
}

/// Where settings come from; later ones win.
pub struct Sources<'a> {
    /// The name and the text of the configuration file.
    pub file: Option<(&'a str, &'a str)>,
    /// The environment.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
    /// The command line.
    pub flags: Flags,
    /// Reads the files that hold a secret or a certificate.
    pub read: &'a dyn Fn(&Path) -> std::io::Result<String>,
}

impl Config {
    /// Reads and checks all settings.
    ///
    /// # Errors
    ///
    /// All mistakes.
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

/// A site's choices, for the sandbox.
fn sandbox_options(site: &SiteConfig) -> Options {
    let options = site.options.clone();
    options.with(read::PLAN_WRITES, OptionValue::Switch(true))
}

impl V2Config {
    /// How the shim reaches its own sandbox: with one tenant by server-to-server OAuth, which may
    /// read chats and spend the sandbox's money.
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

    /// The same sandbox, with a site's choices.
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

    /// Host and port, if the system is asked where v2 is.
    pub(crate) fn asked_by_name(&self) -> Option<(String, u16)> {
        let by_system = self.resolver.is_system();
        by_system.then(|| (self.base.host().to_owned(), self.base.port()))
    }

    /// How the HTTP client reaches v2.
    pub(crate) fn http(&self, limits: &Limits) -> HttpSettings {
        HttpSettings {
            base: self.base.clone(),
            resolver: self.resolver.clone(),
            connect_timeout: limits.connect,
            max_idle: limits.requests,
            is_local: self.is_local(),
        }
    }

    /// True if v2 and its token endpoints are on this machine and without TLS.
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

    /// True if what is sent to v2 can be read on the way.
    pub(crate) fn is_exposed(&self) -> bool {
        self.base.is_plain() && !self.base.is_loopback()
    }
}

#[cfg(test)]
mod tests;
