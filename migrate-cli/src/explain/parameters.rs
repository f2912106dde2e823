//! Parameters of an operation and their destination in v2.

use mappings::{
    Catalog,
    catalog::operation::{
        BodyTemplate, Call, Compared, FanOut, Filling, Operation, Parameter, ParameterUse, Plan,
        Predicate, Segment,
    },
    fidelity::Fidelity,
};
use serde::Serialize;

use super::{Counts, calls::is_about_new_user, wording};

/// One parameter.
#[derive(Debug, Serialize)]
pub(crate) struct ParameterEntry<'a> {
    pub(crate) name: &'a str,
    /// True if it, or one of `or`, is required.
    pub(crate) required: bool,
    /// Alternatives, if one of several parameters is required.
    pub(crate) or: Vec<&'a str>,
    /// v1's type and accepted values; `None` without field mappings.
    pub(crate) r#type: Option<String>,
    pub(crate) places: Vec<ParameterPlace<'a>>,
    /// Conversion in a few words; the field page has the details.
    pub(crate) conversion: &'static str,
    /// `None` without field mappings.
    pub(crate) fidelity: Option<Fidelity>,
    pub(crate) reason: Option<&'a str>,
    /// Catalog file and line.
    pub(crate) catalog: Option<String>,
}

/// Destination of a parameter.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ParameterPlace<'a> {
    /// Calls that carry it.
    pub(crate) calls: Vec<&'a str>,
    /// Part of the request.
    #[serde(rename = "in")]
    pub(crate) part: RequestPart,
    /// Name of the query parameter, or path into the body.
    pub(crate) at: Option<String>,
}

/// Part of a v2 request, or another use of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RequestPart {
    Path,
    Query,
    Body,
    File,
    /// Filters the list items of an earlier call.
    Filter,
    /// Compared with the response of the call.
    Check,
}

/// Describes the parameters of an operation, in catalog order.
pub(crate) fn parameter_entries<'a>(
    catalog: &'a Catalog,
    operation: &'a Operation,
) -> Vec<ParameterEntry<'a>> {
    let parameters = operation.parameters.iter();
    parameters
        .map(|parameter| entry(catalog, operation, parameter))
        .collect()
}

/// Fidelity counts of the parameters.
pub(crate) fn parameter_counts(entries: &[ParameterEntry<'_>]) -> Counts {
    Counts::of(entries.iter().filter_map(|entry| entry.fidelity))
}

/// Fidelity of a parameter, and the reason if it is not exact.
pub(crate) fn parameter_fidelity<'a>(
    catalog: &'a Catalog,
    parameter: &'a Parameter,
) -> Option<(Fidelity, Option<&'a str>)> {
    let (field, _) = catalog.field(parameter.field?)?;
    Some(match &parameter.usage {
        ParameterUse::Dropped(reason) => (Fidelity::None, Some(reason)),
        _ => (field.fidelity, field.reason.as_deref()),
    })
}

fn entry<'a>(
    catalog: &'a Catalog,
    operation: &'a Operation,
    parameter: &'a Parameter,
) -> ParameterEntry<'a> {
    let requirement = operation
        .requires
        .iter()
        .find(|one_of| one_of.contains(&parameter.name));
    let field = parameter.field.and_then(|at| catalog.field(at));
    let fidelity = parameter_fidelity(catalog, parameter);
    ParameterEntry {
        name: &parameter.name,
        required: requirement.is_some(),
        or: requirement
            .into_iter()
            .flatten()
            .filter(|name| **name != parameter.name)
            .map(String::as_str)
            .collect(),
        r#type: field.map(|(_, part)| wording::kind(part)),
        places: operation
            .plan()
            .map(|plan| places(catalog, operation, plan, parameter))
            .unwrap_or_default(),
        conversion: field.map_or("", |(field, _)| field.conversion.words()),
        fidelity: fidelity.map(|(fidelity, _)| fidelity),
        reason: fidelity.and_then(|(_, reason)| reason),
        catalog: field.map(|(field, _)| field.location.to_string()),
    }
}

fn places<'a>(
    catalog: &Catalog,
    operation: &Operation,
    plan: &'a Plan,
    parameter: &Parameter,
) -> Vec<ParameterPlace<'a>> {
    let mut places: Vec<ParameterPlace<'a>> = Vec::new();
    let mut add = |call: &'a Call, part: RequestPart, at: Option<String>| {
        let same = |place: &&mut ParameterPlace<'_>| place.part == part && place.at == at;
        match places.iter_mut().find(same) {
            Some(place) => place.calls.push(&call.name),
            None => places.push(ParameterPlace {
                calls: vec![&call.name],
                part,
                at,
            }),
        }
    };
    if let ParameterUse::SentBy(call) = parameter.usage
        && let Some(call) = plan.calls.get(call)
        && let Some((document, base)) = &call.sends
        && let Some((field, _)) = parameter.field.and_then(|at| catalog.field(at))
        && let Some(pointer) = field.pointer_in(document)
    {
        let at = wording::dotted(&format!("{base}{pointer}"));
        add(call, RequestPart::Body, Some(at));
    }
    if matches!(
        parameter.usage,
        ParameterUse::Dropped(_) | ParameterUse::Unknown
    ) {
        return places;
    }
    // A date of the operation's range fills `{range.from}`, or `{month.from}` of each of its months.
    let end = operation.range.as_ref().and_then(|range| {
        let ends = [(&range.from, ".from"), (&range.to, ".to")];
        let found = ends.into_iter().find(|(name, _)| **name == parameter.name);
        found.map(|(_, end)| end)
    });
    let fills = |name: &str| name == parameter.name || end.is_some_and(|end| name.ends_with(end));
    for call in &plan.calls {
        if is_in_path(operation, plan, call, &parameter.name) {
            add(call, RequestPart::Path, None);
        }
        for (name, template) in &call.query {
            if template.names().any(fills) {
                add(call, RequestPart::Query, Some(name.clone()));
            }
        }
        for pointer in call
            .body
            .iter()
            .flat_map(|body| pointers(body, &parameter.name))
        {
            add(call, RequestPart::Body, Some(wording::dotted(&pointer)));
        }
        if call.file.as_ref() == Some(&parameter.name) {
            add(call, RequestPart::File, None);
        }
        for test in call.each.iter().flat_map(|each| &each.only) {
            if matches!(&test.predicate, Predicate::Equals(name) if *name == parameter.name) {
                add(call, RequestPart::Filter, Some(wording::dotted(&test.at)));
            }
        }
        for check in &call.checks {
            if let Compared::Parameter(name, members) = &check.compared
                && *name == parameter.name
            {
                let members: Vec<_> = members.iter().map(|at| wording::dotted(at)).collect();
                add(call, RequestPart::Check, Some(wording::one_of(&members)));
            }
        }
    }
    places
}

fn is_in_path(operation: &Operation, plan: &Plan, call: &Call, name: &str) -> bool {
    call.path.iter().any(|segment| match segment {
        Segment::Filled {
            by: Filling::Parameters(parameters),
            ..
        } => parameters.iter().any(|parameter| parameter == name),
        Segment::Filled {
            by: Filling::Element,
            ..
        } => matches!(
            call.each.as_ref().map(|each| &each.of),
            Some(FanOut::Elements { parameter, .. }) if parameter == name
        ),
        Segment::Filled {
            by: Filling::Subject,
            ..
        } => {
            let of_item = call
                .each
                .as_ref()
                .is_some_and(|each| each.subject.is_some());
            operation.subject.iter().any(|subject| subject == name)
                && !of_item
                && !is_about_new_user(plan, call)
        }
        Segment::Literal(_) | Segment::Filled { .. } => false,
    })
}

/// Pointers to a parameter in a body template.
fn pointers(body: &BodyTemplate, parameter: &str) -> Vec<String> {
    let below = |prefix: &str, inner: &BodyTemplate| -> Vec<String> {
        let inner = pointers(inner, parameter);
        inner
            .into_iter()
            .map(|at| format!("{prefix}{at}"))
            .collect()
    };
    match body {
        BodyTemplate::Object(members) => members
            .iter()
            .flat_map(|(name, inner)| below(&format!("/{name}"), inner))
            .collect(),
        BodyTemplate::Array(items) => items.iter().flat_map(|inner| below("/-", inner)).collect(),
        BodyTemplate::Text(template) => {
            let is_there = template.names().any(|name| name == parameter);
            is_there.then(String::new).into_iter().collect()
        }
        BodyTemplate::Value(_) => Vec::new(),
    }
}
