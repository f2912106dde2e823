//! Compiles the plan of an operation: calls, lists and their dependencies.

use std::collections::BTreeSet;

use serde::Deserialize as _;

use super::{
    super::{
        operation::{Call, List, Plan, Then},
        problem::reason,
        shape::{CallShape, ListShape},
    },
    Scope, call,
    target::Target,
};
use crate::template::Template;

/// `scope` is the location of the plan.
pub(super) fn plan(scope: &Scope<'_>, target: &Target<'_>) -> Option<Plan> {
    let mut calls: Vec<Call> = Vec::new();
    for table in &target.plan.call {
        let scope = scope.near(table.span());
        let shape = call_shape(&scope, table.as_ref())?;
        let call = call::call(&scope, &shape, &calls, target)?;
        if calls.iter().any(|earlier| earlier.name == call.name) {
            scope.add(format!("duplicate call `{}`", call.name));
        }
        calls.push(call);
    }
    for on in calls.iter().flat_map(|call| &call.on) {
        if let Then::Resume(evidence) = &on.then
            && let Some(reader) = scope
                .call(&evidence.call, &calls)
                .and_then(|at| calls.get(at))
        {
            scope.expect(
                evidence.created.is_some() || !reader.entry_tests().is_empty(),
                "`resume` has a pointer `created`, or reads a list with `where`",
            );
        }
    }
    let lists = lists(scope, target, &mut calls);
    let mut looked_at: BTreeSet<usize> = calls
        .iter()
        .flat_map(|call| call.dependencies(&calls))
        .collect();
    let unfinished = &target.plan.unfinished;
    let names = unfinished.iter().flat_map(Template::names);
    let of_calls = names.filter_map(|name| name.split_once(':'));
    looked_at.extend(of_calls.filter_map(|(call, _)| scope.call(call, &calls)));
    for (index, call) in calls.iter_mut().enumerate() {
        call.keeps = looked_at.contains(&index) || target.range_needs(&call.name);
    }
    Some(Plan {
        calls,
        lists,
        unsent: target.plan.unsent.clone(),
        unfinished: unfinished.clone(),
    })
}

/// Merges a call's own keys over those of its shared base call.
fn call_shape(scope: &Scope<'_>, own: &toml::Table) -> Option<CallShape> {
    let read = |table: &toml::Table| {
        let shape = CallShape::deserialize(table.clone());
        scope.keep(shape.map_err(|error| reason(&error)))
    };
    let mut shape = read(own)?;
    if let Some(name) = &shape.base {
        let Some((_, shared)) = scope.names.call.find(scope.resource(), name) else {
            scope.add(format!("unknown call: [call.{name}] is not defined"));
            return None;
        };
        let mut table = shared.value.clone();
        table.extend(own.clone());
        shape = read(&table)?;
    }
    if shape.name.is_empty() || shape.request.is_empty() {
        scope.add("a call needs a `name` and a `request`");
        return None;
    }
    Some(shape)
}

/// Compiles derived lists, each after its sources.
fn lists(scope: &Scope<'_>, target: &Target<'_>, calls: &mut [Call]) -> Vec<List> {
    let mut lists: Vec<List> = Vec::new();
    let mut open: Vec<_> = target.plan.list.iter().collect();
    loop {
        let is_known = |list: &str| {
            lists.iter().any(|known| known.name == list)
                || calls.iter().any(|call| call.makes_list() == Some(list))
        };
        let ready = open
            .iter()
            .position(|(_, shape)| shape.sources().all(is_known));
        let Some(ready) = ready else { break };
        let (name, shape) = open.remove(ready);
        let scope = scope.near(name.span());
        if is_known(name.as_ref()) {
            scope.add(format!("list `{}` is already defined", name.as_ref()));
        }
        lists.push(list(&scope, name.as_ref(), shape, calls, &lists, target));
    }
    for (name, _) in open {
        let scope = scope.near(name.span());
        scope.add("no call returns the source lists");
    }
    for (index, call) in calls.iter_mut().enumerate() {
        let mut made = lists.iter().enumerate();
        let of = call.each_of();
        let Some((at, list)) = made.find(|(_, list)| Some(list.name.as_str()) == of) else {
            continue;
        };
        if list.after.iter().any(|earlier| *earlier >= index) {
            let name = &call.name;
            scope.add(format!("`{name}` depends on a list of later calls"));
        }
        call.after_lists.push(at);
    }
    lists
}

fn list(
    scope: &Scope<'_>,
    name: &str,
    shape: &ListShape,
    calls: &[Call],
    earlier: &[List],
    target: &Target<'_>,
) -> List {
    let is_source = |list: Option<&str>| shape.sources().any(|source| Some(source) == list);
    // Calls that produce the source lists, and calls made for the entries of one.
    let of_sources = calls.iter().enumerate();
    let of_sources =
        of_sources.filter(|(_, call)| is_source(call.makes_list().or_else(|| call.each_of())));
    let mut after: Vec<usize> = of_sources.map(|(index, _)| index).collect();
    after.extend(
        shape
            .after
            .iter()
            .filter_map(|call| scope.call(call, calls)),
    );
    let mut after_lists = Vec::new();
    for (index, list) in earlier.iter().enumerate() {
        if is_source(Some(&list.name)) {
            after_lists.push(index);
            after.extend(&list.after);
        }
    }
    if let Some(page) = &shape.page {
        target.check_parameter(scope, &page.number);
        target.check_parameter(scope, &page.size);
    }
    scope.expect(
        !shape.descending || shape.sort.is_some(),
        "`descending` requires `sort`",
    );
    if let Some(inner) = &shape.inner {
        let of = &shape.of;
        let makes = |call: &Call| {
            let list = call.list().map(|(list, _, _)| list);
            list == Some(inner) && call.each_of() == Some(of)
        };
        if !calls.iter().any(makes) {
            scope.add(format!(
                "no call for the entries of `{of}` returns the list `{inner}`"
            ));
        }
    }
    target.check_tests(scope, &shape.keep);
    let page = shape.page.as_ref();
    List {
        name: name.to_owned(),
        of: shape.of.clone(),
        inner: shape.inner.clone(),
        after,
        after_lists,
        keep: shape.keep.clone(),
        joins: shape.join.clone(),
        sort: shape.sort.as_ref().map(|sort| sort.0.clone()),
        descending: shape.descending,
        page: page.map(|page| (page.number.clone(), page.size.clone())),
    }
}

impl ListShape {
    /// Names of the source lists.
    fn sources(&self) -> impl Iterator<Item = &str> {
        let joined = self.join.iter().map(|join| join.list.as_str());
        std::iter::once(self.of.as_str()).chain(joined)
    }
}
