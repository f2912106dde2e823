//! The sections `[webhooks]` and `[[receiver]]`.

use std::{collections::BTreeMap, fmt, net::IpAddr, time::Duration};

use mappings::{Catalog, Site};
use secrecy::{ExposeSecret as _, SecretString};
use url::{Host, Url};

use super::{
    BodyStyle,
    network::address,
    origin::{Mistakes, Origin, Placed},
    read::{Choices, nearest},
    table::{Receiver, Webhooks},
    tenant::{chosen, option_of},
};

/// Settings of the webhook endpoint.
#[derive(Clone, Debug)]
pub struct WebhooksConfig {
    /// Address as `host:port`.
    pub listen: String,
    /// Secret tokens of the v2 apps, at least one. A webhook may be signed with any of them.
    pub secret_tokens: Vec<SecretString>,
}

/// A program that receives v1's push notifications. `Debug` hides the query of its URL.
#[derive(Clone)]
pub struct ReceiverConfig {
    /// Its URL with the query.
    pub url: Url,
    /// Form or JSON.
    pub style: BodyStyle,
    /// User and password of HTTP Basic.
    pub basic: Option<(String, SecretString)>,
    /// v2 accounts whose notifications it gets; empty for all.
    pub accounts: Vec<String>,
    /// Notifications that it gets, under v1's names; empty for all.
    pub notifications: Vec<String>,
    /// Maximum number of attempts.
    pub attempts: u32,
    /// The waits between attempts; the last one repeats.
    pub waits: Vec<Duration>,
    /// Delay of notifications that may be delayed.
    pub pause: Duration,
    /// True if its host name may resolve to a private address.
    pub allows_private: bool,
    /// Options of its notifications.
    pub site: Site,
}

impl WebhooksConfig {
    /// `None` if the endpoint is disabled, or after a mistake.
    pub(super) fn from_settings(webhooks: Webhooks, mistakes: &Mistakes) -> Option<Self> {
        let listen = webhooks.listen.transpose()?;
        let secret = webhooks.secret_token.value.as_ref();
        let tokens = secret.map_or("", |secret| secret.expose_secret());
        let tokens = tokens.split(|letter: char| letter == ',' || letter.is_whitespace());
        let tokens = tokens.filter(|token| !token.is_empty());
        let secret_tokens: Vec<SecretString> = tokens.map(Into::into).collect();
        if secret_tokens.is_empty() {
            let text = "webhooks.listen is set without the secret token of the v2 app: set \
                        SHIM_WEBHOOKS_SECRET_TOKEN (or webhooks.secret_token_file)";
            let origin = match webhooks.secret_token.origin {
                Origin::Default => listen.origin.clone(),
                origin => origin,
            };
            mistakes.add(origin, text);
        }
        Some(Self {
            listen: address("webhooks.listen", listen, "127.0.0.1:8082", mistakes),
            secret_tokens,
        })
    }
}

impl ReceiverConfig {
    /// Its URL without user and query, for logs and metrics.
    pub fn label(&self) -> String {
        let mut shown = self.url.clone();
        shown.set_query(None);
        shown.set_fragment(None);
        shown.into()
    }

    /// The IP address in its URL, if the host is one.
    pub fn address(&self) -> Option<IpAddr> {
        match self.url.host()? {
            Host::Ipv4(address) => Some(address.into()),
            Host::Ipv6(address) => Some(address.into()),
            Host::Domain(_) => None,
        }
    }

    /// True if it is on this machine, without TLS.
    pub fn is_local(&self) -> bool {
        let is_loopback = self.address().is_some_and(|address| address.is_loopback());
        is_loopback && self.url.scheme() == "http"
    }

    /// `None` after a mistake.
    pub(super) fn from_settings(
        receiver: Receiver,
        choices: &Choices,
        catalog: &Catalog,
        mistakes: &Mistakes,
    ) -> Option<Self> {
        let keys = receiver.own;
        if keys.url.value.is_none() && !keys.section.is_broken {
            let text = "this [[receiver]] has no url";
            mistakes.add(keys.section.origin.clone(), text);
        }
        for name in &keys.notifications.value {
            let known = || {
                catalog
                    .notifications()
                    .iter()
                    .map(|known| known.name.as_str())
            };
            if !known().any(|known| known == name.value) {
                let hint = nearest(&name.value, known()).unwrap_or("STARTED");
                let text = format!(
                    "there is no notification {:?}; did you mean {hint:?}?",
                    name.value
                );
                mistakes.add(name.origin.clone(), text);
            }
        }
        let mut options = chosen(choices);
        let text = |value: &String| toml::Value::from(value.as_str());
        let switch = |value: &bool| toml::Value::from(*value);
        let own = BTreeMap::from([
            (
                "recording_downloads",
                (
                    keys.recording_downloads.value.as_ref().map(text),
                    keys.recording_downloads.origin,
                ),
            ),
            (
                "recording_form",
                (
                    keys.recording_form.value.as_ref().map(text),
                    keys.recording_form.origin,
                ),
            ),
            (
                "jbh_once",
                (
                    keys.jbh_once.value.as_ref().map(switch),
                    keys.jbh_once.origin,
                ),
            ),
            (
                "push_webinars",
                (
                    keys.push_webinars.value.as_ref().map(switch),
                    keys.push_webinars.origin,
                ),
            ),
        ]);
        for (name, (value, _)) in &own {
            options.extend(value.clone().map(|value| ((*name).to_owned(), value)));
        }
        let options = catalog.options(&options).map_err(|errors| {
            for error in errors {
                // Mistakes in the site's options are reported elsewhere.
                if let Some((Some(_), origin)) = own.get(option_of(&error)) {
                    mistakes.add(origin.clone(), error.to_string());
                }
            }
        });
        let basic = keys.basic.value.as_ref().map(|basic| {
            let basic = basic.expose_secret();
            let (user, password) = basic.split_once(':').unwrap_or_else(|| {
                let text = "receiver.basic has no colon; write it as user:password";
                mistakes.add(keys.basic.origin.clone(), text);
                (basic, "")
            });
            (user.to_owned(), password.into())
        });
        let values = |texts: &[Placed<String>]| -> Vec<String> {
            texts.iter().map(|text| text.value.clone()).collect()
        };
        Some(Self {
            url: url(&keys.url.transpose()?, mistakes)?,
            style: keys.body_style.value,
            basic,
            accounts: values(&keys.accounts.value),
            notifications: values(&keys.notifications.value),
            attempts: keys.attempts.value,
            waits: waits(&keys.waits.value, mistakes),
            pause: Duration::from_secs(keys.recording_pause.value),
            allows_private: keys.allow_private.value,
            site: Site {
                options: options.ok()?,
                ..Site::default()
            },
        })
    }
}

impl fmt::Debug for ReceiverConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReceiverConfig")
            .field(&self.label())
            .finish()
    }
}

/// The query of the URL may contain a secret, so that the URL is not repeated.
fn url(written: &Placed<SecretString>, mistakes: &Mistakes) -> Option<Url> {
    let url = Url::parse(written.value.expose_secret().trim()).ok();
    let url = url.filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
    });
    if url.is_none() {
        let text = "receiver.url is no URL; write it in full, as https://example.com/zoom, and user \
                    and password as receiver.basic";
        mistakes.add(written.origin.clone(), text);
    }
    url
}

fn waits(written: &[Placed<String>], mistakes: &Mistakes) -> Vec<Duration> {
    const LONGEST: u64 = 7 * 24 * 60 * 60;
    let waits = written.iter().filter_map(|wait| {
        let seconds: Option<u64> = wait.value.trim().parse().ok();
        let seconds = seconds.filter(|seconds| (1..=LONGEST).contains(seconds));
        if seconds.is_none() {
            let text = format!(
                "receiver.waits: {:?} is no number of seconds up to {LONGEST}",
                wait.value
            );
            mistakes.add(wait.origin.clone(), text);
        }
        seconds.map(Duration::from_secs)
    });
    waits.collect()
}
