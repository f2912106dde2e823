//! What a request asks that v2 cannot honour.

use super::parameters::Parameters;
use crate::{
    catalog::{
        Catalog,
        field::Field,
        operation::{Fate, Operation, Parameter},
        protocol::PARAMETER_INVALID,
    },
    conversion::{Conversion, Sent},
    document::Json,
    exchange::{V1Error, Warning, WarningKind},
};

/// Everything in the given parameters that arrives changed, or not at all.
///
/// # Errors
///
/// v1's error for a value that v2 has no equivalent of, where sending another would be wrong.
pub(super) fn losses(
    catalog: &Catalog,
    operation: &Operation,
    given: &Parameters<'_>,
) -> Result<Vec<Warning>, V1Error> {
    let mut losses: Vec<Warning> = Vec::new();
    for parameter in &operation.parameters {
        let Some(field) = given_field(catalog, parameter, given) else {
            continue;
        };
        let warning = |reason: &str| Warning {
            kind: WarningKind::NotHonoured,
            field: parameter.name.clone(),
            reason: reason.to_owned(),
        };
        if let Fate::Dropped(reason) = &parameter.fate {
            losses.push(warning(reason));
            continue;
        }
        let changed = match sent(field, parameter, given) {
            Some(Sent::Impossible) => {
                return Err(catalog
                    .protocol()
                    .parameter_error(PARAMETER_INVALID, &parameter.name));
            }
            Some(Sent::Value { changed, .. }) => changed,
            Some(Sent::Unchanged | Sent::DependsOnCurrent) => false,
            None => is_omitted(field, parameter, given),
        };
        if let Some(reason) = &field.reason
            && (changed || field.every_use_is_lossy)
        {
            losses.push(warning(reason));
        }
    }
    Ok(losses)
}

/// True if a given parameter sends something, or may.
pub(super) fn sends(catalog: &Catalog, parameter: &Parameter, given: &Parameters<'_>) -> bool {
    let sent =
        given_field(catalog, parameter, given).and_then(|field| sent(field, parameter, given));
    matches!(sent, Some(Sent::Value { .. } | Sent::DependsOnCurrent))
}

/// True if what a given pair of flags means, or whether a value is sent, depends on the stored
/// document.
pub(super) fn depends_on_current(
    catalog: &Catalog,
    operation: &Operation,
    given: &Parameters<'_>,
    document: &str,
) -> bool {
    operation.parameters.iter().any(|parameter| {
        given_field(catalog, parameter, given).is_some_and(|field| {
            let is_ambiguous = |value| field.is_ambiguous(value);
            field.pointer_in(document).is_some()
                && (sent(field, parameter, given) == Some(Sent::DependsOnCurrent)
                    || given.value(&parameter.name).is_some_and(is_ambiguous))
        })
    })
}

/// What is not sent because of the stored document: halves of pairs whose meaning it does not decide
/// after all, and values that it is shown as.
pub(super) fn undecided(
    catalog: &Catalog,
    operation: &Operation,
    given: &Parameters<'_>,
    document: &str,
    current: Json<'_>,
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if !current.is_object() {
        return warnings;
    }
    for parameter in &operation.parameters {
        let Some(field) = given_field(catalog, parameter, given) else {
            continue;
        };
        let Some(place) = field.pointer_in(document) else {
            continue;
        };
        let stored = current.at(place).map(Json::to_value);
        let value = given.value(&parameter.name);
        let keeps = |(value, stored)| field.conversion.keeps(value, stored);
        let reason = if value.zip(stored.as_ref()).is_some_and(keeps) {
            "v1 shows what is stored so: it stays as it is"
        } else if sent(field, parameter, given) == Some(Sent::DependsOnCurrent) && stored.is_none()
        {
            "what it means depends on what is stored, and v2 does not say what is"
        } else {
            continue;
        };
        warnings.push(Warning {
            kind: WarningKind::NotHonoured,
            field: parameter.name.clone(),
            reason: reason.to_owned(),
        });
    }
    warnings
}

fn given_field<'c>(
    catalog: &'c Catalog,
    parameter: &Parameter,
    given: &Parameters<'_>,
) -> Option<&'c Field> {
    catalog
        .fields()
        .get(parameter.field?.0)
        .filter(|_| given.has(&parameter.name))
}

/// What is sent for a given parameter; `None` if it is left out on purpose, or is a file.
fn sent(field: &Field, parameter: &Parameter, given: &Parameters<'_>) -> Option<Sent> {
    if let Conversion::Choice(choice) = &field.conversion {
        let values: Vec<_> = field
            .parts
            .iter()
            .map(|part| given.value(&part.name))
            .collect();
        return Some(choice.to_v2(&values, None));
    }
    let value = given.value(&parameter.name)?;
    (!field.omit.contains(value)).then(|| field.conversion.to_v2(value))
}

fn is_omitted(field: &Field, parameter: &Parameter, given: &Parameters<'_>) -> bool {
    given
        .value(&parameter.name)
        .is_some_and(|value| field.omit.contains(value))
}
