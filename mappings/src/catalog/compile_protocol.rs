//! Checks what all operations share: spellings, errors, rules and options.

use std::collections::BTreeMap;

use super::{
    COMMON, Location,
    load::{Parts, Placed, Report, json},
    operation::OptionValue,
    protocol::{
        CORE_ERRORS, NamedError, OVERLOADED, OptionRule, PARAMETER_INVALID, Protocol,
        ProtocolError, Rule, RuleAnswer, Subject,
    },
    shape::{OneOrMany, OptionShape, RuleShape, SubjectShape},
};
use crate::template::Template;

/// The placeholders that texts of errors may have, besides the kinds of subjects and
/// `given.PARAMETER`.
const ERROR_PLACEHOLDERS: [&str; 15] = [
    "Name",
    "about",
    "code",
    "fields",
    "message",
    "most",
    "name",
    "operation",
    "reason",
    "page",
    "progress",
    "reached",
    "element",
    "replacement",
    "subject",
];
/// Begins the placeholder of a parameter's value.
pub(crate) const GIVEN: &str = "given.";

/// What all operations share.
pub(super) struct Compiled {
    pub protocol: Protocol,
    pub rules: Rules,
    pub options: BTreeMap<String, OptionRule>,
    pub subjects: Subjects,
}

/// The rules of each resource; `common` has those of all operations.
pub(super) type Rules = BTreeMap<String, Vec<Rule>>;

/// Whom or what operations are about, with the resource where each stands.
#[derive(Default)]
pub(super) struct Subjects(Vec<(Location, Subject)>);

impl Subjects {
    /// The subject that a resource means by a kind.
    pub(super) fn find(&self, kind: &str, at: &Location, report: &mut Report) -> Option<Subject> {
        let found = self.get(at.resource(), |subject| subject.kind == kind);
        if found.is_none() {
            report.add(at, format!("there is no [subject.{kind}]"));
        }
        found.cloned()
    }

    /// The subject whose id a placeholder of a path is.
    pub(super) fn of_placeholder(&self, resource: &str, name: &str) -> Option<&Subject> {
        self.get(resource, |subject| subject.placeholder == name)
    }

    fn get(&self, resource: &str, is_it: impl Fn(&Subject) -> bool) -> Option<&Subject> {
        let of = |resource: &str| {
            let mut subjects = self.0.iter();
            let found = subjects.find(|(at, subject)| at.resource() == resource && is_it(subject));
            found.map(|(_, subject)| subject)
        };
        of(resource).or_else(|| of(COMMON))
    }
}

pub(super) fn protocol(parts: &mut Parts, report: &mut Report) -> Option<Compiled> {
    let mut shapes = std::mem::take(&mut parts.protocol).into_iter();
    let Some((at, shape)) = shapes.next() else {
        let nowhere = Location {
            file: "common/protocol.toml".to_owned(),
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
    for prefix in std::iter::once(&shape.prefix).chain(&shape.other_prefixes) {
        if prefix.split('/').any(str::is_empty) {
            report.add(
                &at,
                format!("`{prefix}` has an empty segment and never fits"),
            );
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
    let subject_shapes = std::mem::take(&mut parts.subject);
    let kinds: Vec<_> = subject_shapes
        .iter()
        .map(|(_, (kind, _))| kind.clone())
        .collect();
    let errors = errors(parts, &kinds, &at, report);
    let options = options(parts, report);
    let protocol = Protocol {
        prefix: shape.prefix,
        other_prefixes: shape.other_prefixes,
        key: shape.key,
        secret: shape.secret,
        format: shape.format,
        personal: shape.personal,
        secret_words: shape.secret_words,
        secret_words_in_code: shape.secret_words_in_code,
        bool_true: shape.bool_true,
        bool_false: shape.bool_false,
        media_types,
        errors,
        kinds,
    };
    let subjects = subjects(parts, subject_shapes, &protocol, report);
    let mut by_resource: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for (at, shape) in std::mem::take(&mut parts.rule) {
        let of = by_resource.entry(at.resource().to_owned()).or_default();
        of.push((at, shape));
    }
    let mut rules = Rules::new();
    for (resource, shapes) in by_resource {
        let compiled = self::rules(parts, shapes, &protocol, report);
        rules.insert(resource, compiled);
    }
    Some(Compiled {
        protocol,
        rules,
        options,
        subjects,
    })
}

fn subjects(
    parts: &Parts,
    shapes: Placed<(String, SubjectShape)>,
    protocol: &Protocol,
    report: &mut Report,
) -> Subjects {
    let mut subjects = Subjects::default();
    for (at, (kind, shape)) in shapes {
        let unknown = match &shape.unknown {
            None => PARAMETER_INVALID.to_owned(),
            Some(name) => {
                let name_at = parts.at(&at, &name.span());
                check_error(protocol, name.as_ref(), &name_at, report);
                name.as_ref().clone()
            }
        };
        for word in shape
            .reserved
            .iter()
            .filter(|word| **word != word.to_lowercase())
        {
            report.add(
                &at,
                format!("`{word}` is compared in lower case and never fits"),
            );
        }
        let subject = Subject {
            kind,
            placeholder: shape.placeholder,
            noun: shape.noun,
            unknown,
            reserved: shape.reserved,
            uuid: shape.uuid,
        };
        subjects.0.push((at, subject));
    }
    subjects
}

/// Notes an error that does not exist.
pub(super) fn check_error(protocol: &Protocol, name: &str, at: &Location, report: &mut Report) {
    if !protocol.errors.contains_key(name) {
        report.add(at, format!("there is no [error.{name}]"));
    }
}

fn errors(
    parts: &mut Parts,
    kinds: &[String],
    protocol: &Location,
    report: &mut Report,
) -> BTreeMap<String, NamedError> {
    let mut errors = BTreeMap::new();
    for (at, (name, shape)) in std::mem::take(&mut parts.error) {
        let text_at = parts.at(&at, &shape.message.span());
        let message = error_text(shape.message.as_ref(), kinds, &text_at, report);
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

fn error_text(text: &str, kinds: &[String], at: &Location, report: &mut Report) -> Template {
    let template = report.keep(at, Template::parse(text));
    if let Some(template) = &template {
        for (placeholder, _) in template.placeholders() {
            let is_known = ERROR_PLACEHOLDERS.contains(&placeholder)
                || placeholder.starts_with(GIVEN)
                || kinds.iter().any(|kind| kind == placeholder);
            if !is_known {
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
            range,
            default,
            about,
        } = shape;
        if !values.is_empty() && range.is_some() {
            report.add(&at, "an option has `values` or a `range`, not both");
        }
        let mut rule = OptionRule {
            values,
            range,
            default: OptionValue::Switch(false),
            about,
        };
        match option_value(&rule, &default) {
            Ok(default) => {
                rule.default = default;
                options.insert(name, rule);
            }
            Err(reason) => report.add(&at, format!("default: {reason}")),
        }
    }
    options
}

/// A choice among the values, a number in the range, or a switch if there are neither.
pub(super) fn option_value(rule: &OptionRule, given: &toml::Value) -> Result<OptionValue, String> {
    let value = match given {
        toml::Value::Boolean(yes) => Some(OptionValue::Switch(*yes)),
        toml::Value::Integer(number) => Some(OptionValue::Number(*number)),
        toml::Value::String(text) => Some(OptionValue::Choice(text.clone())),
        _ => None,
    };
    value.filter(|value| rule.takes(value)).ok_or_else(|| {
        let given = json(given);
        match rule.range {
            Some((least, most)) => format!("{given} is not a number from {least} to {most}"),
            None if rule.values.is_empty() => format!("{given} is neither true nor false"),
            None => format!("{given} is none of {}", rule.values.join(", ")),
        }
    })
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
                check_error(protocol, name.as_ref(), &name_at, report);
                if shape.v1.code.is_some() || shape.v1.message.is_some() {
                    report.add(&name_at, "a named error brings its own code and message");
                }
                RuleAnswer::Named(name.into_inner())
            }
            None => RuleAnswer::Said {
                code: shape.v1.code,
                message: shape.v1.message.map(|text| {
                    let text_at = parts.at(&at, &text.span());
                    error_text(text.as_ref(), &protocol.kinds, &text_at, report)
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
