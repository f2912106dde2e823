//! Page of a field: its mappings and the operations that use it.

use mappings::{
    Catalog, Method,
    catalog::{
        field::{Field, Part, Place},
        operation::{Call, Operation},
    },
    conversion::{Cell, Conversion},
    fidelity::Fidelity,
};
use serde::Serialize;
use serde_json::Value;

use super::{
    OperationPage, SCHEMA,
    parameters::{ParameterPlace, RequestPart},
    wording,
};

/// All mappings of a v1 name. There are several if its meaning depends on the operation.
#[derive(Debug, Serialize)]
pub(crate) struct FieldPage<'a> {
    pub(crate) schema: u32,
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) mappings: Vec<MappingEntry<'a>>,
    /// Operations that took it but have no field mappings yet.
    pub(crate) unmapped_in: Vec<&'a str>,
}

#[derive(Debug, Serialize)]
pub(crate) struct MappingEntry<'a> {
    /// v1 fields; several if they share one place in v2.
    pub(crate) fields: Vec<PartEntry<'a>>,
    pub(crate) fidelity: Fidelity,
    pub(crate) reason: Option<&'a str>,
    /// Places of the value, in order of preference.
    pub(crate) places: Vec<PlaceEntry>,
    pub(crate) conversion: ConversionEntry<'a>,
    /// v1 values that are not sent because v2 has no equivalent.
    pub(crate) omitted: &'a [Value],
    /// Constant v1 value, independent of v2.
    pub(crate) always: Option<&'a Value>,
    /// Supported without being sent.
    pub(crate) implied: bool,
    /// Operations that use this mapping; all others if empty.
    pub(crate) only: Vec<&'a str>,
    pub(crate) taken_by: Vec<TakenBy<'a>>,
    pub(crate) answered_by: Vec<AnsweredBy<'a>>,
    /// Resource; `common` for several.
    pub(crate) resource: &'a str,
    /// Catalog file and line.
    pub(crate) catalog: String,
}

/// A v1 field of a mapping.
#[derive(Debug, Serialize)]
pub(crate) struct PartEntry<'a> {
    pub(crate) name: &'a str,
    /// v1's type and accepted values.
    pub(crate) r#type: String,
    /// v1's value if v2 has none.
    pub(crate) empty: Option<&'a Value>,
}

/// Place of a value in v2.
#[derive(Debug, Serialize)]
pub(crate) struct PlaceEntry {
    /// In catalog notation: `settings:/in_meeting/chat`.
    pub(crate) place: String,
    /// Path in the document, if it is in one: `in_meeting.chat`.
    pub(crate) at: Option<String>,
    /// v2 requests that read or send the document.
    pub(crate) requests: Vec<String>,
}

/// Conversion between v1 and v2.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum ConversionEntry<'a> {
    Same,
    Negate,
    /// Like `same`, but only single words are values.
    Word,
    /// Pairs: v1 first in `request`, v2 first in `response`. A direction without pairs keeps the
    /// value.
    Table {
        request: &'a [(Value, Value)],
        response: &'a [(Value, Value)],
    },
    RoundUp {
        steps: &'a [i64],
    },
    /// Any other conversion.
    Other {
        words: &'static str,
    },
    /// Two v1 fields for one v2 value.
    Choice {
        /// Rows for both directions.
        rows: Vec<ChoiceRow<'a>>,
        /// Additional rows for requests; the first match applies.
        given: Vec<ChoiceRow<'a>>,
    },
}

/// Row of a table of two v1 fields.
#[derive(Debug, Serialize)]
pub(crate) struct ChoiceRow<'a> {
    pub(crate) v1: Vec<CellEntry<'a>>,
    /// Current v2 values that the row applies to; any if empty.
    pub(crate) now: &'a [Value],
    pub(crate) v2: &'a Value,
}

/// Condition of a row on one v1 field.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CellEntry<'a> {
    Any,
    Absent,
    Is(&'a Value),
}

/// Operation that takes the field as a parameter.
#[derive(Debug, Serialize)]
pub(crate) struct TakenBy<'a> {
    pub(crate) operation: &'a str,
    pub(crate) fidelity: Fidelity,
    pub(crate) reason: Option<&'a str>,
    pub(crate) places: Vec<ParameterPlace<'a>>,
}

/// Operation that returns the field.
#[derive(Debug, Serialize)]
pub(crate) struct AnsweredBy<'a> {
    pub(crate) operation: &'a str,
    /// List whose entries have the field.
    pub(crate) list: Option<String>,
    pub(crate) fidelity: Fidelity,
    pub(crate) reason: Option<&'a str>,
}

impl<'a> FieldPage<'a> {
    /// Finds a v1 name, ignoring case; `None` if v1 had no such parameter or response field.
    pub(crate) fn find(catalog: &'a Catalog, name: &str) -> Option<Self> {
        let is_it = |known: &str| known.eq_ignore_ascii_case(name);
        let fields = catalog.fields().iter().enumerate();
        let mappings: Vec<_> = fields
            .filter(|(_, field)| field.parts.iter().any(|part| is_it(&part.name)))
            // Members of push notifications have their own page.
            .filter(|(_, field)| !is_pushed(catalog, field))
            .map(|(at, field)| mapping(catalog, at, field))
            .collect();
        let unserved = catalog
            .operations()
            .iter()
            .filter(|operation| !operation.is_served());
        let unmapped_in: Vec<_> = unserved
            .filter(|operation| operation.parameters.iter().any(|p| is_it(&p.name)))
            .map(|operation| operation.name.as_str())
            .collect();
        let name = names(catalog).find(|known| is_it(known))?.to_owned();
        Some(Self {
            schema: SCHEMA,
            kind: "field",
            name,
            mappings,
            unmapped_in,
        })
    }
}

/// True for fields of push notifications.
fn is_pushed(catalog: &Catalog, field: &Field) -> bool {
    let notifications = catalog.notifications().iter();
    let mut locations = notifications.map(|known| &known.operation.location);
    locations.any(|location| location.resource() == field.location.resource())
}

/// v1 names of all fields and parameters, with duplicates.
pub(crate) fn names(catalog: &Catalog) -> impl Iterator<Item = &str> {
    let fields = catalog.fields().iter().flat_map(|field| &field.parts);
    let parameters = catalog.operations().iter().flat_map(|o| &o.parameters);
    fields
        .map(|part| part.name.as_str())
        .chain(parameters.map(|parameter| parameter.name.as_str()))
}

/// v1 names of the fields that v2 has under a name: `option_jbh` for `join_before_host`.
pub(crate) fn named_in_v2<'a>(catalog: &'a Catalog, name: &str) -> Vec<&'a str> {
    let is_so = |place: &Place| {
        matches!(place, Place::Document(place)
            if place.pointer.rsplit('/').next().is_some_and(|last| last.eq_ignore_ascii_case(name)))
    };
    let fields = catalog.fields().iter();
    let mut names: Vec<_> = fields
        .filter(|field| field.places.iter().any(is_so) && !is_pushed(catalog, field))
        .flat_map(|field| field.parts.iter().map(|part| part.name.as_str()))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn mapping<'a>(catalog: &'a Catalog, at: usize, field: &'a Field) -> MappingEntry<'a> {
    let mut taken_by = Vec::new();
    let mut answered_by = Vec::new();
    let location = field.location.to_string();
    for operation in catalog
        .operations()
        .iter()
        .filter(|operation| operation.is_served())
    {
        let page = OperationPage::new(catalog, operation);
        let indices = operation.parameters.iter().map(|parameter| parameter.field);
        let taken = indices
            .zip(page.parameters)
            .find(|(index, _)| index.is_some_and(|(field, _)| field == at));
        if let Some((_, parameter)) = taken {
            taken_by.push(TakenBy {
                operation: &operation.name,
                fidelity: parameter.fidelity.unwrap_or(field.fidelity),
                reason: parameter.reason,
                places: parameter.places,
            });
        }
        let Some(answer) = page.answer else { continue };
        let lists = answer
            .lists
            .into_iter()
            .map(|list| (Some(list.list), list.fields));
        for (list, fields) in std::iter::once((None, answer.fields)).chain(lists) {
            if let Some(shown) = fields.into_iter().find(|shown| shown.catalog == location) {
                answered_by.push(AnsweredBy {
                    operation: &operation.name,
                    list,
                    fidelity: shown.fidelity,
                    reason: shown.reason,
                });
            }
        }
    }
    let is_user = |operation: &Operation| {
        taken_by.iter().any(|used| used.operation == operation.name)
            || answered_by
                .iter()
                .any(|used| used.operation == operation.name)
    };
    let places = field.places.iter().map(|at| place(catalog, at, &is_user));
    let mut places: Vec<_> = places.collect();
    places.retain(|place| place.at.is_none() || !place.requests.is_empty());
    if places.is_empty() {
        places = used_at(&taken_by, catalog);
    }
    MappingEntry {
        fields: field.parts.iter().map(part).collect(),
        fidelity: field.fidelity,
        reason: field.reason.as_deref(),
        places,
        conversion: conversion(&field.conversion),
        omitted: &field.omit,
        always: field.always.as_ref(),
        implied: field.implied,
        only: only(field, &taken_by, &answered_by),
        taken_by,
        answered_by,
        resource: field.location.resource(),
        catalog: location,
    }
}

/// Operations of a mapping that is one of several with this name.
fn only<'a>(
    field: &Field,
    taken_by: &[TakenBy<'a>],
    answered_by: &[AnsweredBy<'a>],
) -> Vec<&'a str> {
    if field.parts.iter().all(|part| part.key == part.name) {
        return Vec::new();
    }
    let mut only: Vec<_> = taken_by.iter().map(|used| used.operation).collect();
    only.extend(answered_by.iter().map(|used| used.operation));
    only.sort_unstable();
    only.dedup();
    only
}

fn part(part: &Part) -> PartEntry<'_> {
    PartEntry {
        name: &part.name,
        r#type: wording::kind(part),
        empty: part.empty.as_ref(),
    }
}

fn place(catalog: &Catalog, place: &Place, is_user: &dyn Fn(&Operation) -> bool) -> PlaceEntry {
    let (at, requests) = match place {
        Place::Document(place) => (
            Some(wording::dotted(&place.pointer)),
            requests(catalog, |operation, call| {
                is_user(operation) && touches(call, &place.document)
            }),
        ),
        _ => (None, Vec::new()),
    };
    PlaceEntry {
        place: wording::place(place),
        at,
        requests,
    }
}

/// Places outside documents: paths, queries and fixed bodies.
fn used_at(taken_by: &[TakenBy<'_>], catalog: &Catalog) -> Vec<PlaceEntry> {
    let mut found: Vec<PlaceEntry> = Vec::new();
    for taken in taken_by {
        for place in &taken.places {
            let requests = requests(catalog, |operation, call| {
                operation.name == taken.operation && place.calls.contains(&call.name.as_str())
            });
            let words = match place.part {
                RequestPart::Query => "query",
                RequestPart::Body => "body",
                RequestPart::Path => "path",
                RequestPart::File => "file",
                RequestPart::Filter | RequestPart::Check => continue,
            };
            match found
                .iter_mut()
                .find(|known| known.place == words && known.at == place.at)
            {
                Some(known) => {
                    let new = |request: &String| !known.requests.contains(request);
                    let new: Vec<_> = requests.into_iter().filter(new).collect();
                    known.requests.extend(new);
                }
                None => found.push(PlaceEntry {
                    place: words.to_owned(),
                    at: place.at.clone(),
                    requests,
                }),
            }
        }
    }
    found
}

/// Distinct v2 requests of the matching calls.
fn requests(catalog: &Catalog, is_meant: impl Fn(&Operation, &Call) -> bool) -> Vec<String> {
    let mut requests = Vec::new();
    for operation in catalog.operations() {
        let calls = operation.plan().into_iter().flat_map(|plan| &plan.calls);
        for call in calls.filter(|call| is_meant(operation, call)) {
            let request = format!("{} {}", call.method, call.template);
            if !requests.contains(&request) {
                requests.push(request);
            }
        }
    }
    requests.sort_by_key(|request| !request.starts_with(Method::Get.as_str()));
    requests
}

fn touches(call: &Call, document: &str) -> bool {
    let sends = call.sends.as_ref().map(|(document, _)| document.as_str());
    let list = call.list().map(|(_, _, document)| document);
    [sends, list, call.reads.as_deref()].contains(&Some(document))
}

fn conversion(conversion: &Conversion) -> ConversionEntry<'_> {
    match conversion {
        Conversion::Same => ConversionEntry::Same,
        Conversion::Negate => ConversionEntry::Negate,
        Conversion::Word => ConversionEntry::Word,
        Conversion::Table(table) => ConversionEntry::Table {
            request: &table.request,
            response: &table.response,
        },
        Conversion::RoundUp(steps) => ConversionEntry::RoundUp { steps },
        Conversion::Choice(choice) => ConversionEntry::Choice {
            rows: choice
                .rows
                .iter()
                .map(|(cells, v2)| ChoiceRow {
                    v1: cells.iter().map(cell).collect(),
                    now: &[],
                    v2,
                })
                .collect(),
            given: choice
                .given
                .iter()
                .map(|given| ChoiceRow {
                    v1: given.cells.iter().map(cell).collect(),
                    now: &given.now,
                    v2: &given.v2,
                })
                .collect(),
        },
        other => ConversionEntry::Other {
            words: other.words(),
        },
    }
}

fn cell(cell: &Cell) -> CellEntry<'_> {
    match cell {
        Cell::Any => CellEntry::Any,
        Cell::Absent => CellEntry::Absent,
        Cell::Is(value) => CellEntry::Is(value),
    }
}
