//! Checks operations, plans and views, and that each of them can be reached.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    COMMON, Location, compile_call,
    compile_field::Index,
    compile_plan::{self, Scope},
    compile_protocol::{self, Rules, Subjects},
    field::Field,
    load::{
        Endpoint, Parts, Placed, Report, Sets, expand, find, method_and_path, pointer, source_title,
    },
    operation::{
        Fate, Longer, Open, Operation, OptionValue, Overlapping, Parameter, Plan, Range,
        Replacement, Service, Token, View,
    },
    protocol::{OptionRule, Protocol, Rule, Subject},
    shape::{OneOrMany, OperationShape, PlanShape, RangeShape},
};
use crate::fidelity::Fidelity;

/// What operations are compiled against.
pub(super) struct Compiler<'a> {
    pub protocol: &'a Protocol,
    pub options: &'a BTreeMap<String, OptionRule>,
    pub fields: &'a [Field],
    pub index: &'a Index,
    pub sets: &'a Sets,
    pub endpoints: &'a BTreeMap<String, Endpoint>,
    pub views: &'a [View],
    pub subjects: &'a Subjects,
    pub rules: &'a Rules,
    pub used_endpoints: BTreeSet<String>,
    pub used_calls: BTreeSet<usize>,
    pub used_views: BTreeSet<usize>,
}

impl Compiler<'_> {
    pub(super) fn operations(&mut self, parts: &mut Parts, report: &mut Report) -> Vec<Operation> {
        let common_rules = self
            .rules
            .get(COMMON)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let plans = std::mem::take(&mut parts.plan);
        let mut used_plans = BTreeSet::new();
        let mut used_views = std::mem::take(&mut self.used_views);
        let mut names: BTreeMap<String, Location> = BTreeMap::new();
        let mut operations = Vec::new();
        for (at, (name, mut shape)) in std::mem::take(&mut parts.operation) {
            for known in std::iter::once(&name).chain(&shape.aliases) {
                if *known != known.to_lowercase() || known.starts_with('/') || known.ends_with('/')
                {
                    report.add(
                        &at,
                        format!("`{known}` is not an operation like `user/getbyemail`"),
                    );
                }
                if let Some(earlier) = names.insert(known.clone(), at.clone()) {
                    report.add(&at, format!("`{known}` is there already, at {earlier}"));
                }
            }
            let (resources, _) = name.rsplit_once('/').unwrap_or((&name, ""));
            if at.resource() != COMMON && !resources.split('/').any(|part| part == at.resource()) {
                report.add(
                    &at,
                    format!("`{name}` belongs into the folder `{resources}`"),
                );
            }
            let mut rule_shapes = std::mem::take(&mut shape.error);
            let plan = shape.plan.as_ref();
            let plan = plan.and_then(|plan| find(&plans, at.resource(), plan.as_ref()));
            if let Some((index, _, plan)) = plan {
                used_plans.insert(index);
                rule_shapes.extend(plan.error.iter().cloned());
            }
            let view = shape.view.as_ref();
            used_views.extend(view.and_then(|view| self.view(at.resource(), view.as_ref())));
            let rule_shapes = rule_shapes
                .into_iter()
                .map(|rule| (parts.at(&at, &rule.span()), rule.into_inner()))
                .collect();
            let rules = compile_protocol::rules(parts, rule_shapes, self.protocol, report);
            if rules
                .iter()
                .any(|rule| common_rules.iter().any(|common| same(common, rule)))
            {
                report.add(
                    &at,
                    "an error rule says what the rules of all operations say already",
                );
            }
            let mut rules = rules;
            if at.resource() != COMMON {
                rules.extend(self.rules.get(at.resource()).into_iter().flatten().cloned());
            }
            operations.extend(self.operation(parts, &plans, &at, name, shape, rules, report));
        }
        for (index, (at, (name, _))) in plans.iter().enumerate() {
            if !used_plans.contains(&index) {
                report.add(at, format!("no operation has the plan `{name}`"));
            }
        }
        for (index, (at, (name, _))) in parts.call.iter().enumerate() {
            if !self.used_calls.contains(&index) {
                report.add(at, format!("no plan uses the call `{name}`"));
            }
        }
        for (index, view) in self.views.iter().enumerate() {
            let mut members = self.views.iter().flat_map(|outer| &outer.members);
            let is_inner = members.any(|member| member.view == Some(index));
            if !used_views.contains(&index) && !is_inner {
                report.add(
                    &view.location,
                    format!("no operation has the view `{}`", view.name),
                );
            }
        }
        for (at, (request, _)) in &parts.request {
            if !self.used_endpoints.contains(request) {
                report.add(at, format!("no call makes the request `{request}`"));
            }
        }
        operations.sort_by(|one, other| one.name.cmp(&other.name));
        operations
    }

    /// The view that a resource means by a name.
    fn view(&self, resource: &str, name: &str) -> Option<usize> {
        let of = |resource: &str| {
            let mut views = self.views.iter();
            views.position(|view| view.name == name && view.location.resource() == resource)
        };
        of(resource).or_else(|| of(COMMON))
    }

    #[expect(clippy::too_many_arguments, reason = "one call, and each is needed")]
    fn operation(
        &mut self,
        parts: &Parts,
        plans: &Placed<(String, PlanShape)>,
        at: &Location,
        name: String,
        shape: OperationShape,
        rules: Vec<Rule>,
        report: &mut Report,
    ) -> Option<Operation> {
        let read = match shape.effect.as_str() {
            "read" => true,
            "write" => false,
            other => {
                report.add(at, format!("effect `{other}` is neither read nor write"));
                return None;
            }
        };
        let keys = expand(&shape.parameters, self.sets, at, report);
        let served = shape.plan.is_some() || shape.refuses.is_some();
        let named: Vec<_> = keys
            .into_iter()
            .map(|key| {
                let field = served
                    .then(|| self.index.find(at.resource(), &key))
                    .flatten();
                let known = field.and_then(|(field, part)| self.fields.get(field)?.parts.get(part));
                (known.map_or(key, |part| part.name.clone()), field)
            })
            .collect();
        let parameter_names: Vec<_> = named.iter().map(|(name, _)| name.clone()).collect();
        let requires: Vec<Vec<String>> = shape
            .requires
            .iter()
            .cloned()
            .map(OneOrMany::into_vec)
            .collect();
        let (subject_kind, subject) = self.subject(parts, at, &shape, report);
        for required in requires.iter().flatten().chain(&subject) {
            if (served || !parameter_names.is_empty()) && !parameter_names.contains(required) {
                report.add(
                    at,
                    format!("`{required}` is not a parameter of the operation"),
                );
            }
        }
        let service = if served {
            self.service(parts, plans, at, &name, &parameter_names, &shape, report)?
        } else {
            Self::replacement(parts, at, &shape, report)
        };
        let parameters = self.parameters(at, &service, &subject, &shape, &named, report);
        let mut range = None;
        if let Service::Plan { plan, .. } = &service {
            unreachable_calls(at, plan, &parameters, report);
            let shape = shape.range.as_ref();
            range = shape.map(|shape| {
                let at = parts.at(at, &shape.span());
                self.range(&at, shape.as_ref(), plan, &parameter_names, report)
            });
        }
        if let Some(option) = &shape.enabled_by {
            let rule = self.options.get(option);
            if !rule.is_some_and(|rule| matches!(rule.default, OptionValue::Switch(_))) {
                report.add(at, format!("there is no switch [option.{option}]"));
            }
        }
        let overlapping = overlapping(at, &shape, report);
        Some(Operation {
            name,
            aliases: shape.aliases,
            summary: shape.summary,
            read,
            parameters,
            requires,
            subject,
            subject_kind,
            constants: shape.constants,
            range,
            enabled_by: shape.enabled_by,
            token: shape.token.map(|token| Token {
                parameter: token.parameter,
                site: token.site,
            }),
            overlapping,
            service,
            repeat: shape.repeat,
            note: shape.note,
            clears_text: compile_plan::choices(at, &shape.clears_text, self.options, report),
            rules,
            location: at.clone(),
        })
    }

    /// What becomes of each parameter.
    fn parameters(
        &self,
        at: &Location,
        service: &Service,
        subject: &[String],
        shape: &OperationShape,
        named: &[(String, Option<(usize, usize)>)],
        report: &mut Report,
    ) -> Vec<Parameter> {
        let mut parameters = Vec::new();
        for (parameter, field) in named {
            if parameters
                .iter()
                .any(|known: &Parameter| known.name == *parameter)
            {
                report.add(at, format!("parameter `{parameter}` is there twice"));
            }
            let fate = match (service, field) {
                (Service::NotServed(_), _) => Fate::Unknown,
                (_, None) => {
                    report.add(at, format!("parameter `{parameter}` has no field mapping"));
                    continue;
                }
                (Service::Refused { .. }, Some(_)) => Fate::Used,
                (Service::Plan { plan, .. }, Some((field, _))) => {
                    let Some(fate) = self.fate(plan, subject, shape, parameter, *field) else {
                        report.add(at, format!("parameter `{parameter}` goes nowhere: no call sends it, and no reason says why"));
                        continue;
                    };
                    fate
                }
            };
            parameters.push(Parameter {
                name: parameter.clone(),
                field: *field,
                fate,
            });
        }
        parameters
    }

    /// Whom or what the operation is about, and the parameters that name it.
    fn subject(
        &self,
        parts: &Parts,
        at: &Location,
        shape: &OperationShape,
        report: &mut Report,
    ) -> (Option<Subject>, Vec<String>) {
        let mut kinds = shape.subject.iter();
        let Some((kind, parameters)) = kinds.next() else {
            return (None, Vec::new());
        };
        if kinds.next().is_some() {
            report.add(at, "an operation has one subject");
        }
        let kind_at = parts.at(at, &kind.span());
        let kind = self.subjects.find(kind.as_ref(), &kind_at, report);
        (kind, parameters.clone())
    }

    fn range(
        &self,
        at: &Location,
        shape: &RangeShape,
        plan: &Plan,
        parameters: &[String],
        report: &mut Report,
    ) -> Range {
        for name in [&shape.from, &shape.to] {
            if !parameters.contains(name) {
                report.add(at, format!("`{name}` is not a parameter of the operation"));
            }
        }
        let longer = match (shape.longest.as_deref(), shape.longer.as_deref()) {
            (None, None) => None,
            (Some("month"), Some("cut")) => Some(Longer::Cut),
            (Some("month"), Some("split")) => Some(Longer::Split),
            _ => {
                report.add(
                    at,
                    "a range has `longest = \"month\"` and `longer`, cut or split, or neither",
                );
                None
            }
        };
        let open = match &shape.open {
            None => None,
            Some(open) => {
                compile_plan::check_number(at, &open.months, self.options, report);
                let after = open.after.as_deref();
                let after = after.map(|place| member_of_call(place, plan, at, report));
                Some(Open {
                    months: open.months.clone(),
                    after: after.flatten(),
                })
            }
        };
        let zone = shape.zone.as_deref();
        let zone = zone.and_then(|place| member_of_call(place, plan, at, report));
        Range {
            from: shape.from.clone(),
            to: shape.to.clone(),
            longer,
            open,
            zone,
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one call, and each is needed")]
    fn service(
        &mut self,
        parts: &Parts,
        plans: &Placed<(String, PlanShape)>,
        at: &Location,
        name: &str,
        parameters: &[String],
        shape: &OperationShape,
        report: &mut Report,
    ) -> Option<Service> {
        let Some(view_name) = &shape.view else {
            report.add(at, "an operation that the shim answers needs a view");
            return None;
        };
        let Some(view) = self.view(at.resource(), view_name.as_ref()) else {
            let view_at = parts.at(at, &view_name.span());
            report.add(
                &view_at,
                format!("there is no view `{}`", view_name.as_ref()),
            );
            return None;
        };
        if let Some(error) = &shape.refuses {
            let error_at = parts.at(at, &error.span());
            if !self.protocol.errors.contains_key(error.as_ref()) {
                report.add(&error_at, format!("there is no [error.{}]", error.as_ref()));
            }
            if shape.plan.is_some() {
                report.add(&error_at, "an operation has a plan or `refuses`, not both");
            }
            return Some(Service::Refused {
                error: error.as_ref().clone(),
                view,
            });
        }
        let plan_name = shape.plan.as_ref()?;
        let Some((_, plan_at, plan_shape)) = find(plans, at.resource(), plan_name.as_ref()) else {
            let plan_at = parts.at(at, &plan_name.span());
            report.add(
                &plan_at,
                format!("there is no plan `{}`", plan_name.as_ref()),
            );
            return None;
        };
        let mut subject = shape.subject.keys();
        let mut scope = Scope {
            parts,
            operation: name,
            parameters,
            constants: &shape.constants,
            subject: subject.next().map(|kind| kind.as_ref().as_str()),
            has_range: shape.range.is_some(),
            range_calls: shape
                .range
                .iter()
                .flat_map(|range| range.as_ref().calls())
                .collect(),
            lists: plan_shape
                .list
                .keys()
                .map(|name| name.as_ref().as_str())
                .collect(),
            endpoints: self.endpoints,
            options: self.options,
            subjects: self.subjects,
            protocol: self.protocol,
            used_calls: &mut self.used_calls,
        };
        let plan = compile_plan::plan(plan_at, plan_shape, &mut scope, report)?;
        for call in &plan.calls {
            self.used_endpoints
                .insert(format!("{} {}", call.method, call.template));
        }
        self.check_view(at, view, &plan, report);
        Some(Service::Plan { plan, view })
    }

    /// Every member of an answer must come from somewhere.
    fn check_view(&self, at: &Location, view: usize, plan: &Plan, report: &mut Report) {
        let Some(view) = self.views.get(view) else {
            return;
        };
        for member in &view.members {
            let Some(field) = self.fields.get(member.field.0) else {
                continue;
            };
            let places = member.from.as_ref().unwrap_or(&field.places);
            let filled = field.always.is_some()
                || member.empty
                || places.iter().any(|place| plan.fills(place));
            if !filled {
                report.add(
                    at,
                    format!(
                        "nothing in the plan reads `{}` of the view `{}`",
                        field.names(),
                        view.name
                    ),
                );
            }
            if let Some(inner) = member.view {
                self.check_view(at, inner, plan, report);
            }
        }
    }

    fn replacement(
        parts: &Parts,
        at: &Location,
        shape: &OperationShape,
        report: &mut Report,
    ) -> Service {
        let requests = shape
            .instead
            .iter()
            .filter_map(|text| report.keep(at, method_and_path(text)))
            .map(|(method, path)| (method, path.to_owned()))
            .collect();
        let source = if let Some(name) = &shape.instead_source {
            source_title(parts, at, name, report)
        } else {
            report.add(
                at,
                "an operation needs a plan, `refuses`, or `instead` with its source",
            );
            None
        };
        let source = source.unwrap_or_default();
        Service::NotServed(Replacement {
            requests,
            composite: shape.composite,
            source,
        })
    }

    fn fate(
        &self,
        plan: &Plan,
        subject: &[String],
        shape: &OperationShape,
        parameter: &str,
        field: usize,
    ) -> Option<Fate> {
        let field = self.fields.get(field)?;
        if field.fidelity == Fidelity::None {
            return Some(Fate::Dropped(field.reason.clone().unwrap_or_default()));
        }
        if field.implied {
            return Some(Fate::Used);
        }
        let is_subject = subject.iter().any(|name| name == parameter);
        let is_compared = (plan.calls.iter()).any(|call| compile_call::compares(call, parameter));
        for (at, call) in plan.calls.iter().enumerate() {
            let names = is_compared
                || compile_call::names(call, parameter)
                || (is_subject && call.is_about_subject());
            if let Some((document, _)) = &call.sends
                && field.pointer_in(document).is_some()
                && !names
            {
                return Some(Fate::SentBy(at));
            }
        }
        let token = shape.token.as_ref().map(|token| &token.parameter);
        let range = shape.range.as_ref().map(AsRef::as_ref);
        let of_range = range.is_some_and(|range| range.from == parameter || range.to == parameter);
        if is_subject
            || of_range
            || plan.uses(parameter)
            || token.is_some_and(|name| name == parameter)
        {
            return Some(Fate::Used);
        }
        let reason = plan
            .unsent
            .iter()
            .find(|(document, _)| field.pointer_in(document).is_some());
        reason.map(|(_, reason)| Fate::Dropped(reason.clone()))
    }
}

fn overlapping(at: &Location, shape: &OperationShape, report: &mut Report) -> Overlapping {
    match shape.overlapping.as_deref() {
        None => Overlapping::AsUsual,
        Some("join") => Overlapping::Join,
        Some("run") => Overlapping::Run,
        Some(other) => {
            report.add(at, format!("overlapping `{other}` is neither join nor run"));
            Overlapping::AsUsual
        }
    }
}

/// A call that sends a document must have something to send.
fn unreachable_calls(at: &Location, plan: &Plan, parameters: &[Parameter], report: &mut Report) {
    for (index, call) in plan.calls.iter().enumerate() {
        let sends = parameters
            .iter()
            .any(|parameter| parameter.fate == Fate::SentBy(index));
        if let Some((document, _)) = &call.sends
            && !sends
            && call.body.is_none()
        {
            report.add(
                at,
                format!(
                    "the call `{}` is never made: no parameter lives in `{document}`",
                    call.name
                ),
            );
        }
    }
}

fn same(one: &Rule, other: &Rule) -> bool {
    let text = |rule: &Rule| {
        format!(
            "{:?}",
            (&rule.answer, rule.status, &rule.codes, &rule.message)
        )
    };
    one.covers(other) && text(one) == text(other)
}

/// The call and the pointer of `CALL:/pointer`.
fn member_of_call(
    place: &str,
    plan: &Plan,
    at: &Location,
    report: &mut Report,
) -> Option<(usize, String)> {
    let Some((call, place)) = place.split_once(':') else {
        report.add(at, format!("`{place}` is not CALL:/pointer"));
        return None;
    };
    let call = compile_plan::index_of(call, &plan.calls, at, report)?;
    Some((call, report.keep(at, pointer(place))?))
}
