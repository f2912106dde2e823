//! A project's own clients that make paths out of the names of their methods, as `__call` and
//! `method_missing` do: `$conferences->user_list([…])`.

use std::collections::BTreeSet;

use crate::{
    facts::FileFacts,
    names::{last_identifier, split_words},
    rules::Words,
};

/// The classes of a file that answer to any method; a name that many programs have proves nothing in
/// other files.
pub(crate) fn classes(file: &FileFacts, words: &Words) -> BTreeSet<String> {
    let dynamic = file
        .functions
        .iter()
        .filter(|(name, _)| words.dynamic.contains(name));
    let classes = dynamic.filter_map(|(_, function)| function.class.clone());
    let is_telling = |class: &String| {
        let names = split_words(class);
        names
            .iter()
            .any(|name| name == "zoom" || !words.class_fillers.contains(name))
    };
    classes.filter(is_telling).collect()
}

/// The names of a file that hold a client.
#[derive(Debug)]
pub(crate) struct Clients<'f> {
    classes: &'f BTreeSet<String>,
    names: BTreeSet<&'f str>,
}

impl<'f> Clients<'f> {
    /// Follows the names of a file from what constructs clients.
    pub(crate) fn of(file: &'f FileFacts, classes: &'f BTreeSet<String>) -> Self {
        let mut clients = Self {
            classes,
            names: BTreeSet::new(),
        };
        // A name may be used before the line that gives it its value.
        for _ in 0..2 {
            for binding in &file.bindings {
                if clients.is_client(&binding.value) {
                    clients.names.insert(&binding.name);
                }
            }
        }
        clients
    }

    /// True if an expression is a client: a name of one, or the construction of one.
    pub(crate) fn is_client(&self, text: &str) -> bool {
        let text = text
            .trim_start_matches(['(', ' '])
            .trim_start_matches("await ");
        let is_new = text.starts_with("new ");
        let made = text.trim_start_matches("new ");
        let callee = made.split('(').next().unwrap_or_default();
        let class = callee.strip_suffix(".new");
        let is_made = is_new || callee.len() < made.len() || class.is_some();
        let class = class.unwrap_or(callee);
        if is_made && self.classes.contains(last_identifier(class)) {
            return true;
        }
        let is_name = text
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | '@' | '.' | '-' | '>' | ':'));
        is_name && self.names.contains(last_identifier(text))
    }
}
