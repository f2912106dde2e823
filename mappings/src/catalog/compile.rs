//! Resolves the names in the catalog files, checks the files and compiles them.

mod call;
mod conversion;
mod field;
mod filling;
mod notification;
mod operation;
mod plan;
mod protocol;
mod rule;
mod target;
mod view;

use std::{collections::BTreeMap, ops::Range};

use toml::Spanned;

use super::{
    Catalog, Rates,
    files::{Declaration, Declared, Files, Placed},
    option::{OptionRule, OptionValue},
    problem::{COMMON, Location, Report},
    protocol::{NamedError, Subject},
    shape::{FieldShape, PlanShape, RequestShape, SourceShape, ViewShape},
};
use crate::exchange::Method;
pub(crate) use rule::GIVEN;

/// Declarations of all files, by name.
struct Names<'f> {
    report: &'f Report,
    files: &'f Files,
    error: Declared<'f, NamedError>,
    option: Declared<'f, OptionRule>,
    source: Declared<'f, SourceShape>,
    request: Declared<'f, RequestShape>,
    set: Declared<'f, Vec<String>>,
    subject: Declared<'f, Subject>,
    call: Declared<'f, toml::Table>,
    plan: Declared<'f, PlanShape>,
    view: Declared<'f, ViewShape>,
}

/// Resolves names from one location of a file and reports mistakes there.
#[derive(Clone)]
struct Scope<'a> {
    names: &'a Names<'a>,
    at: Location,
}

pub(super) fn compile(
    files: &Files,
    fields: Placed<FieldShape>,
    report: &Report,
) -> Option<Catalog> {
    let names = Names {
        report,
        files,
        error: files.named(|file| &file.error),
        option: files.named(|file| &file.option),
        source: files.named(|file| &file.source),
        request: files.named(|file| &file.request),
        set: files.named(|file| &file.set),
        subject: files.named(|file| &file.subject),
        call: files.named(|file| &file.call),
        plan: files.named(|file| &file.plan),
        view: files.named(|file| &file.view),
    };
    names.error.note_duplicates("error", false, report);
    names.option.note_duplicates("option", false, report);
    names.source.note_duplicates("source", false, report);
    names.request.note_duplicates("request", false, report);
    names.set.note_duplicates("set", true, report);
    names.plan.note_duplicates("plan", true, report);
    names.view.note_duplicates("view", true, report);
    names.subject.note_duplicates("subject", true, report);
    names.call.note_duplicates("call", true, report);
    let protocol = protocol::protocol(&names)?;
    let mut rules = rule::by_resource(&names);
    let rates = rates(&names);
    let fields = field::fields(fields, &names);
    requests(&names);
    if !report.is_empty() {
        // References to rejected fields would only repeat the mistake.
        return None;
    }
    let views = view::views(&names, &fields);
    let notifications = notification::notifications(&names, &fields, &views);
    let operations = operation::operations(&names, &fields, &views, &rules);
    if report.is_empty() {
        // Reported only without other mistakes, which may be why they are unused.
        names.plan.note_unused("no operation has the plan", report);
        names.call.note_unused("no plan uses the call", report);
        names.view.note_unused("no operation has the view", report);
        names
            .request
            .note_unused("no call makes the request", report);
    }
    let options = names.option.0.iter();
    let by_name = operations.iter().enumerate().flat_map(|(at, operation)| {
        let names = std::iter::once(&operation.name).chain(&operation.aliases);
        names.map(move |name| (name.clone(), at))
    });
    Some(Catalog {
        protocol,
        rules: rules.remove(COMMON).unwrap_or_default(),
        options: options
            .map(|option| (option.name.to_owned(), option.value.clone()))
            .collect(),
        rates,
        fields: fields.list,
        views,
        by_name: by_name.collect(),
        operations,
        notifications,
    })
}

/// v2's rate limits by price plan.
fn rates(names: &Names<'_>) -> BTreeMap<String, Rates> {
    let rates = names.files.named(|file| &file.rate);
    rates.note_duplicates("rate", false, names.report);
    let rates = rates.0.into_iter().map(|rate| {
        if rate.value.source.trim().is_empty() {
            let reason = format!("rate `{}` has no source", rate.name);
            names.report.add(&rate.at, reason);
        }
        let shape = rate.value;
        let known = Rates {
            light: shape.light,
            medium: shape.medium,
            heavy: shape.heavy,
            resource_intensive: shape.resource_intensive,
            light_daily: shape.light_daily,
            medium_daily: shape.medium_daily,
            heavy_daily: shape.heavy_daily,
        };
        (rate.name.to_owned(), known)
    });
    rates.collect()
}

/// Checks the declared v2 requests.
fn requests(names: &Names<'_>) {
    for request in &names.request.0 {
        let scope = names.scope(&request.at);
        scope.keep(method_and_path(request.name));
        scope.source_title(&request.value.source);
        if let Some(probe) = &request.value.probe
            && !probe.as_ref().is_of(request.name)
        {
            let name = request.name;
            let reason = format!("`probe` is for a GET, and its path must be one of `{name}`");
            scope.near(probe.span()).add(reason);
        }
    }
}

/// Parses `GET /users/{userId}`.
fn method_and_path(request: &str) -> Result<(Method, &str), String> {
    let methods = [
        Method::Delete,
        Method::Get,
        Method::Patch,
        Method::Post,
        Method::Put,
    ];
    let read = || {
        let (method, path) = request.split_once(' ')?;
        let mut methods = methods.into_iter();
        let method = methods.find(|known| known.as_str() == method)?;
        let is_path = path.starts_with('/') && !path.contains([' ', '?', '#']);
        is_path.then_some((method, path))
    };
    read().ok_or_else(|| format!("`{request}` is not a v2 request like `GET /users/{{userId}}`"))
}

fn with_kind(subject: &Declaration<'_, Subject>) -> Subject {
    Subject {
        kind: subject.name.to_owned(),
        ..subject.value.clone()
    }
}

impl Names<'_> {
    fn scope(&self, at: &Location) -> Scope<'_> {
        Scope {
            names: self,
            at: at.clone(),
        }
    }
}

impl Scope<'_> {
    /// The same scope at another location.
    fn at(&self, at: &Location) -> Self {
        self.names.scope(at)
    }

    /// The same scope at another span of the file.
    fn near(&self, span: Range<usize>) -> Self {
        self.at(&self.names.files.at(&self.at, &span))
    }

    fn resource(&self) -> &str {
        self.at.resource()
    }

    /// Reports a mistake.
    fn add(&self, reason: impl Into<String>) {
        self.names.report.add(&self.at, reason);
    }

    /// Reports a mistake unless the condition holds.
    fn expect(&self, holds: bool, reason: &str) {
        if !holds {
            self.add(reason);
        }
    }

    /// The `Ok` value; reports the `Err`.
    fn keep<T>(&self, result: Result<T, String>) -> Option<T> {
        result.map_err(|reason| self.add(reason)).ok()
    }

    /// Checks that a named error exists.
    fn error(&self, name: &str) {
        if self.names.error.get(name).is_none() {
            self.add(format!("unknown error: [error.{name}] is not defined"));
        }
    }

    /// Checks option values.
    fn choices<'v>(
        &self,
        choices: impl IntoIterator<Item = (&'v String, &'v OptionValue)>,
    ) -> Vec<(String, OptionValue)> {
        let choices = choices.into_iter();
        choices
            .map(|(name, value)| {
                match self.names.option.get(name) {
                    Some(rule) => drop(self.keep(rule.check(value))),
                    None => self.add(format!("unknown option: [option.{name}] is not defined")),
                }
                (name.clone(), value.clone())
            })
            .collect()
    }

    /// Checks that a numeric option exists.
    fn number(&self, name: &str) {
        let option = self.names.option.get(name);
        if !option.is_some_and(OptionRule::is_number) {
            self.add(format!("[option.{name}] is not a numeric option"));
        }
    }

    /// The subject of this kind.
    fn subject(&self, kind: &str) -> Option<Subject> {
        let found = self.names.subject.find(self.resource(), kind);
        if found.is_none() {
            self.add(format!("unknown subject: [subject.{kind}] is not defined"));
        }
        found.map(|(_, subject)| with_kind(subject))
    }

    /// The subject whose id fills this path placeholder.
    fn subject_of(&self, placeholder: &str) -> Option<Subject> {
        let of = |resource: &str| {
            let mut subjects = self.names.subject.0.iter();
            subjects.find(|subject| {
                subject.at.resource() == resource && subject.value.placeholder == placeholder
            })
        };
        let found = of(self.resource()).or_else(|| of(COMMON));
        found.map(with_kind)
    }

    /// Index of the view with this name.
    fn view(&self, name: &str) -> Option<usize> {
        let found = self.names.view.find(self.resource(), name);
        if found.is_none() {
            self.add(format!("unknown view `{name}`"));
        }
        found.map(|(index, _)| index)
    }

    /// Field names, with each `@set` expanded.
    fn expand(&self, names: &[String]) -> Vec<String> {
        let mut all = Vec::new();
        for name in names {
            match name.strip_prefix('@') {
                None => all.push(name.clone()),
                Some(set) => match self.names.set.find(self.resource(), set) {
                    Some((_, fields)) => all.extend(fields.value.iter().cloned()),
                    None => self.add(format!("unknown set `{set}`")),
                },
            }
        }
        all
    }

    /// Title of a source document.
    fn source_title(&self, name: &Spanned<String>) -> String {
        let source = self.names.source.get(name.as_ref());
        if source.is_none() {
            let scope = self.near(name.span());
            scope.add(format!("unknown source `{}`", name.as_ref()));
        }
        source
            .map(|source| source.title.clone())
            .unwrap_or_default()
    }
}
