//! The section `[shadow]`.

use std::{path::PathBuf, time::Duration};

use super::{
    origin::Mistakes,
    second_v1::{self, SecondV1},
    table::Site,
};

/// What answers are compared with.
#[derive(Clone, Debug)]
pub struct ShadowConfig {
    pub(crate) upstream: Option<SecondV1>,
    /// The folder of the mappings that requests are translated with once more.
    pub mappings: Option<PathBuf>,
    /// Whose answers clients get.
    pub answer: Side,
    /// How many of a hundred requests are compared.
    pub sample_percent: u8,
    /// How many requests are compared in a second at most.
    pub per_second: Option<u32>,
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

    /// True if credentials or users can be read on the way to the shadow.
    pub(crate) fn is_exposed(&self) -> bool {
        self.upstream.as_ref().is_some_and(SecondV1::is_exposed)
    }
}
