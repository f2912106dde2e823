//! From texts to a checked catalog: reading files, collecting mistakes, joining the parts.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use serde::Deserialize as _;
use serde_json::Value;
use toml::Spanned;

use super::{
    COMMON, Catalog, CatalogError, Location, Problem, compile_field, compile_notification,
    compile_operation, compile_protocol, compile_view, rate,
    shape::{FieldShape, FileShape, Named, OneOrMany, OverlayShape, RequestShape},
};
use crate::exchange::Method;

/// Collects mistakes while a catalog is compiled.
#[derive(Default)]
pub(super) struct Report(Vec<Problem>);

impl Report {
    pub(super) fn add(&mut self, at: &Location, reason: impl Into<String>) {
        let Location { file, line } = at.clone();
        self.0.push(Problem {
            file,
            line,
            reason: reason.into(),
        });
    }

    /// The value of a result, or nothing and its mistake noted.
    pub(super) fn keep<T>(&mut self, at: &Location, result: Result<T, String>) -> Option<T> {
        result.map_err(|reason| self.add(at, reason)).ok()
    }
}

/// A file that was read.
#[derive(Clone)]
pub(super) struct Source {
    name: String,
    /// Where its lines end.
    ends: Vec<usize>,
}

impl Source {
    fn new(name: String, text: &str) -> Self {
        let ends = text.match_indices('\n').map(|(at, _)| at);
        Self {
            name,
            ends: ends.collect(),
        }
    }

    pub(super) fn at(&self, span: &Range<usize>) -> Location {
        Location {
            file: self.name.clone(),
            line: self.ends.partition_point(|end| *end < span.start) + 1,
        }
    }
}

/// What the files hold of one kind, with where each stands.
pub(super) type Placed<T> = Vec<(Location, T)>;

/// A v2 endpoint.
pub(super) struct Endpoint {
    pub label: String,
    pub scope: String,
    pub source: String,
}

pub(super) fn load(
    files: impl IntoIterator<Item = (String, String)>,
) -> Result<Catalog, CatalogError> {
    let mut report = Report::default();
    let mut parts = Parts::default();
    let mut files: Vec<_> = files.into_iter().collect();
    // Answers have their members in the order of the fields: first those that all share.
    files.sort_by_cached_key(|(name, _)| (!is_common(name), name.clone()));
    let (overlays, files): (Vec<_>, Vec<_>) = files
        .into_iter()
        .partition(|(name, _)| name.ends_with(OVERLAY));
    for (name, text) in &files {
        let source = Source::new(name.clone(), text);
        match toml::from_str::<FileShape>(text) {
            Ok(shape) => parts.add(&source, shape),
            Err(error) => {
                let at = source.at(&error.span().unwrap_or(0..0));
                report.add(&at, error.message());
            }
        }
    }
    for (name, text) in &overlays {
        overlay(&files, name, text, &mut parts, &mut report);
    }
    // A file that cannot be read hides what others refer to: naming that too would only confuse.
    let catalog = if report.0.is_empty() {
        compile(parts, &mut report)
    } else {
        None
    };
    match catalog {
        Some(catalog) if report.0.is_empty() => Ok(catalog),
        _ => {
            let mut problems = report.0;
            problems.sort();
            problems.dedup();
            Err(CatalogError { problems })
        }
    }
}

/// The file of a resource with a site's changes of single fields.
const OVERLAY: &str = "/overlay.toml";

/// Replaces keys of single fields.
fn overlay(
    files: &[(String, String)],
    name: &str,
    text: &str,
    parts: &mut Parts,
    report: &mut Report,
) {
    let source = Source::new(name.to_owned(), text);
    let shape = match toml::from_str::<OverlayShape>(text) {
        Ok(shape) => shape,
        Err(error) => {
            let at = source.at(&error.span().unwrap_or(0..0));
            return report.add(&at, error.message());
        }
    };
    for (key, changes) in shape.field {
        let at = source.at(&key.span());
        let key = key.as_ref();
        let own = files.iter().filter(|(file, _)| {
            file.split_once('/').map_or(COMMON, |(folder, _)| folder) == at.resource()
        });
        let mut tables = own.filter_map(|(_, text)| toml::from_str::<toml::Table>(text).ok());
        let known = |table: &toml::Table| {
            let mut fields = table.get("field")?.as_array()?.iter();
            let is_it = |field: &&toml::Value| {
                let name = field.get("key").or_else(|| field.get("v1"));
                name.and_then(toml::Value::as_str) == Some(key)
            };
            fields.find(is_it)?.as_table().cloned()
        };
        let Some(mut field) = tables.find_map(|table| known(&table)) else {
            report.add(&at, format!("there is no field `{key}` to change"));
            continue;
        };
        field.extend(changes);
        let changed = FieldShape::deserialize(toml::Value::Table(field));
        let changed = changed.map_err(|error| error.message().to_owned());
        let Some(changed) = report.keep(&at, changed) else {
            continue;
        };
        let place = parts.field.iter_mut().find(|(place, field)| {
            let name = field.key.as_ref().unwrap_or(&field.v1);
            place.resource() == at.resource() && matches!(name, OneOrMany::One(name) if name == key)
        });
        if let Some(place) = place {
            *place = (at, changed);
        }
    }
}

fn is_common(file: &str) -> bool {
    file.split_once('/')
        .is_none_or(|(folder, _)| folder == COMMON)
}

/// The shapes of all files, joined.
#[derive(Default)]
pub(super) struct Parts {
    pub protocol: Placed<super::shape::ProtocolShape>,
    pub error: Placed<(String, super::shape::ErrorShape)>,
    pub rule: Placed<super::shape::RuleShape>,
    pub option: Placed<(String, super::shape::OptionShape)>,
    pub source: Placed<(String, super::shape::SourceShape)>,
    pub request: Placed<(String, RequestShape)>,
    pub rate: Placed<(String, super::shape::RateShape)>,
    pub set: Placed<(String, Vec<String>)>,
    pub field: Placed<FieldShape>,
    pub operation: Placed<(String, super::shape::OperationShape)>,
    pub plan: Placed<(String, super::shape::PlanShape)>,
    pub view: Placed<(String, super::shape::ViewShape)>,
    pub subject: Placed<(String, super::shape::SubjectShape)>,
    pub webhook: Placed<super::shape::WebhookShape>,
    pub notification: Placed<super::shape::NotificationShape>,
    pub call: Placed<(String, toml::Table)>,
    /// For places inside of shapes.
    pub sources: BTreeMap<String, Source>,
}

impl Parts {
    fn add(&mut self, source: &Source, shape: FileShape) {
        fn list<T>(source: &Source, from: Vec<Spanned<T>>, to: &mut Placed<T>) {
            to.extend(
                from.into_iter()
                    .map(|item| (source.at(&item.span()), item.into_inner())),
            );
        }
        fn named<T>(source: &Source, from: Named<T>, to: &mut Placed<(String, T)>) {
            to.extend(
                from.into_iter()
                    .map(|(name, item)| (source.at(&name.span()), (name.into_inner(), item))),
            );
        }
        list(
            source,
            shape.protocol.into_iter().collect(),
            &mut self.protocol,
        );
        named(source, shape.error, &mut self.error);
        list(source, shape.rule, &mut self.rule);
        list(
            source,
            shape.webhook.into_iter().collect(),
            &mut self.webhook,
        );
        list(source, shape.notification, &mut self.notification);
        named(source, shape.option, &mut self.option);
        named(source, shape.source, &mut self.source);
        named(source, shape.request, &mut self.request);
        named(source, shape.rate, &mut self.rate);
        named(source, shape.set, &mut self.set);
        list(source, shape.field, &mut self.field);
        named(source, shape.operation, &mut self.operation);
        named(source, shape.plan, &mut self.plan);
        named(source, shape.view, &mut self.view);
        named(source, shape.subject, &mut self.subject);
        named(source, shape.call, &mut self.call);
        self.sources.insert(source.name.clone(), source.clone());
    }

    /// Where a span stands in the file of a known place.
    pub(super) fn at(&self, near: &Location, span: &Range<usize>) -> Location {
        self.sources
            .get(&near.file)
            .map_or_else(|| near.clone(), |source| source.at(span))
    }
}

fn compile(mut parts: Parts, report: &mut Report) -> Option<Catalog> {
    duplicates(&parts, report);
    let compile_protocol::Compiled {
        protocol,
        mut rules,
        options,
        subjects,
    } = compile_protocol::protocol(&mut parts, report)?;
    let rates = rate::rates(&mut parts, report);
    let sets = std::mem::take(&mut parts.set);
    let (fields, index) = compile_field::fields(&mut parts, &subjects, &options, report);
    let endpoints = endpoints(&parts, report);
    if !report.0.is_empty() {
        // What refers to a refused field would only repeat the mistake.
        return None;
    }
    let views = compile_view::views(&mut parts, &fields, &index, &sets, report);
    let notifications =
        compile_notification::notifications(&mut parts, &fields, &views, &options, report);
    let mut compiler = compile_operation::Compiler {
        protocol: &protocol,
        options: &options,
        fields: &fields,
        index: &index,
        sets: &sets,
        endpoints: &endpoints,
        views: &views,
        subjects: &subjects,
        rules: &rules,
        used_endpoints: BTreeSet::new(),
        used_calls: BTreeSet::new(),
        used_views: notifications.views().collect(),
    };
    let operations = compiler.operations(&mut parts, report);
    let common = rules.remove(COMMON).unwrap_or_default();
    Some(Catalog::new(
        protocol,
        common,
        options,
        rates,
        fields,
        views,
        operations,
        notifications,
    ))
}

fn duplicates(parts: &Parts, report: &mut Report) {
    fn check<T>(what: &str, items: &Placed<(String, T)>, is_local: bool, report: &mut Report) {
        let mut seen: BTreeMap<(&str, &str), &Location> = BTreeMap::new();
        for (at, (name, _)) in items {
            let resource = if is_local { at.resource() } else { COMMON };
            if let Some(first) = seen.insert((resource, name), at) {
                report.add(at, format!("{what} `{name}` is there already, at {first}"));
            }
        }
    }
    check("error", &parts.error, false, report);
    check("option", &parts.option, false, report);
    check("source", &parts.source, false, report);
    check("request", &parts.request, false, report);
    check("rate", &parts.rate, false, report);
    check("operation", &parts.operation, false, report);
    check("set", &parts.set, true, report);
    check("plan", &parts.plan, true, report);
    check("view", &parts.view, true, report);
    check("subject", &parts.subject, true, report);
    check("call", &parts.call, true, report);
}

/// The part of a name that a resource has, or else `common`: with its index.
pub(super) fn find<'p, T>(
    parts: &'p Placed<(String, T)>,
    resource: &str,
    name: &str,
) -> Option<(usize, &'p Location, &'p T)> {
    let of = |resource: &str| {
        let mut parts = parts.iter().enumerate();
        parts.find_map(|(index, (at, (known, part)))| {
            (at.resource() == resource && known == name).then_some((index, at, part))
        })
    };
    of(resource).or_else(|| of(COMMON))
}

/// Named lists of fields.
pub(super) type Sets = Placed<(String, Vec<String>)>;

/// Replaces `@set` by the fields of the set.
pub(super) fn expand(
    names: &[String],
    sets: &Sets,
    at: &Location,
    report: &mut Report,
) -> Vec<String> {
    let mut all = Vec::new();
    for name in names {
        match name.strip_prefix('@') {
            None => all.push(name.clone()),
            Some(set) => match find(sets, at.resource(), set) {
                Some((_, _, fields)) => all.extend(fields.iter().cloned()),
                None => report.add(at, format!("there is no set `{set}`")),
            },
        }
    }
    all
}

fn endpoints(parts: &Parts, report: &mut Report) -> BTreeMap<String, Endpoint> {
    const LABELS: [&str; 4] = ["light", "medium", "heavy", "resource-intensive"];
    let mut endpoints = BTreeMap::new();
    for (at, (request, shape)) in &parts.request {
        if let Err(reason) = method_and_path(request) {
            report.add(at, reason);
        }
        if !LABELS.contains(&shape.label.as_ref().as_str()) {
            let at = parts.at(at, &shape.label.span());
            report.add(
                &at,
                format!(
                    "label `{}` is none of {}",
                    shape.label.as_ref(),
                    LABELS.join(", ")
                ),
            );
        }
        let source = source_title(parts, at, &shape.source, report);
        let endpoint = Endpoint {
            label: shape.label.as_ref().clone(),
            scope: shape.scope.clone(),
            source: source.unwrap_or_default(),
        };
        endpoints.insert(request.clone(), endpoint);
    }
    endpoints
}

pub(super) fn source_title(
    parts: &Parts,
    near: &Location,
    name: &Spanned<String>,
    report: &mut Report,
) -> Option<String> {
    let found = parts
        .source
        .iter()
        .find(|(_, (known, _))| known == name.as_ref());
    if found.is_none() {
        let at = parts.at(near, &name.span());
        report.add(&at, format!("there is no source `{}`", name.as_ref()));
    }
    found.map(|(_, (_, source))| source.title.clone())
}

/// Reads `GET /users/{userId}`.
pub(super) fn method_and_path(request: &str) -> Result<(Method, &str), String> {
    let methods = [
        Method::Delete,
        Method::Get,
        Method::Patch,
        Method::Post,
        Method::Put,
    ];
    let wrong = || format!("`{request}` is not a v2 request like `GET /users/{{userId}}`");
    let (method, path) = request.split_once(' ').ok_or_else(wrong)?;
    let method = methods
        .into_iter()
        .find(|known| known.as_str() == method)
        .ok_or_else(wrong)?;
    if path.starts_with('/') && !path.contains([' ', '?', '#']) {
        Ok((method, path))
    } else {
        Err(wrong())
    }
}

/// A TOML value as JSON.
pub(super) fn json(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::from(text.as_str()),
        toml::Value::Integer(number) => Value::from(*number),
        toml::Value::Float(number) => Value::from(*number),
        toml::Value::Boolean(yes) => Value::from(*yes),
        toml::Value::Datetime(time) => Value::from(time.to_string()),
        toml::Value::Array(items) => items.iter().map(json).collect(),
        toml::Value::Table(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), json(value)))
            .collect(),
    }
}

/// A JSON pointer (RFC 6901) that does not point at the whole document.
pub(super) fn pointer(text: &str) -> Result<String, String> {
    let well_formed = text.len() > 1
        && text.starts_with('/')
        && !text.contains("//")
        && !text.contains('~')
        && !text.ends_with('/')
        && !text.contains(char::is_whitespace);
    if well_formed {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "`{text}` is not a JSON pointer like `/in_meeting/chat`"
        ))
    }
}
