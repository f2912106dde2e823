//! Endpoints whose halves stand apart: side by side in a list, or one around the other.

use super::{
    decide::{AROUND, Judge, SIDE_BY_SIDE, Use, has_v1},
    extract::{Role, Usage, last_identifier},
    finding::{Confidence, Kind},
    purpose::Purpose,
    scan::{FileFacts, Signal},
    shape::Shape,
};

impl Judge<'_> {
    /// Endpoints whose halves stand apart.
    pub(super) fn halves(&self, file: &FileFacts, uses: &mut Vec<Use>) {
        let strong = has_v1(file);
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
                uses.push(Use {
                    kind: Kind::Endpoint,
                    given: self.given(file, signal, Some(&operation)),
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
                let path = format!("{resource}/{action}");
                let known = self
                    .knowledge
                    .path_at(&path)
                    .filter(|found| found.length == path.len())?;
                near.then_some(())?;
                known.operation.map(|name| (name, SIDE_BY_SIDE))
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
            && callee.is_some_and(|name| {
                let lower = name.to_ascii_lowercase();
                self.evidence.helpers.contains(name)
                    || [
                        "post", "request", "call", "send", "api", "fetch", "endpoint", "url",
                        "path", "execute", "invoke",
                    ]
                    .iter()
                    .any(|word| lower.contains(word))
            });
        if !named && !given {
            return None;
        }
        if let Some(found) = self.chained(signal, action) {
            return Some(found);
        }
        let resource = file
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
                    || target.ends_with("path")
                    || target.ends_with("resource")
                    || target.ends_with("endpoint")
                    || target.ends_with("url");
                let plain = other.text.role == Role::Value && other.text.usage == Usage::Plain;
                (around && named && plain && other.place.at != signal.place.at).then_some((
                    container,
                    other.place.at <= signal.place.at,
                    other.place.at,
                    resource,
                ))
            })
            .max_by_key(|(container, before, at, _)| (*container, *before, *at))?
            .3;
        let path = format!("{resource}/{action}");
        let known = self
            .knowledge
            .path_at(&path)
            .filter(|found| found.length == path.len())?;
        known.operation.map(|name| (name, AROUND))
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
        let path = format!("{}/{action}", resource.trim_matches('/'));
        let known = self
            .knowledge
            .path_at(&path)
            .filter(|found| found.length == path.len())?;
        known.operation.map(|name| (name, SIDE_BY_SIDE))
    }
}
