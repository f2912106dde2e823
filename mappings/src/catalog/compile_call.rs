//! Checks one call of a plan: what fills its path, its query and its body, when it is made, and
//! what its failures mean.

use super::{
    Location,
    compile_field::wanted,
    compile_plan::{Scope, check_number, choices, index_of, tests},
    compile_protocol::check_error,
    load::{Report, json, method_and_path, pointer},
    operation::{
        Amount, AnswerTest, BodyTemplate, Call, Check, Compared, Condition, Each, Evidence,
        Filling, Items, On, PageMode, Pages, Segment, Several, Test, Then, Wanted,
    },
    shape::{
        CallShape, CheckShape, ConditionShape, EachShape, ItemsShape, OnShape, OneOrMany,
        PagesShape,
    },
};
use crate::template::Template;

/// The most requests for a list that is read as a whole, unless a plan says otherwise.
const MOST_PAGES: usize = 20;

/// What the placeholders of a call may begin with, besides names: `OF.NAME` and `OF:POINTER`.
mod placeholder {
    pub(super) const ITEM: &str = "item";
    pub(super) const ELEMENT: &str = "element";
    pub(super) const ELEMENTS: &str = "elements";
    pub(super) const WINDOW: [&str; 2] = ["window.from", "window.to"];
    pub(super) const RANGE: [&str; 2] = ["range.from", "range.to"];
    pub(super) const TODAY: &str = "clock.date";
    pub(super) const OPTION: &str = "option.";
}

pub(super) fn call(
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
    let each = match &shape.each {
        Some(each) => Some(self::each(at, each, earlier, scope, report)?),
        None => None,
    };
    let filler = Filler {
        at,
        shape,
        each: each.as_ref(),
        earlier,
        scope,
    };
    let items = shape.items.as_ref();
    let pages = shape.pages.as_ref();
    if items.is_some() && pages.is_some() {
        report.add(at, "a call has `items` or `pages`, not both");
    }
    for (kind, parameter) in &shape.about {
        scope.subjects.find(kind, at, report);
        scope.check_parameter(parameter, at, report);
    }
    Some(Call {
        name: shape.name.clone(),
        method,
        template: path.into(),
        path: filler.segments(path, report),
        query: filler.query(report),
        body: filler.body(report),
        sends: shape
            .sends
            .clone()
            .map(|document| (document, shape.at.clone().unwrap_or_default())),
        file: shape.file.clone(),
        reads: shape.reads.clone(),
        items: items.and_then(|items| self::items(at, &shape.name, items, scope, report)),
        pages: pages
            .and_then(|pages| self::pages(at, &shape.name, pages, each.as_ref(), scope, report)),
        subject: shape
            .subject
            .as_ref()
            .and_then(|text| report.keep(at, pointer(text))),
        about: shape.about.clone(),
        after: filler.after(report),
        after_lists: Vec::new(),
        when: shape
            .when
            .iter()
            .filter_map(|condition| self::condition(at, condition, earlier, scope, report))
            .collect(),
        keeps: false,
        checks: shape
            .check
            .iter()
            .filter_map(|check| self::check(at, check, scope, report))
            .collect(),
        needs: shape
            .needs
            .iter()
            .filter_map(|text| report.keep(at, pointer(text)))
            .collect(),
        on: on(at, &shape.on, scope, report),
        each,
        note: shape.note.clone(),
        omitted: shape.omitted.clone(),
        omits: shape.omits.clone(),
        warns: shape.warns.clone(),
        label: endpoint.label.clone(),
        scope: endpoint.scope.clone(),
        source: endpoint.source.clone(),
    })
}

/// True if the parameter names what the call is about, or what its answer is to be about: it is not
/// sent in the call's document then.
pub(super) fn names(call: &Call, parameter: &str) -> bool {
    let in_path = |segment: &Segment| match segment {
        Segment::Filled {
            by: Filling::Parameters(names),
            ..
        } => names.iter().any(|name| name == parameter),
        _ => false,
    };
    call.path.iter().any(in_path)
}

/// True if a check compares the parameter with the call's answer.
pub(super) fn compares(call: &Call, parameter: &str) -> bool {
    call.checks.iter().any(|check| match &check.compared {
        Compared::Parameter(name, _) => name == parameter,
        Compared::Member(..) | Compared::Subject(_) => false,
    })
}

/// The earlier calls whose answers the call looks at.
pub(super) fn looks_at(call: &Call, earlier: &[Call]) -> Vec<usize> {
    let in_path = call.path.iter().filter_map(|segment| match segment {
        Segment::Filled {
            by: Filling::Answer(call, _),
            ..
        } => Some(*call),
        _ => None,
    });
    let conditions = call.when.iter();
    let in_conditions = conditions.filter_map(|when| when.answer.as_ref().map(|test| test.call));
    let body = call
        .body
        .as_ref()
        .map(BodyTemplate::templates)
        .unwrap_or_default();
    let query = call.query.iter().map(|(_, template)| template);
    let names = query.chain(body).flat_map(Template::names);
    let in_templates = names.filter_map(|name| {
        let (of, _) = name.split_once(':')?;
        earlier.iter().position(|call| call.name == of)
    });
    in_path.chain(in_conditions).chain(in_templates).collect()
}

/// True if the call uses the parameter otherwise than in its document.
pub(super) fn uses(call: &Call, parameter: &str) -> bool {
    let in_template = |template: &Template| template.names().any(|name| name == parameter);
    let tests = |only: &[Test]| test_uses(only, parameter);
    names(call, parameter)
        || call.query.iter().any(|(_, template)| in_template(template))
        || call.body.as_ref().is_some_and(|body| {
            let mut templates = body.templates().into_iter();
            templates.any(in_template)
        })
        || call.file.as_deref() == Some(parameter)
        || compares(call, parameter)
        || call.when.iter().any(|condition| {
            condition
                .parameter
                .as_ref()
                .is_some_and(|(name, _)| name == parameter)
        })
        || call.items.as_ref().is_some_and(|items| tests(&items.only))
        || call.pages.as_ref().is_some_and(|pages| {
            let pages_by = pages.mode != PageMode::All;
            tests(&pages.only)
                || (pages_by && (pages.number == parameter || pages.size == parameter))
        })
        || call.each.as_ref().is_some_and(|each| {
            let elements =
                matches!(&each.of, Several::Elements { parameter: name, .. } if name == parameter);
            elements || tests(&each.only)
        })
}

/// True if one of the tests compares with the parameter.
pub(super) fn test_uses<'t>(tests: impl IntoIterator<Item = &'t Test>, parameter: &str) -> bool {
    tests.into_iter().any(|test| match &test.wanted {
        Wanted::Equals(name) | Wanted::NotBefore(name) | Wanted::NotAfter(name) => {
            name == parameter
        }
        Wanted::OneOf { .. } | Wanted::Exists(_) => false,
    })
}

fn items(
    at: &Location,
    call: &str,
    shape: &ItemsShape,
    scope: &Scope<'_>,
    report: &mut Report,
) -> Option<Items> {
    Some(Items {
        list: shape.name.clone().unwrap_or_else(|| call.to_owned()),
        at: report.keep(at, pointer(&shape.at))?,
        document: shape.document.clone(),
        only: tests(at, &shape.only, scope, report),
    })
}

fn pages(
    at: &Location,
    call: &str,
    shape: &PagesShape,
    each: Option<&Each>,
    scope: &Scope<'_>,
    report: &mut Report,
) -> Option<Pages> {
    let mode = match shape.mode.as_deref() {
        None | Some("number") => PageMode::Number,
        Some("token") => PageMode::Token,
        Some("all") => PageMode::All,
        Some(other) => {
            report.add(at, format!("mode `{other}` is none of number, token, all"));
            return None;
        }
    };
    let parameters = [("number", &shape.number), ("size", &shape.size)];
    for (key, parameter) in parameters {
        match parameter {
            Some(name) if mode != PageMode::All => scope.check_parameter(name, at, report),
            None if mode != PageMode::All => {
                report.add(at, format!("pages of this mode need `{key}`"));
            }
            _ => {}
        }
    }
    if mode != PageMode::All && each.is_some() {
        report.add(
            at,
            "the pages of a call that is made for each of several have the mode all",
        );
    }
    if mode != PageMode::All && shape.most.is_some() {
        report.add(at, "`most` is for the mode all");
    }
    if let Some(Amount::Option(name)) = &shape.most {
        check_number(at, name, scope.options, report);
    }
    let owned = |name: &Option<String>| name.clone().unwrap_or_default();
    Some(Pages {
        list: shape.name.clone().unwrap_or_else(|| call.to_owned()),
        mode,
        items: report.keep(at, pointer(&shape.items))?,
        document: shape.document.clone(),
        number: owned(&shape.number),
        size: owned(&shape.size),
        token: shape.token.clone(),
        total: owned(&shape.total),
        count: owned(&shape.count),
        most: shape.most.clone().unwrap_or(Amount::Fixed(MOST_PAGES)),
        only: tests(at, &shape.only, scope, report),
    })
}

fn each(
    at: &Location,
    shape: &EachShape,
    earlier: &[Call],
    scope: &Scope<'_>,
    report: &mut Report,
) -> Option<Each> {
    let one_by_one = match shape.order.as_deref() {
        None => false,
        Some("one_by_one") => true,
        Some(other) => {
            report.add(at, format!("order `{other}` is not known; `one_by_one` is"));
            false
        }
    };
    let of = match (&shape.list, &shape.parameter, &shape.windows) {
        (Some(list), None, None) => {
            let is_made = earlier.iter().any(|call| call.makes_list() == Some(list));
            if !is_made && !scope.lists.contains(&list.as_str()) {
                report.add(at, format!("no earlier call makes the list `{list}`"));
            }
            Several::Entries { list: list.clone() }
        }
        (None, Some(parameter), None) => {
            scope.check_parameter(parameter, at, report);
            Several::Elements {
                parameter: parameter.clone(),
                batch: shape.batch.unwrap_or(1).max(1),
            }
        }
        (None, None, Some(windows)) => {
            if windows != "month" {
                report.add(at, format!("windows `{windows}` is not known; `month` is"));
            }
            if !scope.has_range {
                report.add(
                    at,
                    "windows are those of the operation's `range`, which it has not",
                );
            }
            Several::Windows
        }
        _ => {
            report.add(at, "`each` has one of `list`, `parameter` and `windows`");
            return None;
        }
    };
    let is_entries = matches!(of, Several::Entries { .. });
    let of_entries = shape.subject.is_some()
        || shape.value.is_some()
        || !shape.only.is_empty()
        || shape.otherwise.is_some();
    if of_entries && !is_entries {
        report.add(
            at,
            "`subject`, `value`, `where` and `otherwise` are for entries of a `list`",
        );
    }
    if shape.batch.is_some() && shape.parameter.is_none() {
        report.add(at, "`batch` is for the elements of a `parameter`");
    }
    if let Some(error) = &shape.otherwise {
        check_error(scope.protocol, error, at, report);
    }
    let subject = shape.subject.as_ref();
    Some(Each {
        of,
        subject: subject.and_then(|text| report.keep(at, pointer(text))),
        only: tests(at, &shape.only, scope, report),
        otherwise: shape.otherwise.clone(),
        one_by_one,
    })
}

fn check(
    at: &Location,
    shape: &CheckShape,
    scope: &Scope<'_>,
    report: &mut Report,
) -> Option<Check> {
    check_error(scope.protocol, &shape.otherwise, at, report);
    let absent_passes = match shape.absent.as_deref() {
        None => false,
        Some("pass") => true,
        Some(other) => {
            report.add(at, format!("absent `{other}` is not known; `pass` is"));
            false
        }
    };
    let compared = match (&shape.parameter, &shape.at) {
        (Some(parameter), None) => {
            scope.check_parameter(parameter, at, report);
            let members = shape.equals.iter();
            let members: Vec<_> = members
                .filter_map(|text| report.keep(at, pointer(text)))
                .collect();
            if members.is_empty() {
                report.add(at, "a check of a parameter `equals` a member");
            }
            Compared::Parameter(parameter.clone(), members)
        }
        (None, Some(member)) if shape.subject => {
            if !(shape.is.is_empty() && shape.is_not.is_empty()) {
                report.add(at, "a check of the `subject` has no `is` and no `is_not`");
            }
            Compared::Subject(report.keep(at, pointer(member))?)
        }
        (None, Some(member)) => Compared::Member(
            report.keep(at, pointer(member))?,
            wanted(at, &shape.is, &shape.is_not, None, report)?,
        ),
        _ => {
            report.add(at, "a check has a `parameter` or a member `at` a pointer");
            return None;
        }
    };
    Some(Check {
        compared,
        otherwise: shape.otherwise.clone(),
        options: choices(at, &shape.option, scope.options, report),
        absent_passes,
    })
}

fn on(at: &Location, shapes: &[OnShape], scope: &Scope<'_>, report: &mut Report) -> Vec<On> {
    let mut all: Vec<On> = Vec::new();
    let is_for = |shape: &&OnShape| {
        let mut constants = shape.constant.iter();
        constants.all(|(name, value)| scope.constants.get(name) == Some(value))
    };
    for shape in shapes.iter().filter(is_for) {
        let then = match shape.then.as_str() {
            "fail" => Then::Fail,
            "omit" => Then::Omit,
            "skip" => Then::Skip,
            "done" => Then::Done,
            "resume" => {
                let (Some(call), Some(created)) = (&shape.read, &shape.created) else {
                    report.add(at, "`resume` has a call to `read` and a pointer `created`");
                    continue;
                };
                let Some(created) = report.keep(at, pointer(created)) else {
                    continue;
                };
                Then::Resume(Evidence {
                    call: call.clone(),
                    created,
                })
            }
            "answer" => Then::Answer,
            "empty" => Then::Empty,
            other => {
                let known = "fail, omit, skip, done, resume, answer, empty";
                report.add(at, format!("then `{other}` is none of {known}"));
                continue;
            }
        };
        let on = On {
            status: shape.status,
            codes: shape.code.clone(),
            message: shape.message.clone(),
            options: choices(at, &shape.option, scope.options, report),
            then,
        };
        if all.iter().any(|earlier| earlier.covers(&on)) {
            report.add(
                at,
                "a row of `on` is never reached: an earlier one fits first",
            );
        }
        all.push(on);
    }
    all
}

fn condition(
    at: &Location,
    shape: &ConditionShape,
    earlier: &[Call],
    scope: &Scope<'_>,
    report: &mut Report,
) -> Option<Condition> {
    let named = shape
        .given
        .iter()
        .chain(&shape.all_given)
        .chain(&shape.missing);
    for parameter in named {
        scope.check_parameter(parameter, at, report);
    }
    let parameter = match &shape.parameter {
        None => None,
        Some(test) => {
            scope.check_parameter(&test.name, at, report);
            let wanted = wanted(at, &test.is, &test.is_not, None, report)?;
            Some((test.name.clone(), wanted))
        }
    };
    let answer = match &shape.answer {
        None => None,
        Some(answer) => Some(AnswerTest {
            call: index_of(&answer.call, earlier, at, report)?,
            at: report.keep(at, pointer(&answer.at))?,
            wanted: wanted(at, &answer.is, &answer.is_not, answer.exists, report)?,
        }),
    };
    let error = match &shape.error {
        None => None,
        Some(error) => Some((
            index_of(&error.call, earlier, at, report)?,
            error.code.clone(),
        )),
    };
    Some(Condition {
        given: shape.given.clone(),
        all_given: shape.all_given.clone(),
        missing: shape.missing.clone(),
        nothing_else: shape.nothing_else,
        options: choices(at, &shape.option, scope.options, report),
        parameter,
        answer,
        error,
        resumed: shape.resumed,
        current: shape.current.clone(),
        entries_at_most: shape.entries_at_most,
    })
}

/// What fills the placeholders of a call.
struct Filler<'f, 's> {
    at: &'f Location,
    shape: &'f CallShape,
    each: Option<&'f Each>,
    earlier: &'f [Call],
    scope: &'f Scope<'s>,
}

impl Filler<'_, '_> {
    fn segments(&self, path: &str, report: &mut Report) -> Vec<Segment> {
        let mut bound: Vec<&str> = Vec::new();
        let mut segments = Vec::new();
        for segment in path.split('/').skip(1) {
            let Some(name) = segment
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'))
            else {
                if segment.is_empty() || segment.contains(['{', '}']) {
                    report.add(self.at, format!("`{segment}` is not a segment of a path"));
                }
                segments.push(Segment::Literal(segment.to_owned()));
                continue;
            };
            bound.push(name);
            let kind = self.scope.subjects.of_placeholder(self.at.resource(), name);
            segments.push(Segment::Filled {
                placeholder: name.to_owned(),
                by: self.filling(name, report),
                kind: kind.cloned(),
            });
        }
        let of_each = self
            .shape
            .each
            .as_ref()
            .and_then(|each| each.placeholder.as_ref());
        for name in self.shape.path.keys().chain(of_each) {
            if !bound.contains(&name.as_str()) {
                report.add(self.at, format!("the path has no {{{name}}}"));
            }
        }
        segments
    }

    fn filling(&self, name: &str, report: &mut Report) -> Filling {
        let each = self.shape.each.as_ref();
        if let Some(sources) = self.shape.path.get(name) {
            let sources = sources.clone().into_vec();
            if let [source] = sources.as_slice()
                && let Some((call, at)) = source.split_once(':')
            {
                let index = index_of(call, self.earlier, self.at, report).unwrap_or_default();
                let at = report.keep(self.at, pointer(at)).unwrap_or_default();
                return Filling::Answer(index, at);
            }
            for parameter in &sources {
                self.scope.check_parameter(parameter, self.at, report);
            }
            return Filling::Parameters(sources);
        }
        if each.and_then(|each| each.placeholder.as_deref()) == Some(name) {
            if let Some(value) = each.and_then(|each| each.value.as_ref()) {
                return Filling::Item(report.keep(self.at, pointer(value)).unwrap_or_default());
            }
            if !self.is_of_elements() {
                report.add(self.at, format!("nothing of an entry fills {{{name}}}"));
            }
            return Filling::Element;
        }
        let of_entry = self.each.is_some_and(|each| each.subject.is_some());
        if !of_entry && !self.is_subject(name) {
            self.unfilled(name, report);
        }
        Filling::Subject
    }

    fn is_subject(&self, placeholder: &str) -> bool {
        let kind = self
            .scope
            .subjects
            .of_placeholder(self.at.resource(), placeholder);
        kind.is_some_and(|kind| self.scope.subject == Some(kind.kind.as_str()))
    }

    fn is_of_elements(&self) -> bool {
        self.each
            .is_some_and(|each| matches!(each.of, Several::Elements { .. }))
    }

    fn query(&self, report: &mut Report) -> Vec<(String, Template)> {
        let mut query = Vec::new();
        for (name, value) in &self.shape.query {
            let text = value
                .as_str()
                .map_or_else(|| json(value).to_string(), str::to_owned);
            if let Some(template) = report.keep(self.at, Template::parse(&text)) {
                self.check(&template, report);
                query.push((name.clone(), template));
            }
        }
        query
    }

    fn body(&self, report: &mut Report) -> Option<BodyTemplate> {
        let body = self.shape.body.as_ref();
        let body = body.and_then(|body| report.keep(self.at, body_template(body)));
        for template in body.iter().flat_map(BodyTemplate::templates) {
            self.check(template, report);
        }
        if let Some(file) = &self.shape.file {
            self.scope.check_parameter(file, self.at, report);
            if self.shape.sends.is_some() || body.is_some() {
                report.add(self.at, "a call has a JSON body or a file, not both");
            }
        }
        body
    }

    /// Something must fill every placeholder.
    fn check(&self, template: &Template, report: &mut Report) {
        for name in template.names() {
            if !self.is_filled(name, report) {
                self.unfilled(name, report);
            }
        }
    }

    fn is_filled(&self, name: &str, report: &mut Report) -> bool {
        let scope = self.scope;
        if let Some((of, at)) = name.split_once(':') {
            report.keep(self.at, pointer(at));
            return if of == placeholder::ITEM {
                self.each
                    .is_some_and(|each| matches!(each.of, Several::Entries { .. }))
            } else {
                self.earlier.iter().any(|call| call.name == of)
            };
        }
        if let Some(option) = name.strip_prefix(placeholder::OPTION) {
            return scope.options.contains_key(option);
        }
        let is_window = || self.each.is_some_and(|each| each.of == Several::Windows);
        scope.constants.contains_key(name)
            || scope.has_parameter(name)
            || self.is_subject(name)
            || name == placeholder::TODAY
            || (placeholder::RANGE.contains(&name) && scope.has_range)
            || (placeholder::WINDOW.contains(&name) && is_window())
            || ([placeholder::ELEMENT, placeholder::ELEMENTS].contains(&name)
                && self.is_of_elements())
    }

    fn unfilled(&self, name: &str, report: &mut Report) {
        let operation = self.scope.operation;
        report.add(self.at, format!("nothing fills {{{name}}} for {operation}"));
    }

    /// The calls that it waits for: those that it names, and those that something of it is from.
    fn after(&self, report: &mut Report) -> Vec<usize> {
        let named = self.shape.after.iter();
        let mut after: Vec<_> = named
            .filter_map(|name| index_of(name, self.earlier, self.at, report))
            .collect();
        let in_path = self.shape.path.values().flat_map(|sources| match sources {
            OneOrMany::One(one) => std::slice::from_ref(one),
            OneOrMany::Many(many) => many.as_slice(),
        });
        let of_path = in_path.filter_map(|source| Some(source.split_once(':')?.0.to_owned()));
        let list = self.each.and_then(|each| match &each.of {
            Several::Entries { list } => Some(list.as_str()),
            _ => None,
        });
        for (index, call) in self.earlier.iter().enumerate() {
            let makes = list.is_some() && call.makes_list() == list;
            if makes && !after.contains(&index) && !self.waits_for_one_of(list) {
                after.push(index);
            }
        }
        for name in of_path {
            let index = self.earlier.iter().position(|call| call.name == name);
            after.extend(index.filter(|index| !after.contains(index)));
        }
        after
    }

    /// True if the call names one of the calls that make a list.
    fn waits_for_one_of(&self, list: Option<&str>) -> bool {
        let named = self.shape.after.iter();
        let mut calls =
            named.filter_map(|name| self.earlier.iter().find(|call| call.name == *name));
        calls.any(|call| call.makes_list() == list)
    }
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
    /// The texts with placeholders.
    pub(crate) fn templates(&self) -> Vec<&Template> {
        match self {
            Self::Object(members) => members
                .iter()
                .flat_map(|(_, value)| value.templates())
                .collect(),
            Self::Array(items) => items.iter().flat_map(Self::templates).collect(),
            Self::Text(template) => vec![template],
            Self::Value(_) => Vec::new(),
        }
    }
}
