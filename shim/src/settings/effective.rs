//! The effective settings, each with its origin, for `check-config`.

use std::fmt;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    Sources,
    network::listed,
    variables::{
        API_KEY, API_SECRET, LEDGER, LISTEN, LOG_FORMAT, OAUTH_ACCOUNT_ID, OAUTH_CLIENT_ID,
        OAUTH_CLIENT_SECRET, OAUTH_URL, OPS_LISTEN, TLS_CERT_FILE, TLS_KEY_FILE, TLS_LISTEN,
        TRACES_ENDPOINT, TRUSTED_PROXIES, UPSTREAM_DNS, UPSTREAM_PLAN, UPSTREAM_RESOLVE,
        UPSTREAM_TOKEN, UPSTREAM_URL,
    },
};

/// Has every key with its default.
const EXAMPLE: &str = include_str!("../../shim.example.toml");

/// What only a site knows: the example's values of these are no defaults.
const NO_DEFAULT: [&str; 3] = ["tenant.", "upstream.url", "upstream.oauth_url"];

/// What the variables of the environment set.
const VARIABLES: [(&str, &str); 17] = [
    (LEDGER, "ledger.file"),
    (LISTEN, "listen"),
    (TLS_LISTEN, "tls.listen"),
    (TLS_CERT_FILE, "tls.cert_file"),
    (TLS_KEY_FILE, "tls.key_file"),
    (OPS_LISTEN, "ops.listen"),
    (LOG_FORMAT, "log.format"),
    (TRACES_ENDPOINT, "traces.endpoint"),
    (UPSTREAM_URL, "upstream.url"),
    (OAUTH_URL, "upstream.oauth_url"),
    (UPSTREAM_PLAN, "upstream.plan"),
    (API_KEY, "tenant.1.api_key"),
    (API_SECRET, "tenant.1.api_secret"),
    (UPSTREAM_TOKEN, "tenant.1.token"),
    (OAUTH_ACCOUNT_ID, "tenant.1.oauth.account_id"),
    (OAUTH_CLIENT_ID, "tenant.1.oauth.client_id"),
    (OAUTH_CLIENT_SECRET, "tenant.1.oauth.client_secret"),
];

/// What those of them set that hold several values.
const LISTS: [(&str, &str); 3] = [
    (TRUSTED_PROXIES, "trusted_proxies"),
    (UPSTREAM_RESOLVE, "upstream.resolve"),
    (UPSTREAM_DNS, "upstream.dns"),
];

/// Keys whose values are shown to nobody.
const SECRETS: [&str; 5] = [
    "api_secret",
    "api_secret_sha256",
    "client_secret",
    "pseudonym_key",
    "token",
];

/// One value.
#[derive(Clone, Debug)]
struct Setting {
    /// With dots: `limits.requests`, `tenant.1.api_key`.
    key: String,
    /// As TOML; a secret is masked.
    value: String,
    origin: String,
}

/// All values that hold. Ask only if [`super::Config::load`] finds no mistake in the same sources.
#[derive(Clone, Debug, Default)]
pub struct Effective(Vec<Setting>);

impl Effective {
    /// Defaults, then the file, the environment and the flags, each over what was before.
    pub fn of(sources: &Sources<'_>) -> Self {
        let mut effective = Self::default();
        let mut defaults = Vec::new();
        leaves(EXAMPLE, |key, value, _| defaults.push((key, value)));
        for (key, value) in defaults {
            if !NO_DEFAULT.iter().any(|known| key.starts_with(known)) {
                effective.set(&key, value, "default".to_owned());
            }
        }
        if let Some((name, text)) = sources.file {
            leaves(text, |key, value, line| {
                effective.set(&key, value, format!("{name}, line {line}"));
            });
        }
        effective.add_environment(sources.environment);

        let flags = &sources.flags;
        let quoted = |text: &String| toml::Value::from(text.as_str()).to_string();
        for (key, flag, value) in [
            ("listen", "--listen", flags.listen.as_ref().map(quoted)),
            (
                "tls.listen",
                "--tls-listen",
                flags.tls_listen.as_ref().map(quoted),
            ),
            (
                "tls.cert_file",
                "--tls-cert",
                flags.tls_cert.as_ref().map(quoted),
            ),
            (
                "tls.key_file",
                "--tls-key",
                flags.tls_key.as_ref().map(quoted),
            ),
            (
                "ops.listen",
                "--ops-listen",
                flags.ops_listen.as_ref().map(quoted),
            ),
            ("record.file", "--record", flags.record.as_ref().map(quoted)),
            ("ledger.file", "--ledger", flags.ledger.as_ref().map(quoted)),
            (
                "strict",
                "--strict",
                flags.strict.then(|| "true".to_owned()),
            ),
        ] {
            if let Some(value) = value {
                effective.set(key, value, flag.to_owned());
            }
        }
        effective
    }

    fn add_environment(&mut self, environment: &dyn Fn(&str) -> Option<String>) {
        let get = |name: &str| environment(name).filter(|value| !value.is_empty());
        let is_set = |names: &[&str]| names.iter().any(|name| get(name).is_some());
        let oauth = [OAUTH_ACCOUNT_ID, OAUTH_CLIENT_ID, OAUTH_CLIENT_SECRET];
        // One way to a token in the environment takes the place of the other one in the file, and a
        // secret that of its file or digest.
        let replaced: [(bool, &[&str]); 4] = [
            (
                is_set(&oauth) && !is_set(&[UPSTREAM_TOKEN]),
                &["token", "token_file"],
            ),
            (is_set(&[UPSTREAM_TOKEN]), &["token_file"]),
            (
                is_set(&[API_SECRET]),
                &["api_secret_file", "api_secret_sha256"],
            ),
            (
                is_set(&[OAUTH_CLIENT_SECRET]),
                &["oauth.client_secret_file"],
            ),
        ];
        for (is_replaced, keys) in replaced {
            if is_replaced {
                self.0.retain(|setting| {
                    let of_tenant = setting.key.strip_prefix("tenant.1.");
                    !of_tenant.is_some_and(|key| keys.contains(&key))
                });
            }
        }
        if is_set(&[UPSTREAM_TOKEN]) && !is_set(&oauth) {
            self.0
                .retain(|setting| !setting.key.starts_with("tenant.1.oauth."));
        }
        for (variable, key) in VARIABLES {
            if let Some(value) = get(variable) {
                let value = toml::Value::from(value).to_string();
                self.set(key, value, variable.to_owned());
            }
        }
        for (variable, key) in LISTS {
            if let Some(value) = get(variable) {
                let items = listed(&value).into_iter();
                let items: Vec<_> = items.map(|item| toml::Value::from(item.value)).collect();
                let value = toml::Value::from(items).to_string();
                self.set(key, value, variable.to_owned());
            }
        }
    }

    fn set(&mut self, key: &str, value: String, origin: String) {
        let value = if is_secret(key) {
            "(hidden)".to_owned()
        } else {
            value
        };
        let setting = Setting {
            key: key.to_owned(),
            value,
            origin,
        };
        match self.0.iter_mut().find(|known| known.key == key) {
            Some(known) => *known = setting,
            None => self.0.push(setting),
        }
    }
}

impl fmt::Display for Effective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.0.iter().map(|setting| {
            let Setting { key, value, origin } = setting;
            (format!("{key} = {value}"), origin)
        });
        let lines: Vec<_> = lines.collect();
        let longest = lines.iter().map(|(line, _)| line.chars().count()).max();
        let width = longest.unwrap_or_default();
        for (line, origin) in lines {
            writeln!(f, "{line:<width$}  # {origin}")?;
        }
        Ok(())
    }
}

fn is_secret(key: &str) -> bool {
    let last = key.rsplit('.').next().unwrap_or(key);
    // Only there: an option of the catalog has the name of one of them.
    let sections = ["tenant.", "record.", "shadow."];
    let may_be = sections.iter().any(|section| key.starts_with(section));
    may_be && SECRETS.contains(&last)
}

/// Tells every value of a TOML text: its key with dots, itself, its line. Items of arrays of tables
/// are numbered from 1.
fn leaves(text: &str, mut tell: impl FnMut(String, String, usize)) {
    let (table, _) = DeTable::parse_recoverable(text);
    walk(text, "", table.get_ref(), &mut tell);
}

fn walk(
    text: &str,
    prefix: &str,
    table: &DeTable<'_>,
    tell: &mut impl FnMut(String, String, usize),
) {
    for (name, value) in table {
        let key = format!("{prefix}{}", name.get_ref());
        match value.get_ref() {
            // A single [tenant] counts as one.
            DeValue::Table(table) if key == "tenant" => walk(text, "tenant.1.", table, tell),
            DeValue::Table(table) => walk(text, &format!("{key}."), table, tell),
            DeValue::Array(items) if key == "tenant" => {
                for (at, item) in items.iter().enumerate() {
                    if let Some(table) = item.get_ref().as_table() {
                        walk(text, &format!("{key}.{}.", at + 1), table, tell);
                    }
                }
            }
            _ => {
                let (written, line) = written(text, value);
                tell(key, written, line);
            }
        }
    }
}

/// A value as it stands in the text, and its line.
fn written(text: &str, value: &Spanned<DeValue<'_>>) -> (String, usize) {
    let before = text.get(..value.span().start).unwrap_or_default();
    let written = text.get(value.span()).unwrap_or_default();
    (written.to_owned(), before.matches('\n').count() + 1)
}
