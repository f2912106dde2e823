//! The given settings of all sources, before validation as a whole.

use mappings::Catalog;
use toml::de::DeTable;

use super::{
    Flags, Sources,
    effective::Effective,
    origin::Mistakes,
    read::{BROWNOUT, Choices, RECEIVER, ROLLOUT, Reader, TENANT, TableReader, line},
    table::{Brownout, Receiver, Rollout, Site, Tenant},
};

/// The given settings.
pub(super) struct Written {
    pub(super) site: Site,
    pub(super) tenants: Vec<Tenant>,
    pub(super) receivers: Vec<Receiver>,
    pub(super) rollouts: Vec<Rollout>,
    pub(super) brownouts: Vec<Brownout>,
    pub(super) choices: Choices,
    /// True if the file is not valid TOML.
    pub(super) is_broken: bool,
    pub(super) effective: Effective,
}

impl Written {
    pub(super) fn read(sources: &Sources<'_>, catalog: &Catalog, mistakes: &Mistakes) -> Self {
        let (name, text) = sources.file.unwrap_or_default();
        // Malformed lines are reported one by one, and the others are still read.
        let (file, errors) = DeTable::parse_recoverable(text);
        let is_broken = !errors.is_empty();
        for error in errors {
            let start = error.span().map_or(0, |span| span.start);
            mistakes.add(line(text, start), error.message());
        }
        let reader = Reader::new(sources, mistakes);
        let root = TableReader::root(&reader, Some(file.get_ref()), Site::SECTIONS);
        let site = Site::read(&root);
        let choices = root.choices(catalog);
        let tenants = root.several(TENANT, Tenant::SECTIONS);
        let tenants = tenants.iter().map(Tenant::read).collect();
        let receivers = root.several(RECEIVER, Receiver::SECTIONS);
        let receivers = receivers.iter().map(Receiver::read).collect();
        let rollouts = root.several(ROLLOUT, Rollout::SECTIONS);
        let rollouts = rollouts.iter().map(Rollout::read).collect();
        let brownouts = root.several(BROWNOUT, Brownout::SECTIONS);
        let brownouts = brownouts.iter().map(Brownout::read).collect();
        let mut effective = reader.effective.take();
        name.clone_into(&mut effective.file);
        Self {
            site,
            tenants,
            receivers,
            rollouts,
            brownouts,
            choices,
            is_broken,
            effective,
        }
    }
}

impl Effective {
    /// Reads all values. Only valid if [`super::Config::load`] finds no mistake in the same
    /// sources.
    pub fn of(sources: &Sources<'_>, catalog: &Catalog) -> Self {
        let sources = Sources {
            // Secrets are masked, so that their files are not needed.
            read: &|_| Ok(String::new()),
            flags: sources.flags.clone(),
            ..*sources
        };
        Written::read(&sources, catalog, &Mistakes::default()).effective
    }
}

/// The default settings.
impl Default for Site {
    fn default() -> Self {
        let sources = Sources {
            file: None,
            environment: &|_| None,
            flags: Flags::default(),
            read: &|_| Ok(String::new()),
        };
        let mistakes = Mistakes::default();
        let reader = Reader::new(&sources, &mistakes);
        Self::read(&TableReader::root(&reader, None, Self::SECTIONS))
    }
}
