//! A site's own mappings in place of built-in ones.

use std::{fs, path::Path};

use anyhow::{Context as _, anyhow};
use mappings::Catalog;

/// The built-in catalog, with the files of a folder in place of those of the same name.
pub(crate) fn catalog(folder: Option<&Path>) -> anyhow::Result<Catalog> {
    let Some(folder) = folder else {
        return Ok(Catalog::embedded()?);
    };
    let unreadable = || format!("--mappings: {} cannot be read", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(unreadable)? {
        let path = entry.with_context(unreadable)?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(name) = name
            && path.extension().is_some_and(|end| end == "toml")
        {
            let text = fs::read_to_string(&path).with_context(unreadable)?;
            files.push((name.to_owned(), text));
        }
    }
    Catalog::with_overrides(files).map_err(|error| {
        anyhow!(
            "the mappings in {} cannot be used\n{error}",
            folder.display()
        )
    })
}
