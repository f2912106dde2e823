//! Checks what all operations share: spellings, errors, rules and options.

use std::collections::BTreeMap;

use super::{
    Location,
    load::{Parts, Report, json},
    operation::OptionValue,
    protocol::{
        CORE_ERRORS, NamedError, OVERLOADED, OptionRule, Protocol, ProtocolError, Rule, RuleAnswer,
    },
    shape::{OneOrMany, OptionShape, RuleShape},
};
use crate::template::Template;

/// The placeholders that texts of errors may have.
const ERROR_PLACEHOLDERS: [&str; 12] = [
    "Name",
    "done",
    "failed",
    "fields",
    "message",
    "name",
    "operation",
    "reason",
    "replacement",
    "subject",
    "user",
    "group",
];

pub(super) type Compiled = (Protocol, Vec<Rule>, BTreeMap<String, OptionRule>);

pub(super) fn protocol(parts: &mut Parts, report: &mut Report) -> Option<Compiled> {
    let mut shapes = std::mem::take(&mut parts.protocol).into_iter();
    let Some((at, shape)) = shapes.next() else {
        let nowhere = Location {
            file: "protocol.toml".to_owned(),
            line: 1,
        };
        report.add(&nowhere, "no file has a [protocol]");
        return None;
    };
    for (second, _) in shapes {
        report.add(&second, format!("[protocol] is there already, at {at}"));
    }
    let mut media_types = Vec::new();
    for media_type in &shape.media_type {
        let magic: Result<Vec<u8>, _> = media_type
            .magic
            .as_ref()
            .split(' ')
            .map(|byte| u8::from_str_radix(byte, 16))
            .collect();
        if let Ok(magic) = magic {
            media_types.push((media_type.name.clone(), magic));
        } else {
            let at = parts.at(&at, &media_type.magic.span());
            report.add(&at, "magic is not a list of bytes like `ff d8 ff`");
        }
    }
    for spelling in shape.bool_true.iter().chain(&shape.bool_false) {
        if *spelling != spelling.to_lowercase() {
            report.add(
                &at,
                format!("`{spelling}` is compared in lower case and never fits"),
            );
        }
        if shape.bool_true.contains(spelling) && shape.bool_false.contains(spelling) {
            report.add(&at, format!("`{spelling}` is both true and false"));
        }
    }
    for word in shape.secret_words.iter().chain(&shape.secret_words_in_code) {
        if word.is_empty() || *word != word.to_lowercase() {
            report.add(
                &at,
                format!("`{word}` of the words of secrets is empty or not in lower case"),
            );
        }
    }
    let errors = errors(parts, &at, report);
    let options = options(parts, report);
    let protocol = Protocol {
        prefix: shape.prefix,
        key: shape.key,
        secret: shape.secret,
        format: shape.format,
        personal: shape.personal,
        secret_words: shape.secret_words,
        secret_words_in_code: shape.secret_words_in_code,
        bool_true: shape.bool_true,
        bool_false: shape.bool_false,
        reserved_ids: shape.reserved_ids,
        media_types,
        errors,
    };
    let rule_shapes = std::mem::take(&mut parts.rule);
    let rules = rules(parts, rule_shapes, &protocol, report);
    Some((protocol, rules, options))
}

fn errors(
    parts: &mut Parts,
    protocol: &Location,
    report: &mut Report,
) -> BTreeMap<String, NamedError> {
    let mut errors = BTreeMap::new();
    for (at, (name, shape)) in std::mem::take(&mut parts.error) {
        let text_at = parts.at(&at, &shape.message.span());
        let message = error_text(shape.message.as_ref(), &text_at, report);
        if !(100..600).contains(&shape.status) {
            report.add(&at, format!("{} is not an HTTP status", shape.status));
        }
        let named = NamedError {
            code: shape.code,
            status: shape.status,
            message,
            source: shape.source,
        };
        errors.insert(name, named);
    }
    let protocol_errors = ProtocolError::ALL.map(ProtocolError::catalog_name);
    for needed in CORE_ERRORS
        .into_iter()
        .chain([OVERLOADED])
        .chain(protocol_errors)
    {
        if !errors.contains_key(needed) {
            report.add(protocol, format!("there is no [error.{needed}]"));
        }
    }
    errors
}

fn error_text(text: &str, at: &Location, report: &mut Report) -> Template {
    let template = report.keep(at, Template::parse(text));
    if let Some(template) = &template {
        for (placeholder, _) in template.placeholders() {
            if !ERROR_PLACEHOLDERS.contains(&placeholder) {
                report.add(
                    at,
                    format!("nothing fills {{{placeholder}}} in an error's text"),
                );
            }
        }
    }
    template.unwrap_or_default()
}

fn options(parts: &mut Parts, report: &mut Report) -> BTreeMap<String, OptionRule> {
    let mut options = BTreeMap::new();
    for (at, (name, shape)) in std::mem::take(&mut parts.option) {
        let OptionShape {
            values,
            default,
            about,
        } = shape;
        match option_value(&values, &default) {
            Ok(default) => {
                options.insert(
                    name,
                    OptionRule {
                        values,
                        default,
                        about,
                    },
                );
            }
            Err(reason) => report.add(&at, format!("default: {reason}")),
        }
    }
    options
}

/// A choice among `values`, or a switch if there are none.
pub(super) fn option_value(values: &[String], given: &toml::Value) -> Result<OptionValue, String> {
    match given {
        toml::Value::Boolean(yes) if values.is_empty() => Ok(OptionValue::Switch(*yes)),
        toml::Value::String(text) if values.contains(text) => Ok(OptionValue::Choice(text.clone())),
        other if values.is_empty() => Err(format!("{} is neither true nor false", json(other))),
        other => Err(format!("{} is none of {}", json(other), values.join(", "))),
    }
}

/// Checks a list of rules: each text, each name, and that none is hidden by an earlier one.
pub(super) fn rules(
    parts: &Parts,
    shapes: Vec<(Location, RuleShape)>,
    protocol: &Protocol,
    report: &mut Report,
) -> Vec<Rule> {
    let mut rules: Vec<(Location, Rule)> = Vec::new();
    for (at, shape) in shapes {
        let codes = shape.v2.code.map(OneOrMany::into_vec).unwrap_or_default();
        let answer = match shape.v1.error {
            Some(name) => {
                let name_at = parts.at(&at, &name.span());
                if !protocol.errors.contains_key(name.as_ref()) {
                    report.add(&name_at, format!("there is no [error.{}]", name.as_ref()));
                }
                if shape.v1.code.is_some() || shape.v1.message.is_some() {
                    report.add(&name_at, "a named error brings its own code and message");
                }
                RuleAnswer::Named(name.into_inner())
            }
            None => RuleAnswer::Said {
                code: shape.v1.code,
                message: shape.v1.message.map(|text| {
                    let text_at = parts.at(&at, &text.span());
                    error_text(text.as_ref(), &text_at, report)
                }),
            },
        };
        let rule = Rule {
            status: shape.v2.status,
            codes,
            message: shape.v2.message,
            fields: shape.v2.fields,
            answer,
            source: shape.source,
        };
        if rule.status.is_none() && rule.codes.is_empty() && rule.message.is_none() && !rule.fields
        {
            report.add(
                &at,
                "the rule fits every error: say which status, code or message it is for",
            );
        }
        if let Some((earlier, _)) = rules.iter().find(|(_, earlier)| earlier.covers(&rule)) {
            report.add(
                &at,
                format!("the rule is never reached: the one at {earlier} fits first"),
            );
        }
        rules.push((at, rule));
    }
    rules.into_iter().map(|(_, rule)| rule).collect()
}
