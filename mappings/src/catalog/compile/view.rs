//! Compiles the views of v1 responses.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    super::{
        field::{Field, Kind},
        operation::{Member, Unfilled, View},
        reading::Reading,
        shape::ViewShape,
    },
    Names, Scope,
    field::Fields,
};

pub(super) fn views(names: &Names<'_>, fields: &Fields) -> Vec<View> {
    let views = names.view.0.iter();
    let mut views: Vec<_> = views
        .map(|view| self::view(&names.scope(&view.at), view.name, view.value, fields))
        .collect();
    no_circles(&mut views, names);
    views
}

fn view(scope: &Scope<'_>, name: &str, shape: &ViewShape, fields: &Fields) -> View {
    let mut inner: BTreeMap<&str, usize> = BTreeMap::new();
    for (key, name) in &shape.items {
        inner.extend(scope.view(name).map(|view| (key.as_ref().as_str(), view)));
    }
    let listed = scope.expand(&shape.fields);
    let not_listed = |key: &str| {
        scope.add(format!("`{key}` is not among the fields of the view"));
    };
    let in_none = |key: &String| {
        shape.none.keys().any(|set| {
            let found = scope.names.set.find(scope.resource(), set);
            found.is_some_and(|(_, keys)| keys.value.contains(key))
        })
    };
    let named = shape.without.iter().chain(&shape.empty);
    for key in named.chain(shape.from.keys()) {
        if !listed.contains(key) && !in_none(key) {
            not_listed(key);
        }
    }
    let mut members: Vec<Member> = Vec::new();
    for key in listed.iter().filter(|key| !shape.without.contains(key)) {
        let Some(field) = fields.find(scope, key) else {
            continue;
        };
        let v1 = fields.get(field).map_or(key, |(_, part)| &part.name);
        let begin = format!(",{}:", Value::from(v1.as_str()));
        if members.iter().any(|member| member.key == begin) {
            scope.add(format!("duplicate `{key}`"));
            continue;
        }
        members.push(Member {
            field,
            from: shape.from.get(key).cloned(),
            empty: shape.empty.contains(key),
            view: inner.remove(key.as_str()),
            key: begin,
            known: String::new(),
            sources: Vec::new(),
        });
    }
    for key in inner.keys() {
        not_listed(key);
    }
    // v1 responses list members in the catalog's field order.
    members.sort_by_key(|member| member.field);
    let mut reading = Reading::default();
    let mut items = None;
    for member in &mut members {
        let Some((field, part)) = fields.get(member.field) else {
            continue;
        };
        let places = member.from.as_ref().unwrap_or(&field.places).iter();
        member.sources = places.map(|place| reading.add(place)).collect();
        let known = field.always.as_ref().or(part.empty.as_ref());
        member.known = known.map_or_else(String::new, |value| format!("{}{value}", member.key));
        check_inner(scope, member, part.kind);
        if part.kind == Kind::List {
            items = items.or(member.view);
        }
    }
    View {
        name: name.to_owned(),
        members,
        none: unfilled(scope, shape, fields),
        items,
        reading,
        location: scope.at.clone(),
    }
}

/// Lists and objects require a view; other types must not have one.
fn check_inner(scope: &Scope<'_>, member: &Member, kind: Kind) {
    let name = member.key.trim_start_matches(',').trim_end_matches(':');
    match (kind.has_view(), member.view) {
        (true, None) => scope.add(format!(
            "the list or object {name} needs a view: `items.KEY = \"VIEW\"`"
        )),
        (false, Some(_)) => scope.add(format!("a view is for lists and objects, not for {name}")),
        _ => {}
    }
}

/// Fields of v1 that v2 cannot fill.
fn unfilled(scope: &Scope<'_>, shape: &ViewShape, fields: &Fields) -> Vec<Unfilled> {
    let mut none = Vec::new();
    for (set, reason) in &shape.none {
        let known = scope.names.set.find(scope.resource(), set);
        let keys = known.map_or(std::slice::from_ref(set), |(_, keys)| keys.value);
        for key in keys.iter().filter(|key| !shape.without.contains(key)) {
            let field = fields.find_quietly(scope.resource(), key);
            match field.zip(field.and_then(|field| fields.get(field))) {
                Some((field, (_, part))) => none.push(Unfilled {
                    field,
                    name: part.name.clone(),
                    reason: reason.clone(),
                }),
                None => scope.add(format!("unknown set or field `{key}`")),
            }
        }
    }
    none
}

/// Reports views that contain themselves.
fn no_circles(views: &mut [View], names: &Names<'_>) {
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
            let reason = format!("the view `{}` contains itself", view.name);
            names.report.add(&view.location, reason);
            for member in &mut view.members {
                member.view = None;
            }
        }
    }
}

/// Calls `note` for each member of the view that no source fills.
pub(super) fn check(
    view: usize,
    fields: &Fields,
    views: &[View],
    is_filled: &impl Fn(&Field, &Member) -> bool,
    note: &impl Fn(&Field, &View),
) {
    let Some(view) = views.get(view) else { return };
    for member in &view.members {
        let Some((field, _)) = fields.get(member.field) else {
            continue;
        };
        if field.always.is_none() && !is_filled(field, member) {
            note(field, view);
        }
        if let Some(inner) = member.view {
            check(inner, fields, views, is_filled, note);
        }
    }
}
