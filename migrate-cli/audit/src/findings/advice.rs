//! v2 replacements of operations, from the catalog.

use std::collections::BTreeMap;

use mappings::{
    Catalog,
    catalog::operation::{Call, Operation, ParameterUse, Service},
    fidelity::Fidelity,
};

use crate::findings::{Advice, LossyParameter, Shim};

/// The parameters of a call.
pub(crate) struct Given<'a> {
    /// Their names.
    pub(crate) names: &'a [String],
    /// Values that are literals in the code.
    pub(crate) values: &'a BTreeMap<String, String>,
    /// True if these are all. Otherwise the call may have more, and all parameters of the operation
    /// are considered.
    pub(crate) whole: bool,
    /// Why v1 refused the request, whatever its parameters are.
    pub(crate) refused: Option<&'static str>,
}

impl Given<'_> {
    fn has(&self, name: &str) -> bool {
        self.names.iter().any(|given| given == name)
    }

    /// True if the call has the parameter, or may have it.
    fn may_have(&self, name: &str) -> bool {
        !self.whole || self.has(name)
    }

    /// True if the literal value of a parameter passes a test.
    fn is_literal(&self, name: &str, passes: impl Fn(&str) -> bool) -> bool {
        self.values.get(name).is_some_and(|value| passes(value))
    }
}

/// The advice for an operation.
pub(crate) fn advise(catalog: &Catalog, operation: &str, given: &Given<'_>) -> Advice {
    let Some(operation) = catalog.find(operation) else {
        return unknown();
    };
    // A write without a parameter that it requires gets more elsewhere.
    let has_required = || {
        let mut groups = operation.requires.iter();
        groups.all(|group| group.iter().any(|name| given.has(name)))
    };
    let given = &Given {
        whole: given.whole && (operation.read || has_required()),
        ..*given
    };
    let (v2, scopes) = requests(operation, given);
    let lossy = lossy(catalog, operation, given);
    let is_lossy = lossy.iter().any(|lost| given.has(&lost.name));
    let shim = match &operation.service {
        _ if given.refused.is_some() => Shim::Refused,
        Service::Plan { .. } if lossy.is_empty() => Shim::Yes,
        Service::Plan { .. } => Shim::Lossy,
        Service::Refused { .. } => Shim::Refused,
        Service::NotServed(_) => Shim::NotYet,
    };
    let fidelity = match &operation.service {
        Service::Plan { .. } if lossy.is_empty() => "exact",
        Service::Plan { .. } if is_lossy => "lossy",
        Service::Plan { .. } => "depends",
        _ if v2.is_empty() => "none",
        Service::NotServed(replacement) if replacement.composite => "composite",
        _ => "unchecked",
    };
    Advice {
        v2,
        scopes,
        fidelity,
        lossy,
        shim,
        refused: given.refused,
        read: operation.read,
        note: operation.note.clone(),
    }
}

/// The advice for a path below v1's base URL that is no operation of the catalog.
fn unknown() -> Advice {
    Advice {
        v2: Vec::new(),
        scopes: Vec::new(),
        fidelity: "none",
        lossy: Vec::new(),
        shim: Shim::Unknown,
        refused: None,
        read: false,
        note: None,
    }
}

/// The v2 requests that the parameters need, and the scopes of all calls that the shim may make for
/// them.
fn requests(operation: &Operation, given: &Given<'_>) -> (Vec<String>, Vec<String>) {
    let Some(plan) = operation.plan() else {
        let requests = operation.v2_requests().into_iter();
        return (
            requests
                .map(|(method, path)| format!("{method} {path}"))
                .collect(),
            Vec::new(),
        );
    };
    let mut requests = Vec::new();
    let mut scopes = Vec::new();
    for (index, call) in plan.calls.iter().enumerate() {
        if !is_made(operation, index, call, given) {
            continue;
        }
        let request = format!("{} {}", call.method, call.template);
        if !call.is_verification() && !requests.contains(&request) {
            requests.push(request);
        }
        if !scopes.contains(&call.scope) {
            scopes.push(call.scope.clone());
        }
    }
    (requests, scopes)
}

/// True if the parameters require a call, or if that is known only at run time.
fn is_made(operation: &Operation, index: usize, call: &Call, given: &Given<'_>) -> bool {
    let may_cause =
        |name: &String| given.has(name) || !given.whole && !is_alternative(operation, name);
    let chosen = call.when.is_empty()
        || call
            .when
            .iter()
            .any(|condition| condition.given.is_empty() || condition.given.iter().any(may_cause));
    let sends_given = call.sends.is_none()
        || call.body.is_some()
        || operation.parameters.iter().any(|parameter| {
            parameter.usage == ParameterUse::SentBy(index) && given.may_have(&parameter.name)
        });
    chosen && sends_given
}

/// True for a parameter that can take the place of the one that v1's operation is about: the picture
/// of `user/updatepassword`. Calls have it only if the code shows it.
fn is_alternative(operation: &Operation, name: &String) -> bool {
    !operation.subject.contains(name)
        && operation
            .requires
            .iter()
            .any(|group| group.iter().skip(1).any(|other| other == name))
}

fn lossy(catalog: &Catalog, operation: &Operation, given: &Given<'_>) -> Vec<LossyParameter> {
    let by_page_size = omitted_details(operation, given);
    operation
        .parameters
        .iter()
        .filter(|parameter| given.may_have(&parameter.name))
        .filter_map(|parameter| {
            let mut longer_than = None;
            let reason = match &parameter.usage {
                ParameterUse::Dropped(reason) => reason.clone(),
                ParameterUse::SentBy(_) | ParameterUse::Used | ParameterUse::Unknown => {
                    let (field, part) = catalog.field(parameter.field?)?;
                    if field.fidelity == Fidelity::Exact {
                        return None;
                    }
                    longer_than = part.cut;
                    field.reason.clone().unwrap_or_default()
                }
            };
            let fits = |most| {
                given.is_literal(&parameter.name, |value: &str| value.chars().count() <= most)
            };
            (!longer_than.is_some_and(fits)).then(|| LossyParameter {
                name: parameter.name.clone(),
                above: None,
                longer_than,
                reason,
            })
        })
        .chain(by_page_size)
        .collect()
}

/// The page size, if long pages omit the details of their entries with the default options.
fn omitted_details(operation: &Operation, given: &Given<'_>) -> Option<LossyParameter> {
    let calls = &operation.plan()?.calls;
    let size = calls
        .iter()
        .find_map(|call| Some(&call.pages.as_ref()?.size))?;
    let most = |call: &Call| call.when.iter().find_map(|when| when.entries_at_most);
    let short = calls.iter().find(|call| most(call).is_some())?;
    let above = most(short);
    let reason = short.omitted.clone()?;
    let has_size = operation
        .parameters
        .iter()
        .any(|parameter| parameter.name == *size);
    let fits = above.is_some_and(|most| {
        given.is_literal(size, |value| {
            value.parse().is_ok_and(|size: usize| size <= most)
        })
    });
    (has_size && given.may_have(size) && !fits).then(|| LossyParameter {
        name: size.clone(),
        above,
        longer_than: None,
        reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice(operation: &str, names: &[&str], values: &[(&str, &str)], whole: bool) -> Advice {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let values = values
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let given = Given {
            names: &names,
            values: &values.collect(),
            whole,
            refused: None,
        };
        advise(&Catalog::embedded().unwrap(), operation, &given)
    }

    #[test]
    fn literal_values_within_the_limits_are_exact() {
        let listed = |size: &str| {
            let values = [("page_size", size)];
            advice("user/list", &["page_size"], &values, true).fidelity
        };
        assert_eq!(listed("30"), "exact");
        assert_eq!(listed("31"), "lossy");
        assert_eq!(listed("SIZE"), "lossy");
        let topic = |length: usize| {
            let names = ["host_id", "topic"];
            let topic = "t".repeat(length);
            advice("meeting/create", &names, &[("topic", &topic)], true).lossy
        };
        let lost = |lossy: Vec<LossyParameter>| lossy.iter().any(|lost| lost.name == "topic");
        assert!(!lost(topic(200)));
        let long = topic(201).into_iter().find(|lost| lost.name == "topic");
        assert_eq!(long.unwrap().condition(), "topic above 200 characters");
    }

    #[test]
    fn no_parameter_is_known_as_exactly_as_several() {
        assert_eq!(advice("user/list", &[], &[], true).fidelity, "exact");
        assert_eq!(advice("user/list", &[], &[], false).fidelity, "depends");
        // But a write without the parameters that it requires is not written out.
        let created = advice("ma/account/create", &[], &[], true);
        assert!(created.v2.contains(&"POST /accounts".to_owned()));
    }

    #[test]
    fn a_mistaken_parameter_causes_calls_only_if_given() {
        let password = advice("user/updatepassword", &["id"], &[], false);
        assert_eq!(password.v2, ["PUT /users/{userId}/password"]);
        assert_eq!(password.scopes, ["user:update:password:admin"]);
        let picture = advice("user/updatepassword", &["id", "pic_file"], &[], true);
        assert!(
            picture
                .v2
                .contains(&"POST /users/{userId}/picture".to_owned())
        );
    }

    #[test]
    fn scopes_are_those_of_the_calls() {
        let scope = "contact_group:write:member:admin".to_owned();
        let created = |whole| advice("user/create", &["email", "type"], &[], whole).scopes;
        assert!(created(false).contains(&scope));
        assert!(!created(true).contains(&scope));
    }
}
