//! Checks field mappings.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    COMMON, Location,
    field::{DocumentPlace, Field, Kind, Part, Place},
    load::{Parts, Report, json, pointer},
    shape::{FieldShape, OneOrMany},
};
use crate::{
    conversion::{Cell, Choice, Conversion, Given},
    fidelity::Fidelity,
};

pub(super) fn fields(parts: &mut Parts, report: &mut Report) -> Vec<Field> {
    let shapes = std::mem::take(&mut parts.field);
    shapes
        .into_iter()
        .filter_map(|(at, shape)| field(at, shape, report))
        .collect()
}

/// Which mapping has a key, by resource.
pub(super) struct Index(BTreeMap<(String, String), (usize, usize)>);

impl Index {
    pub(super) fn new(fields: &[Field], report: &mut Report) -> Self {
        let mut index = Self(BTreeMap::new());
        for (at, field) in fields.iter().enumerate() {
            for (part, Part { key, .. }) in field.parts.iter().enumerate() {
                let place = (field.location.resource().to_owned(), key.clone());
                if let Some((earlier, _)) = index.0.insert(place, (at, part)) {
                    let earlier = fields.get(earlier).map(|field| field.location.to_string());
                    let earlier = earlier.unwrap_or_default();
                    report.add(
                        &field.location,
                        format!("field `{key}` is there already, at {earlier}"),
                    );
                }
            }
        }
        index
    }

    /// The field that a file of a resource means by a key.
    pub(super) fn find(&self, resource: &str, key: &str) -> Option<(usize, usize)> {
        let of = |resource: &str| self.0.get(&(resource.to_owned(), key.to_owned()));
        of(resource).or_else(|| of(COMMON)).copied()
    }
}

fn field(at: Location, shape: FieldShape, report: &mut Report) -> Option<Field> {
    let names = shape.v1.clone().into_vec();
    let kinds: Vec<_> = shape.kind.clone().into_vec();
    if names.is_empty() || names.len() != kinds.len() {
        report.add(
            &at,
            "v1 and type need one name and one type each, or two of both",
        );
        return None;
    }
    let kinds: Vec<Kind> = kinds
        .iter()
        .filter_map(|kind| report.keep(&at, self::kind(kind)))
        .collect();
    if kinds.len() != names.len() {
        return None;
    }
    let keys = shape
        .key
        .clone()
        .map_or_else(|| names.clone(), OneOrMany::into_vec);
    if keys.len() != names.len() {
        report.add(&at, "key needs one name for each v1 name");
        return None;
    }
    let fidelity = report.keep(&at, fidelity(shape.fidelity.as_deref()))?;
    if (fidelity == Fidelity::Exact) == shape.reason.is_some() {
        report.add(
            &at,
            match fidelity {
                Fidelity::Exact => {
                    "an exact mapping needs no reason: say `fidelity`, or leave the reason out"
                }
                Fidelity::Lossy | Fidelity::None => "a mapping that is not exact needs a reason",
            },
        );
    }
    let places: Vec<Place> = shape
        .v2
        .clone()
        .into_vec()
        .iter()
        .filter_map(|text| report.keep(&at, place(text)))
        .collect();
    if places.is_empty() && fidelity != Fidelity::None && !shape.implied {
        report.add(
            &at,
            "the mapping has no place in v2: name one, or say `fidelity = \"none\"` and why",
        );
    }
    if !places.is_empty() && (fidelity == Fidelity::None || shape.implied) {
        report.add(
            &at,
            "a mapping with a place in v2 is exact or lossy, and not implied",
        );
    }
    let conversion = conversion(&at, &shape, &names, report)?;
    let every_use_is_lossy = match (fidelity, shape.loss.as_deref()) {
        (Fidelity::Exact, None) => false,
        (Fidelity::Exact, Some(_)) => {
            report.add(&at, "an exact mapping has no loss");
            false
        }
        (_, None) => true,
        (_, Some("changed")) => false,
        (_, Some(other)) => {
            report.add(&at, format!("loss `{other}` is not known; `changed` is"));
            true
        }
    };
    let empties = empties(&at, &shape, names.len(), report);
    let parts = names
        .into_iter()
        .zip(keys)
        .zip(kinds)
        .enumerate()
        .map(|(part, ((name, key), kind))| Part {
            key,
            name,
            kind,
            range: shape.range,
            clamp: shape.clamp,
            values: shape.values.clone(),
            min: shape.min,
            max: shape.max,
            default: shape.default,
            empty: empties.get(part).cloned().flatten(),
        })
        .collect();
    Some(Field {
        parts,
        places,
        conversion,
        omit: shape.omit.iter().map(json).collect(),
        empty_unread: shape.empty_unread,
        always: shape.always.as_ref().map(json),
        fidelity,
        reason: shape.reason,
        every_use_is_lossy,
        implied: shape.implied,
        location: at,
    })
}

/// v1's value for "nothing there", for each v1 name.
fn empties(
    at: &Location,
    shape: &FieldShape,
    names: usize,
    report: &mut Report,
) -> Vec<Option<Value>> {
    let empties: Vec<Option<Value>> = match &shape.empty {
        None => vec![None; names],
        Some(toml::Value::Array(values)) => values
            .iter()
            .map(|value| Some(json(value)).filter(|value| value != "absent"))
            .collect(),
        Some(value) => vec![Some(json(value))],
    };
    if empties.len() != names {
        report.add(at, "empty needs one value for each v1 name");
    }
    empties
}

fn kind(text: &str) -> Result<Kind, String> {
    Ok(match text {
        "bool" => Kind::Bool,
        "file" => Kind::File,
        "int" => Kind::Int,
        "list" => Kind::List,
        "secret" => Kind::Secret,
        "string" => Kind::String,
        "text" => Kind::Text,
        "time" => Kind::Time,
        other => {
            return Err(format!(
                "type `{other}` is none of bool, file, int, list, secret, string, text, time"
            ));
        }
    })
}

fn fidelity(text: Option<&str>) -> Result<Fidelity, String> {
    match text {
        None => Ok(Fidelity::Exact),
        Some("lossy") => Ok(Fidelity::Lossy),
        Some("none") => Ok(Fidelity::None),
        Some(other) => Err(format!(
            "fidelity `{other}` is none of lossy, none; exact is the default"
        )),
    }
}

/// What a site's configuration can tell an answer.
const ACCOUNT_ID: &str = "account_id";

/// Reads `settings:/in_meeting/chat`, `given:id`, `clock` or `site:account_id`.
pub(super) fn place(text: &str) -> Result<Place, String> {
    match text.split_once(':') {
        None if text == "clock" => Ok(Place::Clock),
        Some(("given", name)) => Ok(Place::Given(name.to_owned())),
        Some(("site", ACCOUNT_ID)) => Ok(Place::Site(ACCOUNT_ID.to_owned())),
        Some(("query", name)) => Ok(Place::Document(DocumentPlace {
            document: "query".into(),
            pointer: name.into(),
        })),
        Some((document, text)) if !document.is_empty() => Ok(Place::Document(DocumentPlace {
            document: document.into(),
            pointer: pointer(text)?,
        })),
        _ => Err(format!(
            "`{text}` is not a place like `settings:/in_meeting/chat`"
        )),
    }
}

fn conversion(
    at: &Location,
    shape: &FieldShape,
    names: &[String],
    report: &mut Report,
) -> Option<Conversion> {
    let tables = !shape.request.is_empty() || !shape.response.is_empty();
    let ways = [
        shape.convert.is_some(),
        tables,
        !shape.table.is_empty(),
        !shape.round_up.is_empty(),
    ];
    if ways.into_iter().filter(|way| *way).count() > 1 {
        report.add(
            at,
            "one conversion is enough: convert, request/response, table or round_up",
        );
    }
    if names.len() > 1 {
        return choice(at, shape, names.len(), report).map(Conversion::Choice);
    }
    if !shape.given.is_empty() {
        report.add(at, "`given` is for two v1 fields that share one place");
    }
    if tables {
        let side = |rows: &[(toml::Value, toml::Value)], report: &mut Report| {
            let rows: Vec<(Value, Value)> = rows
                .iter()
                .map(|(from, to)| (json(from), json(to)))
                .collect();
            for (at_row, (from, to)) in rows.iter().enumerate() {
                for composite in [from, to].into_iter().filter(|value| is_composite(value)) {
                    report.add(
                        at,
                        format!("a table has single values only, not {composite}"),
                    );
                }
                if rows.iter().take(at_row).any(|(earlier, _)| earlier == from) {
                    report.add(
                        at,
                        format!("the row for {from} is never reached: an earlier one has it"),
                    );
                }
            }
            rows
        };
        let request = side(&shape.request, report);
        let response = side(&shape.response, report);
        return Some(Conversion::Table { request, response });
    }
    if !shape.round_up.is_empty() {
        if !shape.round_up.is_sorted() {
            report.add(at, "round_up goes from the smallest to the largest");
        }
        return Some(Conversion::RoundUp(shape.round_up.clone()));
    }
    match shape.convert.as_deref() {
        None => Some(Conversion::Same),
        Some("negate") => Some(Conversion::Negate),
        Some("word") => Some(Conversion::Word),
        Some(other) => {
            report.add(
                at,
                format!("convert `{other}` is none of negate, word; unchanged is the default"),
            );
            None
        }
    }
}

fn choice(at: &Location, shape: &FieldShape, names: usize, report: &mut Report) -> Option<Choice> {
    let mut rows: Vec<(Vec<Cell>, Value)> = Vec::new();
    for row in &shape.table {
        let Some((v2, cells)) = row.split_last().filter(|(_, cells)| cells.len() == names) else {
            report.add(
                at,
                "a row of the table has a value for each v1 name, then the v2 value",
            );
            return None;
        };
        let cells: Vec<Cell> = cells.iter().map(cell).collect();
        if rows
            .iter()
            .any(|(earlier, value)| *earlier == cells || *value == json(v2))
        {
            report.add(
                at,
                format!(
                    "the row for {} is never reached: an earlier one has it",
                    json(v2)
                ),
            );
        }
        let composites = cells.iter().filter_map(|cell| match cell {
            Cell::Is(value) => Some(value),
            Cell::Any | Cell::Absent => None,
        });
        for composite in composites
            .chain([&json(v2)])
            .filter(|value| is_composite(value))
        {
            report.add(
                at,
                format!("a table has single values only, not {composite}"),
            );
        }
        rows.push((cells, json(v2)));
    }
    if rows.is_empty() {
        report.add(at, "two v1 fields that share one place need a table");
    }
    let mut given: Vec<Given> = Vec::new();
    for rule in &shape.given {
        let cells: Vec<Cell> = rule.v1.iter().map(cell).collect();
        if cells.len() != names {
            report.add(at, "v1 of a `given` has a value for each v1 name");
        }
        if given.iter().any(|earlier| earlier.cells == cells) {
            report.add(
                at,
                "a `given` is never reached: an earlier one has the same v1",
            );
        }
        given.push(Given {
            cells,
            now: rule.now.iter().map(json).collect(),
            v2: json(&rule.v2),
        });
    }
    Some(Choice { rows, given })
}

fn is_composite(value: &Value) -> bool {
    value.is_array() || value.is_object()
}

fn cell(value: &toml::Value) -> Cell {
    match value.as_str() {
        Some("any") => Cell::Any,
        Some("absent") => Cell::Absent,
        _ => Cell::Is(json(value)),
    }
}
