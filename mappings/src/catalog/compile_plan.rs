//! Checks the calls of a plan for one operation: placeholders, order, conditions.

use std::collections::BTreeMap;

use super::{
    Location,
    compile_protocol::option_value,
    load::{Endpoint, Parts, Report, json, method_and_path, pointer},
    operation::{
        BodyTemplate, Call, Condition, Each, Expectation, OptionValue, Pages, Plan, Segment, State,
    },
    protocol::{OptionRule, Protocol},
    shape::{CallShape, ConditionShape, EachShape, ExpectsShape, PagesShape, PlanShape},
};
use crate::template::Template;

/// The placeholder of the subject in v2's paths.
pub const SUBJECT: &str = "userId";
/// The document that the core makes up of a page of a list.
pub const PAGE: &str = "page";

/// What a plan is compiled for.
pub(super) struct Scope<'a> {
    pub parts: &'a Parts,
    pub operation: &'a str,
    pub parameters: &'a [String],
    pub constants: &'a BTreeMap<String, String>,
    pub has_subject: bool,
    pub endpoints: &'a BTreeMap<String, Endpoint>,
    pub options: &'a BTreeMap<String, OptionRule>,
    pub protocol: &'a Protocol,
}

pub(super) fn plan(
    near: &Location,
    shape: &PlanShape,
    scope: &Scope<'_>,
    report: &mut Report,
) -> Option<Plan> {
    let mut calls: Vec<Call> = Vec::new();
    for shape in &shape.call {
        let at = scope.parts.at(near, &shape.span());
        let call = call(&at, shape.as_ref(), &calls, scope, report)?;
        if calls.iter().any(|earlier| earlier.name == call.name) {
            report.add(&at, format!("call `{}` is there twice", call.name));
        }
        calls.push(call);
    }
    Some(Plan {
        calls,
        unsent: shape.unsent.clone(),
    })
}

/// True if some call of the plan reads the document.
pub(super) fn reads(plan: &Plan, document: &str) -> bool {
    plan.calls.iter().any(|call| {
        call.reads.as_deref() == Some(document)
            || call
                .items
                .as_ref()
                .is_some_and(|(_, item)| item == document)
            || call
                .pages
                .as_ref()
                .is_some_and(|pages| pages.document == document)
            || (document == PAGE && (call.items.is_some() || call.pages.is_some()))
    })
}

/// True if the call uses the parameter otherwise than in its document.
pub(super) fn uses(call: &Call, parameter: &str) -> bool {
    let in_template =
        |template: &Template| template.placeholders().any(|(name, _)| name == parameter);
    call.path
        .contains(&Segment::Parameter(parameter.to_owned()))
        || call.query.iter().any(|(_, template)| in_template(template))
        || call
            .body
            .as_ref()
            .is_some_and(|body| body.mentions(parameter))
        || call.file.as_deref() == Some(parameter)
        || call
            .expects
            .as_ref()
            .is_some_and(|expects| expects.parameter == parameter)
        || call
            .each
            .as_ref()
            .and_then(|each| each.only.as_ref())
            .is_some_and(|(_, name)| name == parameter)
}

fn call(
    at: &Location,
    shape: &CallShape,
    earlier: &[Call],
    scope: &Scope<'_>,
    report: &mut Report,
) -> Option<Call> {
    let (method, path) = report.keep(at, method_and_path(&shape.request))?;
    let Some(endpoint) = scope.endpoints.get(&shape.request) else {
        report.add(at, format!("there is no [request.\"{}\"]", shape.request));
        return None;
    };
    let body = body(at, shape, scope, report);
    let omit_on_failure = omit_on_failure(at, shape, report);
    Some(Call {
        name: shape.name.clone(),
        method,
        template: path.into(),
        path: segments(at, path, shape, scope, report),
        query: query(at, shape, scope, report),
        body,
        sends: shape
            .sends
            .clone()
            .map(|document| (document, shape.at.clone().unwrap_or_default())),
        file: shape.file.clone(),
        reads: shape.reads.clone(),
        items: shape
            .items
            .as_ref()
            .and_then(|items| Some((report.keep(at, pointer(&items.at))?, items.document.clone()))),
        pages: shape
            .pages
            .as_ref()
            .and_then(|pages| self::pages(at, pages, report)),
        each: shape
            .each
            .as_ref()
            .and_then(|each| self::each(at, each, earlier, scope, report)),
        subject: shape
            .subject
            .as_ref()
            .and_then(|text| report.keep(at, pointer(text))),
        after: shape
            .after
            .iter()
            .filter_map(|name| index_of(name, earlier, at, report))
            .collect(),
        when: shape
            .when
            .iter()
            .filter_map(|condition| self::condition(at, condition, earlier, scope, report))
            .collect(),
        omit_on_failure,
        expected: shape.expected.clone(),
        decisive: shape.decisive.clone(),
        done: shape
            .done
            .iter()
            .map(|done| (done.code, done.message.clone()))
            .collect(),
        resumes: shape.resumes.clone(),
        expects: shape
            .expects
            .as_ref()
            .and_then(|expects| expectation(at, expects, scope, report)),
        note: shape.note.clone(),
        omitted: shape.omitted.clone(),
        omits: shape.omits.clone(),
        label: endpoint.label.clone(),
        scope: endpoint.scope.clone(),
        source: endpoint.source.clone(),
    })
}

fn body(
    at: &Location,
    shape: &CallShape,
    scope: &Scope<'_>,
    report: &mut Report,
) -> Option<BodyTemplate> {
    let body = shape
        .body
        .as_ref()
        .and_then(|body| report.keep(at, body_template(body)));
    for (name, _) in body.iter().flat_map(BodyTemplate::placeholders) {
        check_placeholder(name, at, scope, report);
    }
    if let Some(file) = &shape.file {
        check_parameter(file, at, scope, report);
        if shape.sends.is_some() || body.is_some() {
            report.add(at, "a call has a JSON body or a file, not both");
        }
    }
    body
}

fn omit_on_failure(at: &Location, shape: &CallShape, report: &mut Report) -> bool {
    let omit = shape.on_failure.as_deref();
    if let Some(other) = omit.filter(|way| *way != "omit") {
        report.add(at, format!("on_failure `{other}` is not known; `omit` is"));
    }
    let has_codes = !shape.expected.is_empty() || !shape.decisive.is_empty();
    if omit.is_none() && has_codes {
        report.add(
            at,
            "`expected` and `decisive` belong to `on_failure = \"omit\"`",
        );
    }
    omit.is_some()
}

fn pages(at: &Location, shape: &PagesShape, report: &mut Report) -> Option<Pages> {
    Some(Pages {
        items: report.keep(at, pointer(&shape.items))?,
        document: shape.document.clone(),
        number: shape.number.clone(),
        size: shape.size.clone(),
        token: shape.token.clone(),
        total: shape.total.clone(),
        count: shape.count.clone(),
    })
}

fn each(
    at: &Location,
    shape: &EachShape,
    earlier: &[Call],
    scope: &Scope<'_>,
    report: &mut Report,
) -> Option<Each> {
    let call = index_of(&shape.call, earlier, at, report)?;
    if earlier
        .get(call)
        .is_some_and(|call| call.items.is_none() && call.pages.is_none())
    {
        report.add(at, format!("`{}` has no items", shape.call));
    }
    let subject = shape
        .subject
        .as_ref()
        .and_then(|text| report.keep(at, pointer(text)));
    let only = shape.only.as_ref().and_then(|only| {
        check_parameter(&only.equals, at, scope, report);
        Some((report.keep(at, pointer(&only.at))?, only.equals.clone()))
    });
    Some(Each {
        call,
        subject,
        only,
    })
}

fn expectation(
    at: &Location,
    shape: &ExpectsShape,
    scope: &Scope<'_>,
    report: &mut Report,
) -> Option<Expectation> {
    check_parameter(&shape.parameter, at, scope, report);
    if !scope.protocol.errors.contains_key(&shape.otherwise) {
        report.add(at, format!("there is no [error.{}]", shape.otherwise));
    }
    Some(Expectation {
        parameter: shape.parameter.clone(),
        among: report.keep(at, pointer(&shape.among))?,
        otherwise: shape.otherwise.clone(),
    })
}

fn segments(
    at: &Location,
    path: &str,
    shape: &CallShape,
    scope: &Scope<'_>,
    report: &mut Report,
) -> Vec<Segment> {
    let item = shape
        .each
        .as_ref()
        .and_then(|each| each.placeholder.as_deref().zip(each.value.as_deref()));
    let has_item_subject = shape
        .each
        .as_ref()
        .is_some_and(|each| each.subject.is_some());
    let mut bound: Vec<&str> = Vec::new();
    let mut segments = Vec::new();
    for segment in path.split('/').skip(1) {
        let Some(name) = segment
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
        else {
            if segment.is_empty() || segment.contains(['{', '}']) {
                report.add(at, format!("`{segment}` is not a segment of a path"));
            }
            segments.push(Segment::Literal(segment.to_owned()));
            continue;
        };
        bound.push(name);
        segments.push(if let Some(parameter) = shape.path.get(name) {
            check_parameter(parameter, at, scope, report);
            Segment::Parameter(parameter.clone())
        } else if let Some((_, value)) = item.filter(|(placeholder, _)| *placeholder == name) {
            Segment::Item(report.keep(at, pointer(value)).unwrap_or_default())
        } else {
            if name != SUBJECT || !(scope.has_subject || has_item_subject) {
                report.add(
                    at,
                    format!("nothing fills {{{name}}} for {}", scope.operation),
                );
            }
            Segment::Subject
        });
    }
    for name in shape
        .path
        .keys()
        .filter(|name| !bound.contains(&name.as_str()))
    {
        report.add(at, format!("the path has no {{{name}}}"));
    }
    segments
}

fn query(
    at: &Location,
    shape: &CallShape,
    scope: &Scope<'_>,
    report: &mut Report,
) -> Vec<(String, Template)> {
    let mut query = Vec::new();
    for (name, value) in &shape.query {
        let text = value
            .as_str()
            .map_or_else(|| json(value).to_string(), str::to_owned);
        if let Some(template) = report.keep(at, Template::parse(&text)) {
            for (placeholder, _) in template.placeholders() {
                check_placeholder(placeholder, at, scope, report);
            }
            query.push((name.clone(), template));
        }
    }
    query
}

fn check_placeholder(name: &str, at: &Location, scope: &Scope<'_>, report: &mut Report) {
    let bound = (name == SUBJECT && scope.has_subject)
        || scope.constants.contains_key(name)
        || scope.parameters.iter().any(|parameter| parameter == name);
    if !bound {
        report.add(
            at,
            format!("nothing fills {{{name}}} for {}", scope.operation),
        );
    }
}

fn check_parameter(name: &str, at: &Location, scope: &Scope<'_>, report: &mut Report) {
    if !scope.parameters.iter().any(|parameter| parameter == name) {
        report.add(
            at,
            format!("`{name}` is not a parameter of {}", scope.operation),
        );
    }
}

fn index_of(name: &str, earlier: &[Call], at: &Location, report: &mut Report) -> Option<usize> {
    let found = earlier.iter().position(|call| call.name == name);
    if found.is_none() {
        report.add(at, format!("there is no earlier call `{name}`"));
    }
    found
}

fn body_template(value: &toml::Value) -> Result<BodyTemplate, String> {
    Ok(match value {
        toml::Value::String(text) => BodyTemplate::Text(Template::parse(text)?),
        toml::Value::Array(items) => {
            BodyTemplate::Array(items.iter().map(body_template).collect::<Result<_, _>>()?)
        }
        toml::Value::Table(members) => BodyTemplate::Object(
            members
                .iter()
                .map(|(name, value)| Ok((name.clone(), body_template(value)?)))
                .collect::<Result<_, String>>()?,
        ),
        other => BodyTemplate::Value(json(other)),
    })
}

impl BodyTemplate {
    /// The names of all placeholders, and whether each may be missing.
    pub(crate) fn placeholders(&self) -> Vec<(&str, bool)> {
        match self {
            Self::Object(members) => members
                .iter()
                .flat_map(|(_, value)| value.placeholders())
                .collect(),
            Self::Array(items) => items.iter().flat_map(Self::placeholders).collect(),
            Self::Text(template) => template.placeholders().collect(),
            Self::Value(_) => Vec::new(),
        }
    }

    fn mentions(&self, parameter: &str) -> bool {
        self.placeholders()
            .iter()
            .any(|(name, _)| *name == parameter)
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
        if let Some(value) = report.keep(at, option_value(&rule.values, value)) {
            choices.push((name.clone(), value));
        }
    }
    choices
}

fn condition(
    at: &Location,
    shape: &ConditionShape,
    earlier: &[Call],
    scope: &Scope<'_>,
    report: &mut Report,
) -> Option<Condition> {
    for parameter in shape.given.iter().chain(&shape.missing) {
        check_parameter(parameter, at, scope, report);
    }
    let options = choices(at, &shape.option, scope.options, report);
    let state = match &shape.state {
        None => None,
        Some(state) => {
            let (text, is) = match (&state.is, &state.is_not) {
                (Some(text), None) => (text, true),
                (None, Some(text)) => (text, false),
                _ => {
                    report.add(at, "a state has `is` or `is_not`");
                    return None;
                }
            };
            Some(State {
                call: index_of(&state.call, earlier, at, report)?,
                at: report.keep(at, pointer(&state.at))?,
                text: text.clone(),
                is,
            })
        }
    };
    Some(Condition {
        given: shape.given.clone(),
        missing: shape.missing.clone(),
        nothing_else: shape.nothing_else,
        options,
        state,
        current: shape.current.clone(),
        entries_at_most: shape.entries_at_most,
    })
}
