//! OAuth scopes that operations need, and probes of the v2 endpoints that they use.

use std::{collections::BTreeSet, sync::Arc};

use super::operation::{Call, Operation, Probe};
use crate::exchange::{Body, Method, V2Request};

/// Placeholder for today's date in the query of a probe.
const TODAY: &str = "{today}";

/// OAuth scope that an access token lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingScope {
    /// Granular scope.
    pub scope: String,
    /// Scopes accepted instead, the classic one first.
    pub or_scopes: Vec<String>,
    /// Operations that need the scope, in the order in which they were passed.
    pub operations: Vec<String>,
}

/// The scopes that `operations` need and the token lacks. `granted` is the `scope` member of the
/// token endpoint's response, separated by spaces.
///
/// Conditional calls are included, except those that only verify an earlier call.
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

/// Read-only requests to the endpoints that `operations` use, each endpoint once. `today` is a date
/// such as `2026-11-29`.
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
            label: call.label,
        });
    }
    found
}

fn calls(operation: &Operation) -> impl Iterator<Item = &Call> {
    let calls = operation.plan().into_iter().flat_map(|plan| &plan.calls);
    calls.filter(|call| !call.is_verification())
}
