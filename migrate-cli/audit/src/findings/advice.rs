//! v2 replacements of operations, from the catalog.

use mappings::{
    Catalog,
    catalog::operation::{Call, Operation, ParameterUse, Service},
    fidelity::Fidelity,
};

use crate::findings::{Advice, LossyParameter, Shim};

/// The advice for an operation with the parameters `given`. If `whole` is false, the call may have
/// more, and all parameters of the operation are considered.
pub(crate) fn advise(
    catalog: &Catalog,
    operation: &str,
    given: &[String],
    whole: bool,
) -> Option<Advice> {
    let operation = catalog.find(operation)?;
    let known = if whole { given } else { &[] };
    let v2 = requests(operation, known);
    let lossy = lossy(catalog, operation, known);
    let is_lossy = lossy.iter().any(|lost| given.contains(&lost.name));
    let shim = match &operation.service {
        Service::Plan { .. } if lossy.is_empty() => Shim::Yes,
        Service::Plan { .. } => Shim::Lossy,
        Service::Refused { .. } => Shim::Refused,
        Service::NotServed(_) => Shim::NotYet,
    };
    let fidelity = match &operation.service {
        Service::Plan { .. } if lossy.is_empty() => "exact",
        Service::Plan { .. } if is_lossy => "lossy",
        Service::Plan { .. } => "depends",
        _ if v2.is_empty() => "none",
        Service::NotServed(replacement) if replacement.composite => "composite",
        _ => "unchecked",
    };
    Some(Advice {
        v2,
        fidelity,
        lossy,
        shim,
        read: operation.read,
        note: operation.note.clone(),
    })
}

/// The v2 requests. With known parameters, only the requests that need them.
fn requests(operation: &Operation, given: &[String]) -> Vec<String> {
    let mut requests = Vec::new();
    let mut add = |request: String| {
        if !requests.contains(&request) {
            requests.push(request);
        }
    };
    match operation.plan() {
        Some(plan) if !given.is_empty() => {
            for (index, call) in plan.calls.iter().enumerate() {
                if is_made(operation, index, call, given) {
                    add(format!("{} {}", call.method, call.template));
                }
            }
        }
        _ => {
            for (method, path) in operation.v2_requests() {
                add(format!("{method} {path}"));
            }
        }
    }
    requests
}

/// True if the parameters require a call, or if that is known only at run time.
fn is_made(operation: &Operation, index: usize, call: &Call, given: &[String]) -> bool {
    let chosen = call.when.is_empty()
        || call.when.iter().any(|condition| {
            condition.given.is_empty() || condition.given.iter().any(|name| given.contains(name))
        });
    let sends_given = call.sends.is_none()
        || call.body.is_some()
        || operation.parameters.iter().any(|parameter| {
            parameter.usage == ParameterUse::SentBy(index) && given.contains(&parameter.name)
        });
    chosen && sends_given && !call.is_verification()
}

fn lossy(catalog: &Catalog, operation: &Operation, given: &[String]) -> Vec<LossyParameter> {
    let is_given = |name: &str| given.is_empty() || given.iter().any(|given| given == name);
    let by_page_size = omitted_details(operation, &is_given);
    operation
        .parameters
        .iter()
        .filter(|parameter| is_given(&parameter.name))
        .filter_map(|parameter| {
            let reason = match &parameter.usage {
                ParameterUse::Dropped(reason) => reason.clone(),
                ParameterUse::SentBy(_) | ParameterUse::Used | ParameterUse::Unknown => {
                    let (field, _) = catalog.field(parameter.field?)?;
                    if field.fidelity == Fidelity::Exact {
                        return None;
                    }
                    field.reason.clone().unwrap_or_default()
                }
            };
            Some(LossyParameter {
                name: parameter.name.clone(),
                above: None,
                reason,
            })
        })
        .chain(by_page_size)
        .collect()
}

/// The page size, if long pages omit the details of their entries with the default options.
fn omitted_details(
    operation: &Operation,
    is_given: &dyn Fn(&str) -> bool,
) -> Option<LossyParameter> {
    let calls = &operation.plan()?.calls;
    let size = calls
        .iter()
        .find_map(|call| Some(&call.pages.as_ref()?.size))?;
    let most = |call: &Call| call.when.iter().find_map(|when| when.entries_at_most);
    let short = calls.iter().find(|call| most(call).is_some())?;
    let reason = short.omitted.clone()?;
    let has_size = operation
        .parameters
        .iter()
        .any(|parameter| parameter.name == *size);
    (has_size && is_given(size)).then(|| LossyParameter {
        name: size.clone(),
        above: most(short),
        reason,
    })
}
