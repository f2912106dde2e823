//! Errors of an operation and their causes.

use mappings::{
    Catalog,
    catalog::{
        operation::{Compared, Operation, Service},
        protocol::{
            NOT_HONOURED, NamedError, PARAMETER_INVALID, PARAMETER_MISSING, Rule, RuleAnswer,
        },
    },
};
use serde::Serialize;

use super::wording;

/// One v1 error and its cause.
#[derive(Debug, Serialize)]
pub(crate) struct ErrorEntry<'a> {
    pub(crate) scope: ErrorScope,
    /// v1's code; `None` if v2's is passed on.
    pub(crate) code: Option<i64>,
    /// v1's message, with placeholders; `None` if v2's is passed on.
    pub(crate) message: Option<String>,
    pub(crate) cause: Cause<'a>,
    /// Source of the message.
    pub(crate) source: Option<&'a str>,
}

/// Operations that an error rule applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ErrorScope {
    /// This operation, or those that share its plan.
    Operation,
    /// Returned before any v2 call.
    Request,
    /// All operations.
    Common,
}

/// Cause of an error.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Cause<'a> {
    /// An error of v2.
    V2 {
        status: Option<u16>,
        codes: &'a [i64],
        /// Substring of v2's message.
        message: Option<&'a str>,
        /// v2's error lists the rejected fields.
        names_fields: bool,
    },
    /// Any other cause, as text.
    Words { words: String },
}

impl Cause<'_> {
    /// Short description: `v2 1108 with "host key"`.
    pub(crate) fn in_words(&self) -> String {
        let (status, codes, message, names_fields) = match self {
            Self::Words { words } => return words.clone(),
            Self::V2 {
                status,
                codes,
                message,
                names_fields,
            } => (status, codes, message, names_fields),
        };
        let mut parts = Vec::new();
        if let Some(status) = status {
            parts.push(format!("HTTP {status}"));
        }
        if !codes.is_empty() {
            let codes: Vec<_> = codes.iter().map(ToString::to_string).collect();
            parts.push(wording::one_of(&codes));
        }
        if let Some(message) = message {
            parts.push(format!("with \"{message}\""));
        }
        if *names_fields {
            parts.push("that names fields".to_owned());
        }
        format!("v2 {}", parts.join(" "))
    }
}

/// Errors of an operation: its own, those returned before any v2 call, and common ones.
pub(crate) fn error_entries<'a>(
    catalog: &'a Catalog,
    operation: &'a Operation,
) -> Vec<ErrorEntry<'a>> {
    let named = |name: &str| {
        catalog
            .protocol()
            .errors()
            .find(|(known, _)| *known == name)
    };
    let mut entries = Vec::new();
    let words = |name: &str, words: String| {
        named(name).map(|(_, error)| entry_of(ErrorScope::Request, error, Cause::Words { words }))
    };
    let scoped = |scope: ErrorScope| move |rule: &'a Rule| rule_entry(catalog, scope, rule);
    match &operation.service {
        Service::NotServed(_) => return entries,
        Service::Refused { error, .. } => {
            let always = "always: nothing in v2 serves it".to_owned();
            entries.extend(words(PARAMETER_MISSING, missing(operation)));
            entries.extend(words(error, always));
            return entries;
        }
        Service::Plan { plan, .. } => {
            entries.extend(
                operation
                    .rules
                    .iter()
                    .filter_map(scoped(ErrorScope::Operation)),
            );
            for check in plan.calls.iter().flat_map(|call| &call.checks) {
                let noun = operation
                    .subject_kind
                    .as_ref()
                    .map_or("answer", |kind| &kind.noun);
                let cause = match &check.compared {
                    Compared::Parameter(name, _) => format!("another {name} than the {noun}'s"),
                    Compared::Member(at, _) | Compared::Subject(at) => {
                        format!("another {} of the {noun}", wording::dotted(at))
                    }
                };
                entries.extend(words(&check.otherwise, cause).map(|entry| ErrorEntry {
                    scope: ErrorScope::Operation,
                    ..entry
                }));
            }
        }
    }
    if !operation.requires.is_empty() {
        entries.extend(words(PARAMETER_MISSING, missing(operation)));
    }
    if !operation.parameters.is_empty() {
        let cause = "a value that v1 did not take, or that v2 has none for".to_owned();
        entries.extend(words(PARAMETER_INVALID, cause));
        let cause = "strict mode only: a parameter that does not arrive exactly".to_owned();
        entries.extend(words(NOT_HONOURED, cause));
    }
    if let Some(kind) = operation
        .subject_kind
        .as_ref()
        .filter(|_| !operation.subject.is_empty())
    {
        let example = kind.reserved.first().map_or("", String::as_str);
        let or = if example.is_empty() { "" } else { " or " };
        let cause = format!("an id that cannot be one, such as {example}{or}..");
        entries.extend(words(&kind.unknown, cause));
    }
    entries.extend(
        catalog
            .rules()
            .iter()
            .filter_map(scoped(ErrorScope::Common)),
    );
    entries
}

fn missing(operation: &Operation) -> String {
    let required: Vec<_> = operation
        .requires
        .iter()
        .map(|one| one.join(" or "))
        .collect();
    format!("without {}", wording::one_of(&required))
}

fn entry_of<'a>(scope: ErrorScope, error: &'a NamedError, cause: Cause<'a>) -> ErrorEntry<'a> {
    ErrorEntry {
        scope,
        code: Some(error.code),
        message: Some(error.message.to_string()),
        cause,
        source: Some(&error.source),
    }
}

fn rule_entry<'a>(
    catalog: &'a Catalog,
    scope: ErrorScope,
    rule: &'a Rule,
) -> Option<ErrorEntry<'a>> {
    let cause = Cause::V2 {
        status: rule.v2.status,
        codes: &rule.v2.codes,
        message: rule.v2.message.as_deref(),
        names_fields: rule.v2.fields,
    };
    match &rule.answer {
        RuleAnswer::Named(name) => {
            let (_, error) = catalog
                .protocol()
                .errors()
                .find(|(known, _)| known == name)?;
            let entry = entry_of(scope, error, cause);
            Some(ErrorEntry {
                source: rule.source.as_deref().or(entry.source),
                ..entry
            })
        }
        RuleAnswer::Said { code, message } => Some(ErrorEntry {
            scope,
            code: *code,
            message: message.as_ref().map(ToString::to_string),
            cause,
            source: rule.source.as_deref(),
        }),
    }
}
