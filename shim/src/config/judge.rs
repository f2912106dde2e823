//! Whether what a site wrote makes a working shim.

use std::collections::BTreeSet;

use mappings::{Catalog, catalog::OptionError};
use reqwest::StatusCode;
use time::{Date, format_description::well_known::Iso8601};
use url::Url;

use super::{
    Access, Config, DEFAULT_LISTEN, DEFAULT_OPS_LISTEN, Deprecation, LogFormat, OpsListen, Plan,
    SiteConfig, Source, TenantConfig, V1_DEPRECATED, V1_SUNSET, V2_DOCUMENTS, V2Config,
    draft::{
        API_KEY, API_SECRET, DeprecationDraft, Draft, OAUTH_ACCOUNT_ID, OAUTH_CLIENT_ID,
        OAUTH_CLIENT_SECRET, OAUTH_URL, OAuthDraft, TenantDraft, UPSTREAM_TOKEN, UPSTREAM_URL,
    },
    mistakes::Mistakes,
    section::{Placed, values},
};
use crate::upstream::{BaseUrl, Token};

/// v2's own token endpoint, which goes without saying for v2's own host only: the app's secret is
/// sent there.
const ZOOM_HOST: &str = "api.zoom.us";
const ZOOM_OAUTH: &str = "https://zoom.us/oauth/token";

/// In place of an address to listen on.
const OFF: &str = "off";

impl Draft {
    /// The configuration, or nothing and all mistakes noted.
    pub(super) fn judge(
        self,
        sandbox: Option<usize>,
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
        let deprecation = self.deprecation.judge(mistakes);
        let log = log_format(self.log_format.as_ref(), mistakes);
        let source = match sandbox {
            Some(users) => Some(Source::Sandbox { users }),
            None => judge_v2(
                self.upstream_url.as_ref(),
                self.oauth_url.as_ref(),
                plan(self.plan.as_ref(), mistakes).unwrap_or_default(),
                self.tenants,
                mistakes,
            )
            .map(Source::V2),
        };
        let listen = match self.listen {
            None => DEFAULT_LISTEN.to_owned(),
            Some(listen) => address("listen", listen, DEFAULT_LISTEN, mistakes),
        };
        let ops = match self.ops_listen {
            None => OpsListen::Usual,
            Some(listen) if listen.value == OFF => OpsListen::Off,
            Some(listen) => OpsListen::At(address(
                "ops.listen",
                listen,
                &format!("{DEFAULT_OPS_LISTEN}, or {OFF:?}"),
                mistakes,
            )),
        };
        Some(Config {
            listen,
            ops,
            log,
            source: source?,
            site: SiteConfig {
                strict: self.strict,
                options: options?,
                upstream_status: status?,
                deprecation,
            },
            limits: self.limits,
        })
    }
}

fn judge_v2(
    upstream_url: Option<&Placed<String>>,
    oauth_url: Option<&Placed<String>>,
    plan: Plan,
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
    let oauth_url = match oauth_url {
        Some(url) => token_endpoint(url, mistakes),
        None if base.as_ref().is_some_and(|base| base.host() == ZOOM_HOST) => {
            Url::parse(ZOOM_OAUTH).ok()
        }
        None => None,
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
            tenant.judge(oauth_url.as_ref(), plan, mistakes)
        })
        .collect();
    Some(V2Config {
        base: base?,
        tenants,
    })
}

impl TenantDraft {
    fn judge(
        self,
        oauth_url: Option<&Url>,
        usual: Plan,
        mistakes: &Mistakes,
    ) -> Option<TenantConfig> {
        let plan = plan(self.plan.as_ref(), mistakes);
        if self.api_key.is_none() && !self.broken {
            missing(mistakes, self.line, "api_key", API_KEY);
        }
        if self.api_secret.is_none() && !self.broken {
            missing(mistakes, self.line, "api_secret", API_SECRET);
        }
        let account_id = self.account_id.as_ref().or(self.oauth.account_id.as_ref());
        let account_id = account_id.map(|placed| placed.value.clone());
        let access = match (self.token, self.oauth.is_begun()) {
            (Some(token), true) => {
                let text = "both a token and oauth are set; leave one";
                mistakes.add(token.line, text);
                None
            }
            (Some(token), false) => {
                let header = Token::new(&token.value);
                if header.is_none() {
                    mistakes.add(token.line, "the token has characters that no token has");
                }
                header.map(Access::Token)
            }
            (None, true) => self.oauth.judge(self.line, oauth_url, mistakes),
            (None, false) => {
                let text = match self.line {
                    Some(_) => "no way to get a v2 token; set token_file, or oauth = \
                         { account_id, client_id, client_secret }"
                        .to_owned(),
                    None => format!(
                        "no way to get a v2 token: set {UPSTREAM_TOKEN}; or {OAUTH_ACCOUNT_ID}, \
                         {OAUTH_CLIENT_ID} and {OAUTH_CLIENT_SECRET}"
                    ),
                };
                mistakes.add(self.line, text);
                None
            }
        };
        Some(TenantConfig {
            api_key: self.api_key?.value,
            api_secret: self.api_secret?.value,
            account_id,
            access: access?,
            plan: plan.unwrap_or(usual),
        })
    }
}

impl OAuthDraft {
    pub(super) fn is_begun(&self) -> bool {
        self.account_id.is_some() || self.client_id.is_some() || self.client_secret.is_some()
    }

    fn judge(self, line: Option<usize>, url: Option<&Url>, mistakes: &Mistakes) -> Option<Access> {
        for (is_missing, key, variable) in [
            (
                self.account_id.is_none(),
                "oauth.account_id",
                OAUTH_ACCOUNT_ID,
            ),
            (self.client_id.is_none(), "oauth.client_id", OAUTH_CLIENT_ID),
            (
                self.client_secret.is_none(),
                "oauth.client_secret",
                OAUTH_CLIENT_SECRET,
            ),
        ] {
            if is_missing && !self.broken {
                missing(mistakes, line, key, variable);
            }
        }
        if url.is_none() {
            mistakes.add(
                None,
                format!(
                    "no token endpoint: set {OAUTH_URL} (or upstream.oauth_url), as {ZOOM_OAUTH}"
                ),
            );
        }
        Some(Access::OAuth {
            url: url?.clone(),
            account_id: self.account_id?.value,
            client_id: self.client_id?.value,
            client_secret: self.client_secret?.value,
        })
    }
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

fn missing(mistakes: &Mistakes, line: Option<usize>, key: &str, variable: &str) {
    let text = match line {
        Some(_) => format!("this [[tenant]] has no {key}"),
        None => format!("{variable} is not set ({key} of a [[tenant]] in the file)"),
    };
    mistakes.add(line, text);
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

fn plan(plan: Option<&Placed<String>>, mistakes: &Mistakes) -> Option<Plan> {
    let written = plan?;
    let plan = match written.value.as_str() {
        "free" => Some(Plan::Free),
        "pro" => Some(Plan::Pro),
        "business" => Some(Plan::Business),
        "unlimited" => Some(Plan::Unlimited),
        _ => None,
    };
    if plan.is_none() {
        let text = format!(
            "plan = {:?} is none of free, pro, business (and above) and unlimited",
            written.value
        );
        mistakes.add(written.line, text);
    }
    plan
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

impl DeprecationDraft {
    /// What to say of v1's end, if anything. After a mistake nothing is started, whatever it is.
    fn judge(self, mistakes: &Mistakes) -> Option<Deprecation> {
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

fn address(key: &str, listen: Placed<String>, example: &str, mistakes: &Mistakes) -> String {
    if !is_address(&listen.value) {
        let text = format!(
            "{key} = {:?} is no address to listen on; write host:port, as {example}",
            listen.value
        );
        mistakes.add(listen.line, text);
    }
    listen.value
}

fn is_address(listen: &str) -> bool {
    listen
        .rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
}
