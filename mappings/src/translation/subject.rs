//! Subjects of requests: ids and their validation.

use std::borrow::Cow;

use super::{
    CallId, Translation,
    values::{name, plain, segment},
};
use crate::{
    catalog::{
        operation::{Call, Filling, ParameterUse, Segment},
        protocol::PARAMETER_INVALID,
    },
    document::Json,
    exchange::V1Error,
};

impl Translation<'_> {
    /// Rejects ids that would not stay one path segment or have a special meaning in v2.
    pub(super) fn check_ids(&self) -> Result<(), V1Error> {
        if let (Some(subject), Some(kind)) = (&self.subject, &self.operation.subject_kind)
            && (segment(subject).is_none() || kind.is_reserved(subject))
        {
            let protocol = self.catalog.protocol();
            let mut names = self.operation.subject.iter();
            let name = names.find(|name| self.given.has(name));
            let name = name.map_or("", String::as_str);
            // An id for a new object cannot be unknown.
            let mut parameters = self.operation.parameters.iter();
            let is_new = parameters.any(|parameter| {
                parameter.name == name && matches!(parameter.usage, ParameterUse::SentBy(_))
            });
            return Err(match kind.unknown.as_str() {
                unknown if unknown != PARAMETER_INVALID && !is_new => {
                    self.mapper(None).named(unknown).error
                }
                _ => protocol.parameter_error(PARAMETER_INVALID, name),
            });
        }
        for part in self.plan.calls.iter().flat_map(|call| &call.path) {
            if let Segment::Filled {
                by: Filling::Parameters(names),
                kind,
                ..
            } = part
                && let Some((name, text)) = names
                    .iter()
                    .find_map(|name| Some((name, self.given.text(name)?)))
                && (segment(&text).is_none()
                    || kind.as_ref().is_some_and(|kind| kind.is_reserved(&text)))
            {
                return Err(self
                    .catalog
                    .protocol()
                    .parameter_error(PARAMETER_INVALID, name));
            }
        }
        Ok(())
    }

    /// The subject of a request.
    pub(super) fn subject_of(&self, id: CallId, call: &Call) -> Option<Cow<'_, str>> {
        let at = call.each.as_ref().and_then(|each| each.subject.as_ref());
        if let Some(at) = at {
            return name(self.entry_of(id)?.own()?.at(at)?);
        }
        let subject = self.id.as_deref().or(self.subject.as_deref());
        subject.map(Cow::Borrowed)
    }

    /// True if the response is about another object, as a faulty cache in between may return.
    pub(super) fn is_about_another(&self, id: CallId, call: &Call, body: Json<'_>) -> bool {
        let subject = self.subject_of(id, call);
        let request_builder = self.request_builder(id, call, subject.as_deref());
        let mut filled = call.path.iter().rev().filter_map(|segment| match segment {
            Segment::Filled { by, .. } => Some(by),
            Segment::Literal(_) => None,
        });
        let asked = match filled.next() {
            Some(by) => request_builder.id(by),
            None => self.subject.as_deref().map(Cow::Borrowed),
        };
        asked.is_some_and(|asked| {
            let named = call.names.iter().filter_map(|at| body.at(at));
            let mut named = named.filter_map(name).peekable();
            named.peek().is_some() && !named.any(|name| name.eq_ignore_ascii_case(&asked))
        })
    }

    /// Ids in the path of a request, by subject kind.
    pub(super) fn ids_of(&self, id: CallId) -> Vec<(String, String)> {
        let Some(call) = self.plan.calls.get(id.call) else {
            return Vec::new();
        };
        let subject = self.subject_of(id, call);
        let request_builder = self.request_builder(id, call, subject.as_deref());
        let in_path = call.path.iter().filter_map(|segment| match segment {
            Segment::Filled {
                by,
                kind: Some(kind),
                ..
            } => Some((kind.kind.clone(), request_builder.id(by)?.into_owned())),
            _ => None,
        });
        let about = call.about.iter().filter_map(|(kind, parameter)| {
            Some((kind.clone(), plain(self.given.value(parameter)?)))
        });
        in_path.chain(about).collect()
    }
}
