//! Overview of all operations.

use mappings::{Catalog, catalog::operation::Operation};
use serde::Serialize;

use super::{
    Counts, OperationPage, SCHEMA,
    operation::{ServiceKind, unique, v2_requests},
};

/// All operations, or those of one resource.
#[derive(Debug, Serialize)]
pub(crate) struct Overview<'a> {
    pub(crate) schema: u32,
    pub(crate) kind: &'static str,
    /// Number of operations that the shim serves.
    pub(crate) served: usize,
    /// Number of operations in v1.
    pub(crate) known: usize,
    pub(crate) resources: Vec<ResourceEntry<'a>>,
}

/// Operations of a resource.
#[derive(Debug, Serialize)]
pub(crate) struct ResourceEntry<'a> {
    /// First segment of the operation names.
    pub(crate) name: &'a str,
    pub(crate) served: usize,
    /// OAuth scopes of all its operations.
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
    /// v2 requests that serve or replace it.
    pub(crate) v2: Vec<String>,
    /// True if several requests, or one per item, replace it.
    pub(crate) composite: bool,
    /// Parameters and response fields by fidelity; `None` without field mappings.
    pub(crate) counts: Option<Counts>,
    pub(crate) catalog: String,
}

impl<'a> Overview<'a> {
    /// Lists the operations of a resource, or all. Resources with served operations come first.
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
            resource.scopes = unique(calls.map(|call| call.scope.as_str()));
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
            v2: v2_requests(operation),
            composite: replacement.is_some_and(|replacement| replacement.composite),
            counts: operation.is_served().then(|| page.counts()),
            catalog: page.catalog,
        }
    }
}

/// First segment of an operation name.
pub(crate) fn resource_of(operation: &Operation) -> &str {
    let name = operation.name.as_str();
    name.split_once('/').map_or(name, |(resource, _)| resource)
}
