//! What a name means: an operation, a field, a resource, an error or a word of the protocol.

use mappings::Catalog;
use migrate_report::Document;
use serde::Serialize;

use super::{
    FieldPage, NotificationsPage, OperationPage, Overview, field,
    guide::{ErrorPage, Guide, WordPage},
    overview::resource_of,
    page,
};
use crate::v1_address;

/// The lowest similarity of a suggested name, from 0 to 1 (Jaro-Winkler).
const ALIKE: f64 = 0.8;
/// How many names are suggested at most.
const SUGGESTIONS: usize = 3;

/// The name of the page of push notifications.
const NOTIFICATIONS: &str = "notifications";

/// A page. As JSON, each has a `kind`.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Topic<'a> {
    Operation(Box<OperationPage<'a>>),
    Field(FieldPage<'a>),
    /// All operations, or those of a resource.
    Overview(Overview<'a>),
    Error(ErrorPage<'a>),
    Word(WordPage),
    /// All push notifications.
    Notifications(NotificationsPage<'a>),
}

/// A name that means nothing; says which names come near.
#[derive(Debug, thiserror::Error)]
#[error(
    "v1 had no operation, parameter, answer field or error `{name}`{}",
    suggestion(.nearest, "migrate explain")
)]
pub(crate) struct UnknownTopic {
    name: String,
    nearest: Vec<String>,
}

impl<'a> Topic<'a> {
    /// All operations.
    pub(crate) fn all(catalog: &'a Catalog) -> Self {
        Self::Overview(Overview::new(catalog, None))
    }

    /// Finds what a name means: an operation in any case, under any of its names, as a path or a
    /// URL; the name of a parameter or an answer field; the first part of operations' names; the
    /// number of an error; a word of the protocol; the only operation that ends with it.
    pub(crate) fn find(catalog: &'a Catalog, name: &str) -> Result<Self, UnknownTopic> {
        let prefix = &catalog.protocol().prefix;
        let path = v1_address::below_prefix(name, prefix);
        let path = path.unwrap_or_else(|| v1_address::path(name).trim_matches('/').to_owned());
        let page = |operation| Self::Operation(Box::new(OperationPage::new(catalog, operation)));
        if let Some(operation) = catalog.find(&path) {
            return Ok(page(operation));
        }
        if let Some(page) = FieldPage::find(catalog, &path) {
            return Ok(Self::Field(page));
        }
        if path.eq_ignore_ascii_case(NOTIFICATIONS) {
            return Ok(Self::Notifications(NotificationsPage::new(catalog)));
        }
        let resources = catalog.operations().iter().map(resource_of);
        if let Some(resource) = { resources }.find(|known| known.eq_ignore_ascii_case(&path)) {
            return Ok(Self::Overview(Overview::new(catalog, Some(resource))));
        }
        if let Some(page) = ErrorPage::find(catalog, &path) {
            return Ok(Self::Error(page));
        }
        if let Some(guide) = Guide::find(&path) {
            return Ok(Self::Word(WordPage::new(&path, guide)));
        }
        let ending = format!("/{}", path.to_lowercase());
        let mut ends = { catalog.operations().iter() }
            .filter(|operation| operation.name.to_lowercase().ends_with(&ending));
        if let (Some(only), None) = (ends.next(), ends.next()) {
            return Ok(page(only));
        }
        let names = operation_names(catalog).chain(field::names(catalog));
        Err(UnknownTopic {
            nearest: nearest(&path, names.chain(Guide::names())),
            name: path,
        })
    }

    /// The page for people; with `all`, what is exact is not only counted.
    pub(crate) fn document(&self, all: bool) -> Document<'static> {
        match self {
            Self::Operation(page) => page::operation(page, all),
            Self::Field(page) => page::field(page),
            Self::Overview(page) => page::overview(page),
            Self::Error(page) => page::errors(page),
            Self::Word(page) => page::words(page),
            Self::Notifications(page) => page::notifications(page, all),
        }
    }
}

/// The operations whose names come near to a name that no operation has.
pub(crate) fn nearest_operations(catalog: &Catalog, name: &str) -> Vec<String> {
    nearest(name, operation_names(catalog))
}

/// `; did you mean …?`, or the command that lists all names.
pub(crate) fn suggestion(nearest: &[String], list: &str) -> String {
    if nearest.is_empty() {
        return format!("; `{list}` lists all");
    }
    format!("; did you mean {}?", super::wording::one_of(nearest))
}

fn operation_names(catalog: &Catalog) -> impl Iterator<Item = &str> {
    catalog.operations().iter().flat_map(|operation| {
        let aliases = operation.aliases.iter().map(String::as_str);
        std::iter::once(operation.name.as_str()).chain(aliases)
    })
}

/// The names that come near to one that is unknown.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<String> {
    let name = name.to_lowercase();
    let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let mut near: Vec<(f64, &str)> = known
        .map(|known| {
            let lower = known.to_lowercase();
            let whole = strsim::jaro_winkler(&name, &lower);
            // `getbyemail` is near to `user/getbyemail`.
            let end = strsim::jaro_winkler(&last(&name), &last(&lower)) - 0.05;
            (
                if name.contains('/') {
                    whole
                } else {
                    whole.max(end)
                },
                known,
            )
        })
        .filter(|(alike, _)| *alike >= ALIKE)
        .collect();
    near.sort_by(|(one, a), (other, b)| other.total_cmp(one).then_with(|| a.cmp(b)));
    near.dedup_by(|(_, one), (_, other)| one == other);
    let nearest = near.into_iter().take(SUGGESTIONS);
    nearest.map(|(_, name)| format!("`{name}`")).collect()
}
