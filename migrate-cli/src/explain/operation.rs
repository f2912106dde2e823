//! Page of an operation.

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

/// Everything about an operation.
#[derive(Debug, Serialize)]
pub(crate) struct OperationPage<'a> {
    pub(crate) schema: u32,
    pub(crate) kind: &'static str,
    pub(crate) name: &'a str,
    pub(crate) aliases: &'a [String],
    pub(crate) summary: &'a str,
    /// True for reads.
    pub(crate) read: bool,
    pub(crate) service: ServiceKind,
    /// Tenant setting that must be on; otherwise the operation returns an error.
    pub(crate) enabled_by: Option<&'a str>,
    /// Effect of a repeated request.
    pub(crate) repeat: Option<&'a str>,
    pub(crate) note: Option<&'a str>,
    /// v2 calls that serve it.
    pub(crate) calls: Vec<CallEntry<'a>>,
    /// Plans under other site options.
    pub(crate) variants: Vec<VariantEntry<'a>>,
    /// v2 requests that replace it, if it is not served.
    pub(crate) replacement: Option<ReplacementEntry<'a>>,
    pub(crate) parameter_counts: Counts,
    pub(crate) parameters: Vec<ParameterEntry<'a>>,
    pub(crate) answer: Option<AnswerEntry<'a>>,
    pub(crate) errors: Vec<ErrorEntry<'a>>,
    /// Site options that change it.
    pub(crate) options: Vec<OptionEntry<'a>>,
    /// OAuth scopes of its calls.
    pub(crate) scopes: Vec<&'a str>,
    /// Titles of the v2 API descriptions of its calls.
    pub(crate) sources: Vec<&'a str>,
    /// Catalog file and line.
    pub(crate) catalog: String,
}

/// How the shim handles an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ServiceKind {
    /// Served from v2.
    Served,
    /// Always an error, because v2 has no equivalent.
    Refused,
    /// Not served yet.
    NotServed,
}

/// v2 replacement of an operation that is not served.
#[derive(Debug, Serialize)]
pub(crate) struct ReplacementEntry<'a> {
    pub(crate) requests: Vec<String>,
    /// True if several requests, or one per item, are needed.
    pub(crate) composite: bool,
    pub(crate) source: &'a str,
}

/// Plan of an operation under other site options.
#[derive(Debug, Serialize)]
pub(crate) struct VariantEntry<'a> {
    /// Option values, by option.
    pub(crate) options: BTreeMap<&'a str, Value>,
    pub(crate) requests: Vec<String>,
    /// OAuth scopes of its calls.
    pub(crate) scopes: Vec<&'a str>,
}

/// Site option.
#[derive(Debug, Serialize)]
pub(crate) struct OptionEntry<'a> {
    pub(crate) name: &'a str,
    /// Possible values; empty for a switch.
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
                requests: v2_requests(operation),
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
            scopes: unique(calls.iter().map(|call| call.scope)),
            sources: unique(
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

    /// Fidelity counts of parameters and response fields together.
    pub(crate) fn counts(&self) -> Counts {
        let answer = self.answer.iter();
        let lists = answer.clone().flat_map(|answer| &answer.lists);
        answer
            .map(|answer| answer.counts)
            .chain(lists.map(|list| list.counts))
            .fold(self.parameter_counts, std::ops::Add::add)
    }
}

/// The v2 requests that serve or replace an operation: `GET /users/{userId}`.
pub(crate) fn v2_requests(operation: &Operation) -> Vec<String> {
    let requests = operation.v2_requests().into_iter();
    requests
        .map(|(method, path)| format!("{method} {path}"))
        .collect()
}

fn variant_entry(variant: &Variant) -> VariantEntry<'_> {
    let choices = variant.options.iter().map(|(name, value)| {
        let value = serde_json::to_value(value).unwrap_or_default();
        (name.as_str(), value)
    });
    let operation = &variant.operation;
    let calls = operation.plan().into_iter().flat_map(|plan| &plan.calls);
    VariantEntry {
        options: choices.collect(),
        requests: v2_requests(operation),
        scopes: unique(calls.map(|call| call.scope.as_str())),
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
    let names = unique(names);
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

/// Response fields of an operation, including those of list entries.
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

/// Removes duplicates, keeping the order.
pub(crate) fn unique<'a>(items: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut once: Vec<&str> = Vec::new();
    for item in items {
        if !once.contains(&item) {
            once.push(item);
        }
    }
    once
}
