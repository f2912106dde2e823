//! Checks the shapes of answers.

use serde_json::Value;

use super::{
    Location,
    compile_field::{Index, place},
    field::{Field, Kind, Place},
    load::{Parts, Report, Sets, expand},
    operation::{Member, View},
    reading::{Reading, Source},
    shape::ViewShape,
};
use crate::conversion::Conversion;

pub(super) fn views(
    parts: &mut Parts,
    fields: &[Field],
    index: &Index,
    sets: &Sets,
    report: &mut Report,
) -> Vec<View> {
    let shapes = std::mem::take(&mut parts.view);
    let names: Vec<String> = shapes.iter().map(|(_, (name, _))| name.clone()).collect();
    let mut views = Vec::new();
    for (at, (name, shape)) in shapes {
        let items = shape.items.as_ref().and_then(|items| {
            let found = names.iter().position(|known| known == items);
            if found.is_none() {
                report.add(&at, format!("there is no view `{items}`"));
            }
            found
        });
        views.push(view(&at, name, &shape, items, fields, index, sets, report));
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
    for field_name in listed {
        if shape.without.contains(&field_name) {
            continue;
        }
        let Some(field) = index.general(&field_name) else {
            report.add(at, format!("there is no field `{field_name}`"));
            continue;
        };
        if members.iter().any(|member| member.field == field) {
            report.add(at, format!("`{field_name}` is there twice"));
            continue;
        }
        let from = shape.from.get(&field_name).map(|places| {
            places
                .iter()
                .filter_map(|text| report.keep(at, place(text)))
                .collect::<Vec<Place>>()
        });
        members.push(Member {
            field,
            from,
            empty: shape.empty.contains(&field_name),
            key: format!("{}:", Value::from(field_name)),
            sources: Vec::new(),
            plain: None,
        });
    }
    // Answers have their members in the order of the fields in the catalog.
    members.sort_by_key(|member| member.field);
    let mut reading = Reading::default();
    for member in &mut members {
        let places = fields.get(member.field.0).map(|field| &field.places);
        let places = member.from.as_ref().or(places).into_iter().flatten();
        member.sources = places.map(|place| reading.add(place)).collect();
        member.plain = plain(fields, member);
    }
    let mut none = Vec::new();
    for (set, reason) in &shape.none {
        let known = sets.get(set).cloned().unwrap_or_else(|| vec![set.clone()]);
        for field_name in known {
            if index.general(&field_name).is_none() {
                report.add(
                    at,
                    format!("there is neither a set nor a field `{field_name}`"),
                );
            }
            none.push((field_name, reason.clone()));
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

/// Where a text that is shown as it is is first looked for, if that is a member of a document.
fn plain(fields: &[Field], member: &Member) -> Option<(usize, usize)> {
    let field = fields.get(member.field.0)?;
    let part = field.parts.get(member.field.1)?;
    let is_text = matches!(part.kind, Kind::Secret | Kind::String | Kind::Text);
    let stays = field.conversion == Conversion::Same && field.always.is_none() && !member.empty;
    match member.sources.first()? {
        Source::Document(source) if is_text && stays && source.rest.is_empty() => {
            Some((source.document, source.member))
        }
        _ => None,
    }
}
