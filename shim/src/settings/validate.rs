//! Validates the settings as a whole.

use std::collections::BTreeSet;

use mappings::{Catalog, catalog::protocol::Options};
use reqwest::StatusCode;
use shim_upstream::{BaseUrl, ResolverSettings};
use time::{Date, format_description::well_known::Iso8601};
use url::Url;

use super::{
    BrownoutConfig, Config, DEFAULT_LISTEN, DEFAULT_OPS_LISTEN, Deprecation, LedgerConfig, Limits,
    LogConfig, OpsListen, ReceiverConfig, RecordConfig, RelayConfig, RolloutConfig, ShadowConfig,
    SiteConfig, Source, Sources, StateConfig, TlsConfig, TracesConfig, UiConfig, V1_DEPRECATED,
    V2_DOCUMENTS, V2Config, WebhooksConfig,
    network::{address, origins, proxies, resolver},
    origin::{Mistakes, Origin, Placed},
    read::LIST_DETAIL,
    record::pseudonym_key,
    table::{self, Tenant, Upstream},
    tenant::{Defaults, ZOOM_HOST, ZOOM_OAUTH, chosen, option_of, rates, said},
    written::Written,
};

/// Value that disables a listener.
const OFF: &str = "off";

/// Default number of recent exchanges while a recorder is enabled.
const RECENT: usize = 100;

impl Written {
    /// The configuration; `None` after mistakes.
    #[expect(clippy::too_many_lines, reason = "one value for each section")]
    pub(super) fn validate(
        self,
        sources: &Sources<'_>,
        catalog: &Catalog,
        mistakes: &Mistakes,
    ) -> Option<Config> {
        let Self {
            site,
            tenants,
            receivers,
            rollouts,
            brownouts,
            mut choices,
            effective,
            ..
        } = self;
        let detail = &site.list.detail;
        if detail.origin != Origin::Default {
            let name = Placed {
                value: LIST_DETAIL.to_owned(),
                origin: detail.origin.clone(),
            };
            choices.insert(0, (name, detail.value.clone().into()));
        }
        let options = catalog.options(&chosen(&choices)).map_err(|errors| {
            for error in errors {
                let name = option_of(&error);
                let choice = choices.iter().find(|(known, _)| known.value == name);
                let origin = choice.map(|(name, _)| name.origin.clone());
                mistakes.add(origin.unwrap_or_default(), said(&error));
            }
        });
        let status = status_code(&site.errors.upstream_status, mistakes);
        let deprecation = deprecation(&site.deprecation, mistakes);
        let traces = traces(&site.traces, mistakes);
        let resolver = resolver(&site.upstream, mistakes);
        let source = if let Some(users) = sources.flags.sandbox {
            Some(Source::Sandbox { users })
        } else if sources.flags.replay {
            Some(Source::Replay)
        } else {
            let defaults = Defaults {
                oauth_url: None,
                rates: rates(&site.upstream.plan, catalog, mistakes),
                strict: site.main.strict.value,
                choices: &choices,
                catalog,
            };
            v2(&site.upstream, resolver, defaults, tenants, mistakes).map(Source::V2)
        };
        let of_tenants = match &source {
            Some(Source::V2(v2)) => v2.tenants.as_slice(),
            _ => &[],
        };
        let of_tenants = of_tenants.iter().map(|tenant| &tenant.options);
        let all = options.iter().chain(of_tenants);
        let has_links = |options: &Options| catalog.has_links(options);
        let keys = match &source {
            Some(Source::V2(v2)) => Some(v2.tenants.iter().map(|tenant| tenant.api_key.as_str())),
            _ => None,
        };
        let keys: Option<BTreeSet<_>> = keys.map(Iterator::collect);
        let brownouts = brownouts.into_iter().filter_map(|written| {
            let end = deprecation.as_ref();
            BrownoutConfig::from_settings(&written.own, (end, keys.as_ref()), catalog, mistakes)
        });
        let brownouts = brownouts.collect();
        let rollouts = self::rollouts(&rollouts, keys.as_ref(), catalog, mistakes);
        let relay = RelayConfig::from_settings(&site, all, has_links, mistakes);
        let listen = &site.main.listen;
        let has_tls = [&site.tls.listen, &site.tls.cert_file, &site.tls.key_file];
        let has_tls = has_tls.iter().any(|placed| placed.value.is_some());
        if listen.value == OFF && !has_tls {
            let text = format!(
                "listen = {OFF:?}, and there is no [tls] either: the shim could not be reached"
            );
            mistakes.add(listen.origin.clone(), text);
        }
        let listen = (listen.value != OFF)
            .then(|| address("listen", listen.clone(), DEFAULT_LISTEN, mistakes));
        let trusted_proxies = proxies(&site.main.trusted_proxies.value, mistakes);
        let cors_origins = origins(&site.main.cors_origins.value, mistakes);
        let ops = match &site.ops.listen {
            listen if listen.origin == Origin::Default => OpsListen::Default,
            listen if listen.value == OFF => OpsListen::Off,
            listen => {
                let example = format!("{DEFAULT_OPS_LISTEN}, or {OFF:?}");
                OpsListen::At(address("ops.listen", listen.clone(), &example, mistakes))
            }
        };
        let pseudonym_key = pseudonym_key(&site, mistakes);
        let record = RecordConfig::from_settings(&site, pseudonym_key.as_ref());
        let usual = if record.is_some() { RECENT } else { 0 };
        let hosts = site.ui.hosts.value.iter();
        let ui = UiConfig {
            recent: site.ui.recent.value.unwrap_or(usual),
            hosts: hosts.map(|host| host.value.to_lowercase()).collect(),
        };
        let shadow = ShadowConfig::from_settings(&site, mistakes);
        let log = LogConfig {
            format: site.log.format.value,
            level: site.log.level.value.clone(),
        };
        let strict = site.main.strict.value;
        let limits = Limits::from(&site);
        let ledger = LedgerConfig::from_settings(&site, mistakes);
        let state = StateConfig::from_settings(site.state, sources, mistakes);
        let tls = TlsConfig::from_settings(site.tls, sources.read, mistakes);
        let webhooks = WebhooksConfig::from_settings(site.webhooks, mistakes);
        let receivers = receivers.into_iter().filter_map(|receiver| {
            ReceiverConfig::from_settings(receiver, &choices, catalog, mistakes)
        });
        let unused = match &source {
            Some(Source::V2(_)) => BTreeSet::new(),
            _ => effective.of_v2(),
        };
        Some(Config {
            listen,
            tls,
            ops,
            log,
            traces,
            source: source?,
            site: SiteConfig {
                strict,
                options: options.ok()?,
                upstream_status: status?,
                deprecation: deprecation.filter(|_| site.deprecation.headers.value),
                rollouts,
                brownouts,
                trusted_proxies,
                relay,
                cors_origins,
            },
            limits,
            record,
            ledger,
            state: state?,
            pseudonym_key,
            shadow,
            ui,
            webhooks,
            receivers: receivers.collect(),
            unused,
        })
    }
}

/// Names must be unique, because operators identify rollouts by them.
fn rollouts(
    written: &[table::Rollout],
    keys: Option<&BTreeSet<&str>>,
    catalog: &Catalog,
    mistakes: &Mistakes,
) -> Vec<RolloutConfig> {
    let mut names = BTreeSet::new();
    let validated = written.iter().filter_map(|written| {
        let name = &written.own.name;
        if let Some(text) = &name.value
            && !names.insert(text.clone())
        {
            let text = format!("another [[rollout]] has the name {text:?}");
            mistakes.add(name.origin.clone(), text);
        }
        RolloutConfig::from_settings(&written.own, keys, catalog, mistakes)
    });
    validated.collect()
}

fn v2(
    upstream: &Upstream,
    resolver: ResolverSettings,
    defaults: Defaults<'_>,
    tenants: Vec<Tenant>,
    mistakes: &Mistakes,
) -> Option<V2Config> {
    let base = match &upstream.url.value {
        None => {
            let text = format!(
                "no v2 to ask: set SHIM_UPSTREAM_URL (or upstream.url in the file) to v2's base, \
                 as https://{ZOOM_HOST}/v2; or start with --sandbox, which needs nothing"
            );
            mistakes.add(Origin::Default, text);
            None
        }
        Some(url) => {
            let base = BaseUrl::parse(url);
            let base = base.map_err(|error| {
                let text = format!("upstream.url = {:?} {error}", shown(url));
                mistakes.add(upstream.url.origin.clone(), text);
            });
            base.ok()
        }
    };
    let endpoint = match upstream.oauth_url.clone().transpose() {
        Some(url) => token_endpoint(&url, mistakes),
        None if base.as_ref().is_some_and(|base| base.host() == ZOOM_HOST) => {
            Url::parse(ZOOM_OAUTH).ok()
        }
        None => None,
    };

    let defaults = Defaults {
        oauth_url: endpoint.as_ref(),
        ..defaults
    };
    if tenants.is_empty() {
        let text = "no caller is allowed: set SHIM_API_KEY and SHIM_API_SECRET (or a [[tenant]] in the \
                    file) to what the old programs send";
        mistakes.add(Origin::Default, text);
    }
    let mut keys = BTreeSet::new();
    let tenants: Vec<_> = tenants
        .into_iter()
        .filter_map(|tenant| {
            let key = &tenant.own.api_key;
            if let Some(name) = &key.value
                && !keys.insert(name.clone())
            {
                let text = "this api_key is there already; each tenant has its own";
                mistakes.add(key.origin.clone(), text);
            }
            tenant.validate(&defaults, mistakes)
        })
        .collect();
    Some(V2Config {
        base: base?,
        resolver,
        tenants,
    })
}

/// Accepts the endpoint itself or its base URL, because both are called OAuth URL.
fn token_endpoint(url: &Placed<String>, mistakes: &Mistakes) -> Option<Url> {
    const ENDPOINT: &str = "/token";
    if BaseUrl::parse(&url.value).is_err() {
        let text = format!(
            "upstream.oauth_url = {:?} is no token endpoint; write it in full, as {ZOOM_OAUTH}",
            shown(&url.value)
        );
        mistakes.add(url.origin.clone(), text);
        // After a mistake, a missing endpoint would be a second report of the same problem.
        return Url::parse(ZOOM_OAUTH).ok();
    }
    let url = url.value.trim().trim_end_matches('/');
    let end = if url.ends_with(ENDPOINT) {
        ""
    } else {
        ENDPOINT
    };
    Url::parse(&format!("{url}{end}")).ok()
}

/// The URL may contain a password.
fn shown(url: &str) -> &str {
    if url.contains('@') { "…" } else { url }
}

fn status_code(written: &Placed<u16>, mistakes: &Mistakes) -> Option<StatusCode> {
    let status = StatusCode::from_u16(written.value).ok();
    let status = status.filter(|status| *status == StatusCode::OK || status.is_server_error());
    if status.is_none() {
        let text = "`upstream_status` must be 200, or from 500 to 599";
        mistakes.add(written.origin.clone(), text);
    }
    status
}

/// The trace collector, if one is set. After a mistake the shim does not start, so that the result
/// is unused.
fn traces(traces: &table::Traces, mistakes: &Mistakes) -> Option<TracesConfig> {
    let endpoint = traces.endpoint.clone().transpose()?;
    if !cfg!(feature = "otel") {
        let text = "traces.endpoint is set, but this shim is built without OpenTelemetry; leave it \
                    out, or build with `cargo build --release -p shim --features otel`";
        mistakes.add(endpoint.origin, text);
        return None;
    }
    let hint = "write the collector's base, as http://127.0.0.1:4318";
    Some(TracesConfig {
        endpoint: web_url("traces.endpoint", &endpoint, hint, mistakes)?,
        share: f64::from(traces.sample_percent.value) / 100.0,
    })
}

/// The deprecation notice. After a mistake the shim does not start, so that the result is unused.
fn deprecation(written: &table::Deprecation, mistakes: &Mistakes) -> Option<Deprecation> {
    let (year, month, day) = V1_DEPRECATED;
    let since = Date::from_calendar_date(year, month, day).ok()?;
    let sunset = Date::parse(&written.sunset.value, &Iso8601::DATE).ok();
    let sunset = sunset.filter(|date| *date >= since);
    if sunset.is_none() {
        let text = format!(
            "deprecation.sunset = {:?} is no date from {since} on; write it as 2027-06-30",
            written.sunset.value
        );
        mistakes.add(written.sunset.origin.clone(), text);
    }
    let hint = format!("write it in full, as {V2_DOCUMENTS}");
    let link = web_url("deprecation.link", &written.link, &hint, mistakes);
    Some(Deprecation {
        since,
        sunset: sunset?,
        link: link?,
    })
}

fn web_url(path: &str, written: &Placed<String>, hint: &str, mistakes: &Mistakes) -> Option<Url> {
    let url = Url::parse(&written.value).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https"));
    if url.is_none() {
        let text = format!("{path} = {:?} is no URL; {hint}", shown(&written.value));
        mistakes.add(written.origin.clone(), text);
    }
    url
}
