//! Compiles operations and the use of their parameters.

use std::collections::BTreeMap;

use toml::Spanned;

use super::{
    super::{
        operation::{
            Call, Open, Operation, Parameter, ParameterUse, Plan, Range, Replacement, Service,
            Variant, View,
        },
        option::OptionRule,
        place::Pointer,
        problem::{COMMON, Location},
        protocol::{Rule, Subject},
        shape::{Effect, OperationShape, RangeShape, VariantShape},
    },
    Names, Scope,
    field::Fields,
    method_and_path, plan,
    rule::{self, Rules},
    target::Target,
    view,
};
use crate::fidelity::Fidelity;

pub(super) fn operations(
    names: &Names<'_>,
    fields: &Fields,
    views: &[View],
    rules: &Rules,
) -> Vec<Operation> {
    let shapes = names.files.named(|file| &file.operation);
    let mut known: BTreeMap<&str, &Location> = BTreeMap::new();
    let mut operations = Vec::new();
    for operation in &shapes.0 {
        let scope = names.scope(&operation.at);
        let aliases = operation.value.aliases.iter().map(String::as_str);
        for name in std::iter::once(operation.name).chain(aliases) {
            let is_path = !name.starts_with('/') && !name.ends_with('/');
            if !is_path || *name != name.to_lowercase() {
                scope.add(format!(
                    "`{name}` is not an operation like `user/getbyemail`"
                ));
            }
            if let Some(earlier) = known.insert(name, &operation.at) {
                scope.add(format!("`{name}` is already defined at {earlier}"));
            }
        }
        let compiler = Compiler {
            scope: &scope,
            name: operation.name,
            shape: operation.value,
            variant: None,
            fields,
            views,
        };
        operations.extend(compiler.with_variants(rules));
    }
    operations.sort_by(|one, other| one.name.cmp(&other.name));
    operations
}

struct Compiler<'a> {
    scope: &'a Scope<'a>,
    name: &'a str,
    shape: &'a OperationShape,
    /// Overrides of the operation's own keys.
    variant: Option<&'a VariantShape>,
    fields: &'a Fields,
    views: &'a [View],
}

impl Compiler<'_> {
    fn with_variants(&self, rules: &Rules) -> Option<Operation> {
        let mut operation = self.operation(rules)?;
        for placed in &self.shape.variant {
            let scope = self.scope.near(placed.span());
            let variant = placed.as_ref();
            scope.expect(!variant.option.is_empty(), "a variant needs an `option`");
            let compiler = Compiler {
                scope: &scope,
                variant: Some(variant),
                ..*self
            };
            let variant = Variant {
                options: scope.choices(&variant.option),
                operation: compiler.operation(rules)?,
            };
            operation.variants.push(variant);
        }
        Some(operation)
    }

    fn plan_name(&self) -> Option<&Spanned<String>> {
        let variant = self.variant.map(|variant| &variant.plan);
        variant.or(self.shape.plan.as_ref())
    }

    fn operation(&self, rules: &Rules) -> Option<Operation> {
        let Self {
            scope, name, shape, ..
        } = self;
        let (resources, _) = name.rsplit_once('/').unwrap_or((name, ""));
        let resource = scope.resource();
        if resource != COMMON && !resources.split('/').any(|part| part == resource) {
            scope.add(format!("`{name}` belongs in the folder `{resources}`"));
        }
        let is_served = shape.plan.is_some() || shape.refuses.is_some();
        let own = self.variant.and_then(|variant| variant.parameters.as_ref());
        let keys = scope.expand(own.unwrap_or(&shape.parameters));
        let named: Vec<_> = keys
            .into_iter()
            .map(|key| {
                let field = self.fields.find_quietly(resource, &key);
                let field = field.filter(|_| is_served);
                let known = field.and_then(|field| self.fields.get(field));
                (known.map_or(key, |(_, part)| part.name.clone()), field)
            })
            .collect();
        let parameter_names: Vec<_> = named.iter().map(|(name, _)| name.clone()).collect();
        let requires = shape.requires.iter().map(|names| names.0.clone());
        let requires: Vec<_> = requires.collect();
        let (subject_kind, subject) = self.subject();
        for required in requires.iter().flatten().chain(&subject) {
            if (is_served || !parameter_names.is_empty()) && !parameter_names.contains(required) {
                scope.add(format!("`{required}` is not a parameter of the operation"));
            }
        }
        let rules = self.rules(rules);
        let service = if is_served {
            self.service(&parameter_names)?
        } else {
            self.replacement()
        };
        let parameters = self.parameters(&service, &subject, named);
        let mut range = None;
        if let Service::Plan { plan, .. } = &service {
            self.check_reachable(plan, &parameters);
            let shape = shape.range.as_ref();
            range = shape.map(|range| self.range(range, plan, &parameter_names));
        }
        if let Some(option) = &shape.enabled_by {
            let rule = scope.names.option.get(option);
            if !rule.is_some_and(OptionRule::is_switch) {
                scope.add(format!("[option.{option}] is not a switch"));
            }
        }
        Some(Operation {
            name: (*name).to_owned(),
            aliases: shape.aliases.clone(),
            summary: shape.summary.clone(),
            read: shape.effect == Effect::Read,
            parameters,
            requires,
            subject,
            subject_kind,
            constants: shape.constants.clone(),
            range,
            enabled_by: shape.enabled_by.clone(),
            token: shape.token.clone(),
            overlapping: shape.overlapping,
            service,
            repeat: shape.repeat.clone(),
            note: shape.note.clone(),
            clears_text: scope.choices(&shape.clears_text),
            rules,
            variants: Vec::new(),
            location: scope.at.clone(),
        })
    }

    /// Error rules of the operation, its plan and its resource, in this order.
    fn rules(&self, of_resources: &Rules) -> Vec<Rule> {
        let scope = self.scope;
        let plan = self.plan_name();
        let plan = plan.and_then(|plan| scope.names.plan.find(scope.resource(), plan.as_ref()));
        let of_plan = plan.into_iter().flat_map(|(_, plan)| &plan.value.error);
        let placed = self.shape.error.iter().chain(of_plan);
        let placed = placed.map(|rule| (scope.near(rule.span()), rule.as_ref()));
        let mut rules = rule::rules_of(placed.collect());
        let mut common = of_resources.get(COMMON).into_iter().flatten();
        scope.expect(
            !common.any(|common| {
                let is_same = |rule: &Rule| rule.v2 == common.v2 && rule.answer == common.answer;
                rules.iter().any(is_same)
            }),
            "redundant error rule: the rules of all operations contain it",
        );
        if scope.resource() != COMMON {
            let of_resource = of_resources.get(scope.resource());
            rules.extend(of_resource.into_iter().flatten().cloned());
        }
        rules
    }

    /// The subject of the operation and the parameters that identify it.
    fn subject(&self) -> (Option<Subject>, Vec<String>) {
        let mut kinds = self.shape.subject.iter();
        let Some((kind, parameters)) = kinds.next() else {
            return (None, Vec::new());
        };
        let scope = self.scope.near(kind.span());
        scope.expect(kinds.next().is_none(), "an operation has one subject");
        (scope.subject(kind.as_ref()), parameters.clone())
    }

    fn service(&self, parameters: &[String]) -> Option<Service> {
        let Self { scope, shape, .. } = self;
        let own = self.variant.map(|variant| &variant.view);
        let Some(view) = own.or(shape.view.as_ref()) else {
            scope.add("an operation that the shim answers needs a view");
            return None;
        };
        let view = scope.near(view.span()).view(view.as_ref())?;
        if let Some(error) = &shape.refuses {
            let scope = scope.near(error.span());
            scope.error(error.as_ref());
            scope.expect(
                shape.plan.is_none(),
                "an operation has a plan or `refuses`, not both",
            );
            return Some(Service::Refused {
                error: error.as_ref().clone(),
                view,
            });
        }
        let name = self.plan_name()?;
        let Some((_, found)) = scope.names.plan.find(scope.resource(), name.as_ref()) else {
            let scope = scope.near(name.span());
            scope.add(format!("unknown plan `{}`", name.as_ref()));
            return None;
        };
        let target = Target {
            operation: self.name,
            shape,
            parameters,
            plan: found.value,
        };
        let plan = plan::plan(&scope.at(&found.at), &target)?;
        view::check(
            view,
            self.fields,
            self.views,
            &|field, member| {
                let mut places = member.from.as_ref().unwrap_or(&field.places).iter();
                member.empty || places.any(|place| plan.fills(place))
            },
            &|field, view| {
                scope.add(format!(
                    "the plan does not read `{}` of the view `{}`",
                    field.names(),
                    view.name
                ));
            },
        );
        Some(Service::Plan { plan, view })
    }

    fn replacement(&self) -> Service {
        let Self { scope, shape, .. } = self;
        let requests = shape.instead.iter();
        let requests = requests.filter_map(|text| scope.keep(method_and_path(text)));
        let source = shape.instead_source.as_ref();
        scope.expect(
            source.is_some(),
            "an operation needs a plan, `refuses`, or `instead` with its source",
        );
        Service::NotServed(Replacement {
            requests: requests
                .map(|(method, path)| (method, path.to_owned()))
                .collect(),
            composite: shape.composite,
            source: source
                .map(|name| scope.source_title(name))
                .unwrap_or_default(),
        })
    }

    fn range(&self, shape: &Spanned<RangeShape>, plan: &Plan, parameters: &[String]) -> Range {
        let scope = self.scope.near(shape.span());
        let shape = shape.as_ref();
        let today = shape.today.iter().map(|today| &today.parameter);
        for name in [&shape.from, &shape.to].into_iter().chain(today) {
            if !parameters.contains(name) {
                scope.add(format!("`{name}` is not a parameter of the operation"));
            }
        }
        scope.expect(
            shape.longest.is_some() == shape.longer.is_some(),
            "a range has `longest = \"month\"` and `longer`, cut or split, or neither",
        );
        let member = |place: &String| member_of_call(&scope, place, &plan.calls);
        let open = shape.open.as_ref().map(|open| {
            scope.number(&open.months);
            Open {
                months: open.months.clone(),
                after: open.after.as_ref().and_then(member),
            }
        });
        Range {
            from: shape.from.clone(),
            to: shape.to.clone(),
            longer: shape.longer,
            open,
            today: shape.today.clone(),
            zone: shape.zone.as_ref().and_then(member),
        }
    }

    /// Resolves where each parameter is sent or why it is dropped.
    fn parameters(
        &self,
        service: &Service,
        subject: &[String],
        named: Vec<(String, Option<(usize, usize)>)>,
    ) -> Vec<Parameter> {
        let mut parameters: Vec<Parameter> = Vec::new();
        for (name, field) in named {
            if parameters.iter().any(|known| known.name == name) {
                self.scope.add(format!("duplicate parameter `{name}`"));
            }
            let usage = match (service, field) {
                (Service::NotServed(_), _) => Some(ParameterUse::Unknown),
                (_, None) => {
                    let reason = format!("parameter `{name}` has no field mapping");
                    self.scope.add(reason);
                    continue;
                }
                (Service::Refused { .. }, Some(_)) => Some(ParameterUse::Used),
                (Service::Plan { plan, .. }, Some((field, _))) => {
                    self.usage(plan, subject, &name, field)
                }
            };
            match usage {
                Some(usage) => parameters.push(Parameter { name, field, usage }),
                None => self.scope.add(format!(
                    "parameter `{name}` is unused: send it in a call, check it, or give its field fidelity `none` and a reason"
                )),
            }
        }
        parameters
    }

    fn usage(
        &self,
        plan: &Plan,
        subject: &[String],
        name: &str,
        field: usize,
    ) -> Option<ParameterUse> {
        let field = self.fields.list.get(field)?;
        if field.fidelity == Fidelity::None {
            return Some(ParameterUse::Dropped(
                field.reason.clone().unwrap_or_default(),
            ));
        }
        if field.implied {
            return Some(ParameterUse::Used);
        }
        let is_subject = subject.iter().any(|subject| subject == name);
        let is_compared = plan.calls.iter().any(|call| call.compares(name));
        let sends = |call: &Call| {
            let document = call.sends.as_ref();
            document.is_some_and(|(document, _)| field.pointer_in(document).is_some())
                && !call.names(name)
                && !(is_subject && call.is_about_subject())
        };
        let mut calls = plan.calls.iter();
        if let Some(call) = calls.position(sends).filter(|_| !is_compared) {
            return Some(ParameterUse::SentBy(call));
        }
        let mut ranges = self.shape.range.iter().map(AsRef::as_ref);
        let mut tokens = self.shape.token.iter();
        if is_subject
            || plan.uses(name)
            || ranges.any(|range| range.from == name || range.to == name)
            || tokens.any(|token| token.parameter == name)
        {
            return Some(ParameterUse::Used);
        }
        let mut unsent = plan.unsent.iter();
        let reason = unsent.find(|(document, _)| field.pointer_in(document).is_some());
        reason.map(|(_, reason)| ParameterUse::Dropped(reason.clone()))
    }

    /// Reports calls whose document no parameter can fill.
    fn check_reachable(&self, plan: &Plan, parameters: &[Parameter]) {
        for (index, call) in plan.calls.iter().enumerate() {
            let usage = ParameterUse::SentBy(index);
            let has_content =
                call.body.is_some() || parameters.iter().any(|parameter| parameter.usage == usage);
            if let Some((document, _)) = call.sends.as_ref().filter(|_| !has_content) {
                let name = &call.name;
                self.scope.add(format!(
                    "the call `{name}` is never made: no parameter is in `{document}`"
                ));
            }
        }
    }
}

/// Parses `CALL:/pointer` into call and pointer.
fn member_of_call(scope: &Scope<'_>, place: &str, calls: &[Call]) -> Option<(usize, String)> {
    let Some((call, place)) = place.split_once(':') else {
        scope.add(format!("`{place}` is not CALL:/pointer"));
        return None;
    };
    let call = scope.call(call, calls)?;
    let pointer = scope.keep(Pointer::try_from(place.to_owned()))?;
    Some((call, pointer.0))
}
