//! The section `[relay]`.

use std::time::Duration;

use mappings::catalog::protocol::Options;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::{
    origin::{Mistakes, Origin},
    table::Site,
};

/// Settings of the relay, which serves files under links of the shim.
#[derive(Clone, Debug)]
pub struct RelayConfig {
    /// Base URL of the shim for clients. The links are below it.
    pub(crate) base: Url,
    /// Key that signs the links; `None` to derive it from the key of the state.
    pub(crate) key: Option<SecretString>,
    /// Lifetime of a link.
    pub(crate) link_time: Duration,
    /// Timeout of a download.
    pub(crate) download_time: Duration,
    /// Maximum number of concurrent downloads.
    pub(crate) downloads: usize,
    /// Allowed domains of files besides v2's host.
    pub(crate) domains: Vec<String>,
}

/// Minimum length of a key. Shorter ones could be guessed.
const SHORTEST_KEY: usize = 32;

impl RelayConfig {
    /// `None` if no URL is set, or after a mistake. `options` are those of the site and the
    /// tenants.
    pub(super) fn from_settings<'o>(
        site: &Site,
        mut options: impl Iterator<Item = &'o Options>,
        has_links: impl Fn(&Options) -> bool,
        mistakes: &Mistakes,
    ) -> Option<Self> {
        let relay = &site.relay;
        let Some(url) = &relay.url.value else {
            if options.any(has_links) {
                let text = "the options have files relayed: set relay.url to the URL by which the \
                            old programs reach the shim, as https://shim.example.com";
                mistakes.add(Origin::Default, text);
            }
            return None;
        };
        let base = base(url);
        if base.is_none() {
            let text = "relay.url is no base of URLs; write the URL by which the old programs reach \
                        the shim, as https://shim.example.com";
            mistakes.add(relay.url.origin.clone(), text);
        }
        let key = &relay.key;
        let is_short = |key: &SecretString| key.expose_secret().len() < SHORTEST_KEY;
        if key.value.as_ref().is_some_and(is_short) {
            let text = format!("relay.key needs at least {SHORTEST_KEY} characters");
            mistakes.add(key.origin.clone(), text);
        }
        let domains = relay.domains.value.iter();
        Some(Self {
            base: base?,
            key: key.value.clone(),
            link_time: relay.link_seconds.value,
            download_time: relay.download_seconds.value,
            downloads: relay.downloads.value,
            domains: domains.map(|domain| domain.value.to_lowercase()).collect(),
        })
    }
}

/// Adds a slash at the end.
fn base(text: &str) -> Option<Url> {
    let mut url = Url::parse(text.trim()).ok()?;
    let is_web = matches!(url.scheme(), "http" | "https") && url.host().is_some();
    let is_base = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    (is_web && is_base && url.password().is_none()).then_some(url)
}
