//! Validates the settings as a whole.

use std::collections::BTreeSet;

use mappings::{Catalog, catalog::OptionError};
use reqwest::StatusCode;
use shim_upstream::{BaseUrl, ResolverSettings};
use time::{Date, format_description::well_known::Iso8601};
use url::Url;

use super::{
    Config, DEFAULT_LISTEN, DEFAULT_OPS_LISTEN, Deprecation, LogFormat, OpsListen, SiteConfig,
    Source, Sources, TracesConfig, V1_DEPRECATED, V1_SUNSET, V2_DOCUMENTS, V2Config,
    draft::{DeprecationDraft, Draft, TenantDraft, TracesDraft},
    mistakes::Mistakes,
    network::{address, proxies},
    section::{Placed, values},
    tenant::{Defaults, ZOOM_HOST, ZOOM_OAUTH, rates},
    variables::{API_KEY, API_SECRET, UPSTREAM_URL},
};

/// In place of an address to listen on.
const OFF: &str = "off";

impl Draft {
    /// The configuration, or nothing and all mistakes noted.
    pub(super) fn validate(
        self,
        sources: &Sources<'_>,
        catalog: &Catalog,
        mistakes: &Mistakes,
    ) -> Option<Config> {
        let options = match catalog.options(&values(&self.choices)) {
            Ok(options) => Some(options),
            Err(errors) => {
                for error in errors {
                    let (OptionError::Unknown { name, .. } | OptionError::Value { name, .. }) =
                        &error;
                    let choice = self.choices.iter().find(|(known, _)| known.value == *name);
                    let line = choice.and_then(|(name, _)| name.line);
                    mistakes.add(line, error.to_string());
                }
                None
            }
        };
        let status = self.upstream_status.map_or(Some(StatusCode::OK), |status| {
            let code = status_code(status.value);
            if code.is_none() {
                let text = "`upstream_status` must be 200, or from 500 to 599";
                mistakes.add(status.line, text);
            }
            code
        });
        let deprecation = self.deprecation.validate(mistakes);
        let log = log_format(self.log_format.as_ref(), mistakes);
        let traces = self.traces.validate(mistakes);
        let resolver = self.resolver.validate(mistakes);
        let source = match sources.flags.sandbox {
            Some(users) => Some(Source::Sandbox { users }),
            None => validate_v2(
                self.upstream_url.as_ref(),
                self.oauth_url.as_ref(),
                resolver,
                &Defaults {
                    oauth_url: None,
                    rates: rates(self.plan.as_ref(), None, catalog, mistakes),
                    strict: self.strict,
                    choices: &self.choices,
                    catalog,
                },
                self.tenants,
                mistakes,
            )
            .map(Source::V2),
        };
        let listen = match self.listen {
            None => Some(DEFAULT_LISTEN.to_owned()),
            Some(listen) if listen.value == OFF => {
                if !self.tls.is_begun() {
                    let text = format!(
                        "listen = {OFF:?}, and there is no [tls] either: nobody could reach the shim"
                    );
                    mistakes.add(listen.line, text);
                }
                None
            }
            Some(listen) => Some(address("listen", listen, DEFAULT_LISTEN, mistakes)),
        };
        let tls = self.tls.validate(sources.read, mistakes);
        let trusted_proxies = proxies(self.trusted_proxies, mistakes);
        let ops = match self.ops_listen {
            None => OpsListen::Default,
            Some(listen) if listen.value == OFF => OpsListen::Off,
            Some(listen) => OpsListen::At(address(
                "ops.listen",
                listen,
                &format!("{DEFAULT_OPS_LISTEN}, or {OFF:?}"),
                mistakes,
            )),
        };
        let (pseudonym_key, record) = self.record.validate(mistakes);
        let ledger = self.ledger.validate();
        let shadow = self.shadow.validate(mistakes);
        let ui = self.ui.validate(record.is_some());
        Some(Config {
            listen,
            tls,
            ops,
            log,
            traces,
            source: source?,
            site: SiteConfig {
                strict: self.strict,
                options: options?,
                upstream_status: status?,
                deprecation,
                trusted_proxies,
            },
            limits: self.limits,
            record,
            ledger,
            pseudonym_key,
            shadow,
            ui,
        })
    }
}

fn validate_v2(
    upstream_url: Option<&Placed<String>>,
    oauth_url: Option<&Placed<String>>,
    resolver: ResolverSettings,
    defaults: &Defaults<'_>,
    tenants: Vec<TenantDraft>,
    mistakes: &Mistakes,
) -> Option<V2Config> {
    let base = match upstream_url {
        None => {
            mistakes.add(
                None,
                format!(
                    "no v2 to ask: set {UPSTREAM_URL} (or upstream.url in the file) to v2's base, \
                     as https://{ZOOM_HOST}/v2; or start with --sandbox, which needs nothing"
                ),
            );
            None
        }
        Some(url) => match BaseUrl::parse(&url.value) {
            Ok(base) => Some(base),
            Err(error) => {
                let text = format!("upstream.url = {:?} {error}", shown(&url.value));
                mistakes.add(url.line, text);
                None
            }
        },
    };
    let endpoint = match oauth_url {
        Some(url) => token_endpoint(url, mistakes),
        None if base.as_ref().is_some_and(|base| base.host() == ZOOM_HOST) => {
            Url::parse(ZOOM_OAUTH).ok()
        }
        None => None,
    };

    let defaults = Defaults {
        oauth_url: endpoint.as_ref(),
        ..*defaults
    };
    if tenants.is_empty() {
        mistakes.add(
            None,
            format!(
                "nobody may call: set {API_KEY} and {API_SECRET} (or a [[tenant]] in the file) to \
                 what the old programs send"
            ),
        );
    }
    let mut keys = BTreeSet::new();
    let tenants: Vec<_> = tenants
        .into_iter()
        .filter_map(|tenant| {
            if let Some(key) = &tenant.api_key
                && !keys.insert(key.value.clone())
            {
                mistakes.add(
                    key.line,
                    "this api_key is there already; each tenant has its own",
                );
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

/// The endpoint itself, or what it lies below: both are called the OAuth URL.
fn token_endpoint(url: &Placed<String>, mistakes: &Mistakes) -> Option<Url> {
    const ENDPOINT: &str = "/token";
    if BaseUrl::parse(&url.value).is_err() {
        let text = format!(
            "upstream.oauth_url = {:?} is no token endpoint; write it in full, as {ZOOM_OAUTH}",
            shown(&url.value)
        );
        mistakes.add(url.line, text);
        // Nothing starts with a mistake; that there is no endpoint would be a second one.
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

/// Somebody may have put a password where a URL has one.
fn shown(url: &str) -> &str {
    if url.contains('@') { "…" } else { url }
}

fn status_code(status: u64) -> Option<StatusCode> {
    let status = u16::try_from(status).ok()?;
    let status = StatusCode::from_u16(status).ok()?;
    (status == StatusCode::OK || status.is_server_error()).then_some(status)
}

fn log_format(format: Option<&Placed<String>>, mistakes: &Mistakes) -> LogFormat {
    match format.map(|format| (format.value.as_str(), format.line)) {
        None | Some(("text", _)) => LogFormat::Text,
        Some(("json", _)) => LogFormat::Json,
        Some((other, line)) => {
            let text = format!("log.format = {other:?} is neither \"text\" nor \"json\"");
            mistakes.add(line, text);
            LogFormat::Text
        }
    }
}

impl TracesDraft {
    /// Where traces go, if anywhere. After a mistake nothing is started, whatever it is.
    fn validate(self, mistakes: &Mistakes) -> Option<TracesConfig> {
        const COLLECTOR: &str = "http://127.0.0.1:4318";

        let written = self.endpoint?;
        if !cfg!(feature = "otel") {
            let text = "traces.endpoint is set, but this shim is built without OpenTelemetry; \
                        leave it out, or build with `cargo build --release -p shim --features otel`";
            mistakes.add(written.line, text);
            return None;
        }
        let url = Url::parse(&written.value).ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https"));
        if url.is_none() {
            let text = format!(
                "traces.endpoint = {:?} is no URL; write the collector's base, as {COLLECTOR}",
                shown(&written.value)
            );
            mistakes.add(written.line, text);
        }
        let percent = self.sample_percent.map_or(100, |percent| percent.value);
        Some(TracesConfig {
            endpoint: url?,
            share: f64::from(u32::try_from(percent).unwrap_or(100)) / 100.0,
        })
    }
}

impl DeprecationDraft {
    /// What to say of v1's end, if anything. After a mistake nothing is started, whatever it is.
    fn validate(self, mistakes: &Mistakes) -> Option<Deprecation> {
        let day = |(year, month, day)| Date::from_calendar_date(year, month, day).ok();
        let since = day(V1_DEPRECATED)?;
        let sunset = match &self.sunset {
            None => day(V1_SUNSET),
            Some(written) => {
                let date = Date::parse(&written.value, &Iso8601::DATE).ok();
                let date = date.filter(|date| *date >= since);
                if date.is_none() {
                    let text = format!(
                        "deprecation.sunset = {:?} is no date from {since} on; write it as 2027-06-30",
                        written.value
                    );
                    mistakes.add(written.line, text);
                }
                date
            }
        };
        let link = match &self.link {
            None => Url::parse(V2_DOCUMENTS).ok(),
            Some(written) => {
                let url = Url::parse(&written.value).ok();
                let url = url.filter(|url| matches!(url.scheme(), "http" | "https"));
                if url.is_none() {
                    let text = format!(
                        "deprecation.link = {:?} is no URL; write it in full, as {V2_DOCUMENTS}",
                        shown(&written.value)
                    );
                    mistakes.add(written.line, text);
                }
                url
            }
        };
        let deprecation = Deprecation {
            since,
            sunset: sunset?,
            link: link?,
        };
        self.headers.unwrap_or(true).then_some(deprecation)
    }
}
