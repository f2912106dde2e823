//! The section `[shadow]`.

use std::{path::PathBuf, time::Duration};

use super::{
    origin::Mistakes,
    second_v1::{self, SecondV1},
    table::Site,
};

/// Settings of the shadow.
#[derive(Clone, Debug)]
pub struct ShadowConfig {
    pub(crate) upstream: Option<SecondV1>,
    /// Folder of mappings for a second translation.
    pub mappings: Option<PathBuf>,
    /// The side whose responses clients get.
    pub answer: Side,
    /// Share of compared requests, in percent.
    pub sample_percent: u8,
    /// Maximum number of compared requests per second.
    pub per_second: Option<u32>,
    /// Maximum number of concurrent requests to the shadow.
    pub concurrency: usize,
    /// Timeout of the shadow's response, including the time in the queue.
    pub timeout: Duration,
}

/// A side of the comparison.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Side {
    /// This shim.
    #[default]
    Shim,
    /// The shadow; this shim if the shadow has no response.
    Shadow,
}

impl ShadowConfig {
    /// `None` if neither an upstream nor mappings are set, or after a mistake.
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
        let upstream = second_v1::Keys {
            section: "shadow",
            origin: &shadow.section.origin,
            url: &shadow.url,
            forward: &shadow.forward_credentials,
            key: &shadow.api_key,
            secret: &shadow.api_secret,
        };
        let upstream = SecondV1::from_settings(&upstream, mistakes);
        if url.is_some() && upstream.is_none() {
            return None;
        }
        Some(Self {
            upstream,
            mappings: mappings.map(PathBuf::from),
            answer: shadow.answer.value,
            sample_percent: shadow.sample_percent.value,
            per_second: shadow.per_second.value,
            concurrency: shadow.concurrency.value,
            timeout: shadow.timeout_seconds.value,
        })
    }

    /// True if credentials or users are sent unencrypted over a network.
    pub(crate) fn is_exposed(&self) -> bool {
        self.upstream.as_ref().is_some_and(SecondV1::is_exposed)
    }
}
