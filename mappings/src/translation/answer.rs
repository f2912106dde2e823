//! Builds the v1 response from v2 documents.

use serde_json::Value;

use super::{Progress, Translation, view::Writer};
use crate::{
    catalog::{
        field::Place,
        operation::{self, Member, ParameterUse, View},
    },
    exchange::{V1Object, Warning},
};

impl<'a> Translation<'a> {
    pub(super) fn answer(&mut self, now: i64) -> V1Object {
        let mut writer = Writer {
            translation: self,
            now,
            json: Vec::new(),
            unreadable: Vec::new(),
        };
        match self.catalog.view(self.view) {
            Some(view) => writer.object(view, &self.root),
            None => writer.json.extend_from_slice(b"{}"),
        }
        let Writer {
            json, unreadable, ..
        } = writer;
        self.warn_of_unread_parts();
        self.warn_of_empty_members();
        self.warn_of_unfilled_members();
        if !unreadable.is_empty() {
            let reason = "left out: v2 has a value that v1 had none for";
            let field = unreadable.join(", ");
            self.warnings.push(Warning::unreadable(field, reason));
        }
        V1Object::written(json)
    }

    /// Response members that are incomplete without the call.
    fn lacking_without(&self, index: usize, call: &operation::Call) -> String {
        if call.omits.is_empty() {
            self.fields_of(index)
        } else {
            call.omits.join(", ")
        }
    }

    /// Warns of response members that are missing because an option disables the call.
    pub(super) fn left_out(&mut self, index: usize, call: &operation::Call) {
        let Some(reason) = &call.omitted else { return };
        if call.each.is_some() && self.count_of(call) == 0 {
            return;
        }
        let field = self.lacking_without(index, call);
        self.warnings.push(Warning::left_out(field, reason));
    }

    /// Warns of members that are always empty because v2 dropped the feature.
    fn warn_of_empty_members(&mut self) {
        let members = self.catalog.view(self.view).into_iter();
        for member in members.flat_map(|view| &view.members) {
            if let Some((field, part)) = self.catalog.field(member.field)
                && !member.empty
                && field.always.as_ref().and_then(Value::as_str) == Some("")
            {
                let reason = field.reason.as_deref().unwrap_or_default();
                self.warnings.push(Warning::left_out(&part.name, reason));
            }
        }
    }

    /// Warns of members that v2 cannot fill.
    fn warn_of_unfilled_members(&mut self) {
        let mut warnings = std::mem::take(&mut self.warnings);
        for view in self.views(|member| self.has_entries(member)) {
            for unfilled in view.none.chunk_by(|one, other| one.reason == other.reason) {
                let names: Vec<_> = unfilled.iter().map(|field| field.name.as_str()).collect();
                let reason = unfilled.first().map_or("", |one| &one.reason);
                warnings.push(Warning::left_out(names.join(", "), reason));
            }
        }
        self.warnings = warnings;
    }

    /// The view of the response, and the views nested in members that `is_shown` accepts.
    fn views(&self, is_shown: impl Fn(&Member) -> bool) -> impl Iterator<Item = &'a View> {
        let mut remaining = vec![self.view];
        let mut seen = Vec::new();
        std::iter::from_fn(move || {
            loop {
                let index = remaining.pop()?;
                let Some(view) = self.catalog.view(index).filter(|_| !seen.contains(&index)) else {
                    continue;
                };
                seen.push(index);
                let shown = view.members.iter().filter(|member| is_shown(member));
                remaining.extend(shown.filter_map(|member| member.view));
                return Some(view);
            }
        })
    }

    /// False for an empty list of the response.
    fn has_entries(&self, member: &Member) -> bool {
        let Some((field, _)) = self.catalog.field(member.field) else {
            return false;
        };
        let mut lists = field.places.iter().filter_map(|place| match place {
            Place::List(name) => Some(self.root.list(name).is_some_and(|list| !list.is_empty())),
            _ => None,
        });
        lists
            .next()
            .is_none_or(|first| first || lists.any(|is_filled| is_filled))
    }

    fn warn_of_unread_parts(&mut self) {
        let mut calls: Vec<usize> = self.unread_parts.iter().map(|part| part.call).collect();
        calls.sort_unstable();
        calls.dedup();
        for call in calls {
            let parts = self.unread_parts.iter().filter(|part| part.call == call);
            let items = parts.filter(|part| part.item.is_some()).count();
            let Some(planned) = self.plan.calls.get(call) else {
                continue;
            };
            let is_write = !planned.method.is_read();
            let is_unknown = |progress: &Progress| !progress.unknown.is_empty();
            let reason = match items {
                _ if self.progress.get(call).is_some_and(is_unknown) => {
                    "may or may not have been changed in v2".to_owned()
                }
                0 if is_write => "could not be changed in v2".to_owned(),
                0 => "could not be read from v2".to_owned(),
                n => format!(
                    "could not be read from v2 for {n} of {} entries",
                    self.several(call)
                ),
            };
            let field = match self.lacking_without(call, planned) {
                names if names.is_empty() && (is_write || planned.list().is_some()) => {
                    planned.name.clone()
                }
                // Another source fills them.
                names if names.is_empty() => continue,
                names => names,
            };
            self.warnings.push(Warning::unreadable(field, reason));
        }
    }

    /// Number of items of a call's fan-out.
    fn several(&self, call: usize) -> usize {
        let call_of_plan = self.plan.calls.get(call);
        let entries = call_of_plan.map_or(0, |call| self.count_of(call));
        let progress = self.progress.get(call);
        let units = progress.map_or(0, |progress| progress.counts().0);
        entries.max(units)
    }

    /// The parameters that a call sends; for a read, the response members that only its document or
    /// list can fill.
    fn fields_of(&self, index: usize) -> String {
        let Some(call) = self.plan.calls.get(index) else {
            return String::new();
        };
        if call.sends.is_some() {
            let parameters = self.operation.parameters.iter().filter(|parameter| {
                matches!(parameter.usage, ParameterUse::SentBy(by) if by == index)
                    && self.given.has(&parameter.name)
            });
            let names: Vec<_> = parameters
                .map(|parameter| parameter.name.as_str())
                .collect();
            return names.join(", ");
        }
        let list = call.list().map(|(list, _, _)| list);
        let document = call.reads.as_deref();
        let fills = |place: &Place| match place {
            Place::Document(place) => document == Some(place.document.as_str()),
            Place::List(name) | Place::Count(name) | Place::Sum(name, _) => {
                list == Some(name.as_str())
            }
            _ => false,
        };
        // Places that apply only to requests or to other plans.
        let is_elsewhere = |place: &Place| match place {
            Place::Document(place) => !self.plan.reads(&place.document),
            Place::Given(name) => !self.given.has(name) || self.is_ignored(name),
            _ => false,
        };
        let mut names = Vec::new();
        for member in self.views(|_| true).flat_map(|view| &view.members) {
            let Some((field, part)) = self.catalog.field(member.field) else {
                continue;
            };
            let places = member.from.as_ref().unwrap_or(&field.places);
            let mut places = places
                .iter()
                .filter(|place| !is_elsewhere(place))
                .peekable();
            let only_there = !member.empty
                && field.always.is_none()
                && places.peek().is_some()
                && places.all(fills);
            if only_there {
                names.push(part.name.as_str());
            }
        }
        names.join(", ")
    }
}
