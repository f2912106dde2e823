//! The v2 calls of an operation: purpose, conditions and order.

use std::collections::BTreeSet;

use mappings::{
    Catalog,
    catalog::operation::{
        BodyTemplate, Call, Filling, Operation, ParameterUse, Plan, Segment, Then,
    },
};
use serde::Serialize;
use serde_json::{Map, Value};

use super::wording;

/// One v2 call.
#[derive(Debug, Serialize)]
pub(crate) struct CallEntry<'a> {
    pub(crate) name: &'a str,
    /// Calls of one step run in parallel, after the earlier steps.
    pub(crate) step: usize,
    pub(crate) method: &'static str,
    /// Path template from v2's API description.
    pub(crate) path: &'a str,
    /// Path with the names of the values: `/users/{email}`.
    pub(crate) filled: String,
    /// Query parameters. `{name}` is a v1 parameter, `{name?}` an optional one.
    pub(crate) query: Map<String, Value>,
    /// Body template.
    pub(crate) body: Option<Value>,
    /// Document that carries v1 parameters.
    pub(crate) sends: Option<&'a str>,
    /// Document that is read.
    pub(crate) reads: Option<&'a str>,
    /// Calls that it waits for.
    pub(crate) after: Vec<&'a str>,
    /// Call whose list items it is made for, one request each.
    pub(crate) each: Option<&'a str>,
    /// Condition on the items; all items if `None`.
    pub(crate) each_where: Option<String>,
    /// Other repetition, one request each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) several: Option<String>,
    /// Conditions of which one must hold; unconditional if empty.
    pub(crate) when: Vec<String>,
    /// Parameters of which one must be given, besides the other conditions.
    pub(crate) carries: Vec<&'a str>,
    /// A failure omits its fields instead of failing the operation.
    pub(crate) may_fail: bool,
    /// v2 error codes that are expected.
    pub(crate) expected: Vec<i64>,
    pub(crate) note: Option<&'a str>,
    /// What is missing if a site option disables the call.
    pub(crate) omitted: Option<&'a str>,
    /// v2's rate-limit label.
    pub(crate) label: &'a str,
    pub(crate) scope: &'a str,
    pub(crate) source: &'a str,
}

/// Describes the calls of a plan, in plan order.
pub(crate) fn call_entries<'a>(
    catalog: &Catalog,
    operation: &'a Operation,
    plan: &'a Plan,
) -> Vec<CallEntry<'a>> {
    let steps = steps(plan);
    let name = |at: usize| plan.calls.get(at).map(|call| call.name.as_str());
    let entries = plan.calls.iter().zip(steps).enumerate();
    entries
        .map(|(at, (call, step))| CallEntry {
            name: &call.name,
            step,
            method: call.method.as_str(),
            path: &call.template,
            filled: filled(operation, plan, call),
            query: call
                .query
                .iter()
                .map(|(name, value)| (name.clone(), with_constants(operation, value).into()))
                .collect(),
            body: call
                .body
                .as_ref()
                .map(|body| body_value(operation, &subject(operation, plan, call), body)),
            sends: call.sends.as_ref().map(|(document, _)| document.as_str()),
            reads: call.reads.as_deref(),
            after: direct_dependencies(plan, at, |_| true)
                .into_iter()
                .filter_map(name)
                .collect(),
            each: plan.list_of(call).and_then(name),
            each_where: call.each.as_ref().and_then(wording::each_where),
            several: call.each.as_ref().and_then(wording::several),
            when: wording::conditions(catalog, &plan.calls, call),
            carries: carries(operation, at, call),
            may_fail: call.may_fail(),
            expected: call.codes(&Then::Skip),
            note: call.note.as_deref(),
            omitted: call.omitted.as_deref(),
            label: call.label.as_str(),
            scope: &call.scope,
            source: &call.source,
        })
        .collect()
}

/// Step of each call: one more than the latest call that it waits for.
pub(crate) fn steps(plan: &Plan) -> Vec<usize> {
    let mut steps: Vec<usize> = Vec::with_capacity(plan.calls.len());
    for call in &plan.calls {
        let waits_for = call.after.iter().filter_map(|at| steps.get(*at));
        steps.push(waits_for.max().map_or(1, |latest| latest + 1));
    }
    steps
}

/// Direct dependencies of a call among those that are made, without transitive ones.
pub(crate) fn direct_dependencies(
    plan: &Plan,
    call: usize,
    is_made: impl Fn(usize) -> bool,
) -> Vec<usize> {
    let mut all = BTreeSet::new();
    add_dependencies(plan, call, &mut all);
    all.retain(|at| is_made(*at));
    let mut indirect = BTreeSet::new();
    for at in &all {
        add_dependencies(plan, *at, &mut indirect);
    }
    all.difference(&indirect).copied().collect()
}

fn add_dependencies(plan: &Plan, call: usize, found: &mut BTreeSet<usize>) {
    for at in plan
        .calls
        .get(call)
        .into_iter()
        .flat_map(|call| &call.after)
    {
        if found.insert(*at) {
            add_dependencies(plan, *at, found);
        }
    }
}

/// Path with the names of the values that fill it.
fn filled(operation: &Operation, plan: &Plan, call: &Call) -> String {
    let segments = call.path.iter().map(|segment| match segment {
        Segment::Literal(text) => text.clone(),
        Segment::Filled { by, .. } => match by {
            Filling::Subject => subject(operation, plan, call),
            Filling::Parameters(names) => format!("{{{}}}", names.join(" or ")),
            Filling::Item(_) => "{each id}".to_owned(),
            Filling::Element => "{each element}".to_owned(),
            Filling::Answer(call, at) => {
                let call = plan.calls.get(*call).map_or("", |call| &call.name);
                format!("{{{call}: {}}}", wording::dotted(at))
            }
        },
    });
    segments.fold(String::new(), |path, segment| format!("{path}/{segment}"))
}

/// Placeholder of the subject of a call.
fn subject(operation: &Operation, plan: &Plan, call: &Call) -> String {
    match &call.each {
        Some(each) if each.subject.is_some() => "{each id}".to_owned(),
        _ if is_about_new_user(plan, call) => "{new id}".to_owned(),
        _ => format!("{{{}}}", operation.subject.join(" or ")),
    }
}

/// True if an earlier call creates the subject of this call.
pub(super) fn is_about_new_user(plan: &Plan, call: &Call) -> bool {
    call.after.iter().any(|at| {
        plan.calls.get(*at).is_some_and(|earlier| {
            (earlier.subject.is_some() && !earlier.method.is_read())
                || is_about_new_user(plan, earlier)
        })
    })
}

/// Parameters of which one must be given because the call only carries them.
fn carries<'a>(operation: &'a Operation, at: usize, call: &'a Call) -> Vec<&'a str> {
    let body = call.body.as_ref().map(placeholders).unwrap_or_default();
    let fixed = body.is_empty() && call.body.is_some();
    let required = |name: &str| operation.requires.contains(&vec![name.to_owned()]);
    if call.sends.is_none() || fixed {
        return Vec::new();
    }
    let mut names: Vec<&str> = operation
        .parameters
        .iter()
        .filter(|parameter| parameter.usage == ParameterUse::SentBy(at))
        .map(|parameter| parameter.name.as_str())
        .collect();
    names.extend(body);
    let known = |name: &&str| {
        operation
            .parameters
            .iter()
            .any(|known| known.name == **name)
    };
    if names.iter().any(|name| !known(name) || required(name)) {
        return Vec::new();
    }
    names
}

fn placeholders(body: &BodyTemplate) -> Vec<&str> {
    match body {
        BodyTemplate::Object(members) => members
            .iter()
            .flat_map(|(_, value)| placeholders(value))
            .collect(),
        BodyTemplate::Array(items) => items.iter().flat_map(placeholders).collect(),
        BodyTemplate::Text(template) => template.names().collect(),
        BodyTemplate::Value(_) => Vec::new(),
    }
}

fn body_value(operation: &Operation, subject: &str, body: &BodyTemplate) -> Value {
    match body {
        BodyTemplate::Object(members) => Value::Object(
            members
                .iter()
                .map(|(name, value)| (name.clone(), body_value(operation, subject, value)))
                .collect(),
        ),
        BodyTemplate::Array(items) => items
            .iter()
            .map(|item| body_value(operation, subject, item))
            .collect(),
        BodyTemplate::Text(template) => {
            let text = with_constants(operation, template);
            let kind = operation.subject_kind.as_ref();
            let placeholder = kind.map_or("", |kind| &kind.placeholder);
            Value::from(text.replace(&format!("{{{placeholder}}}"), subject))
        }
        BodyTemplate::Value(value) => value.clone(),
    }
}

/// A template with the operation's constants filled in.
fn with_constants(operation: &Operation, template: &mappings::Template) -> String {
    let mut text = template.to_string();
    for (name, value) in &operation.constants {
        text = text.replace(&format!("{{{name}}}"), value);
    }
    text
}

/// Query string of a call, for display; `None` if empty.
pub(crate) fn query_parts(entry: &CallEntry<'_>) -> Option<String> {
    let parts: Vec<_> = entry
        .query
        .iter()
        .map(|(name, value)| format!("{name}={}", wording::literal(value)))
        .collect();
    // Spaces allow line breaks.
    (!parts.is_empty()).then(|| format!("?{}", parts.join(" &")))
}
