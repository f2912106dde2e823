//! Compiles field mappings.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    super::{
        field::{Field, Kind, Override, Part, Place},
        files::Placed,
        predicate::Predicate,
        problem::{COMMON, Location},
        shape::{FieldShape, OverrideShape},
    },
    Names, Scope, conversion,
};
use crate::{conversion::Conversion, fidelity::Fidelity};

/// Field mappings with an index by key.
pub(super) struct Fields {
    pub list: Vec<Field>,
    /// Index of the mapping and its part, by resource and key.
    by_key: BTreeMap<(String, String), (usize, usize)>,
}

impl Fields {
    /// The field with this key in the resource or in `common`.
    pub(super) fn find_quietly(&self, resource: &str, key: &str) -> Option<(usize, usize)> {
        let of = |resource: &str| self.by_key.get(&(resource.to_owned(), key.to_owned()));
        of(resource).or_else(|| of(COMMON)).copied()
    }

    /// Like [`Self::find_quietly`], but reports an unknown key.
    pub(super) fn find(&self, scope: &Scope<'_>, key: &str) -> Option<(usize, usize)> {
        let found = self.find_quietly(scope.resource(), key);
        if found.is_none() {
            scope.add(format!("unknown field `{key}`"));
        }
        found
    }

    pub(super) fn get(&self, (field, part): (usize, usize)) -> Option<(&Field, &Part)> {
        let field = self.list.get(field)?;
        Some((field, field.parts.get(part)?))
    }

    fn add(&mut self, scope: &Scope<'_>, field: Field) {
        for (part, Part { key, .. }) in field.parts.iter().enumerate() {
            let place = (scope.resource().to_owned(), key.clone());
            let earlier = self.by_key.insert(place, (self.list.len(), part));
            if let Some((earlier, _)) = earlier.and_then(|earlier| self.get(earlier)) {
                let at = &earlier.location;
                scope.add(format!("field `{key}` is already defined at {at}"));
            }
        }
        self.list.push(field);
    }
}

pub(super) fn fields(shapes: Placed<FieldShape>, names: &Names<'_>) -> Fields {
    let mut fields = Fields {
        list: Vec::new(),
        by_key: BTreeMap::new(),
    };
    let mut with_members = Vec::new();
    for (at, mut shape) in shapes {
        let scope = names.scope(&at);
        let members = std::mem::take(&mut shape.members);
        if let Some(field) = field(&scope, at, shape) {
            if !members.is_empty() {
                with_members.push((fields.list.len(), scope.clone(), members));
            }
            fields.add(&scope, field);
        }
    }
    for (field, scope, keys) in with_members {
        let members = keys.iter().filter_map(|key| fields.find(&scope, key));
        let members: Vec<_> = members.collect();
        let field = fields.list.get_mut(field);
        if let Some(part) = field.and_then(|field| field.parts.first_mut()) {
            scope.expect(part.kind == Kind::Json, "`members` is for the type json");
            part.members = members;
        }
    }
    fields
}

fn field(scope: &Scope<'_>, at: Location, shape: FieldShape) -> Option<Field> {
    let names = shape.v1.len();
    if names == 0 || names != shape.kind.len() {
        scope.add("v1 and type need one value each, or two each");
        return None;
    }
    if shape.keys().len() != names {
        scope.add("key needs one name for each v1 name");
        return None;
    }
    match (shape.fidelity, &shape.reason) {
        (Fidelity::Exact, Some(_)) => {
            scope.add("an exact mapping has no reason: set `fidelity`, or remove the reason");
        }
        (Fidelity::Lossy | Fidelity::None, None) => {
            scope.add("a mapping that is not exact needs a reason");
        }
        _ => {}
    }
    scope.expect(
        shape.fidelity != Fidelity::Exact || shape.loss.is_none(),
        "an exact mapping has no loss",
    );
    let is_placed = !shape.v2.is_empty();
    scope.expect(
        is_placed || shape.always.is_some() || shape.fidelity == Fidelity::None || shape.implied,
        "the mapping has no place in v2: set one, or `fidelity = \"none\"` with a reason",
    );
    scope.expect(
        !is_placed || (shape.fidelity != Fidelity::None && !shape.implied),
        "a mapping with a place in v2 is exact or lossy, and not implied",
    );
    let conversion = conversion::conversion(scope, &shape)?;
    check_convert_of(scope, &shape, &conversion);
    check_keys(scope, &shape);
    let common = part(scope, &shape);
    let parts = shape.v1.iter().zip(shape.keys()).zip(&shape.kind);
    let parts = parts.zip(empties(scope, &shape));
    let parts = parts.map(|(((name, key), kind), empty)| Part {
        key: key.clone(),
        name: name.clone(),
        kind: *kind,
        empty,
        ..common.clone()
    });
    Some(Field {
        parts: parts.collect(),
        places: shape.v2,
        conversion,
        overrides: shape
            .overrides
            .into_iter()
            .filter_map(|rule| overrides(scope, rule))
            .collect(),
        converts: shape.convert_of,
        omit: shape.omit,
        unless_stored: shape.unless_stored,
        empty_unread: shape.empty_unread,
        always: shape.always,
        fidelity: shape.fidelity,
        reason: shape.reason,
        every_use_is_lossy: shape.fidelity != Fidelity::Exact && shape.loss.is_none(),
        implied: shape.implied,
        location: at,
    })
}

fn check_convert_of(scope: &Scope<'_>, shape: &FieldShape, conversion: &Conversion) {
    let Some(document) = &shape.convert_of else {
        return;
    };
    let is_in = |place: &Place| matches!(place, Place::Document(at) if at.document == *document);
    if !conversion.takes_values() || !shape.v2.iter().any(is_in) {
        scope.add(format!("no value of `{document}` is converted"));
    }
}

/// Checks that keys for certain types are used only with these types.
fn check_keys(scope: &Scope<'_>, shape: &FieldShape) {
    let has = |kind: Kind| shape.kind.contains(&kind);
    let is_text = has(Kind::String) || has(Kind::Text) || has(Kind::Secret);
    for (key, is_set, fits, kind) in [
        ("at_most", shape.at_most.is_some(), has(Kind::Int), "int"),
        ("values", !shape.values.is_empty(), has(Kind::Int), "int"),
        (
            "digits",
            shape.digits.is_some(),
            has(Kind::Digits),
            "digits",
        ),
        ("shape", shape.shape.is_some(), has(Kind::Json), "json"),
        ("bare", shape.bare.is_some(), has(Kind::Json), "json"),
        (
            "max_elements",
            shape.max_elements.is_some(),
            has(Kind::Ids),
            "ids",
        ),
        ("ids_of", shape.ids_of.is_some(), has(Kind::Ids), "ids"),
        ("cut", shape.cut.is_some(), is_text, "string or text"),
        ("one_of", !shape.one_of.is_empty(), is_text, "string"),
    ] {
        if is_set && !fits {
            scope.add(format!("`{key}` is for the type {kind}"));
        }
    }
}

/// Request properties shared by all parts of the mapping.
fn part(scope: &Scope<'_>, shape: &FieldShape) -> Part {
    shape.at_most.iter().for_each(|name| scope.number(name));
    let ids_of = shape.ids_of.as_ref();
    Part {
        key: String::new(),
        name: String::new(),
        kind: Kind::String,
        range: shape.range,
        clamp: shape.clamp,
        at_most: shape.at_most.clone(),
        values: shape.values.clone(),
        one_of: shape.one_of.clone(),
        drops_unknown: shape.unknown.is_some(),
        aliases: shape.aliases.clone(),
        cut: shape.cut,
        digits: shape.digits,
        shape: shape.shape,
        members: Vec::new(),
        bare: shape.bare.clone(),
        max_elements: shape.max_elements,
        ids_of: ids_of.and_then(|kind| scope.subject(kind)),
        refuses_empty: shape.sent_empty.is_some(),
        min: shape.min,
        max: shape.max,
        default: shape.default.clone(),
        empty: None,
    }
}

fn overrides(scope: &Scope<'_>, rule: OverrideShape) -> Option<Override> {
    let at = match rule.at {
        None => {
            scope.expect(
                !rule.option.is_empty(),
                "an override needs `at` or `option`",
            );
            None
        }
        Some(Place::Document(place)) => {
            let predicate = Predicate::new(rule.is, rule.is_not, rule.exists);
            Some((place, scope.keep(predicate)?))
        }
        Some(other) => {
            scope.add(format!("`{other}` is not a place in a document"));
            return None;
        }
    };
    Some(Override {
        at,
        options: scope.choices(&rule.option),
        show: rule.show,
        from: rule.from,
    })
}

/// v1's empty value for each v1 name.
fn empties(scope: &Scope<'_>, shape: &FieldShape) -> Vec<Option<Value>> {
    let names = shape.v1.len();
    scope.expect(
        shape.empty.is_none() || !shape.null,
        "`empty` and `null` exclude each other",
    );
    let empties = match &shape.empty {
        None => vec![shape.null.then_some(Value::Null); names],
        Some(Value::Array(values)) if names > 1 => {
            let values = values.iter().cloned();
            values
                .map(|value| Some(value).filter(|value| value != "absent"))
                .collect()
        }
        Some(value) => vec![Some(value.clone())],
    };
    scope.expect(
        empties.len() == names,
        "empty needs one value for each v1 name",
    );
    empties
}
