//! Compiles the rules that map v2 errors to v1 errors.

use std::collections::BTreeMap;

use super::{
    super::protocol::{Rule, RuleAnswer},
    Names, Scope,
};
use crate::template::Template;

/// Placeholders allowed in error texts, besides subject kinds and `given.PARAMETER`.
const ERROR_PLACEHOLDERS: [&str; 18] = [
    "Name",
    "about",
    "code",
    "day",
    "element",
    "fields",
    "link",
    "message",
    "most",
    "name",
    "operation",
    "reason",
    "page",
    "progress",
    "reached",
    "replacement",
    "subject",
    "until",
];
/// Prefix of placeholders for parameter values.
pub(crate) const GIVEN: &str = "given.";

/// Rules by resource; those of `common` apply to all operations.
pub(super) type Rules = BTreeMap<String, Vec<Rule>>;

pub(super) fn by_resource(names: &Names<'_>) -> Rules {
    let mut placed: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for (at, rule) in names.files.list(|file| &file.rule) {
        let scope = names.scope(&at);
        let of_resource = placed.entry(at.resource().to_owned()).or_default();
        of_resource.push((scope, rule));
    }
    let rules = placed.into_iter();
    rules
        .map(|(resource, placed)| (resource, rules_of(placed)))
        .collect()
}

/// Checks a list of rules: texts, names, and that no rule is shadowed by an earlier one.
pub(super) fn rules_of(placed: Vec<(Scope<'_>, &Rule)>) -> Vec<Rule> {
    for (at, (scope, rule)) in placed.iter().enumerate() {
        match &rule.answer {
            RuleAnswer::Named(name) => scope.error(name),
            RuleAnswer::Said { message: None, .. } => {}
            RuleAnswer::Said {
                message: Some(text),
                ..
            } => scope.error_text(text),
        }
        let mut earlier = placed.iter().take(at);
        if let Some((first, _)) = earlier.find(|(_, earlier)| earlier.v2.covers(&rule.v2)) {
            let at = &first.at;
            scope.add(format!("unreachable rule: the one at {at} matches first"));
        }
    }
    placed.into_iter().map(|(_, rule)| rule.clone()).collect()
}

impl Scope<'_> {
    /// Checks the placeholders of an error text.
    pub(super) fn error_text(&self, text: &Template) {
        for (placeholder, _) in text.placeholders() {
            let mut kinds = self.names.subject.0.iter();
            let is_known = ERROR_PLACEHOLDERS.contains(&placeholder)
                || placeholder.starts_with(GIVEN)
                || kinds.any(|kind| kind.name == placeholder);
            if !is_known {
                self.add(format!(
                    "no value fills {{{placeholder}}} in an error's text"
                ));
            }
        }
    }
}
