//! The section `[shadow]`.

use std::{path::PathBuf, time::Duration};

use secrecy::SecretString;
use shim_upstream::BaseUrl;

use super::{
    mistakes::Mistakes,
    section::{Placed, Section},
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
    pub(crate) fn new(upstream: Option<(BaseUrl, ShadowCredentials)>) -> Self {
        Self {
            upstream,
            mappings: None,
            answer: Side::Shim,
            sample_percent: 100,
            concurrency: 4,
            timeout: Duration::from_secs(10),
        }
    }

    /// True if credentials or users can be read on the way to the shadow.
    pub(crate) fn is_exposed(&self) -> bool {
        let base = self.upstream.as_ref().map(|(base, _)| base);
        base.is_some_and(|base| base.is_plain() && !base.is_loopback())
    }
}

/// The section `[shadow]`.
#[derive(Default)]
pub(super) struct ShadowDraft {
    line: Option<usize>,
    url: Option<Placed<String>>,
    mappings: Option<Placed<String>>,
    answer: Option<Placed<String>>,
    sample_percent: Option<u8>,
    concurrency: Option<usize>,
    timeout: Option<Duration>,
    forward: Option<bool>,
    api_key: Option<Placed<String>>,
    api_secret: Option<Placed<SecretString>>,
}

impl ShadowDraft {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let draft = Self {
            line: section.line(),
            url: section.text("url"),
            mappings: section.text("mappings"),
            answer: section.text("answer"),
            sample_percent: section
                .number("sample_percent", 1..=100)
                .and_then(|percent| percent.value.try_into().ok()),
            concurrency: section.count("concurrency"),
            timeout: section.seconds("timeout_seconds", 1..=120),
            forward: section.switch("forward_credentials"),
            api_key: section.text("api_key"),
            api_secret: section.secret("api_secret", "api_secret_file"),
        };
        section.finish();
        draft
    }

    /// `None` if neither another upstream nor other mappings are named, or after a mistake.
    pub(super) fn validate(self, mistakes: &Mistakes) -> Option<ShadowConfig> {
        let answer = match self.answer.as_ref().map(|answer| answer.value.as_str()) {
            None | Some("shim") => Side::Shim,
            Some("shadow") => Side::Shadow,
            Some(other) => {
                let line = self.answer.as_ref().and_then(|answer| answer.line);
                let text = format!("shadow.answer = {other:?} is neither \"shim\" nor \"shadow\"");
                mistakes.add(line, text);
                Side::Shim
            }
        };
        if answer == Side::Shadow && self.url.is_none() {
            let line = self.answer.as_ref().and_then(|answer| answer.line);
            mistakes.add(line, "shadow.answer = \"shadow\" needs a shadow.url to ask");
        }
        let (url, mappings) = (self.url.as_ref(), self.mappings.as_ref());
        if url.is_none() && mappings.is_none() {
            return None;
        }
        let upstream = match url {
            None => None,
            Some(url) => {
                let credentials = self.credentials(mistakes);
                let base = base(url, mistakes);
                Some((base?, credentials?))
            }
        };
        let mut config = ShadowConfig::new(upstream);
        config.mappings = mappings.map(|folder| PathBuf::from(&folder.value));
        config.answer = answer;
        config.sample_percent = self.sample_percent.unwrap_or(config.sample_percent);
        config.concurrency = self.concurrency.unwrap_or(config.concurrency);
        config.timeout = self.timeout.unwrap_or(config.timeout);
        Some(config)
    }

    /// Whose credentials the shadow gets: nothing is passed on that nobody said to pass on.
    fn credentials(&self, mistakes: &Mistakes) -> Option<ShadowCredentials> {
        let forward = self.forward.unwrap_or_default();
        match (forward, &self.api_key, &self.api_secret) {
            (true, None, None) => Some(ShadowCredentials::Forwarded),
            (false, Some(key), Some(secret)) => Some(ShadowCredentials::Own {
                key: key.value.clone(),
                secret: secret.value.clone(),
            }),
            (true, ..) => {
                let text = "[shadow] has forward_credentials and credentials of its own; leave one";
                mistakes.add(self.line, text);
                None
            }
            (false, ..) => {
                let text = "[shadow] has no credentials: set api_key and api_secret_file, or \
                            forward_credentials = true to pass on those of the clients";
                mistakes.add(self.line, text);
                None
            }
        }
    }
}

fn base(url: &Placed<String>, mistakes: &Mistakes) -> Option<BaseUrl> {
    let base = BaseUrl::parse(&url.value).ok();
    if base.is_none() {
        // It may have a password in it: it is not repeated.
        let text = "shadow.url is no v1 base; write it in full, with its path and without a user \
                    or a query, as http://127.0.0.1:8081/v1";
        mistakes.add(url.line, text);
    }
    base
}
