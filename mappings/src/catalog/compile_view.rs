//! Checks the shapes of answers.

use serde_json::Value;

use super::{
    Location,
    compile_field::{Index, place},
    field::{Field, Kind, Place},
    load::{Parts, Report, Sets, expand, find},
    operation::{Member, Unfilled, View},
    reading::Reading,
    shape::ViewShape,
};

pub(super) fn views(
    parts: &mut Parts,
    fields: &[Field],
    index: &Index,
    sets: &Sets,
    report: &mut Report,
) -> Vec<View> {
    let shapes = std::mem::take(&mut parts.view);
    let mut views = Vec::new();
    for (at, (name, shape)) in &shapes {
        let items = shape.items.as_ref().and_then(|items| {
            let found = find(&shapes, at.resource(), items);
            if found.is_none() {
                report.add(at, format!("there is no view `{items}`"));
            }
            found.map(|(view, _, _)| view)
        });
        let name = name.clone();
        views.push(view(at, name, shape, items, fields, index, sets, report));
    }
    views
}

#[expect(clippy::too_many_arguments, reason = "one call, and each is needed")]
fn view(
    at: &Location,
    name: String,
    shape: &ViewShape,
    items: Option<usize>,
    fields: &[Field],
    index: &Index,
    sets: &Sets,
    report: &mut Report,
) -> View {
    let listed = expand(&shape.fields, sets, at, report);
    for unused in shape
        .without
        .iter()
        .chain(&shape.empty)
        .chain(shape.from.keys())
    {
        if !listed.contains(unused) {
            report.add(
                at,
                format!("`{unused}` is not among the fields of the view"),
            );
        }
    }
    let mut members: Vec<Member> = Vec::new();
    for key in listed {
        if shape.without.contains(&key) {
            continue;
        }
        let Some(field) = index.find(at.resource(), &key) else {
            report.add(at, format!("there is no field `{key}`"));
            continue;
        };
        let part = fields
            .get(field.0)
            .and_then(|known| known.parts.get(field.1));
        let v1 = part.map_or(key.as_str(), |part| part.name.as_str());
        let begin = format!(",{}:", Value::from(v1));
        if members.iter().any(|member| member.key == begin) {
            report.add(at, format!("`{key}` is there twice"));
            continue;
        }
        let from = shape.from.get(&key).map(|places| {
            places
                .iter()
                .filter_map(|text| report.keep(at, place(text)))
                .collect::<Vec<Place>>()
        });
        members.push(Member {
            field,
            from,
            empty: shape.empty.contains(&key),
            key: begin,
            known: String::new(),
            sources: Vec::new(),
        });
    }
    // Answers have their members in the order of the fields in the catalog.
    members.sort_by_key(|member| member.field);
    let mut reading = Reading::default();
    for member in &mut members {
        let places = fields.get(member.field.0).map(|field| &field.places);
        let places = member.from.as_ref().or(places).into_iter().flatten();
        member.sources = places.map(|place| reading.add(place)).collect();
        member.known = known(fields, member);
    }
    let mut none = Vec::new();
    for (set, reason) in &shape.none {
        let known = find(sets, at.resource(), set);
        let known = known.map_or_else(|| vec![set.clone()], |(_, _, keys)| keys.clone());
        for key in known {
            let field = index.find(at.resource(), &key);
            let part = field.and_then(|(field, part)| fields.get(field)?.parts.get(part));
            match (field, part) {
                (Some(field), Some(part)) => none.push(Unfilled {
                    field,
                    name: part.name.clone(),
                    reason: reason.clone(),
                }),
                _ => report.add(at, format!("there is neither a set nor a field `{key}`")),
            }
        }
    }
    let has_list = members.iter().any(|member| {
        fields
            .get(member.field.0)
            .is_some_and(|field| field.parts.iter().any(|part| part.kind == Kind::List))
    });
    if has_list != items.is_some() {
        report.add(at, "a view with a list has `items`, another has not");
    }
    View {
        name,
        members,
        none,
        items,
        reading,
        location: at.clone(),
    }
}

/// What a member is where v2 is not asked, or has nothing.
fn known(fields: &[Field], member: &Member) -> String {
    let (field, part) = member.field;
    let value = fields.get(field).and_then(|field| {
        let empty = || field.parts.get(part)?.empty.as_ref();
        field.always.as_ref().or_else(empty)
    });
    value.map_or_else(String::new, |value| format!("{}{value}", member.key))
}
