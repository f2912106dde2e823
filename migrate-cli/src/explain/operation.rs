//! The page of one operation.

use std::collections::BTreeMap;

use mappings::{
    Catalog,
    catalog::{
        field::Field,
        operation::{Amount, Operation, Service, Variant},
    },
};
use serde::Serialize;
use serde_json::Value;

use super::{
    Counts, SCHEMA,
    answer::{AnswerEntry, answer_entry},
    calls::{CallEntry, call_entries},
    errors::{ErrorEntry, error_entries},
    parameters::{ParameterEntry, parameter_counts, parameter_entries},
};

/// Everything about one operation.
#[derive(Debug, Serialize)]
pub(crate) struct OperationPage<'a> {
    pub(crate) schema: u32,
    pub(crate) kind: &'static str,
    pub(crate) name: &'a str,
    pub(crate) aliases: &'a [String],
    pub(crate) summary: &'a str,
    /// True if it changes nothing.
    pub(crate) read: bool,
    pub(crate) service: ServiceKind,
    /// The switch of a key without which it answers an error.
    pub(crate) enabled_by: Option<&'a str>,
    /// What a repeated request does.
    pub(crate) repeat: Option<&'a str>,
    pub(crate) note: Option<&'a str>,
    /// The v2 calls that serve it.
    pub(crate) calls: Vec<CallEntry<'a>>,
    /// What serves it under other choices of a site.
    pub(crate) variants: Vec<VariantEntry<'a>>,
    /// The v2 requests that replace it, if it is not served.
    pub(crate) replacement: Option<ReplacementEntry<'a>>,
    pub(crate) parameter_counts: Counts,
    pub(crate) parameters: Vec<ParameterEntry<'a>>,
    pub(crate) answer: Option<AnswerEntry<'a>>,
    pub(crate) errors: Vec<ErrorEntry<'a>>,
    /// The choices of a site that change it.
    pub(crate) options: Vec<OptionEntry<'a>>,
    /// The OAuth scopes that its calls need.
    pub(crate) scopes: Vec<&'a str>,
    /// The titles of the descriptions that its calls are in.
    pub(crate) sources: Vec<&'a str>,
    /// Where the catalog has it: file and line.
    pub(crate) catalog: String,
}

/// How an operation is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ServiceKind {
    /// From v2.
    Served,
    /// Always with an error, because nothing in v2 serves it.
    Refused,
    /// Not yet.
    NotServed,
}

/// What replaces an operation that is not served.
#[derive(Debug, Serialize)]
pub(crate) struct ReplacementEntry<'a> {
    pub(crate) requests: Vec<String>,
    /// True if several of them, or one for each item, are needed.
    pub(crate) composite: bool,
    pub(crate) source: &'a str,
}

/// What serves an operation under other choices of a site.
#[derive(Debug, Serialize)]
pub(crate) struct VariantEntry<'a> {
    /// The choices, by option.
    pub(crate) options: BTreeMap<&'a str, Value>,
    /// The v2 requests.
    pub(crate) requests: Vec<String>,
    /// The OAuth scopes that its calls need.
    pub(crate) scopes: Vec<&'a str>,
}

/// A choice of a site.
#[derive(Debug, Serialize)]
pub(crate) struct OptionEntry<'a> {
    pub(crate) name: &'a str,
    /// The choices; empty for a switch.
    pub(crate) values: &'a [String],
    pub(crate) default: Value,
    pub(crate) about: &'a str,
}

impl ServiceKind {
    pub(crate) fn of(operation: &Operation) -> Self {
        match operation.service {
            Service::Plan { .. } => Self::Served,
            Service::Refused { .. } => Self::Refused,
            Service::NotServed(_) => Self::NotServed,
        }
    }
}

impl<'a> OperationPage<'a> {
    pub(crate) fn new(catalog: &'a Catalog, operation: &'a Operation) -> Self {
        let plan = operation.plan();
        let calls = plan.map(|plan| call_entries(catalog, operation, plan));
        let calls = calls.unwrap_or_default();
        let parameters = parameter_entries(catalog, operation);
        let replacement = match &operation.service {
            Service::NotServed(replacement) => Some(ReplacementEntry {
                requests: replacement
                    .requests
                    .iter()
                    .map(|(method, path)| format!("{method} {path}"))
                    .collect(),
                composite: replacement.composite,
                source: &replacement.source,
            }),
            Service::Plan { .. } | Service::Refused { .. } => None,
        };
        Self {
            schema: SCHEMA,
            kind: "operation",
            name: &operation.name,
            aliases: &operation.aliases,
            summary: &operation.summary,
            read: operation.read,
            service: ServiceKind::of(operation),
            enabled_by: operation.enabled_by.as_deref(),
            repeat: operation.repeat.as_deref(),
            note: operation.note.as_deref(),
            parameter_counts: parameter_counts(&parameters),
            parameters,
            answer: match &operation.service {
                Service::Plan { view, .. } | Service::Refused { view, .. } => {
                    answer_entry(catalog, plan, *view)
                }
                Service::NotServed(_) => None,
            },
            errors: error_entries(catalog, operation),
            variants: operation.variants.iter().map(variant_entry).collect(),
            options: option_entries(catalog, operation),
            scopes: once_each(calls.iter().map(|call| call.scope)),
            sources: once_each(
                calls
                    .iter()
                    .map(|call| call.source)
                    .chain(replacement.iter().map(|replacement| replacement.source))
                    .filter(|source| !source.is_empty()),
            ),
            calls,
            replacement,
            catalog: operation.location.to_string(),
        }
    }

    /// How faithful parameters and answer are together.
    pub(crate) fn counts(&self) -> Counts {
        let answer = self.answer.iter();
        let lists = answer.clone().flat_map(|answer| &answer.lists);
        answer
            .map(|answer| answer.counts)
            .chain(lists.map(|list| list.counts))
            .fold(self.parameter_counts, std::ops::Add::add)
    }
}

fn variant_entry(variant: &Variant) -> VariantEntry<'_> {
    let choices = variant.options.iter().map(|(name, value)| {
        let value = serde_json::to_value(value).unwrap_or_default();
        (name.as_str(), value)
    });
    let operation = &variant.operation;
    let requests = operation.v2_requests().into_iter();
    let calls = operation.plan().into_iter().flat_map(|plan| &plan.calls);
    VariantEntry {
        options: choices.collect(),
        requests: requests
            .map(|(method, path)| format!("{method} {path}"))
            .collect(),
        scopes: once_each(calls.map(|call| call.scope.as_str())),
    }
}

fn option_entries<'a>(catalog: &'a Catalog, operation: &'a Operation) -> Vec<OptionEntry<'a>> {
    let calls = operation.plan().into_iter().flat_map(|plan| &plan.calls);
    let numbers = calls
        .clone()
        .filter_map(|call| match &call.pages.as_ref()?.most {
            Amount::Option(name) => Some(name.as_str()),
            Amount::Fixed(_) => None,
        });
    let parameters = operation.parameters.iter();
    let limits = parameters.filter_map(|parameter| {
        let (_, part) = catalog.field(parameter.field?)?;
        part.at_most.as_deref()
    });
    let range = operation
        .range
        .as_ref()
        .and_then(|range| range.open.as_ref());
    let numbers = numbers.chain(limits);
    let numbers = numbers.chain(range.map(|open| open.months.as_str()));
    let of_variants = operation
        .variants
        .iter()
        .flat_map(|variant| &variant.options);
    let of_calls = calls.flat_map(|call| {
        let conditions = call.when.iter().flat_map(|condition| &condition.options);
        conditions.chain(call.checks.iter().flat_map(|check| &check.options))
    });
    let fields = fields_of(catalog, operation);
    let overrides = fields.iter().flat_map(|field| &field.overrides);
    let of_fields = overrides.flat_map(|rule| &rule.options);
    let chosen = of_variants.chain(of_calls).chain(of_fields);
    let chosen = chosen.chain(&operation.clears_text);
    let names = chosen.map(|(name, _)| name.as_str()).chain(numbers);
    let names = once_each(names);
    names
        .into_iter()
        .filter_map(|name| {
            let rule = catalog.option_rules().get(name)?;
            Some(OptionEntry {
                name,
                values: &rule.values,
                default: serde_json::to_value(&rule.default).unwrap_or_default(),
                about: &rule.about,
            })
        })
        .collect()
}

/// The fields of an operation's answer, also those of the entries of its lists.
fn fields_of<'a>(catalog: &'a Catalog, operation: &Operation) -> Vec<&'a Field> {
    let mut fields = Vec::new();
    let mut views = match operation.service {
        Service::Plan { view, .. } => vec![view],
        Service::Refused { .. } | Service::NotServed(_) => Vec::new(),
    };
    while let Some(view) = views.pop() {
        for member in catalog.view(view).iter().flat_map(|view| &view.members) {
            views.extend(member.view);
            fields.extend(catalog.field(member.field).map(|(field, _)| field));
        }
    }
    fields
}

/// The items without repetitions, in their order.
pub(crate) fn once_each<'a>(items: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut once: Vec<&str> = Vec::new();
    for item in items {
        if !once.contains(&item) {
            once.push(item);
        }
    }
    once
}
