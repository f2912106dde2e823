//! Sorts warnings about lossy parameters and fields.

use mappings::{
    Body, Catalog,
    catalog::operation::{Operation, ParameterUse},
    exchange::{Warning, WarningKind},
};

use super::{Loss, dry_run::Planned};

/// Lossy parameters and fields, by kind.
#[derive(Default)]
pub(super) struct Losses {
    pub(super) not_sent: Vec<Loss>,
    pub(super) changed: Vec<Loss>,
    pub(super) left_out: Vec<Loss>,
}

impl Losses {
    pub(super) fn add(
        &mut self,
        catalog: &Catalog,
        operation: &Operation,
        planned: &[Planned],
        warning: Warning,
    ) {
        let list = match warning.kind {
            WarningKind::NotHonoured if is_sent(catalog, operation, planned, &warning.field) => {
                &mut self.changed
            }
            WarningKind::NotHonoured => &mut self.not_sent,
            WarningKind::LeftOut => &mut self.left_out,
            // Caused by the assumed responses.
            WarningKind::Unreadable | WarningKind::Guessed => return,
        };
        list.push(Loss {
            field: warning.field,
            reason: warning.reason,
        });
    }
}

/// True if a planned request carries the parameter.
fn is_sent(catalog: &Catalog, operation: &Operation, planned: &[Planned], name: &str) -> bool {
    let parameter = operation.parameters.iter().find(|known| known.name == name);
    let Some(parameter) = parameter else {
        return false;
    };
    match parameter.usage {
        ParameterUse::Used => true,
        ParameterUse::Dropped(_) | ParameterUse::Unknown => false,
        ParameterUse::SentBy(at) => {
            let field = parameter.field.and_then(|at| catalog.field(at));
            let call = operation.plan().and_then(|plan| plan.calls.get(at));
            let place = field.zip(call).and_then(|((field, _), call)| {
                let (document, base) = call.sends.as_ref()?;
                Some(format!("{base}{}", field.pointer_in(document)?))
            });
            let request = planned.iter().find(|planned| planned.call == at);
            match (request.map(|planned| &planned.request.body), place) {
                (Some(Body::Json(body)), Some(place)) => body.pointer(&place).is_some(),
                _ => false,
            }
        }
    }
}
