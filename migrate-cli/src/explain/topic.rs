//! Lookup of a name: an operation, field, resource, error code or protocol term.

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

/// Minimum similarity of a suggested name, from 0 to 1 (Jaro-Winkler).
const MIN_SIMILARITY: f64 = 0.8;
/// Maximum number of suggestions.
const MAX_SUGGESTIONS: usize = 3;

/// Names of the page of push notifications.
const NOTIFICATIONS: [&str; 5] = [
    "notifications",
    "push",
    "push notifications",
    "webhook",
    "webhooks",
];

/// A page. In JSON, each has a `kind`.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Topic<'a> {
    Operation(Box<OperationPage<'a>>),
    Field(FieldPage<'a>),
    Overview(Overview<'a>),
    Error(ErrorPage<'a>),
    Word(WordPage),
    Notifications(NotificationsPage<'a>),
}

/// Unknown name, with similar known names.
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
    /// Page of all operations.
    pub(crate) fn all(catalog: &'a Catalog) -> Self {
        Self::Overview(Overview::new(catalog, None))
    }

    /// Finds the page of a name. In order: an operation (ignoring case; name, alias, path or URL),
    /// a parameter or response field, a resource, an error code, a protocol term, the only
    /// operation with that last segment, the only field that v2 calls so, the error that a text
    /// quotes.
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
        if NOTIFICATIONS
            .iter()
            .any(|known| path.eq_ignore_ascii_case(known))
        {
            return Ok(Self::Notifications(NotificationsPage::new(catalog)));
        }
        let mut resources = catalog.operations().iter().map(resource_of);
        if let Some(resource) = resources.find(|known| known.eq_ignore_ascii_case(&path)) {
            return Ok(Self::Overview(Overview::new(catalog, Some(resource))));
        }
        if let Some(page) = ErrorPage::find(catalog, &path) {
            return Ok(Self::Error(page));
        }
        if let Some(guide) = Guide::find(&path) {
            return Ok(Self::Word(WordPage::new(&path, guide)));
        }
        let ending = format!("/{}", path.to_lowercase());
        let mut ends = catalog
            .operations()
            .iter()
            .filter(|operation| operation.name.to_lowercase().ends_with(&ending));
        if let (Some(only), None) = (ends.next(), ends.next()) {
            return Ok(page(only));
        }
        let of_v2 = field::named_in_v2(catalog, &path);
        if let [only] = of_v2.as_slice()
            && let Some(page) = FieldPage::find(catalog, only)
        {
            return Ok(Self::Field(page));
        }
        if !of_v2.is_empty() {
            let nearest = of_v2
                .iter()
                .take(MAX_SUGGESTIONS)
                .map(|name| format!("`{name}`"));
            return Err(UnknownTopic {
                nearest: nearest.collect(),
                name: path,
            });
        }
        if let Some(named) = Guide::quoted(&path).filter(|named| *named != path) {
            return Self::find(catalog, named);
        }
        if let Some(page) = ErrorPage::quoted(catalog, &path) {
            return Ok(Self::Error(page));
        }
        let names = operation_names(catalog).chain(field::names(catalog));
        Err(UnknownTopic {
            nearest: nearest(&path, names.chain(Guide::names())),
            name: path,
        })
    }

    /// Builds the document. With `all`, exact parameters and fields are listed, too.
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

/// Operations with names similar to an unknown one.
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

/// Known names that are similar to an unknown one.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<String> {
    let name = name.to_lowercase();
    let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let mut near: Vec<(f64, &str)> = known
        .map(|known| {
            let lower = known.to_lowercase();
            let whole = strsim::jaro_winkler(&name, &lower);
            // `getbyemail` is similar to `user/getbyemail`.
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
        .filter(|(alike, _)| *alike >= MIN_SIMILARITY)
        .collect();
    near.sort_by(|(one, a), (other, b)| other.total_cmp(one).then_with(|| a.cmp(b)));
    near.dedup_by(|(_, one), (_, other)| one == other);
    let nearest = near.into_iter().take(MAX_SUGGESTIONS);
    nearest.map(|(_, name)| format!("`{name}`")).collect()
}
