//! The `--mappings` option: the built-in catalog or a site's own.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow};
use mappings::Catalog;
use migrate_audit::plain_file;

/// The `--mappings` option.
#[derive(Debug, clap::Args)]
pub(crate) struct SiteMappings {
    /// Folder with site mappings; its files replace the built-in ones.
    #[arg(long = "mappings", value_name = "DIR")]
    folder: Option<PathBuf>,
}

impl SiteMappings {
    /// Loads the catalog.
    ///
    /// # Errors
    ///
    /// The folder cannot be read, or the catalog is invalid; lists all mistakes with file and line.
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

/// Names (`rates.toml`, `user/fields.toml`) and texts of the TOML files in a folder and its
/// resource folders.
fn files(folder: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        if path.is_dir() {
            for entry in fs::read_dir(&path)? {
                let inner = entry?.path();
                if let Some(file) = inner.file_name().and_then(|name| name.to_str()) {
                    add(&mut files, &inner, format!("{name}/{file}"))?;
                }
            }
        } else {
            add(&mut files, &path, name.to_owned())?;
        }
    }
    Ok(files)
}

fn add(files: &mut Vec<(String, String)>, path: &Path, name: String) -> anyhow::Result<()> {
    if path
        .extension()
        .is_some_and(|extension| extension == "toml")
    {
        let text = plain_file::read_text(path).with_context(|| path.display().to_string())?;
        files.push((name, text));
    }
    Ok(())
}
