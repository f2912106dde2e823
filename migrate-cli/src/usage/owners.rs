//! Remaining v1 usage by owner.

use std::collections::{BTreeMap, BTreeSet};

use mappings::{Catalog, catalog::operation::Operation};
use recording::usage::{Consumer, Ledger, day_name, day_of};
use serde::Serialize;

use super::{Code, code::Place};

/// Remaining v1 usage of an owner.
#[derive(Debug, Default, Serialize)]
pub(crate) struct OwnerReport {
    /// Owner; null for keys without one.
    pub(crate) owner: Option<String>,
    /// v1 keys that called.
    pub(crate) keys: BTreeSet<String>,
    pub(crate) requests: u64,
    /// Requests during brownouts.
    pub(crate) brownout: u64,
    /// Day of the last request; null if there is none.
    pub(crate) last: Option<String>,
    /// Operations, by name.
    pub(crate) operations: Vec<OwnedOperation>,
}

/// An operation that an owner still calls or has in code.
#[derive(Debug, Default, Serialize)]
pub(crate) struct OwnedOperation {
    pub(crate) operation: String,
    pub(crate) requests: u64,
    /// Requests during brownouts.
    pub(crate) brownout: u64,
    /// Day of the last request; null if there is none.
    pub(crate) last: Option<String>,
    /// v2 requests that replace it.
    pub(crate) v2: String,
    /// Code locations: files of the owner and files without an owner.
    pub(crate) places: Vec<Place>,
}

/// Groups usage by owner; keys without an owner come last.
pub(crate) fn owners(ledger: &Ledger, code: Option<&Code>, catalog: &Catalog) -> Vec<OwnerReport> {
    let mut owners: BTreeMap<(bool, Option<&str>), Sums<'_>> = BTreeMap::new();
    for consumer in ledger
        .consumers
        .iter()
        .filter(|consumer| consumer.key.is_some())
    {
        let owner = consumer.owner.as_deref();
        owners
            .entry((owner.is_none(), owner))
            .or_default()
            .add(consumer);
    }
    // Owners of code may have keys without calls.
    let in_code = code
        .into_iter()
        .flat_map(|code| code.places.values().flatten());
    for name in in_code.flat_map(|place| &place.owners) {
        if !owners
            .keys()
            .any(|(_, owner)| owner.is_some_and(|owner| is_same(owner, name)))
        {
            owners.entry((false, Some(name))).or_default();
        }
    }
    let owners = owners.into_iter();
    owners
        .map(|((_, owner), sums)| sums.report(owner, code, catalog))
        .collect()
}

/// Totals of the consumers of an owner.
#[derive(Default)]
struct Sums<'a> {
    keys: BTreeSet<String>,
    operations: BTreeMap<&'a str, OwnedOperation>,
}

impl<'a> Sums<'a> {
    fn add(&mut self, consumer: &'a Consumer) {
        self.keys.extend(consumer.key.clone());
        for used in &consumer.operations {
            let Some(name) = &used.operation else {
                continue;
            };
            let sum = self.operations.entry(name).or_default();
            sum.requests = sum.requests.saturating_add(used.outcomes.total());
            sum.brownout = sum.brownout.saturating_add(used.outcomes.brownout);
            sum.last = sum.last.take().max(day_of(&used.last).map(day_name));
        }
    }

    fn report(
        mut self,
        owner: Option<&str>,
        code: Option<&'a Code>,
        catalog: &Catalog,
    ) -> OwnerReport {
        for (name, places) in code.into_iter().flat_map(|code| &code.places) {
            let is_its = |place: &&Place| {
                owner.is_some_and(|owner| place.owners.iter().any(|name| is_same(owner, name)))
            };
            let is_called = self.operations.contains_key(name.as_str());
            let its = places
                .iter()
                .filter(|place| is_its(place) || (is_called && place.owners.is_empty()));
            let its: Vec<_> = its.cloned().collect();
            if !its.is_empty() {
                self.operations.entry(name).or_default().places = its;
            }
        }
        let operations = self
            .operations
            .into_iter()
            .map(|(name, sum)| OwnedOperation {
                operation: name.to_owned(),
                v2: catalog
                    .find(name)
                    .map_or_else(String::new, Operation::replacement),
                ..sum
            });
        let operations: Vec<_> = operations.collect();
        let sum = |count: fn(&OwnedOperation) -> u64| {
            operations.iter().map(count).fold(0, u64::saturating_add)
        };
        OwnerReport {
            owner: owner.map(str::to_owned),
            keys: self.keys,
            requests: sum(|used| used.requests),
            brownout: sum(|used| used.brownout),
            last: operations.iter().filter_map(|used| used.last.clone()).max(),
            operations,
        }
    }
}

/// CODEOWNERS files write owners as `@team`.
fn is_same(owner: &str, name: &str) -> bool {
    let bare = |text: &str| text.trim_start_matches('@').to_lowercase();
    bare(owner) == bare(name)
}
