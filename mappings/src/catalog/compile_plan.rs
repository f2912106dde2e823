//! Checks the plan of one operation: its calls, its lists, and what waits for what.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize as _;

use super::{
    Location, compile_call,
    compile_field::wanted,
    compile_protocol::{Subjects, option_value},
    field::Place,
    load::{Endpoint, Parts, Report, find, pointer},
    operation::{Call, Join, List, OptionValue, Plan, Test, Then, Wanted},
    protocol::{OptionRule, Protocol},
    shape::{CallShape, ListShape, PlanShape, TestShape},
};
use crate::template::Template;

/// The document that the core makes up of a page of a list.
pub const PAGE: &str = "page";
/// The document that an object or an element of an array in another document is for its own view.
pub const ITEM: &str = "item";

/// What a plan is compiled for.
pub(super) struct Scope<'a> {
    pub parts: &'a Parts,
    pub operation: &'a str,
    pub parameters: &'a [String],
    pub constants: &'a BTreeMap<String, String>,
    /// The kind of what the operation is about.
    pub subject: Option<&'a str>,
    pub has_range: bool,
    /// The calls whose answers say something of the operation's range.
    pub range_calls: Vec<&'a str>,
    /// The lists of the plan that are made of others.
    pub lists: Vec<&'a str>,
    pub endpoints: &'a BTreeMap<String, Endpoint>,
    pub options: &'a BTreeMap<String, OptionRule>,
    pub subjects: &'a Subjects,
    pub protocol: &'a Protocol,
    /// The shared calls that are used, by their index.
    pub used_calls: &'a mut BTreeSet<usize>,
}

/// `near` is the plan's own place.
pub(super) fn plan(
    near: &Location,
    shape: &PlanShape,
    scope: &mut Scope<'_>,
    report: &mut Report,
) -> Option<Plan> {
    let mut calls: Vec<Call> = Vec::new();
    for table in &shape.call {
        let at = scope.parts.at(near, &table.span());
        let shape = call_shape(&at, table.as_ref(), scope, report)?;
        let call = compile_call::call(&at, &shape, &calls, scope, report)?;
        if calls.iter().any(|earlier| earlier.name == call.name) {
            report.add(&at, format!("call `{}` is there twice", call.name));
        }
        calls.push(call);
    }
    for on in calls.iter().flat_map(|call| &call.on) {
        if let Then::Resume(evidence) = &on.then {
            index_of(&evidence.call, &calls, near, report);
        }
    }
    let lists = lists(near, shape, &mut calls, scope, report);
    let mut looked_at: BTreeSet<usize> = calls
        .iter()
        .flat_map(|call| compile_call::looks_at(call, &calls))
        .collect();
    let unfinished = shape.unfinished.as_ref();
    let unfinished = unfinished.and_then(|text| report.keep(near, Template::parse(text)));
    let names = unfinished.iter().flat_map(Template::names);
    let of_calls = names.filter_map(|name| name.split_once(':'));
    looked_at.extend(of_calls.filter_map(|(call, _)| index_of(call, &calls, near, report)));
    for (index, call) in calls.iter_mut().enumerate() {
        call.keeps = looked_at.contains(&index) || scope.range_calls.contains(&call.name.as_str());
    }
    Some(Plan {
        calls,
        lists,
        unsent: shape.unsent.clone(),
        unfinished,
    })
}

/// A call's own keys over those of the shared call that it names.
fn call_shape(
    at: &Location,
    own: &toml::Table,
    scope: &mut Scope<'_>,
    report: &mut Report,
) -> Option<CallShape> {
    let mut read = |table: toml::Table| {
        let shape = CallShape::deserialize(toml::Value::Table(table));
        report.keep(at, shape.map_err(|error| error.message().to_owned()))
    };
    let mut shape = read(own.clone())?;
    if let Some(name) = &shape.base {
        let Some((index, _, shared)) = find(&scope.parts.call, at.resource(), name) else {
            report.add(at, format!("there is no [call.{name}]"));
            return None;
        };
        scope.used_calls.insert(index);
        let mut table = shared.clone();
        table.extend(own.clone());
        shape = read(table)?;
    }
    if shape.name.is_empty() || shape.request.is_empty() {
        report.add(at, "a call has a `name` and a `request`");
        return None;
    }
    Some(shape)
}

/// The lists that are made of others, each after those that it is made of.
fn lists(
    near: &Location,
    shape: &PlanShape,
    calls: &mut [Call],
    scope: &Scope<'_>,
    report: &mut Report,
) -> Vec<List> {
    let mut lists: Vec<List> = Vec::new();
    let mut open: Vec<_> = shape.list.iter().collect();
    loop {
        let is_known = |list: &str| {
            lists.iter().any(|known| known.name == list)
                || calls.iter().any(|call| call.makes_list() == Some(list))
        };
        let ready = open.iter().position(|(_, shape)| {
            let mut sources = shape.join.iter().map(|join| join.list.as_str());
            is_known(&shape.of) && sources.all(is_known)
        });
        let Some(ready) = ready else { break };
        let (name, shape) = open.remove(ready);
        let at = scope.parts.at(near, &name.span());
        if is_known(name.as_ref()) {
            report.add(&at, format!("list `{}` is there already", name.as_ref()));
        }
        let list = list(&at, name.as_ref(), shape, calls, &lists, scope, report);
        lists.push(list);
    }
    for (name, _) in open {
        let at = scope.parts.at(near, &name.span());
        report.add(&at, "no call makes the lists that this one is made of");
    }
    for (index, call) in calls.iter_mut().enumerate() {
        let Some(of) = call.each_of() else { continue };
        let Some(list) = lists.iter().position(|list| list.name == of) else {
            continue;
        };
        let waits_for = lists.get(list).map(|list| list.after.as_slice());
        if waits_for
            .unwrap_or_default()
            .iter()
            .any(|earlier| *earlier >= index)
        {
            report.add(
                near,
                format!("`{}` waits for a list that later calls make", call.name),
            );
        }
        call.after_lists.push(list);
    }
    lists
}

fn list(
    at: &Location,
    name: &str,
    shape: &ListShape,
    calls: &[Call],
    earlier: &[List],
    scope: &Scope<'_>,
    report: &mut Report,
) -> List {
    let sources: Vec<&str> = std::iter::once(shape.of.as_str())
        .chain(shape.join.iter().map(|join| join.list.as_str()))
        .collect();
    // The calls that make these lists, and those that are made for their entries.
    let of_sources = calls.iter().enumerate().filter(|(_, call)| {
        let list = call.makes_list().or_else(|| call.each_of());
        list.is_some_and(|list| sources.contains(&list))
    });
    let mut after: Vec<usize> = of_sources.map(|(index, _)| index).collect();
    let named = shape.after.iter();
    after.extend(named.filter_map(|call| index_of(call, calls, at, report)));
    let lists = earlier.iter().enumerate();
    let after_lists = lists.filter(|(_, list)| sources.contains(&list.name.as_str()));
    let after_lists: Vec<_> = after_lists.map(|(index, _)| index).collect();
    for list in after_lists.iter().filter_map(|index| earlier.get(*index)) {
        after.extend(&list.after);
    }
    let joins = shape.join.iter().filter_map(|join| {
        let keys = join.on.clone().into_vec().into_iter().map(|(here, there)| {
            Some((
                report.keep(at, pointer(&here))?,
                report.keep(at, pointer(&there))?,
            ))
        });
        Some(Join {
            list: join.list.clone(),
            on: keys.collect::<Option<_>>()?,
            rest: join.rest,
        })
    });
    let joins = joins.collect();
    let page = shape.page.as_ref().map(|page| {
        scope.check_parameter(&page.number, at, report);
        scope.check_parameter(&page.size, at, report);
        (page.number.clone(), page.size.clone())
    });
    let sort = shape.sort.as_ref();
    let sort = sort.and_then(|sort| report.keep(at, pointer(sort)));
    if shape.descending && sort.is_none() {
        report.add(at, "`descending` is for `sort`");
    }
    if let Some(inner) = &shape.inner {
        let makes = |call: &Call| {
            let list = call.list().map(|(list, _, _)| list);
            list == Some(inner) && call.each_of() == Some(&shape.of)
        };
        if !calls.iter().any(makes) {
            report.add(
                at,
                format!(
                    "no call for the entries of `{}` makes the list `{inner}`",
                    shape.of
                ),
            );
        }
    }
    List {
        name: name.to_owned(),
        of: shape.of.clone(),
        inner: shape.inner.clone(),
        after,
        after_lists,
        keep: tests(at, &shape.keep, scope, report),
        joins,
        sort,
        descending: shape.descending,
        page,
    }
}

/// What members of an entry are to be.
pub(super) fn tests(
    at: &Location,
    shapes: &[TestShape],
    scope: &Scope<'_>,
    report: &mut Report,
) -> Vec<Test> {
    let tests = shapes.iter().filter_map(|shape| {
        let pointer = report.keep(at, pointer(&shape.at))?;
        let parameter = [
            shape
                .equals
                .as_ref()
                .map(|name| Wanted::Equals(name.clone())),
            shape
                .not_before
                .as_ref()
                .map(|name| Wanted::NotBefore(name.clone())),
            shape
                .not_after
                .as_ref()
                .map(|name| Wanted::NotAfter(name.clone())),
        ];
        let mut parameters = parameter.into_iter().flatten();
        let wanted = match (parameters.next(), parameters.next()) {
            (Some(_), Some(_)) => {
                report.add(
                    at,
                    "one of `equals`, `not_before` and `not_after` is enough",
                );
                return None;
            }
            (Some(wanted), None) => {
                let fixed =
                    !shape.is.is_empty() || !shape.is_not.is_empty() || shape.exists.is_some();
                if fixed {
                    report.add(
                        at,
                        "a test compares with values or with a parameter, not both",
                    );
                }
                wanted
            }
            (None, _) => wanted(at, &shape.is, &shape.is_not, shape.exists, report)?,
        };
        if let Wanted::Equals(name) | Wanted::NotBefore(name) | Wanted::NotAfter(name) = &wanted {
            scope.check_parameter(name, at, report);
        }
        Some(Test {
            document: shape.document.clone(),
            at: pointer,
            wanted,
        })
    });
    tests.collect()
}

pub(super) fn index_of(
    name: &str,
    earlier: &[Call],
    at: &Location,
    report: &mut Report,
) -> Option<usize> {
    let found = earlier.iter().position(|call| call.name == name);
    if found.is_none() {
        report.add(at, format!("there is no earlier call `{name}`"));
    }
    found
}

/// A number that the site chooses: there must be such an option.
pub(super) fn check_number(
    at: &Location,
    name: &str,
    options: &BTreeMap<String, OptionRule>,
    report: &mut Report,
) {
    if options.get(name).is_none_or(|rule| rule.range.is_none()) {
        report.add(at, format!("there is no number [option.{name}]"));
    }
}

/// The options that a condition names, checked.
pub(super) fn choices(
    at: &Location,
    named: &BTreeMap<String, toml::Value>,
    options: &BTreeMap<String, OptionRule>,
    report: &mut Report,
) -> Vec<(String, OptionValue)> {
    let mut choices = Vec::new();
    for (name, value) in named {
        let Some(rule) = options.get(name) else {
            report.add(at, format!("there is no [option.{name}]"));
            continue;
        };
        if let Some(value) = report.keep(at, option_value(rule, value)) {
            choices.push((name.clone(), value));
        }
    }
    choices
}

impl Scope<'_> {
    pub(super) fn has_parameter(&self, name: &str) -> bool {
        self.parameters.iter().any(|parameter| parameter == name)
    }

    pub(super) fn check_parameter(&self, name: &str, at: &Location, report: &mut Report) {
        if !self.has_parameter(name) {
            report.add(
                at,
                format!("`{name}` is not a parameter of {}", self.operation),
            );
        }
    }
}

impl Plan {
    /// True if something of the plan fills a place.
    pub(super) fn fills(&self, place: &Place) -> bool {
        let has_list = |name: &String| {
            let mut lists = self.lists.iter();
            let mut calls = self.calls.iter();
            lists.any(|list| list.name == *name)
                || calls.any(|call| call.list().is_some_and(|(list, _, _)| list == name))
        };
        match place {
            Place::Document(place) | Place::Parts(place) | Place::Link(place) => {
                self.reads(&place.document)
            }
            Place::List(list) | Place::Count(list) | Place::Sum(list, _) => has_list(list),
            Place::Done(name) => self.calls.iter().any(|call| call.name == *name),
            Place::Text(template) => template.placeholders().all(|(inner, _)| {
                let document = inner.split_once(':').map(|(document, _)| document);
                document.is_some_and(|document| self.reads(document))
            }),
            Place::Given(_)
            | Place::Clock
            | Place::Here
            | Place::Today
            | Place::Site(_)
            | Place::RangeFrom
            | Place::RangeTo
            | Place::Elements(_)
            | Place::Option(_) => true,
        }
    }

    pub(crate) fn reads(&self, document: &str) -> bool {
        let is_made = || {
            self.lists.iter().any(|list| list.page.is_some())
                || self.calls.iter().any(|call| call.list().is_some())
        };
        document == ITEM
            || (document == PAGE && is_made())
            || self.calls.iter().any(|call| {
                let list = call.list().map(|(_, _, document)| document);
                call.reads.as_deref() == Some(document) || list == Some(document)
            })
    }

    /// True if the plan uses the parameter otherwise than in a document.
    pub(super) fn uses(&self, parameter: &str) -> bool {
        let tests = self.lists.iter().flat_map(|list| &list.keep);
        let pages = self.lists.iter().filter_map(|list| list.page.as_ref());
        self.calls
            .iter()
            .any(|call| compile_call::uses(call, parameter))
            || compile_call::test_uses(tests, parameter)
            || pages
                .into_iter()
                .any(|(number, size)| number == parameter || size == parameter)
    }
}
