//! Which catalog the commands read: the built-in one, or a site's.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow};
use mappings::Catalog;

/// The option that chooses a site's own mappings.
#[derive(Debug, clap::Args)]
pub(crate) struct SiteMappings {
    /// A folder with a site's own mappings: its files take the place of the built-in ones.
    #[arg(long = "mappings", value_name = "DIR")]
    folder: Option<PathBuf>,
}

impl SiteMappings {
    /// Loads the catalog.
    ///
    /// # Errors
    ///
    /// The folder cannot be read, or its files are no catalog: all mistakes with file and line.
    pub(crate) fn catalog(&self) -> anyhow::Result<Catalog> {
        let Some(folder) = &self.folder else {
            return Catalog::embedded().context("the built-in mappings");
        };
        let files = files(folder)
            .with_context(|| format!("--mappings: {} cannot be read", folder.display()))?;
        Catalog::with_overrides(files).map_err(|error| {
            anyhow!(
                "the mappings in {} cannot be used\n{error}",
                folder.display()
            )
        })
    }
}

/// The names and texts of the TOML files in a folder.
fn files(folder: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_toml = path
            .extension()
            .is_some_and(|extension| extension == "toml");
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(name) = name.filter(|_| is_toml) {
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            files.push((name.to_owned(), text));
        }
    }
    Ok(files)
}
