//! Reads a folder of mappings.

use std::{fs, path::Path};

use anyhow::{Context as _, anyhow};
use mappings::Catalog;

/// The mappings of a folder; `named` is where somebody named it.
pub(super) fn catalog_of(folder: &Path, named: &str) -> anyhow::Result<Catalog> {
    let unreadable = || format!("{named}: {} cannot be read", folder.display());
    let mut files = Vec::new();
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).with_context(unreadable)? {
        let path = entry.with_context(unreadable)?.path();
        if path.is_dir() {
            for entry in fs::read_dir(&path).with_context(unreadable)? {
                paths.push(entry.with_context(unreadable)?.path());
            }
        } else {
            paths.push(path);
        }
    }
    for path in paths {
        let name = path.strip_prefix(folder).ok().and_then(Path::to_str);
        if let Some(name) = name
            && path.extension().is_some_and(|end| end == "toml")
        {
            let text = fs::read_to_string(&path)
                .with_context(|| format!("{named}: {} cannot be read", path.display()))?;
            files.push((name.replace('\\', "/"), text));
        }
    }
    Catalog::with_overrides(files).map_err(|error| {
        anyhow!(
            "the mappings in {} cannot be used\n{error}",
            folder.display()
        )
    })
}
