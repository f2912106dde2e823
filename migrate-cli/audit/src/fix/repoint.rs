//! Recipes to point client libraries at the shim, for which there is no edit.

use crate::{
    fix::{Wanted, page::Page},
    run::Audit,
    shim_address::base_at,
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
        Some(library.repointing(&base_at(wanted.moved.url.as_ref())))
    }
}
