//! What an operation becomes in v2, read off the catalog.

use mappings::{
    Catalog,
    catalog::operation::{Fate, Operation, Service},
    fidelity::Fidelity,
};

use super::finding::{Advice, LossyParameter, Shim};

/// The advice for an operation when these parameters are given; with none known, for all of them.
pub(crate) fn advise(catalog: &Catalog, operation: &str, given: &[String]) -> Option<Advice> {
    let operation = catalog.find(operation)?;
    let v2: Vec<String> = operation
        .v2_requests()
        .into_iter()
        .map(|(method, path)| format!("{method} {path}"))
        .collect();
    let lossy = lossy(catalog, operation, given);
    let shim = match &operation.service {
        Service::Plan { .. } if lossy.is_empty() => Shim::Yes,
        Service::Plan { .. } => Shim::Lossy,
        Service::Refused { .. } => Shim::Refused,
        Service::NotServed(_) => Shim::NotYet,
    };
    let fidelity = match &operation.service {
        Service::Plan { .. } if lossy.is_empty() => "exact",
        Service::Plan { .. } => "lossy",
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

fn lossy(catalog: &Catalog, operation: &Operation, given: &[String]) -> Vec<LossyParameter> {
    operation
        .parameters
        .iter()
        .filter(|parameter| given.is_empty() || given.contains(&parameter.name))
        .filter_map(|parameter| {
            let reason = match &parameter.fate {
                Fate::Dropped(reason) => reason.clone(),
                Fate::SentBy(_) | Fate::Used | Fate::Unknown => {
                    let (field, _) = catalog.field(parameter.field?)?;
                    if field.fidelity == Fidelity::Exact {
                        return None;
                    }
                    field.reason.clone().unwrap_or_default()
                }
            };
            Some(LossyParameter {
                name: parameter.name.clone(),
                reason,
            })
        })
        .collect()
}
