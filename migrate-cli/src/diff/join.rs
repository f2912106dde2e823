//! Field-by-field comparison of a v1 response with the v2 documents that it was built from.

use mappings::{
    Catalog,
    catalog::{
        field::{Field, Part, Place},
        operation::{Member, Operation, View},
    },
    conversion::Conversion,
    fidelity::Fidelity,
};
use recording::{
    REDACTED,
    comparison::{Kind, Path, explained, unexpected, view},
};
use serde_json::{Map, Value};

use super::{Row, Verdict, documents::Documents};

/// Compares each field of a v1 response. `given` holds the request parameters, if known.
pub(crate) fn join(
    catalog: &Catalog,
    operation: &Operation,
    given: &Map<String, Value>,
    answer: &Value,
    documents: &Documents,
) -> Vec<Row> {
    let mut rows = Vec::new();
    let Some(view) = view(catalog, operation) else {
        return rows;
    };
    let join = Join { catalog, given };
    let list = join.object(view, &Path::default(), answer, &documents.own, &mut rows);
    let inner = view.items.and_then(|items| catalog.view(items));
    if let (Some((path, items)), Some(inner)) = (list, inner) {
        for (at, item) in items.iter().enumerate() {
            let id = item.get("id").and_then(Value::as_str);
            let found = documents.items.iter().find(|documents| {
                let names = documents
                    .iter()
                    .flat_map(|(_, document)| [document.get("id"), document.get("email")]);
                names.flatten().any(|name| name.as_str() == id)
            });
            let key = id.map_or_else(|| at.to_string(), str::to_owned);
            let path = path.item(&key);
            match found {
                Some(documents) => {
                    join.object(inner, &path, item, documents, &mut rows);
                }
                None => rows.push(row(&path, None, Some(item), None, {
                    (
                        Verdict::Unexpected,
                        "v2's list has no such entry".to_owned(),
                    )
                })),
            }
        }
    }
    rows
}

struct Join<'a> {
    catalog: &'a Catalog,
    given: &'a Map<String, Value>,
}

/// The place that a member's value comes from, and the value there.
struct Source<'a> {
    place: &'a Place,
    value: Option<&'a Value>,
}

impl Join<'_> {
    /// Adds the rows of an object. Returns the list in it.
    fn object<'v>(
        &self,
        view: &View,
        path: &Path,
        answer: &'v Value,
        documents: &[(String, Value)],
        rows: &mut Vec<Row>,
    ) -> Option<(Path, &'v Vec<Value>)> {
        let mut list = None;
        let mut known = Vec::new();
        for member in &view.members {
            let Some((field, part)) = self.catalog.field(member.field) else {
                continue;
            };
            known.push(part.name.as_str());
            let path = path.member(&part.name);
            let old = answer.get(&part.name);
            if let Some(Value::Array(items)) = old {
                list = Some((path, items));
                continue;
            }
            rows.extend(self.member(member, field, part, &path, old, documents));
        }
        for (name, value) in answer.as_object().into_iter().flatten() {
            if !known.contains(&name.as_str()) {
                let gone = view.none.iter().find(|gone| gone.name == *name);
                let why = match gone {
                    Some(gone) => (Verdict::Lossy, gone.reason.clone()),
                    None => (
                        Verdict::Unexpected,
                        "v1's answer has no such member".to_owned(),
                    ),
                };
                rows.push(row(&path.member(name), None, Some(value), None, why));
            }
        }
        list
    }

    fn member(
        &self,
        member: &Member,
        field: &Field,
        part: &Part,
        path: &Path,
        old: Option<&Value>,
        documents: &[(String, Value)],
    ) -> Option<Row> {
        let at = member.field.1;
        let source = self.source(member, field, documents);
        let v2 = source.as_ref().and_then(|source| source.value);
        let expected = expected(member, field, part, v2);
        let place = source.as_ref().map(|source| source.place);
        if old.is_none() && (expected.is_none() || v2.is_none()) {
            return None;
        }
        let verdict = match (old, &expected, place) {
            (Some(_), None, Some(Place::Clock)) => {
                (Verdict::Volatile, "the time of the answer".to_owned())
            }
            (Some(_), _, Some(Place::Site(_))) => (
                Verdict::Mapped,
                "from the configuration of the shim".to_owned(),
            ),
            (Some(old), Some(expected), _) if is_same(old, expected) => {
                as_expected(member, field, part, at, place, v2)
            }
            (Some(_), None, _) if field.fidelity == Fidelity::None => {
                (Verdict::Lossy, field.reason.clone().unwrap_or_default())
            }
            (old, expected, _) => {
                let kind = match (old, expected) {
                    (None, _) => Kind::Missing,
                    (_, None) => Kind::Extra,
                    (Some(old), Some(new))
                        if std::mem::discriminant(old) == std::mem::discriminant(new) =>
                    {
                        Kind::Value
                    }
                    _ => Kind::Type,
                };
                explained(field, part, old, expected.as_ref())
                    .unwrap_or_else(|| disagreement(kind, old, expected.as_ref()))
            }
        };
        Some(row(path, place, old, v2, verdict))
    }

    /// The first place, in order of preference, that has a value; else the first place that could
    /// have one.
    fn source<'s>(
        &'s self,
        member: &'s Member,
        field: &'s Field,
        documents: &'s [(String, Value)],
    ) -> Option<Source<'s>> {
        let places = member.from.as_ref().unwrap_or(&field.places);
        let value = |place: &Place| match place {
            Place::Document(place) => documents
                .iter()
                .rev()
                .filter(|(name, _)| *name == place.document)
                .filter_map(|(_, document)| document.pointer(&place.pointer))
                .find(|value| !value.is_null()),
            Place::Given(name) => self.given.get(name),
            _ => None,
        };
        let found = places.iter().find_map(|place| {
            let value = value(place);
            let may_have = matches!(place, Place::Document(_) | Place::Given(_));
            let is_source = value.is_some() || !may_have;
            is_source.then_some(Source { place, value })
        });
        found.or_else(|| places.first().map(|place| Source { place, value: None }))
    }
}

/// The v1 value that the catalog derives from a v2 value.
fn expected(member: &Member, field: &Field, part: &Part, v2: Option<&Value>) -> Option<Value> {
    if let Some(always) = &field.always {
        return Some(always.clone());
    }
    let empty = || part.empty.clone();
    match v2 {
        _ if member.empty => empty(),
        None => empty(),
        // Redacted on both sides, so equal.
        Some(value) if *value == REDACTED => Some(value.clone()),
        Some(value) => match field.to_v1(member.field.1, value) {
            None if field.conversion == Conversion::Word => empty(),
            shown => shown,
        },
    }
}

fn is_same(old: &Value, new: &Value) -> bool {
    old == new || old.as_f64().is_some_and(|old| Some(old) == new.as_f64())
}

fn as_expected(
    member: &Member,
    field: &Field,
    part: &Part,
    at: usize,
    place: Option<&Place>,
    v2: Option<&Value>,
) -> (Verdict, String) {
    if let Some(reason) = field
        .reason
        .as_ref()
        .filter(|_| field.fidelity != Fidelity::Exact)
    {
        return (Verdict::Lossy, reason.clone());
    }
    if member.empty || v2.is_none() {
        return (Verdict::Mapped, "v1's empty value".to_owned());
    }
    let mut words = Vec::new();
    if let Some(Place::Document(place)) = place {
        let (parent, name) = place.pointer.rsplit_once('/').unwrap_or_default();
        if name != part.name {
            words.push("renamed");
        }
        if !parent.is_empty() {
            words.push("moved");
        }
    }
    match &field.conversion {
        Conversion::Negate => words.push("negated"),
        Conversion::Table { .. } | Conversion::Choice(_) => words.push("by a table"),
        _ if field.to_v1(at, v2.unwrap_or(&Value::Null)).as_ref() != v2 => words.push("converted"),
        _ => {}
    }
    if words.is_empty() {
        (Verdict::Same, String::new())
    } else {
        (Verdict::Mapped, words.join(", "))
    }
}

/// Verdict for a v1 value that differs from the one that the catalog derives.
fn disagreement(kind: Kind, old: Option<&Value>, expected: Option<&Value>) -> (Verdict, String) {
    let (verdict, reason) = unexpected(kind, expected, old);
    let reason = match expected {
        Some(expected) => format!("{reason}: v2's is {expected} in v1's terms"),
        None => format!("{reason}: v2 has no value for it"),
    };
    (verdict, reason)
}

fn row(
    path: &Path,
    place: Option<&Place>,
    old: Option<&Value>,
    new: Option<&Value>,
    (verdict, reason): (Verdict, String),
) -> Row {
    let kind = (verdict == Verdict::Unexpected).then_some(match (old, new) {
        (None, _) => Kind::Missing,
        (_, None) => Kind::Extra,
        _ => Kind::Value,
    });
    Row {
        path: path.to_string(),
        field: path.field(),
        place: place.map(Place::to_string),
        old: old.cloned(),
        new: new.cloned(),
        verdict,
        kind,
        reason,
    }
}
