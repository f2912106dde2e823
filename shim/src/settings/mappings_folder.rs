//! Reads a folder of mappings.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use mappings::{Catalog, catalog::CatalogError};

/// A folder of mappings with its files: name and text, in any order.
pub(crate) struct MappingsFolder {
    folder: PathBuf,
    pub(crate) files: Vec<(String, String)>,
}

/// Error of reading mappings.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MappingsFolderError {
    #[error("{named}: {} cannot be read: {source}", path.display())]
    Unreadable {
        /// The setting or flag that names it.
        named: String,
        path: PathBuf,
        source: io::Error,
    },
    #[error("the mappings in {} cannot be used\n{source}", folder.display())]
    Wrong {
        folder: PathBuf,
        source: Box<CatalogError>,
    },
}

impl MappingsFolder {
    /// `named` is the setting or flag that names the folder.
    pub(crate) fn read(folder: &Path, named: &str) -> Result<Self, MappingsFolderError> {
        let unreadable = |path: &Path, source| MappingsFolderError::Unreadable {
            named: named.to_owned(),
            path: path.to_owned(),
            source,
        };
        let entries = |of: &Path| -> io::Result<Vec<PathBuf>> {
            let entries = fs::read_dir(of)?.map(|entry| entry.map(|entry| entry.path()));
            entries.collect()
        };
        let mut paths = Vec::new();
        for path in entries(folder).map_err(|source| unreadable(folder, source))? {
            if path.is_dir() {
                paths.extend(entries(&path).map_err(|source| unreadable(&path, source))?);
            } else {
                paths.push(path);
            }
        }
        let mut files = Vec::new();
        for path in paths {
            let name = path.strip_prefix(folder).ok().and_then(Path::to_str);
            if let Some(name) = name
                && path.extension().is_some_and(|end| end == "toml")
            {
                let text = fs::read_to_string(&path);
                let text = text.map_err(|source| unreadable(&path, source))?;
                files.push((name.replace('\\', "/"), text));
            }
        }
        Ok(Self {
            folder: folder.to_owned(),
            files,
        })
    }

    /// The mappings.
    pub(crate) fn catalog(self) -> Result<Catalog, MappingsFolderError> {
        let catalog = Catalog::with_overrides(self.files);
        catalog.map_err(|error| MappingsFolderError::Wrong {
            folder: self.folder,
            source: Box::new(error),
        })
    }
}
