//! Writes one line, and notes what it finds on the way.

use std::{borrow::Cow, sync::Arc};

use mappings::{
    Argument, Document,
    catalog::{operation::Operation, protocol::Protocol},
};
use serde::Serialize;

use super::{
    Meaning, escaped,
    lookup::{Lookup, Named},
};
use crate::{
    FORMAT, REDACTED, RecordedSite, Redactor, Unredacted, UnredactedCall,
    exchange::{body, moment},
    redaction::{is_worth_finding, segments},
};

/// A line that is being written.
pub(super) struct Pen<'p> {
    pub(super) out: &'p mut Vec<u8>,
    pub(super) redactor: &'p Redactor,
    pub(super) names: &'p mut Lookup,
    pub(super) site: &'p mut Option<(Arc<RecordedSite>, String)>,
    pub(super) secrets: &'p mut Vec<String>,
    pub(super) people: &'p mut Vec<String>,
    pub(super) originals: &'p mut Vec<u8>,
}

impl Pen<'_> {
    /// Writes an exchange, its members in the order of [`super::Exchange`]. True if all of it was
    /// there to be written.
    pub(super) fn exchange(
        &mut self,
        protocol: &Protocol,
        operation: &Operation,
        exchange: &Unredacted,
    ) -> Result<bool, serde_json::Error> {
        self.raw("{\"format\":");
        self.json(&FORMAT)?;
        self.raw(",\"id\":");
        self.json(&exchange.id)?;
        self.raw(",\"at\":");
        self.json(&moment(exchange.at))?;
        self.raw(",\"micros\":");
        self.json(&exchange.micros)?;
        if let Some(site) = &exchange.site {
            self.raw(",\"site\":");
            self.site(site)?;
        }
        self.raw(",\"v1\":{\"operation\":");
        self.json(&exchange.operation)?;
        self.raw(",\"wrapping\":");
        self.json(&exchange.wrapping)?;
        self.raw(",\"parameters\":{");
        let ignored = self.parameters(protocol, operation, exchange)?;
        self.raw("},\"ignored\":");
        self.json(&ignored)?;
        self.raw(",\"answer\":");
        let answer = Document::read(exchange.answer.to_vec())?;
        self.document(&answer)?;
        self.raw("},\"v2\":[");
        let mut separator = "";
        for call in &exchange.calls {
            self.raw(separator);
            separator = ",";
            self.call(call)?;
        }
        self.raw("]}");
        Ok(true)
    }

    /// Writes the parameters that the operation knows; tells how many others came.
    fn parameters(
        &mut self,
        protocol: &Protocol,
        operation: &Operation,
        exchange: &Unredacted,
    ) -> Result<usize, serde_json::Error> {
        let ours = [&protocol.key, &protocol.secret, &protocol.format];
        let mut ignored = 0;
        let mut separator = "";
        for (name, value) in exchange.arguments.iter() {
            let meaning = self.named(name).meaning;
            if !operation.parameters.iter().any(|known| known.name == name) {
                ignored += usize::from(!ours.iter().any(|ours| *ours == name));
                if let Argument::Text(text) = value {
                    self.note(meaning, text);
                }
                continue;
            }
            self.raw(separator);
            separator = ",";
            self.text(name)?;
            self.raw(":");
            match value {
                Argument::Text(text) => self.string(meaning, text)?,
                Argument::File(file) => {
                    self.raw("{\"file\":{\"bytes\":");
                    self.number(meaning, &file.bytes.len())?;
                    self.raw("}}");
                }
            }
        }
        Ok(ignored)
    }

    fn call(&mut self, call: &UnredactedCall) -> Result<(), serde_json::Error> {
        let request = &call.request;
        self.raw("{\"call\":");
        self.json(&call.call)?;
        self.raw(",\"method\":");
        self.json(request.method.as_str())?;
        self.raw(",\"path\":");
        let path = self.path(&request.path);
        self.json(&path)?;
        self.raw(",\"query\":[");
        let mut separator = "[";
        for (name, value) in &request.query {
            self.raw(separator);
            separator = ",[";
            self.text(name)?;
            self.raw(",");
            let meaning = self.named(name).meaning;
            self.string(meaning, value)?;
            self.raw("]");
        }
        self.raw("]");
        if let Some(body) = body(&request.body) {
            self.raw(",\"body\":");
            self.anew(&body)?;
        }
        self.raw(",\"outcome\":");
        self.json(&call.outcome)?;
        if let Some(status) = call.status {
            self.raw(",\"status\":");
            self.json(&status)?;
        }
        if let Some(answer) = &call.answer {
            self.raw(",\"answer\":");
            self.document(answer)?;
        }
        self.raw(",\"micros\":");
        self.json(&call.micros)?;
        self.raw("}");
        Ok(())
    }

    fn document(&mut self, document: &Document) -> Result<(), serde_json::Error> {
        if self.copy(document) {
            return Ok(());
        }
        let text = document.text();
        let mut reader = serde_json::Deserializer::from_slice(&text);
        self.anew(&mut reader)?;
        reader.end()
    }

    fn site(&mut self, site: &Arc<RecordedSite>) -> Result<(), serde_json::Error> {
        let known = self.site.take();
        let known = known.filter(|(known, _)| Arc::ptr_eq(known, site));
        let (_, text) = match known {
            Some(known) => self.site.insert(known),
            None => self
                .site
                .insert((Arc::clone(site), serde_json::to_string(site.as_ref())?)),
        };
        self.out.extend_from_slice(text.as_bytes());
        Ok(())
    }

    fn path(&mut self, path: &str) -> String {
        let redactor = self.redactor;
        segments(path, &mut |decoded| {
            self.remember(decoded);
            redactor.by_itself(decoded).into_owned()
        })
    }

    /// Writes a value that is a text.
    pub(super) fn string(&mut self, meaning: Meaning, text: &str) -> Result<(), serde_json::Error> {
        self.note(meaning, text);
        match meaning {
            Meaning::Plain => self.text(text),
            Meaning::Secret if !text.is_empty() => self.json(REDACTED),
            Meaning::Personal if !text.is_empty() => self.json(&self.redactor.name(text)),
            Meaning::Secret | Meaning::Personal => self.json(text),
        }
    }

    /// Writes a value that is a number.
    pub(super) fn number(
        &mut self,
        meaning: Meaning,
        number: &impl Serialize,
    ) -> Result<(), serde_json::Error> {
        if meaning == Meaning::Plain {
            return self.json(number);
        }
        let text = serde_json::to_string(number)?;
        self.note(meaning, &text);
        match meaning {
            Meaning::Secret => self.json(REDACTED),
            Meaning::Personal | Meaning::Plain => self.json(number),
        }
    }

    /// Remembers what is looked for in the rest of the exchange.
    pub(super) fn note(&mut self, meaning: Meaning, text: &str) {
        match meaning {
            Meaning::Secret => self.secrets.push(text.to_owned()),
            Meaning::Personal if is_worth_finding(text) => self.people.push(text.to_owned()),
            Meaning::Personal | Meaning::Plain => {}
        }
    }

    /// Writes a text that is not secret as a whole.
    pub(super) fn text(&mut self, text: &str) -> Result<(), serde_json::Error> {
        match self.redactor.by_itself(text) {
            Cow::Borrowed(text) => self.json(text),
            Cow::Owned(redacted) => {
                // What was taken out may have been a part of a secret.
                self.remember(text);
                self.json(&redacted)
            }
        }
    }

    pub(super) fn remember(&mut self, original: &str) {
        self.originals
            .extend_from_slice(escaped(original).as_bytes());
        self.originals.push(b'\n');
    }

    /// What a name says, looked up rather than judged again.
    pub(super) fn named(&mut self, name: &str) -> Named {
        let redactor = self.redactor;
        self.names.find(name, || Named {
            meaning: redactor.meaning(name),
            stays: matches!(redactor.by_itself(name), Cow::Borrowed(_)),
        })
    }

    /// Ends what began at `start`, in place of the comma behind its last part.
    pub(super) fn close(&mut self, start: usize, end: &str) {
        if self.out.len() > start + 1 {
            self.out.pop();
        }
        self.raw(end);
    }

    pub(super) fn raw(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    pub(super) fn json<T: Serialize + ?Sized>(
        &mut self,
        value: &T,
    ) -> Result<(), serde_json::Error> {
        serde_json::to_writer(&mut *self.out, value)
    }
}
