//! Checks the shapes of answers.

use std::collections::{BTreeMap, BTreeSet};

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
        let mut inner = BTreeMap::new();
        for (key, name) in &shape.items {
            match find(&shapes, at.resource(), name) {
                Some((view, _, _)) => {
                    inner.insert(key.as_ref().clone(), view);
                }
                None => report.add(at, format!("there is no view `{name}`")),
            }
        }
        let name = name.clone();
        views.push(view(at, name, shape, inner, fields, index, sets, report));
    }
    no_circles(&mut views, report);
    views
}

#[expect(clippy::too_many_arguments, reason = "one call, and each is needed")]
fn view(
    at: &Location,
    name: String,
    shape: &ViewShape,
    mut inner: BTreeMap<String, usize>,
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
            view: inner.remove(&key),
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
    let none = unfilled(at, shape, fields, index, sets, report);
    let kind = |member: &Member| {
        let field = fields.get(member.field.0)?;
        field.parts.get(member.field.1).map(|part| part.kind)
    };
    for member in &members {
        let has_view = kind(member).is_some_and(Kind::has_view);
        if has_view && member.view.is_none() {
            report.add(
                at,
                format!(
                    "the list or object{} needs a view: `items.KEY = \"VIEW\"`",
                    name_in(member)
                ),
            );
        }
        if !has_view && member.view.is_some() {
            report.add(
                at,
                format!(
                    "a view is for lists and objects, not for{}",
                    name_in(member)
                ),
            );
        }
    }
    for key in inner.keys() {
        report.add(at, format!("`{key}` is not among the fields of the view"));
    }
    let mut lists = members
        .iter()
        .filter(|member| kind(member) == Some(Kind::List));
    let items = lists.find_map(|member| member.view);
    View {
        name,
        members,
        none,
        items,
        reading,
        location: at.clone(),
    }
}

/// The fields that v1 had and v2 cannot fill.
fn unfilled(
    at: &Location,
    shape: &ViewShape,
    fields: &[Field],
    index: &Index,
    sets: &Sets,
    report: &mut Report,
) -> Vec<Unfilled> {
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
    none
}

/// No view may have itself inside.
fn no_circles(views: &mut [View], report: &mut Report) {
    for start in 0..views.len() {
        let mut inside = vec![start];
        let mut seen = BTreeSet::new();
        while let Some(view) = inside.pop() {
            let members = views.get(view).map(|view| view.members.as_slice());
            let inner = members
                .unwrap_or_default()
                .iter()
                .filter_map(|member| member.view);
            inside.extend(inner.filter(|view| seen.insert(*view)));
        }
        if let Some(view) = views.get_mut(start).filter(|_| seen.contains(&start)) {
            report.add(
                &view.location,
                format!("the view `{}` has itself inside", view.name),
            );
            for member in &mut view.members {
                member.view = None;
            }
        }
    }
}

/// The v1 name of a member, for a sentence.
fn name_in(member: &Member) -> String {
    let name = member.key.trim_start_matches(',').trim_end_matches(':');
    format!(" {name}")
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
