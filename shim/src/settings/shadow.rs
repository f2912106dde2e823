//! The section `[shadow]`.

use std::{path::PathBuf, time::Duration};

use secrecy::SecretString;
use shim_upstream::BaseUrl;

use super::{
    origin::{Mistakes, Origin},
    table::{Shadow, Site},
};

/// What answers are compared with.
#[derive(Clone, Debug)]
pub struct ShadowConfig {
    pub(crate) upstream: Option<(BaseUrl, ShadowCredentials)>,
    /// The folder of the mappings that requests are translated with once more.
    pub mappings: Option<PathBuf>,
    /// Whose answers clients get.
    pub answer: Side,
    /// How many of a hundred requests are compared.
    pub sample_percent: u8,
    /// How many requests the shadow is asked at a time.
    pub concurrency: usize,
    /// For the shadow's answer, its turn included.
    pub timeout: Duration,
}

/// Whose answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Side {
    /// This shim's.
    #[default]
    Shim,
    /// The shadow's; this shim's if it gives none.
    Shadow,
}

/// The credentials that the shadow gets.
#[derive(Clone, Debug)]
pub(crate) enum ShadowCredentials {
    /// The client, with its own credentials.
    Forwarded,
    /// These.
    Own { key: String, secret: SecretString },
}

impl ShadowConfig {
    /// `None` if neither another upstream nor other mappings are named, or after a mistake.
    pub(super) fn from_settings(site: &Site, mistakes: &Mistakes) -> Option<Self> {
        let shadow = &site.shadow;
        let (url, mappings) = (shadow.url.value.as_ref(), shadow.mappings.value.as_ref());
        if shadow.answer.value == Side::Shadow && url.is_none() {
            let text = "shadow.answer = \"shadow\" needs a shadow.url to ask";
            mistakes.add(shadow.answer.origin.clone(), text);
        }
        if url.is_none() && mappings.is_none() {
            return None;
        }
        let upstream = match url {
            None => None,
            Some(url) => {
                let credentials = credentials(shadow, mistakes);
                let base = base(url, &shadow.url.origin, mistakes);
                Some((base?, credentials?))
            }
        };
        Some(Self {
            upstream,
            mappings: mappings.map(PathBuf::from),
            answer: shadow.answer.value,
            sample_percent: shadow.sample_percent.value,
            concurrency: shadow.concurrency.value,
            timeout: shadow.timeout_seconds.value,
        })
    }

    /// True if credentials or users can be read on the way to the shadow.
    pub(crate) fn is_exposed(&self) -> bool {
        let base = self.upstream.as_ref().map(|(base, _)| base);
        base.is_some_and(|base| base.is_plain() && !base.is_loopback())
    }
}

/// The credentials that the shadow gets. The caller's are forwarded only if the settings say so.
fn credentials(shadow: &Shadow, mistakes: &Mistakes) -> Option<ShadowCredentials> {
    let forward = shadow.forward_credentials.value;
    let text = match (forward, &shadow.api_key.value, &shadow.api_secret.value) {
        (true, None, None) => return Some(ShadowCredentials::Forwarded),
        (false, Some(key), Some(secret)) => {
            let (key, secret) = (key.clone(), secret.clone());
            return Some(ShadowCredentials::Own { key, secret });
        }
        (true, ..) => "[shadow] has forward_credentials and credentials of its own; leave one",
        (false, ..) => {
            "[shadow] has no credentials: set api_key and api_secret_file, or \
             forward_credentials = true to pass on those of the clients"
        }
    };
    mistakes.add(shadow.section.origin.clone(), text);
    None
}

fn base(url: &str, origin: &Origin, mistakes: &Mistakes) -> Option<BaseUrl> {
    let base = BaseUrl::parse(url).ok();
    if base.is_none() {
        // It may have a password in it: it is not repeated.
        let text = "shadow.url is no v1 base; write it in full, with its path and without a user \
                    or a query, as http://127.0.0.1:8081/v1";
        mistakes.add(origin.clone(), text);
    }
    base
}
