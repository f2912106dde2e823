//! The section `[ui]`.

use super::{
    UiConfig,
    section::{Placed, Section},
};

/// Exchanges that are shown while exchanges are recorded, unless a site says otherwise.
const RECENT: usize = 100;

/// The section `[ui]`.
#[derive(Default)]
pub(super) struct UiDraft {
    recent: Option<usize>,
    hosts: Vec<Placed<String>>,
}

impl UiDraft {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let draft = Self {
            recent: section
                .number("recent", 0..=10_000)
                .and_then(|recent| recent.value.try_into().ok()),
            hosts: section.texts("hosts").unwrap_or_default(),
        };
        section.finish();
        draft
    }

    /// Exchanges are kept where a site asked for it, or has them recorded anyway.
    pub(super) fn validate(self, is_recording: bool) -> UiConfig {
        let usual = if is_recording { RECENT } else { 0 };
        let hosts = self.hosts.into_iter();
        UiConfig {
            recent: self.recent.unwrap_or(usual),
            hosts: hosts.map(|host| host.value.to_lowercase()).collect(),
        }
    }
}
