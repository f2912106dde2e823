//! Classification of members and parameters by name.

use std::collections::{BTreeSet, HashMap};

use mappings::{
    Catalog,
    catalog::field::{Kind, Place},
};
use memchr::memmem::Finder;

/// Classification of a value by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Not confidential.
    Plain,
    /// Secret.
    Secret,
    /// Name of a person, to be replaced by a pseudonym.
    Personal,
}

impl Meaning {
    /// Classification of a member with classification `own` within a value with this one.
    pub(super) fn inside(self, own: Self) -> Self {
        match (self, own) {
            (Self::Secret, _) | (_, Self::Secret) => Self::Secret,
            (Self::Personal, _) => Self::Personal,
            (Self::Plain, own) => own,
        }
    }
}

/// Names of the catalog, and words that mark other names as secret.
#[derive(Debug)]
pub(super) struct Names {
    /// Classification by lower-case name.
    known: HashMap<String, Meaning>,
    /// Words that mark names containing them as secret, unless the catalog has a field of that
    /// name.
    secret_words: Vec<Finder<'static>>,
}

impl Names {
    pub(super) fn new(catalog: &Catalog, has_pseudonyms: bool) -> Self {
        let protocol = catalog.protocol();
        let mut secret =
            BTreeSet::from([protocol.key.to_lowercase(), protocol.secret.to_lowercase()]);
        let mut plain = BTreeSet::new();
        for field in catalog.fields() {
            let is_secret = field.parts.iter().any(|part| part.kind == Kind::Secret);
            let names = if is_secret { &mut secret } else { &mut plain };
            names.extend(field.parts.iter().map(|part| part.name.to_lowercase()));
            for place in &field.places {
                if let Place::Document(place) = place {
                    let last = place.pointer.rsplit('/').next().unwrap_or_default();
                    names.insert(last.to_lowercase());
                }
            }
        }
        for call in catalog.plans().flat_map(|plan| &plan.calls) {
            plain.extend(call.pages.iter().map(|pages| pages.token.to_lowercase()));
        }

        let secret_words = protocol.secret_words.iter();
        let mut names = Self {
            known: HashMap::new(),
            secret_words: secret_words
                .map(|word| Finder::new(word).into_owned())
                .collect(),
        };
        names.add(plain, Meaning::Plain);
        if has_pseudonyms {
            let personal = protocol.personal.iter().map(|name| name.to_lowercase());
            let personal: BTreeSet<_> = personal
                .filter(|name| names.meaning(name) == Meaning::Plain)
                .collect();
            names.add(personal, Meaning::Personal);
        }
        names.add(secret, Meaning::Secret);
        names
    }

    fn add(&mut self, names: BTreeSet<String>, meaning: Meaning) {
        self.known
            .extend(names.into_iter().map(|name| (name, meaning)));
    }

    pub(super) fn meaning(&self, name: &str) -> Meaning {
        if let Some(meaning) = self.known.get(name) {
            return *meaning;
        }
        let name = name.to_lowercase();
        if let Some(meaning) = self.known.get(&name) {
            return *meaning;
        }
        let is_in_name = |word: &Finder<'_>| word.find(name.as_bytes()).is_some();
        if self.secret_words.iter().any(is_in_name) {
            Meaning::Secret
        } else {
            Meaning::Plain
        }
    }
}
