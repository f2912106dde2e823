//! Reads a folder of mappings.

use std::{fs, path::Path};

use anyhow::{Context as _, anyhow};
use mappings::Catalog;

/// The mappings of a folder; `named` is where somebody named it.
pub(super) fn catalog_of(folder: &Path, named: &str) -> anyhow::Result<Catalog> {
    let unreadable = || format!("{named}: {} cannot be read", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(unreadable)? {
        let path = entry.with_context(unreadable)?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(name) = name
            && Path::new(name).extension().is_some_and(|end| end == "toml")
        {
            let text = fs::read_to_string(&path)
                .with_context(|| format!("{named}: {} cannot be read", path.display()))?;
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
