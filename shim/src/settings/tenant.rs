//! Validates a `[[tenant]]`.

use std::collections::BTreeMap;

use mappings::{
    Catalog, Tokens,
    catalog::{OptionError, Rates, protocol::Options},
};
use secrecy::{ExposeSecret as _, SecretString};
use shim_upstream::{Access, OAuth, Token};
use url::Url;

use super::{
    Permissions, TenantConfig,
    origin::{Mistakes, Origin, Placed},
    read::{Choices, LIST_DETAIL, PLAN_WRITES, nearest},
    secret_digest::SecretDigest,
    table::{OAuth as OAuthKeys, Tenant},
};

/// v2's own token endpoint. It is the default only for v2's own host, because the app's secret is
/// sent to it.
pub(super) const ZOOM_HOST: &str = "api.zoom.us";
pub(super) const ZOOM_OAUTH: &str = "https://zoom.us/oauth/token";

/// The catalog's name of the token for chats.
const CHAT_TOKEN: &str = "chat_token";

/// Price plan of an account without rate limits.
const UNLIMITED: &str = "unlimited";

/// Defaults for tenants, and the catalog for validation.
#[derive(Clone, Copy)]
pub(super) struct Defaults<'a> {
    pub(super) oauth_url: Option<&'a Url>,
    pub(super) rates: Option<Rates>,
    pub(super) strict: bool,
    pub(super) choices: &'a Choices,
    pub(super) catalog: &'a Catalog,
}

impl Tenant {
    /// The tenant; `None` after mistakes.
    pub(super) fn validate(
        self,
        defaults: &Defaults<'_>,
        mistakes: &Mistakes,
    ) -> Option<TenantConfig> {
        let plan = self.own.plan.clone().transpose();
        let rates = plan.map_or(defaults.rates, |plan| {
            rates(&plan, defaults.catalog, mistakes)
        });
        let options = self.options(defaults, mistakes);
        let permissions = self.permissions(defaults.catalog, mistakes);
        let api_secret = self.secret(mistakes);
        let Self { own, oauth } = self;
        if own.api_key.value.is_none() && !own.section.is_broken {
            missing(mistakes, &own.section.origin, "api_key", "SHIM_API_KEY");
        }
        let account_id = own.account_id.value.as_ref();
        let account_id = account_id.or(oauth.account_id.value.as_ref()).cloned();
        let access = match (own.token.transpose(), oauth.is_begun()) {
            (Some(token), true) => {
                mistakes.add(token.origin, "both a token and oauth are set; leave one");
                None
            }
            (Some(token), false) => {
                let header = Token::new(&token.value);
                if header.is_none() {
                    let text = "the token has characters that no token has";
                    mistakes.add(token.origin, text);
                }
                header.map(Access::Token)
            }
            (None, true) => oauth.validate(&own.section.origin, defaults.oauth_url, mistakes),
            (None, false) => {
                let text = match own.section.origin {
                    Origin::Default => {
                        "no way to get a v2 token: set SHIM_UPSTREAM_TOKEN; or \
                         SHIM_OAUTH_ACCOUNT_ID, SHIM_OAUTH_CLIENT_ID and SHIM_OAUTH_CLIENT_SECRET"
                    }
                    _ => {
                        "no way to get a v2 token; set token_file, or oauth = \
                         { account_id, client_id, client_secret }"
                    }
                };
                mistakes.add(own.section.origin, text);
                None
            }
        };
        Some(TenantConfig {
            api_key: own.api_key.value?,
            api_secret: api_secret?,
            account_id,
            owner: own.owner.value,
            access: access?,
            rates,
            strict: own.strict.value.unwrap_or(defaults.strict),
            options: options?,
            tokens: tokens(own.chat_token.value.as_ref()),
            permissions,
        })
    }

    /// The digest of the secret, computed or given.
    fn secret(&self, mistakes: &Mistakes) -> Option<SecretDigest> {
        let own = &self.own;
        match (&own.api_secret.value, &own.api_secret_sha256.value) {
            (Some(_), Some(_)) => {
                let text = "both api_secret and api_secret_sha256 are set; leave one";
                mistakes.add(own.api_secret_sha256.origin.clone(), text);
                None
            }
            (Some(secret), None) => Some(SecretDigest::of(secret.expose_secret())),
            (None, Some(written)) => {
                let digest = SecretDigest::parse(written);
                if digest.is_none() {
                    let text = "api_secret_sha256 must be 64 hexadecimal digits, as \
                         `printf %s \"$SECRET\" | sha256sum` writes them";
                    mistakes.add(own.api_secret_sha256.origin.clone(), text);
                }
                digest
            }
            (None, None) => {
                if !own.section.is_broken {
                    missing(
                        mistakes,
                        &own.section.origin,
                        "api_secret",
                        "SHIM_API_SECRET",
                    );
                }
                None
            }
        }
    }

    /// The site's options overridden by the tenant's. Mistakes in the site's are reported
    /// elsewhere.
    fn options(&self, defaults: &Defaults<'_>, mistakes: &Mistakes) -> Option<Options> {
        let mut chosen = chosen(defaults.choices);
        let detail = &self.own.list_detail;
        if let Some(detail) = &detail.value {
            chosen.insert(LIST_DETAIL.to_owned(), detail.clone().into());
        }
        if let Some(is_on) = self.own.plan_writes.value {
            chosen.insert(PLAN_WRITES.to_owned(), is_on.into());
        }
        let errors = match defaults.catalog.options(&chosen) {
            Ok(options) => return Some(options),
            Err(errors) => errors,
        };
        for error in errors {
            if detail.value.is_some() && option_of(&error) == LIST_DETAIL {
                mistakes.add(detail.origin.clone(), said(&error));
            }
        }
        None
    }

    fn permissions(&self, catalog: &Catalog, mistakes: &Mistakes) -> Permissions {
        let operations = self.own.operations.value.as_ref();
        check_operations(operations.into_iter().flatten(), catalog, mistakes);
        let named = |name: &Placed<String>| name.value.clone();
        Permissions {
            read_only: self.own.read_only.value,
            operations: operations.map(|names| names.iter().map(named).collect()),
        }
    }
}

impl OAuthKeys {
    fn is_begun(&self) -> bool {
        self.account_id.value.is_some()
            || self.client_id.value.is_some()
            || self.client_secret.value.is_some()
    }

    fn validate(self, tenant: &Origin, url: Option<&Url>, mistakes: &Mistakes) -> Option<Access> {
        let require = |is_set: bool, name: &str, variable: &str| {
            if !is_set && !self.section.is_broken {
                missing(mistakes, tenant, name, variable);
            }
        };
        let (account_id, client_id) = (self.account_id.value, self.client_id.value);
        let client_secret = self.client_secret.value;
        require(
            account_id.is_some(),
            "oauth.account_id",
            "SHIM_OAUTH_ACCOUNT_ID",
        );
        require(
            client_id.is_some(),
            "oauth.client_id",
            "SHIM_OAUTH_CLIENT_ID",
        );
        require(
            client_secret.is_some(),
            "oauth.client_secret",
            "SHIM_OAUTH_CLIENT_SECRET",
        );
        if url.is_none() {
            let text = format!(
                "no token endpoint: set SHIM_OAUTH_URL (or upstream.oauth_url), as {ZOOM_OAUTH}"
            );
            mistakes.add(Origin::Default, text);
        }
        Some(Access::OAuth(OAuth {
            url: url?.clone(),
            account_id: account_id?,
            client_id: client_id?,
            client_secret: client_secret?,
        }))
    }
}

/// Reports names that are not operations.
pub(super) fn check_operations<'a>(
    names: impl IntoIterator<Item = &'a Placed<String>>,
    catalog: &Catalog,
    mistakes: &Mistakes,
) {
    for written in names {
        let name = &written.value;
        if catalog.find(name).is_some() {
            continue;
        }
        let known = catalog.operations().iter().map(|known| known.name.as_str());
        let text = match nearest(name, known) {
            Some(known) => format!("there is no operation {name:?}; did you mean {known:?}?"),
            None => format!("there is no operation {name:?}; write it as \"user/get\""),
        };
        mistakes.add(written.origin.clone(), text);
    }
}

/// Tokens for operations, by the catalog's names.
pub(super) fn tokens(chat: Option<&SecretString>) -> Tokens {
    let chat = chat.map(|token| (CHAT_TOKEN.to_owned(), token.expose_secret().to_owned()));
    Tokens(chat.into_iter().collect())
}

/// The rates of a price plan.
pub(super) fn rates(
    plan: &Placed<String>,
    catalog: &Catalog,
    mistakes: &Mistakes,
) -> Option<Rates> {
    let known = catalog.rates();
    let rates = known.get(&plan.value).copied();
    if rates.is_none() && plan.value != UNLIMITED {
        let known: Vec<_> = known.keys().map(String::as_str).collect();
        let text = format!(
            "plan = {:?} is none of {} and {UNLIMITED}",
            plan.value,
            known.join(", ")
        );
        mistakes.add(plan.origin.clone(), text);
    }
    rates
}

/// The values without their origins.
pub(super) fn chosen(choices: &Choices) -> BTreeMap<String, toml::Value> {
    let choices = choices.iter();
    choices
        .map(|(name, value)| (name.value.clone(), value.clone()))
        .collect()
}

/// The option that an error is about.
pub(super) fn option_of(error: &OptionError) -> &str {
    match error {
        OptionError::Unknown { name, .. } | OptionError::Value { name, .. } => name,
    }
}

/// A mistake in an option, under its key in the file.
pub(super) fn said(error: &OptionError) -> String {
    let text = error.to_string();
    text.replace(&format!("option `{LIST_DETAIL}`"), "list.detail")
}

fn missing(mistakes: &Mistakes, tenant: &Origin, key: &str, variable: &str) {
    let text = match tenant {
        Origin::Default => format!("{variable} is not set ({key} of a [[tenant]] in the file)"),
        _ => format!("this [[tenant]] has no {key}"),
    };
    mistakes.add(tenant.clone(), text);
}
