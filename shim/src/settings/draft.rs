//! The settings as they are written in the file, the environment and the flags, before validation.

use mappings::Catalog;
use secrecy::SecretString;
use toml::de::DeTable;

use super::{
    Config, ConfigError, Limits, Sources,
    ledger::LedgerDraft,
    mistakes::Mistakes,
    network::{ResolverDraft, listed},
    record::RecordDraft,
    section::{File, Placed, Section},
    shadow::ShadowDraft,
    tls::TlsDraft,
    ui::UiDraft,
    variables::{
        API_KEY, API_SECRET, LEDGER, LISTEN, LOG_FORMAT, OAUTH_ACCOUNT_ID, OAUTH_CLIENT_ID,
        OAUTH_CLIENT_SECRET, OAUTH_URL, OPS_LISTEN, TLS_CERT_FILE, TLS_KEY_FILE, TLS_LISTEN,
        TRACES_ENDPOINT, TRUSTED_PROXIES, UPSTREAM_DNS, UPSTREAM_PLAN, UPSTREAM_RESOLVE,
        UPSTREAM_TOKEN, UPSTREAM_URL,
    },
};

/// The option of the catalog that [list] sets.
pub(super) const LIST_DETAIL: &str = "list_detail";

/// What was written, not yet validated as a whole.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) listen: Option<Placed<String>>,
    pub(super) tls: TlsDraft,
    pub(super) trusted_proxies: Option<Vec<Placed<String>>>,
    pub(super) ops_listen: Option<Placed<String>>,
    pub(super) log_format: Option<Placed<String>>,
    pub(super) traces: TracesDraft,
    pub(super) deprecation: DeprecationDraft,
    pub(super) strict: bool,
    pub(super) upstream_url: Option<Placed<String>>,
    pub(super) oauth_url: Option<Placed<String>>,
    pub(super) resolver: ResolverDraft,
    pub(super) plan: Option<Placed<String>>,
    pub(super) tenants: Vec<TenantDraft>,
    pub(super) choices: Vec<(Placed<String>, toml::Value)>,
    pub(super) upstream_status: Option<Placed<u64>>,
    pub(super) limits: Limits,
    pub(super) record: RecordDraft,
    pub(super) ledger: LedgerDraft,
    pub(super) shadow: ShadowDraft,
    pub(super) ui: UiDraft,
}

#[derive(Default)]
pub(super) struct TracesDraft {
    pub(super) endpoint: Option<Placed<String>>,
    pub(super) sample_percent: Option<Placed<u64>>,
}

#[derive(Default)]
pub(super) struct DeprecationDraft {
    pub(super) headers: Option<bool>,
    pub(super) sunset: Option<Placed<String>>,
    pub(super) link: Option<Placed<String>>,
}

#[derive(Default)]
pub(super) struct TenantDraft {
    pub(super) line: Option<usize>,
    /// A key of it was a mistake already: what is missing then is told by that one.
    pub(super) broken: bool,
    pub(super) api_key: Option<Placed<String>>,
    pub(super) api_secret: Option<Placed<SecretString>>,
    pub(super) api_secret_sha256: Option<Placed<String>>,
    pub(super) account_id: Option<Placed<String>>,
    pub(super) token: Option<Placed<SecretString>>,
    pub(super) oauth: OAuthDraft,
    pub(super) plan: Option<Placed<String>>,
    pub(super) strict: Option<bool>,
    pub(super) list_detail: Option<Placed<String>>,
    pub(super) read_only: Option<bool>,
    pub(super) operations: Option<Vec<Placed<String>>>,
}

#[derive(Default)]
pub(super) struct OAuthDraft {
    pub(super) broken: bool,
    pub(super) account_id: Option<Placed<String>>,
    pub(super) client_id: Option<Placed<String>>,
    pub(super) client_secret: Option<Placed<SecretString>>,
}

pub(super) fn load(sources: &Sources<'_>, catalog: &Catalog) -> Result<Config, ConfigError> {
    let mistakes = Mistakes::default();
    let mut draft = match sources.file {
        Some((_, text)) => Draft::from_file(text, sources, &mistakes),
        None => Draft::default(),
    };
    draft.add_environment(sources.environment, &mistakes);
    if let Some(listen) = &sources.flags.listen {
        draft.listen = Some(unplaced(listen.clone()));
    }
    if let Some(listen) = &sources.flags.ops_listen {
        draft.ops_listen = Some(unplaced(listen.clone()));
    }
    let flags = &sources.flags;
    for (setting, flag) in [
        (&mut draft.tls.listen, &flags.tls_listen),
        (&mut draft.tls.cert_file, &flags.tls_cert),
        (&mut draft.tls.key_file, &flags.tls_key),
    ] {
        or(setting, flag.clone().map(unplaced));
    }
    draft.strict |= sources.flags.strict;
    or(&mut draft.record.file, sources.flags.record.clone());
    or(&mut draft.ledger.file, sources.flags.ledger.clone());

    let config = draft.validate(sources, catalog, &mistakes);
    let mistakes = mistakes.into_sorted();
    match config {
        Some(config) if mistakes.is_empty() => Ok(config),
        _ => Err(ConfigError {
            file: sources.file.map(|(name, _)| name.to_owned()),
            mistakes,
        }),
    }
}

impl Draft {
    fn from_file(text: &str, sources: &Sources<'_>, mistakes: &Mistakes) -> Self {
        let mut draft = Self::default();
        let file = File {
            text,
            mistakes,
            read: sources.read,
        };
        // Broken lines are told one by one, and what stands around them is still read.
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let start = error.span().map_or(0, |span| span.start);
            let before = text.get(..start).unwrap_or(text);
            mistakes.add(Some(before.matches('\n').count() + 1), error.message());
        }
        draft.read(Section::new(file, "", None, Some(table.get_ref())));
        draft
    }

    fn read(&mut self, mut file: Section<'_>) {
        self.listen = file.text("listen");
        self.strict = file.switch("strict").unwrap_or_default();
        self.trusted_proxies = file.texts("trusted_proxies");
        self.tls = TlsDraft::read(file.section("tls"));

        let mut ops = file.section("ops");
        self.ops_listen = ops.text("listen");
        ops.finish();

        let mut log = file.section("log");
        self.log_format = log.text("format");
        log.finish();

        let mut traces = file.section("traces");
        self.traces = TracesDraft {
            endpoint: traces.text("endpoint"),
            sample_percent: traces.number("sample_percent", 1..=100),
        };
        traces.finish();

        let mut deprecation = file.section("deprecation");
        self.deprecation = DeprecationDraft {
            headers: deprecation.switch("headers"),
            sunset: deprecation.text("sunset"),
            link: deprecation.text("link"),
        };
        deprecation.finish();

        let mut upstream = file.section("upstream");
        self.upstream_url = upstream.text("url");
        self.oauth_url = upstream.text("oauth_url");
        self.plan = upstream.text("plan");
        self.resolver = ResolverDraft::read(&mut upstream);
        let limits = &mut self.limits;
        set(
            &mut limits.connect,
            upstream.seconds("connect_seconds", 1..=12),
        );
        set(&mut limits.call, upstream.seconds("call_seconds", 1..=120));
        set(&mut limits.answer_bytes, upstream.bytes("answer_bytes"));
        upstream.finish();

        self.tenants = file.sections("tenant").into_iter().map(tenant).collect();

        let mut list = file.section("list");
        if let Some(detail) = list.text("detail") {
            let name = Placed {
                value: LIST_DETAIL.to_owned(),
                line: detail.line,
            };
            self.choices.push((name, detail.value.into()));
        }
        set(&mut limits.list_calls, list.count("parallel"));
        list.finish();

        let mut cache = file.section("cache");
        set(&mut limits.cache_time, cache.seconds("seconds", 0..=3600));
        if let Some(bytes) = cache.number("bytes", 0..=1 << 40) {
            limits.cache_bytes = bytes.value;
        }
        cache.finish();

        let mut errors = file.section("errors");
        self.upstream_status = errors.number("upstream_status", 200..=599);
        errors.finish();

        let mut bounds = file.section("limits");
        set(
            &mut limits.request,
            bounds.seconds("request_seconds", 1..=600),
        );
        set(&mut limits.body_bytes, bounds.bytes("body_bytes"));
        set(&mut limits.body, bounds.seconds("body_seconds", 1..=600));
        set(
            &mut limits.headers,
            bounds.seconds("header_seconds", 1..=600),
        );
        set(&mut limits.requests, bounds.count("requests"));
        set(&mut limits.connections, bounds.count("connections"));
        set(&mut limits.handshakes, bounds.count("handshakes"));
        set(
            &mut limits.handshake,
            bounds.seconds("handshake_seconds", 1..=600),
        );
        if let Some(failures) = bounds.number("failed_attempts", 0..=1_000_000) {
            limits.failed_attempts = u32::try_from(failures.value).unwrap_or(u32::MAX);
        }
        set(
            &mut limits.shutdown,
            bounds.seconds("shutdown_seconds", 0..=600),
        );
        bounds.finish();

        self.record = RecordDraft::read(file.section("record"));
        self.ledger = LedgerDraft::read(file.section("ledger"));
        self.shadow = ShadowDraft::read(file.section("shadow"));
        self.ui = UiDraft::read(file.section("ui"));

        self.choices.extend(file.section("options").into_choices());
        file.finish();
    }

    /// The environment is for one tenant: what it says of it wins over the file.
    fn add_environment(
        &mut self,
        environment: &dyn Fn(&str) -> Option<String>,
        mistakes: &Mistakes,
    ) {
        let get = |name: &str| environment(name).filter(|value| !value.is_empty());
        let text = |name: &str| get(name).map(unplaced);
        let secret = |name: &str| get(name).map(|value| unplaced(SecretString::from(value)));

        or(&mut self.ledger.file, get(LEDGER));
        or(&mut self.listen, text(LISTEN));
        or(&mut self.tls.listen, text(TLS_LISTEN));
        or(&mut self.tls.cert_file, text(TLS_CERT_FILE));
        or(&mut self.tls.key_file, text(TLS_KEY_FILE));
        let list = |name: &str| get(name).map(|value| listed(&value));
        or(&mut self.trusted_proxies, list(TRUSTED_PROXIES));
        or(&mut self.resolver.resolve, list(UPSTREAM_RESOLVE));
        or(&mut self.resolver.dns, list(UPSTREAM_DNS));
        or(&mut self.log_format, text(LOG_FORMAT));
        or(&mut self.ops_listen, text(OPS_LISTEN));
        or(&mut self.traces.endpoint, text(TRACES_ENDPOINT));
        or(&mut self.upstream_url, text(UPSTREAM_URL));
        or(&mut self.oauth_url, text(OAUTH_URL));
        or(&mut self.plan, text(UPSTREAM_PLAN));

        let of_tenant = [
            API_KEY,
            API_SECRET,
            UPSTREAM_TOKEN,
            OAUTH_ACCOUNT_ID,
            OAUTH_CLIENT_ID,
            OAUTH_CLIENT_SECRET,
        ];
        let Some(first) = of_tenant.into_iter().find(|name| get(name).is_some()) else {
            return;
        };
        if self.tenants.is_empty() {
            self.tenants.push(TenantDraft::default());
        }
        let [tenant] = self.tenants.as_mut_slice() else {
            let count = self.tenants.len();
            mistakes.add(
                None,
                format!("{first} is for a single tenant, and the file has {count}; unset it"),
            );
            return;
        };
        or(&mut tenant.api_key, text(API_KEY));
        let api_secret = secret(API_SECRET);
        if api_secret.is_some() {
            tenant.api_secret_sha256 = None;
        }
        or(&mut tenant.api_secret, api_secret);

        let token = secret(UPSTREAM_TOKEN);
        let oauth = OAuthDraft {
            broken: false,
            account_id: text(OAUTH_ACCOUNT_ID),
            client_id: text(OAUTH_CLIENT_ID),
            client_secret: secret(OAUTH_CLIENT_SECRET),
        };
        match (token.is_some(), oauth.is_begun()) {
            (true, false) => tenant.oauth = OAuthDraft::default(),
            (false, true) => tenant.token = None,
            _ => {}
        }
        or(&mut tenant.token, token);
        or(&mut tenant.oauth.account_id, oauth.account_id);
        or(&mut tenant.oauth.client_id, oauth.client_id);
        or(&mut tenant.oauth.client_secret, oauth.client_secret);
    }
}

fn tenant(mut section: Section<'_>) -> TenantDraft {
    let mut section_oauth = section.section("oauth");
    let mut oauth = OAuthDraft {
        broken: false,
        account_id: section_oauth.text("account_id"),
        client_id: section_oauth.text("client_id"),
        client_secret: section_oauth.secret("client_secret", "client_secret_file"),
    };
    oauth.broken = !section_oauth.finish();
    let mut tenant = TenantDraft {
        line: section.line(),
        broken: false,
        api_key: section.text("api_key"),
        api_secret: section.secret("api_secret", "api_secret_file"),
        api_secret_sha256: section.text("api_secret_sha256"),
        account_id: section.text("account_id"),
        token: section.secret("token", "token_file"),
        plan: section.text("plan"),
        strict: section.switch("strict"),
        list_detail: section.text("list_detail"),
        read_only: section.switch("read_only"),
        operations: section.texts("operations"),
        oauth,
    };
    tenant.broken = !section.finish();
    tenant
}

fn unplaced<T>(value: T) -> Placed<T> {
    Placed { value, line: None }
}

fn set<T>(to: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *to = value;
    }
}

fn or<T>(to: &mut Option<T>, value: Option<T>) {
    if value.is_some() {
        *to = value;
    }
}
