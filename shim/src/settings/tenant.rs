//! Validates a `[[tenant]]`.

use mappings::{
    Catalog,
    catalog::{OptionError, Rates, protocol::Options},
};
use secrecy::ExposeSecret as _;
use shim_upstream::{Access, OAuth, Token};
use url::Url;

use super::{
    Permissions, TenantConfig,
    draft::{LIST_DETAIL, OAuthDraft, TenantDraft},
    mistakes::Mistakes,
    secret_digest::SecretDigest,
    section::{Placed, nearest, values},
    variables::{
        API_KEY, API_SECRET, OAUTH_ACCOUNT_ID, OAUTH_CLIENT_ID, OAUTH_CLIENT_SECRET, OAUTH_URL,
        UPSTREAM_TOKEN,
    },
};

/// v2's own token endpoint, which goes without saying for v2's own host only: the app's secret is
/// sent there.
pub(super) const ZOOM_HOST: &str = "api.zoom.us";
pub(super) const ZOOM_OAUTH: &str = "https://zoom.us/oauth/token";

/// The plan of an account whose calls nobody counts.
const UNLIMITED: &str = "unlimited";

/// What holds for a tenant that does not say otherwise, and what it is checked against.
pub(super) struct Defaults<'a> {
    pub(super) oauth_url: Option<&'a Url>,
    pub(super) rates: Option<Rates>,
    pub(super) strict: bool,
    pub(super) choices: &'a [(Placed<String>, toml::Value)],
    pub(super) catalog: &'a Catalog,
}

impl TenantDraft {
    /// The tenant, or nothing and all mistakes noted.
    pub(super) fn validate(
        self,
        defaults: &Defaults<'_>,
        mistakes: &Mistakes,
    ) -> Option<TenantConfig> {
        let rates = rates(
            self.plan.as_ref(),
            defaults.rates,
            defaults.catalog,
            mistakes,
        );
        let options = self.options(defaults, mistakes);
        let permissions = self.permissions(defaults.catalog, mistakes);
        let api_secret = self.secret(mistakes);
        if self.api_key.is_none() && !self.broken {
            missing(mistakes, self.line, "api_key", API_KEY);
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
            (None, true) => self.oauth.validate(self.line, defaults.oauth_url, mistakes),
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
            api_secret: api_secret?,
            account_id,
            access: access?,
            rates,
            strict: self.strict.unwrap_or(defaults.strict),
            options: options?,
            permissions,
        })
    }

    /// The digest of the secret, from itself or as it is written.
    fn secret(&self, mistakes: &Mistakes) -> Option<SecretDigest> {
        match (&self.api_secret, &self.api_secret_sha256) {
            (Some(_), Some(digest)) => {
                let text = "both api_secret and api_secret_sha256 are set; leave one";
                mistakes.add(digest.line, text);
                None
            }
            (Some(secret), None) => Some(SecretDigest::of(secret.value.expose_secret())),
            (None, Some(written)) => {
                let digest = SecretDigest::parse(&written.value);
                if digest.is_none() {
                    let text = "api_secret_sha256 must be 64 hexadecimal digits, as \
                         `printf %s \"$SECRET\" | sha256sum` writes them";
                    mistakes.add(written.line, text);
                }
                digest
            }
            (None, None) => {
                if !self.broken {
                    missing(mistakes, self.line, "api_secret", API_SECRET);
                }
                None
            }
        }
    }

    /// The site's options with the tenant's own. What is wrong with the site's is told elsewhere.
    fn options(&self, defaults: &Defaults<'_>, mistakes: &Mistakes) -> Option<Options> {
        let mut chosen = values(defaults.choices);
        if let Some(detail) = &self.list_detail {
            chosen.insert(LIST_DETAIL.to_owned(), detail.value.clone().into());
        }
        let errors = match defaults.catalog.options(&chosen) {
            Ok(options) => return Some(options),
            Err(errors) => errors,
        };
        for error in errors {
            let (OptionError::Unknown { name, .. } | OptionError::Value { name, .. }) = &error;
            if let Some(detail) = &self.list_detail
                && name == LIST_DETAIL
            {
                mistakes.add(detail.line, error.to_string());
            }
        }
        None
    }

    fn permissions(&self, catalog: &Catalog, mistakes: &Mistakes) -> Permissions {
        for written in self.operations.iter().flatten() {
            if catalog.find(&written.value).is_none() {
                let name = &written.value;
                let known = catalog.operations().iter().map(|known| known.name.as_str());
                let text = match nearest(name, known) {
                    Some(known) => {
                        format!("there is no operation {name:?}; did you mean {known:?}?")
                    }
                    None => format!("there is no operation {name:?}; write it as \"user/get\""),
                };
                mistakes.add(written.line, text);
            }
        }
        let named = |name: &Placed<String>| name.value.clone();
        let operations = self.operations.as_ref();
        Permissions {
            read_only: self.read_only.unwrap_or_default(),
            operations: operations.map(|names| names.iter().map(named).collect()),
        }
    }
}

impl OAuthDraft {
    pub(super) fn is_begun(&self) -> bool {
        self.account_id.is_some() || self.client_id.is_some() || self.client_secret.is_some()
    }

    fn validate(
        self,
        line: Option<usize>,
        url: Option<&Url>,
        mistakes: &Mistakes,
    ) -> Option<Access> {
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
        Some(Access::OAuth(OAuth {
            url: url?.clone(),
            account_id: self.account_id?.value,
            client_id: self.client_id?.value,
            client_secret: self.client_secret?.value,
        }))
    }
}

/// The rates of a plan, or the defaults ones if none is named.
pub(super) fn rates(
    plan: Option<&Placed<String>>,
    defaults: Option<Rates>,
    catalog: &Catalog,
    mistakes: &Mistakes,
) -> Option<Rates> {
    let Some(plan) = plan else {
        return defaults;
    };
    let known = catalog.rates();
    let rates = known.get(&plan.value).copied();
    if rates.is_none() && plan.value != UNLIMITED {
        let known: Vec<_> = known.keys().map(String::as_str).collect();
        let text = format!(
            "plan = {:?} is none of {} and {UNLIMITED}",
            plan.value,
            known.join(", ")
        );
        mistakes.add(plan.line, text);
    }
    rates
}

fn missing(mistakes: &Mistakes, line: Option<usize>, key: &str, variable: &str) {
    let text = match line {
        Some(_) => format!("this [[tenant]] has no {key}"),
        None => format!("{variable} is not set ({key} of a [[tenant]] in the file)"),
    };
    mistakes.add(line, text);
}
