//! Knowledge of the API is data: no Rust source names a field, path or error of an area.
//!
//! Compares string literals, including those in macros, with the catalog. Tests in `src` are not
//! checked. Of field names, only those of several words count: `id` or `type` may be anything.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use mappings::{
    Catalog,
    catalog::{field::Place, protocol::RuleAnswer},
};
use proc_macro2::TokenTree;
use syn::{Attribute, Item, LitStr, Macro, visit::Visit};

use crate::sources::{is_test, root, rust_files};

/// Folders that must not contain knowledge of the API.
const SOURCES: [&str; 7] = [
    "mappings/src",
    "mappings/recording/src",
    "shim/src",
    "shim/upstream/src",
    "migrate-cli/src",
    "migrate-cli/audit/src",
    "migrate-cli/report/src",
];

/// Literals with another meaning: file, literal, reason. An unused entry fails the test.
const OTHERS: [(&str, &str, &str); 9] = [
    (
        "mappings/src/catalog/place.rs",
        "account_id",
        "the place `site:account_id`",
    ),
    (
        "mappings/src/catalog/place.rs",
        "page_count",
        "the document of a page, which the core makes",
    ),
    (
        "mappings/src/catalog/place.rs",
        "page_number",
        "the document of a page, which the core makes",
    ),
    (
        "mappings/src/catalog/place.rs",
        "page_size",
        "the document of a page, which the core makes",
    ),
    (
        "mappings/src/catalog/place.rs",
        "total_records",
        "the document of a page, which the core makes",
    ),
    (
        "shim/src/settings/table.rs",
        "user/get",
        "the example of a setting",
    ),
    (
        "shim/src/settings/table.rs",
        "user/list",
        "the example of a setting",
    ),
    (
        "shim/upstream/src/token.rs",
        "account_id",
        "a parameter of OAuth",
    ),
    (
        "shim/src/cli/replay.rs",
        "access_token",
        "what OAuth answers",
    ),
];

#[test]
fn rust_sources_hold_no_api_knowledge() {
    let words = words(&Catalog::embedded().unwrap());
    assert!(words.len() > 700, "{} words are too few", words.len());
    let root = root();
    let mut allowed: BTreeSet<_> = OTHERS
        .iter()
        .map(|(file, word, _)| (*file, *word))
        .collect();
    let mut used = BTreeSet::new();
    let mut found = Vec::new();
    let sources = SOURCES.iter().map(|source| root.join(source));
    for file in sources.flat_map(|source| rust_files(&source)) {
        let name = file.strip_prefix(&root).unwrap().to_str().unwrap();
        for literal in literals(&fs::read_to_string(&file).unwrap()) {
            let Some(what) = words.get(&literal) else {
                continue;
            };
            match allowed
                .iter()
                .find(|(at, word)| *at == name && *word == literal)
            {
                Some(entry) => {
                    used.insert(*entry);
                }
                None => found.push(format!("{name}: \"{literal}\" is {what}")),
            }
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
    allowed.retain(|entry| !used.contains(entry));
    assert!(allowed.is_empty(), "remove from OTHERS: {allowed:?}");
}

#[test]
fn finds_string_literals() {
    let text = r#"
        fn f() { g("host_id"); json!({ "start_url": [h("meeting/get")] }); }
        #[cfg(test)]
        mod tests { const A: &str = "in_a_test"; }
    "#;
    assert_eq!(literals(text), ["host_id", "start_url", "meeting/get"]);
}

/// Words of the catalog, with their kind.
fn words(catalog: &Catalog) -> BTreeMap<String, &'static str> {
    let mut words = BTreeMap::new();
    let mut add = |word: &str, what| {
        words.insert(word.to_owned(), what);
    };
    for field in catalog.fields() {
        let parts = field.parts.iter();
        let v1 = parts.flat_map(|part| part.aliases.iter().chain([&part.name]));
        v1.filter(|name| has_several_words(name))
            .for_each(|name| add(name, "a v1 field"));
        for place in &field.places {
            let Place::Document(place) = place else {
                continue;
            };
            add(&place.pointer, "a place in v2");
            let steps = place.pointer.split('/');
            steps
                .filter(|name| has_several_words(name))
                .for_each(|name| add(name, "a v2 member"));
        }
    }
    for operation in catalog.operations() {
        let names = operation.aliases.iter().chain([&operation.name]);
        names.for_each(|name| add(name, "a v1 operation"));
        let messages = operation
            .rules
            .iter()
            .filter_map(|rule| match &rule.answer {
                RuleAnswer::Said { message, .. } => Some(message.as_ref()?.to_string()),
                RuleAnswer::Named(_) => None,
            });
        messages.for_each(|message| add(&message, "an error of v1"));
        let patterns = operation
            .rules
            .iter()
            .filter_map(|rule| rule.v2.message.as_deref());
        patterns.for_each(|pattern| add(pattern, "an error of v2"));
    }
    for call in catalog.plans().flat_map(|plan| &plan.calls) {
        add(&call.template, "a path of v2");
        add(
            &format!("{} {}", call.method, call.template),
            "a path of v2",
        );
        add(&call.scope, "a scope");
    }
    // Without single-word members, as in `/id`.
    words.retain(|word, _| word.matches(['/', '_', ' ']).count() > 0 && !is_short(word));
    words
}

fn has_several_words(name: &str) -> bool {
    name.contains('_') || name.contains(char::is_uppercase)
}

/// True for a pointer to a top-level member of a single word.
fn is_short(word: &str) -> bool {
    word.strip_prefix('/')
        .is_some_and(|name| !name.contains(['/', '_', '{']))
}

/// String literals of a file, without those of its tests.
fn literals(text: &str) -> Vec<String> {
    let mut reader = Reader::default();
    reader.visit_file(&syn::parse_file(text).unwrap_or_else(|error| panic!("{error}")));
    reader.0
}

#[derive(Default)]
struct Reader(Vec<String>);

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes: &[Attribute] = match item {
            Item::Mod(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            _ => &[],
        };
        if !is_test(attributes) {
            syn::visit::visit_item(self, item);
        }
    }

    /// Skips documentation.
    fn visit_attribute(&mut self, _: &'ast Attribute) {}

    fn visit_lit_str(&mut self, literal: &'ast LitStr) {
        self.0.push(literal.value());
    }

    fn visit_macro(&mut self, called: &'ast Macro) {
        let mut open = vec![called.tokens.clone().into_iter()];
        while let Some(tokens) = open.last_mut() {
            match tokens.next() {
                None => drop(open.pop()),
                Some(TokenTree::Group(group)) => open.push(group.stream().into_iter()),
                Some(TokenTree::Literal(literal)) => {
                    let text = syn::parse_str::<LitStr>(&literal.to_string());
                    self.0.extend(text.ok().map(|text| text.value()));
                }
                Some(_) => {}
            }
        }
    }
}
