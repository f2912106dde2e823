//! What a name means: an operation, a field or a resource.

use mappings::{Catalog, catalog::operation::Operation};

use super::{FieldPage, field, overview::resource_of};
use crate::v1_address;

/// The lowest similarity of a suggested name, from 0 to 1 (Jaro-Winkler).
const ALIKE: f64 = 0.8;
/// How many names are suggested at most.
const SUGGESTIONS: usize = 3;

/// The name of the page of push notifications.
const NOTIFICATIONS: &str = "notifications";

/// What a page can be about.
pub(crate) enum Topic<'a> {
    Operation(&'a Operation),
    Field(FieldPage<'a>),
    /// All push notifications.
    Notifications,
    /// All operations of a resource.
    Resource(&'a str),
}

/// A name that means nothing; says which names come near.
#[derive(Debug, thiserror::Error)]
#[error("v1 had no operation, parameter or answer field `{name}`{}", suggestion(.nearest))]
pub(crate) struct UnknownTopic {
    name: String,
    nearest: Vec<String>,
}

impl<'a> Topic<'a> {
    /// Finds what a name means: an operation in any case, under any of its names, as a path or a
    /// URL; the name of a parameter or an answer field; the first part of operations' names.
    pub(crate) fn find(catalog: &'a Catalog, name: &str) -> Result<Self, UnknownTopic> {
        let prefix = &catalog.protocol().prefix;
        let path = v1_address::below_prefix(name, prefix);
        let path = path.unwrap_or_else(|| v1_address::path(name).trim_matches('/').to_owned());
        if let Some(operation) = catalog.find(&path) {
            return Ok(Self::Operation(operation));
        }
        if let Some(page) = FieldPage::find(catalog, &path) {
            return Ok(Self::Field(page));
        }
        if path.eq_ignore_ascii_case(NOTIFICATIONS) {
            return Ok(Self::Notifications);
        }
        let resources = catalog.operations().iter().map(resource_of);
        if let Some(resource) = { resources }.find(|known| known.eq_ignore_ascii_case(&path)) {
            return Ok(Self::Resource(resource));
        }
        let operations = operation_names(catalog);
        Err(UnknownTopic {
            nearest: nearest(&path, operations.chain(field::names(catalog))),
            name: path,
        })
    }
}

/// The operations whose names come near to a name that no operation has.
pub(crate) fn nearest_operations(catalog: &Catalog, name: &str) -> Vec<String> {
    nearest(name, operation_names(catalog))
}

/// `; did you mean …?`, or where all names are.
pub(crate) fn suggestion(nearest: &[String]) -> String {
    if nearest.is_empty() {
        return "; `migrate explain` lists what there is".to_owned();
    }
    format!("; did you mean {}?", super::wording::one_of(nearest))
}

fn operation_names(catalog: &Catalog) -> impl Iterator<Item = &str> {
    catalog.operations().iter().flat_map(|operation| {
        let aliases = operation.aliases.iter().map(String::as_str);
        std::iter::once(operation.name.as_str()).chain(aliases)
    })
}

fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<String> {
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
