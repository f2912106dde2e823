//! Compiles the path, query and body templates of a call.

use super::{
    super::{
        operation::{BodyTemplate, Call, Each, FanOut, Filling, Segment},
        place::Pointer,
        shape::CallShape,
    },
    Scope,
    target::Target,
};
use crate::template::Template;

/// Reserved placeholders and the prefixes of `OF.NAME` and `OF:POINTER`.
mod placeholder {
    pub(super) const ITEM: &str = "item";
    pub(super) const ELEMENT: &str = "element";
    pub(super) const ELEMENTS: &str = "elements";
    pub(super) const WINDOW: [&str; 2] = ["window.from", "window.to"];
    pub(super) const RANGE: [&str; 2] = ["range.from", "range.to"];
    pub(super) const TODAY: &str = "clock.date";
    pub(super) const OPTION: &str = "option.";
}

/// Context for the placeholders of a call.
pub(super) struct Filler<'a> {
    pub scope: &'a Scope<'a>,
    pub shape: &'a CallShape,
    pub each: Option<&'a Each>,
    pub earlier: &'a [Call],
    pub target: &'a Target<'a>,
}

impl Filler<'_> {
    pub(super) fn segments(&self, path: &str) -> Vec<Segment> {
        let mut bound: Vec<&str> = Vec::new();
        let mut segments = Vec::new();
        for segment in path.split('/').skip(1) {
            let inner = segment.strip_prefix('{');
            let Some(name) = inner.and_then(|rest| rest.strip_suffix('}')) else {
                if segment.is_empty() || segment.contains(['{', '}']) {
                    self.scope
                        .add(format!("`{segment}` is not a segment of a path"));
                }
                segments.push(Segment::Literal(segment.to_owned()));
                continue;
            };
            bound.push(name);
            segments.push(Segment::Filled {
                placeholder: name.to_owned(),
                by: self.filling(name),
                kind: self.scope.subject_of(name),
            });
        }
        let each = self.shape.each.as_ref();
        let of_each = each.and_then(|each| each.placeholder.as_ref());
        for name in self.shape.path.keys().chain(of_each) {
            if !bound.contains(&name.as_str()) {
                self.scope
                    .add(format!("the path has no placeholder {{{name}}}"));
            }
        }
        segments
    }

    fn filling(&self, name: &str) -> Filling {
        if let Some(sources) = self.shape.path.get(name) {
            if let [source] = sources.0.as_slice()
                && let Some((call, at)) = source.split_once(':')
            {
                let call = self.scope.call(call, self.earlier);
                return Filling::Answer(call.unwrap_or_default(), self.pointer(at));
            }
            for parameter in &sources.0 {
                self.target.check_parameter(self.scope, parameter);
            }
            return Filling::Parameters(sources.0.clone());
        }
        let each = self.shape.each.as_ref();
        if let Some(each) = each.filter(|each| each.placeholder.as_deref() == Some(name)) {
            if let Some(value) = &each.value {
                return Filling::Item(value.0.clone());
            }
            if !self.is_of_elements() {
                let reason = format!("no value of an entry fills {{{name}}}");
                self.scope.add(reason);
            }
            return Filling::Element;
        }
        let of_entry = self.each.is_some_and(|each| each.subject.is_some());
        if !of_entry && !self.is_subject(name) {
            self.unfilled(name);
        }
        Filling::Subject
    }

    fn pointer(&self, text: &str) -> String {
        let pointer = self.scope.keep(Pointer::try_from(text.to_owned()));
        pointer.map(|pointer| pointer.0).unwrap_or_default()
    }

    fn is_subject(&self, placeholder: &str) -> bool {
        let subject = self.scope.subject_of(placeholder);
        subject.is_some_and(|subject| self.target.subject() == Some(&subject.kind))
    }

    fn is_of_elements(&self) -> bool {
        self.each
            .is_some_and(|each| matches!(each.of, FanOut::Elements { .. }))
    }

    pub(super) fn query(&self) -> Vec<(String, Template)> {
        let query = self.shape.query.iter().filter_map(|(name, value)| {
            let text = value.as_str().map(str::to_owned);
            let text = text.unwrap_or_else(|| value.to_string());
            let template = self.scope.keep(Template::parse(&text))?;
            self.check(&template);
            Some((name.clone(), template))
        });
        query.collect()
    }

    pub(super) fn body(&self) -> Option<BodyTemplate> {
        let body = &self.shape.body;
        for template in body.iter().flat_map(BodyTemplate::templates) {
            self.check(template);
        }
        if let Some(file) = &self.shape.file {
            self.target.check_parameter(self.scope, file);
            self.scope.expect(
                self.shape.sends.is_none() && body.is_none(),
                "a call has a JSON body or a file, not both",
            );
        }
        body.clone()
    }

    /// Reports placeholders that nothing fills.
    fn check(&self, template: &Template) {
        for name in template.names().filter(|name| !self.is_filled(name)) {
            self.unfilled(name);
        }
    }

    fn is_filled(&self, name: &str) -> bool {
        let of = self.each.map(|each| &each.of);
        if let Some((source, at)) = name.split_once(':') {
            self.pointer(at);
            return if source == placeholder::ITEM {
                matches!(of, Some(FanOut::Entries { .. }))
            } else {
                self.earlier.iter().any(|call| call.name == source)
            };
        }
        if let Some(option) = name.strip_prefix(placeholder::OPTION) {
            return self.scope.names.option.get(option).is_some();
        }
        let operation = self.target.shape;
        operation.constants.contains_key(name)
            || self.target.has_parameter(name)
            || self.is_subject(name)
            || name == placeholder::TODAY
            || (placeholder::RANGE.contains(&name) && operation.range.is_some())
            || (placeholder::WINDOW.contains(&name) && of == Some(&FanOut::Windows))
            || ([placeholder::ELEMENT, placeholder::ELEMENTS].contains(&name)
                && self.is_of_elements())
    }

    fn unfilled(&self, name: &str) {
        let operation = self.target.operation;
        let reason = format!("no value fills {{{name}}} for {operation}");
        self.scope.add(reason);
    }

    /// The calls to wait for: those named in `after` and those that provide values.
    pub(super) fn after(&self) -> Vec<usize> {
        let named = self.shape.after.iter();
        let mut after: Vec<_> = named
            .filter_map(|name| self.scope.call(name, self.earlier))
            .collect();
        let list = self.each.and_then(|each| match &each.of {
            FanOut::Entries { list } => Some(list.as_str()),
            _ => None,
        });
        let makes = |call: &Call| list.is_some() && call.makes_list() == list;
        let waits_for_one = after
            .iter()
            .any(|index| self.earlier.get(*index).is_some_and(makes));
        let in_path = self.shape.path.values().flat_map(|sources| &sources.0);
        let in_path: Vec<_> = in_path
            .filter_map(|source| Some(source.split_once(':')?.0))
            .collect();
        for (index, call) in self.earlier.iter().enumerate() {
            let is_needed =
                (makes(call) && !waits_for_one) || in_path.contains(&call.name.as_str());
            if is_needed && !after.contains(&index) {
                after.push(index);
            }
        }
        after
    }
}
