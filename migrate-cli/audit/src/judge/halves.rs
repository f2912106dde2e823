//! Endpoints with separate halves: side by side in a list, or one around the other.

use crate::{
    facts::{
        FileFacts, Signal,
        shape::Shape,
        syntax::{Role, Usage},
    },
    judge::{AROUND, Judge, SIDE_BY_SIDE, Use, purpose::Purpose},
    kind::{Confidence, Kind},
    names::{last_identifier, names_request, resource_of},
};

impl Judge<'_> {
    /// Adds the endpoints with separate halves.
    pub(super) fn halves(&self, file: &FileFacts, uses: &mut Vec<Use>) {
        let strong = file.has_v1();
        if !(strong || self.evidence.v1 && file.zoom)
            || self.is_other_vendor(file, strong, file.zoom)
        {
            return;
        }
        for (index, signal) in file.signals.iter().enumerate() {
            let Shape::Action(action) = &signal.shape else {
                continue;
            };
            if signal.text.role != Role::Value || signal.text.usage != Usage::Plain {
                continue;
            }
            let found = self
                .beside(file, index, signal, action)
                .or_else(|| self.within(file, signal, action));
            if let Some((operation, reason)) = found
                && self.purpose(file, signal) == Purpose::Request
            {
                let given = self.given(file, signal, Some(&operation));
                uses.push(Use {
                    kind: Kind::Endpoint,
                    given: given.names,
                    values: given.values,
                    whole: given.whole,
                    refused: None,
                    operation: Some(operation),
                    place: signal.place.clone(),
                    confidence: Confidence::Medium,
                    reason,
                });
            }
        }
    }

    /// `new Command("user", "list")`, `[BASE, "user", "list"]`
    fn beside(
        &self,
        file: &FileFacts,
        index: usize,
        signal: &Signal,
        action: &str,
    ) -> Option<(String, &'static str)> {
        let (list, at) = signal.text.element?;
        file.signals
            .get(..index)?
            .iter()
            .rev()
            .take(6)
            .find_map(|other| {
                let Shape::Resource(resource) = &other.shape else {
                    return None;
                };
                let near = other
                    .text
                    .element
                    .is_some_and(|(same, before)| same == list && before + 1 == at);
                let operation = near.then(|| self.known(resource, action))?;
                operation.map(|name| (name, SIDE_BY_SIDE))
            })
    }

    /// `class User { path = "user"; list() { this.post("list") } }`
    fn within(
        &self,
        file: &FileFacts,
        signal: &Signal,
        action: &str,
    ) -> Option<(String, &'static str)> {
        let words = &self.rules.words;
        let verb = matches!(action, "get" | "delete");
        let target = signal
            .text
            .target
            .as_deref()
            .map(|name| last_identifier(name).to_ascii_lowercase());
        let callee = signal.text.callee.as_deref().map(last_identifier);
        let named = target.as_ref().is_some_and(|name| {
            words.second_half.contains(name)
                && !(verb && matches!(name.as_str(), "method" | "verb"))
        });
        let given = signal.text.element.is_some_and(|(_, at)| at == 0)
            && signal.text.target.is_none()
            && callee
                .is_some_and(|name| self.evidence.helpers.contains(name) || names_request(name));
        if !named && !given {
            return None;
        }
        if let Some(found) = self.chained(signal, action) {
            return Some(found);
        }
        let beside = file
            .signals
            .iter()
            .filter_map(|other| {
                let Shape::Resource(resource) = &other.shape else {
                    return None;
                };
                let container = *other.text.containers.last()?;
                let around = signal.text.containers.contains(&container);
                let target = other
                    .text
                    .target
                    .as_deref()
                    .map(|name| last_identifier(name).to_ascii_lowercase())?;
                let named = words.first_half.contains(&target)
                    || words
                        .first_half_endings
                        .iter()
                        .any(|ending| target.ends_with(ending.as_str()));
                let plain = other.text.role == Role::Value && other.text.usage == Usage::Plain;
                (around && named && plain && other.place.at != signal.place.at).then_some((
                    container,
                    other.place.at <= signal.place.at,
                    other.place.at,
                    resource,
                ))
            })
            .max_by_key(|(container, before, at, _)| (*container, *before, *at))
            .map(|(_, _, _, resource)| resource);
        let operation = match beside {
            Some(resource) => self.known(resource, action),
            None if given => self.of_class(file, signal, action),
            None => None,
        };
        operation.map(|name| (name, AROUND))
    }

    /// `class User; def self.create(args) = perform_request(:create, args); end`: the class name is
    /// the first half. Requires several such calls, or an action that only v1 had.
    fn of_class(&self, file: &FileFacts, signal: &Signal, action: &str) -> Option<String> {
        /// Number of actions in a class that rules out a coincidence.
        const ENOUGH: usize = 3;
        let class = innermost(&signal.text.class)?;
        let resource = resource_of(class, &self.rules.words.class_fillers)?;
        let operation = self.known(&resource, action)?;
        let mut names: Vec<String> = file
            .signals
            .iter()
            .filter(|other| {
                innermost(&other.text.class) == Some(class)
                    && other.text.callee == signal.text.callee
            })
            .filter_map(|other| match &other.shape {
                Shape::Action(action) => self.known(&resource, action),
                _ => None,
            })
            .collect();
        names.sort_unstable();
        names.dedup();
        let is_distinctive =
            names.len() >= ENOUGH || names.iter().any(|name| self.knowledge.is_distinctive(name));
        is_distinctive.then_some(operation)
    }

    /// The operation with these halves.
    fn known(&self, resource: &str, action: &str) -> Option<String> {
        let path = format!("{resource}/{action}");
        self.knowledge
            .path_at(&path)
            .filter(|found| found.length == path.len())?
            .operation
    }

    /// `target.path("user").path("list")`
    fn chained(&self, signal: &Signal, action: &str) -> Option<(String, &'static str)> {
        let callee = signal.text.callee.as_deref()?;
        let before = callee.strip_suffix(last_identifier(callee))?;
        let before = before
            .trim_end_matches(['.', '>', '-', ':'])
            .strip_suffix(')')?;
        let quote = before
            .chars()
            .next_back()
            .filter(|c| matches!(c, '"' | '\''))?;
        let resource = before.trim_end_matches(quote).rsplit(quote).next()?;
        self.known(resource.trim_matches('/'), action)
            .map(|name| (name, SIDE_BY_SIDE))
    }
}

/// The innermost class around a text. `class << self` is skipped: it reopens the class around it.
fn innermost(classes: &str) -> Option<&str> {
    classes.split_whitespace().rfind(|name| *name != "self")
}
