//! All operations at a glance.

use mappings::{Catalog, catalog::operation::Operation};
use serde::Serialize;

use super::{
    Counts, OperationPage, SCHEMA,
    operation::{ServiceKind, once_each},
};

/// All operations, or those of a resource.
#[derive(Debug, Serialize)]
pub(crate) struct Overview<'a> {
    pub(crate) schema: u32,
    pub(crate) kind: &'static str,
    /// How many are answered by the shim.
    pub(crate) served: usize,
    /// How many there are in all.
    pub(crate) known: usize,
    pub(crate) resources: Vec<ResourceEntry<'a>>,
}

/// The operations of a resource.
#[derive(Debug, Serialize)]
pub(crate) struct ResourceEntry<'a> {
    /// The first part of the operations' names.
    pub(crate) name: &'a str,
    pub(crate) served: usize,
    /// The OAuth scopes that all of them need.
    pub(crate) scopes: Vec<&'a str>,
    pub(crate) operations: Vec<OverviewEntry<'a>>,
}

/// One operation.
#[derive(Debug, Serialize)]
pub(crate) struct OverviewEntry<'a> {
    pub(crate) name: &'a str,
    pub(crate) summary: &'a str,
    pub(crate) read: bool,
    pub(crate) service: ServiceKind,
    /// The v2 requests that serve or replace it.
    pub(crate) v2: Vec<String>,
    /// True if several requests, or one for each item, replace it.
    pub(crate) composite: bool,
    /// Parameters and answer fields by fidelity; `None` if there are no field mappings yet.
    pub(crate) counts: Option<Counts>,
    pub(crate) catalog: String,
}

impl<'a> Overview<'a> {
    /// The operations of a resource, or all of them. Resources with served operations come first.
    pub(crate) fn new(catalog: &'a Catalog, resource: Option<&str>) -> Self {
        let mut resources: Vec<ResourceEntry<'a>> = Vec::new();
        for operation in catalog.operations() {
            let name = resource_of(operation);
            if resource.is_some_and(|wanted| wanted != name) {
                continue;
            }
            let entry = OverviewEntry::new(catalog, operation);
            match resources.iter_mut().find(|known| known.name == name) {
                Some(known) => known.operations.push(entry),
                None => resources.push(ResourceEntry {
                    name,
                    served: 0,
                    scopes: Vec::new(),
                    operations: vec![entry],
                }),
            }
        }
        for resource in &mut resources {
            let served = |entry: &&OverviewEntry<'_>| entry.service != ServiceKind::NotServed;
            resource.served = resource.operations.iter().filter(served).count();
            let of = catalog.operations().iter();
            let of = of.filter(|operation| resource_of(operation) == resource.name);
            let calls = of.filter_map(Operation::plan).flat_map(|plan| &plan.calls);
            resource.scopes = once_each(calls.map(|call| call.scope.as_str()));
        }
        resources.sort_by_key(|resource| resource.served == 0);
        Self {
            schema: SCHEMA,
            kind: "overview",
            served: resources.iter().map(|resource| resource.served).sum(),
            known: resources.iter().map(|r| r.operations.len()).sum(),
            resources,
        }
    }
}

impl<'a> OverviewEntry<'a> {
    fn new(catalog: &'a Catalog, operation: &'a Operation) -> Self {
        let page = OperationPage::new(catalog, operation);
        let replacement = page.replacement.as_ref();
        Self {
            name: &operation.name,
            summary: &operation.summary,
            read: operation.read,
            service: page.service,
            v2: operation
                .v2_requests()
                .into_iter()
                .map(|(method, path)| format!("{method} {path}"))
                .collect(),
            composite: replacement.is_some_and(|replacement| replacement.composite),
            counts: operation.is_served().then(|| page.counts()),
            catalog: page.catalog,
        }
    }
}

/// The first part of an operation's name.
pub(crate) fn resource_of(operation: &Operation) -> &str {
    let name = operation.name.as_str();
    name.split_once('/').map_or(name, |(resource, _)| resource)
}
