//! Detects parts of a request that v2 does not support.

use serde_json::Value;

use super::Translation;
use crate::{
    catalog::{
        field::Field,
        operation::{Call, Parameter, ParameterUse},
        protocol::PARAMETER_INVALID,
    },
    conversion::{Conversion, Sent},
    document::Json,
    exchange::{V1Error, Warning},
};

impl Translation<'_> {
    /// Warnings for given parameters that reach v2 changed or not at all.
    ///
    /// # Errors
    ///
    /// A v1 error for a value without a v2 counterpart, where sending another would be wrong.
    pub(super) fn losses(&self) -> Result<Vec<Warning>, V1Error> {
        let mut losses: Vec<Warning> = Vec::new();
        for (parameter, field) in self.given_fields() {
            let name = &parameter.name;
            if let ParameterUse::Dropped(reason) = &parameter.usage {
                losses.push(Warning::not_honoured(name, reason));
                continue;
            }
            let changed = match self.sent(parameter, field, None) {
                Some(Sent::Impossible) => {
                    let protocol = self.catalog.protocol();
                    return Err(protocol.parameter_error(PARAMETER_INVALID, name));
                }
                Some(Sent::Value { changed, .. }) => changed,
                Some(Sent::Unchanged | Sent::DependsOnCurrent) => false,
                // A file, or a value that is deliberately not sent.
                None => self.given.value(name).is_some(),
            };
            if let Some(reason) = &field.reason
                && (changed || field.every_use_is_lossy)
            {
                losses.push(Warning::not_honoured(name, reason));
            }
        }
        Ok(losses)
    }

    /// True if the parameter is given and is, or may be, sent.
    pub(super) fn sends(&self, parameter: &Parameter) -> bool {
        let field = self.field_of(parameter);
        let sent = field.and_then(|field| self.sent(parameter, field, None));
        matches!(sent, Some(Sent::Value { .. } | Sent::DependsOnCurrent))
    }

    /// True if the stored document decides the meaning of a given pair of flags, or whether a value
    /// is sent.
    pub(super) fn depends_on_current(&self, document: &str) -> bool {
        self.given_fields().any(|(parameter, field)| {
            let mut value = self.given.value(&parameter.name).into_iter();
            field.pointer_in(document).is_some()
                && (self.sent(parameter, field, None) == Some(Sent::DependsOnCurrent)
                    || value.any(|value| field.is_ambiguous(value)))
        })
    }

    /// Warns of values that are not sent because of the stored document: undecidable halves of
    /// pairs, and values that v1 already shows for what is stored.
    pub(super) fn warn_of_undecided(&mut self, call: &Call) {
        let current = self.current(call).filter(|current| current.is_object());
        let (Some((document, _)), Some(current)) = (&call.sends, current) else {
            return;
        };
        let undecided = self.given_fields().filter_map(|(parameter, field)| {
            let stored = current.at(field.pointer_in(document)?).map(Json::to_value);
            let value = self.given.value(&parameter.name);
            let keeps = |(value, stored)| field.conversion.keeps(value, stored);
            let depends = || {
                let sent = self.sent(parameter, field, None);
                stored.is_none() && sent == Some(Sent::DependsOnCurrent)
            };
            let reason = if value.zip(stored.as_ref()).is_some_and(keeps) {
                "v1 shows what is stored so: it stays as it is"
            } else if depends() {
                "what it means depends on what is stored, and v2 does not say what is"
            } else {
                return None;
            };
            Some(Warning::not_honoured(&parameter.name, reason))
        });
        let undecided: Vec<_> = undecided.collect();
        self.warnings.extend(undecided);
    }

    /// Given parameters with their mappings.
    fn given_fields(&self) -> impl Iterator<Item = (&Parameter, &Field)> {
        let parameters = self.operation.parameters.iter();
        parameters.filter_map(|parameter| Some((parameter, self.field_of(parameter)?)))
    }

    /// Mapping of the parameter, if it is given.
    fn field_of(&self, parameter: &Parameter) -> Option<&Field> {
        let (field, _) = self.catalog.field(parameter.field?)?;
        self.given.has(&parameter.name).then_some(field)
    }

    /// Converted value of a parameter, given the stored value; `None` if it is absent, deliberately
    /// not sent, or a file.
    pub(super) fn sent(
        &self,
        parameter: &Parameter,
        field: &Field,
        current: Option<&Value>,
    ) -> Option<Sent> {
        if let Conversion::Choice(choice) = &field.conversion {
            let parts = field.parts.iter();
            let values: Vec<_> = parts.map(|part| self.given.value(&part.name)).collect();
            let is_given = values.iter().any(Option::is_some);
            return is_given.then(|| choice.to_v2(&values, current));
        }
        let value = self.given.value(&parameter.name)?;
        let is_kept =
            field.omit.contains(value) || current.is_some_and(|stored| field.keeps(value, stored));
        (!is_kept).then(|| field.conversion.to_v2(value))
    }
}
