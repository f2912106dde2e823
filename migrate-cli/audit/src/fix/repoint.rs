//! Recipes to point client libraries at the shim, for which there is no edit.

use crate::{
    fix::{Wanted, base_url, page::Page},
    run::Audit,
};

impl Audit<'_> {
    /// How to point the client library of a file at the shim.
    pub(super) fn repointing(&self, page: &Page<'_>, wanted: &Wanted) -> Option<String> {
        let language = page.language.name().to_ascii_lowercase();
        let library = self.rules.libraries.iter().find(|library| {
            let mut names = library.imports.iter().chain(&library.constructors);
            library.languages.contains(&language)
                && names.any(|name| page.text.contains(name.as_str()))
        })?;
        let base = wanted
            .moved
            .url
            .as_ref()
            .map_or_else(|| "https://SHIM/v1".to_owned(), base_url);
        Some(match &library.repoint {
            Some(way) => format!(
                "Point the library at the shim: {}",
                way.replace("{base}", &base)
            ),
            None => format!(
                "{} holds its base URL itself: lead the host to the shim, for example by a hosts entry",
                library.package
            ),
        })
    }
}
