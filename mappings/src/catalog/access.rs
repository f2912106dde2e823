//! What the access token of a v2 account must allow, and how to find out whether v2 answers with it.

use std::{collections::BTreeSet, sync::Arc};

use super::operation::{Call, Operation, Probe};
use crate::exchange::{Body, Method, V2Request};

/// What stands for the date of the day in the query of a probe.
const TODAY: &str = "{today}";

/// A scope that an access token does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingScope {
    /// The granular scope.
    pub scope: String,
    /// Scopes that suffice in its place, the classic one first.
    pub or_scopes: Vec<String>,
    /// The operations that need it, in the order they were given.
    pub operations: Vec<String>,
}

/// The scopes that `operations` need and a token does not have. `granted` is what the token endpoint
/// answers as `scope`: names with spaces between them.
///
/// A call that a plan makes only under a condition counts as the others, but for those that only find out
/// who did another call.
pub fn missing_scopes<'c>(
    granted: &str,
    operations: impl IntoIterator<Item = &'c Operation>,
) -> Vec<MissingScope> {
    let granted: BTreeSet<_> = granted.split_whitespace().collect();
    let is_granted = |scope: &String| granted.contains(scope.as_str());
    let mut missing: Vec<MissingScope> = Vec::new();
    for operation in operations {
        for call in calls(operation) {
            if is_granted(&call.scope) || call.or_scopes.iter().any(is_granted) {
                continue;
            }
            let known = missing.iter_mut().find(|known| known.scope == call.scope);
            match known {
                Some(known) if known.operations.last() == Some(&operation.name) => {}
                Some(known) => known.operations.push(operation.name.clone()),
                None => missing.push(MissingScope {
                    scope: call.scope.clone(),
                    or_scopes: call.or_scopes.clone(),
                    operations: vec![operation.name.clone()],
                }),
            }
        }
    }
    missing
}

/// Harmless reads of the endpoints that `operations` use, each once. `today` is a date: `2026-11-29`.
pub fn probes<'c>(
    operations: impl IntoIterator<Item = &'c Operation>,
    today: &str,
) -> Vec<V2Request> {
    let mut found: Vec<V2Request> = Vec::new();
    for call in operations.into_iter().flat_map(calls) {
        let Some(Probe { path, query }) = &call.probe else {
            continue;
        };
        if found.iter().any(|known| known.template == call.template) {
            continue;
        }
        let filled = query
            .iter()
            .map(|(name, value)| (name.clone(), value.replace(TODAY, today)));
        found.push(V2Request {
            method: Method::Get,
            path: path.clone(),
            query: filled.collect(),
            body: Body::None,
            template: Arc::clone(&call.template),
        });
    }
    found
}

fn calls(operation: &Operation) -> impl Iterator<Item = &Call> {
    let calls = operation.plan().into_iter().flat_map(|plan| &plan.calls);
    calls.filter(|call| !call.is_for_disputes())
}
