//! Exchanges as lines of a recording: redacted and written in one pass over the bytes that came.
//!
//! A line is what [`Redactor::exchange`] would make of the exchange, without its documents ever being
//! held as values. What one pass cannot do is to take a secret out of a text that comes before the
//! member that tells it is one; so the line is searched for all that was found, and made again the
//! thorough way if any of it is there. That is rare: errors quote what they refuse.

use std::{borrow::Cow, collections::HashMap, fmt};

use memchr::memmem;
use serde::{
    Serialize,
    de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;

use super::{
    FORMAT, REDACTED, Redactor, Unredacted, UnredactedCall, body, moment,
    names::Meaning,
    redaction::{is_worth_finding, segments, worth_finding},
    scrub,
};
use crate::{
    catalog::{Catalog, operation::Operation, protocol::Protocol},
    exchange::Argument,
};

/// Names that are remembered with what they mean: more than the APIs have, and few enough for names
/// that somebody makes up.
const MAX_NAMES: usize = 4096;

/// Makes lines of exchanges, and remembers what makes the next one cheaper.
pub struct LineWriter {
    redactor: Redactor,
    meanings: HashMap<String, Meaning>,
    /// Secrets of the exchange at hand.
    secrets: Vec<String>,
    /// Names of persons in it.
    people: Vec<String>,
    /// Texts of it as they were before something was taken out of them, and paths as they read.
    originals: Vec<u8>,
}

impl LineWriter {
    /// Writes what the redactor leaves.
    pub fn new(redactor: Redactor) -> Self {
        Self {
            redactor,
            meanings: HashMap::new(),
            secrets: Vec::new(),
            people: Vec::new(),
            originals: Vec::new(),
        }
    }

    /// Adds the line of an exchange, its end included. `others` are secrets that were used for it
    /// and may be quoted in it: the access token.
    ///
    /// # Errors
    ///
    /// None that are known; nothing was added then.
    pub fn write(
        &mut self,
        catalog: &Catalog,
        exchange: &Unredacted,
        others: &[&str],
        lines: &mut Vec<u8>,
    ) -> Result<(), serde_json::Error> {
        self.secrets.clear();
        self.people.clear();
        self.originals.clear();
        self.secrets
            .extend(others.iter().map(|secret| (*secret).to_owned()));
        let start = lines.len();
        let written = match catalog.find(&exchange.operation) {
            Some(operation) => self
                .pen(lines)
                .exchange(catalog.protocol(), operation, exchange),
            // Even the operation's name may be anything then.
            None => Ok(false),
        };
        let line = lines.get(start..).unwrap_or_default();
        if !matches!(written, Ok(true)) || self.is_quoted_in(line) {
            lines.truncate(start);
            let mut thorough = exchange.exchange();
            self.redactor.exchange(catalog, &mut thorough, others);
            lines.extend_from_slice(thorough.write()?.as_bytes());
        }
        lines.push(b'\n');
        Ok(())
    }

    fn pen<'p>(&'p mut self, out: &'p mut Vec<u8>) -> Pen<'p> {
        let Self {
            redactor,
            meanings,
            secrets,
            people,
            originals,
        } = self;
        Pen {
            out,
            redactor,
            meanings,
            secrets,
            people,
            originals,
        }
    }

    /// True if something that was found to be secret, or a person's name, may stand in a text.
    fn is_quoted_in(&mut self, line: &[u8]) -> bool {
        for found in [&mut self.secrets, &mut self.people] {
            found.sort_unstable();
            found.dedup();
        }
        let has = |text: &str| {
            let finder = memmem::Finder::new(text);
            finder.find(line).is_some() || finder.find(&self.originals).is_some()
        };
        let is_secret_there = |secret: &String| {
            let Some(secret) = worth_finding(secret) else {
                return false;
            };
            // Whatever a secret is encoded as, its letters and digits stay; that is looked for
            // first, because it is cheap.
            let stays = secret.split(|char: char| !char.is_ascii_alphanumeric());
            let stays = stays.max_by_key(|run| run.len()).unwrap_or_default();
            has(stays)
                && scrub::written_forms(secret)
                    .iter()
                    .any(|form| has(&escaped(form)))
        };
        self.secrets.iter().any(is_secret_there)
            || self.people.iter().any(|name| has(&escaped(name)))
    }
}

impl fmt::Debug for LineWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LineWriter")
            .field("redactor", &self.redactor)
            .finish_non_exhaustive()
    }
}

/// A text as it stands inside a JSON string.
fn escaped(text: &str) -> Cow<'_, str> {
    if text
        .bytes()
        .any(|byte| byte < 0x20 || matches!(byte, b'"' | b'\\'))
    {
        let json = Value::from(text).to_string();
        let inner = json.get(1..json.len().saturating_sub(1));
        inner.unwrap_or_default().to_owned().into()
    } else {
        text.into()
    }
}

/// Writes one line, and notes what it finds on the way.
struct Pen<'p> {
    out: &'p mut Vec<u8>,
    redactor: &'p Redactor,
    meanings: &'p mut HashMap<String, Meaning>,
    secrets: &'p mut Vec<String>,
    people: &'p mut Vec<String>,
    originals: &'p mut Vec<u8>,
}

impl Pen<'_> {
    /// Writes an exchange, its members in the order of [`super::Exchange`]. True if all of it was
    /// there to be written.
    fn exchange(
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
            self.json(site.as_ref())?;
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
        self.document(&exchange.answer)?;
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
            let meaning = self.meaning(name);
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
            self.json(name)?;
            self.raw(",");
            let meaning = self.meaning(name);
            self.string(meaning, value)?;
            self.raw("]");
        }
        self.raw("]");
        if let Some(body) = body(&request.body) {
            self.raw(",\"body\":");
            Copied(self, Meaning::Plain).deserialize(&body)?;
        }
        self.raw(",\"outcome\":");
        self.json(&call.outcome)?;
        if let Some(status) = call.status {
            self.raw(",\"status\":");
            self.json(&status)?;
        }
        if !call.answer.is_empty() {
            self.raw(",\"answer\":");
            self.document(&call.answer)?;
        }
        self.raw(",\"micros\":");
        self.json(&call.micros)?;
        self.raw("}");
        Ok(())
    }

    /// Writes a JSON text again.
    fn document(&mut self, json: &[u8]) -> Result<(), serde_json::Error> {
        let mut reader = serde_json::Deserializer::from_slice(json);
        Copied(self, Meaning::Plain).deserialize(&mut reader)?;
        reader.end()
    }

    fn path(&mut self, path: &str) -> String {
        let redactor = self.redactor;
        segments(path, &mut |decoded| {
            self.remember(decoded);
            redactor.by_itself(decoded).into_owned()
        })
    }

    /// Writes a value that is a text.
    fn string(&mut self, meaning: Meaning, text: &str) -> Result<(), serde_json::Error> {
        self.note(meaning, text);
        match meaning {
            Meaning::Plain => self.text(text),
            Meaning::Secret if !text.is_empty() => self.json(REDACTED),
            Meaning::Personal if !text.is_empty() => self.json(&self.redactor.name(text)),
            Meaning::Secret | Meaning::Personal => self.json(text),
        }
    }

    /// Writes a value that is a number.
    fn number(
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
    fn note(&mut self, meaning: Meaning, text: &str) {
        match meaning {
            Meaning::Secret => self.secrets.push(text.to_owned()),
            Meaning::Personal if is_worth_finding(text) => self.people.push(text.to_owned()),
            Meaning::Personal | Meaning::Plain => {}
        }
    }

    /// Writes a text that is not secret as a whole.
    fn text(&mut self, text: &str) -> Result<(), serde_json::Error> {
        match self.redactor.by_itself(text) {
            Cow::Borrowed(text) => self.json(text),
            Cow::Owned(redacted) => {
                // What was taken out may have been a part of a secret.
                self.remember(text);
                self.json(&redacted)
            }
        }
    }

    fn remember(&mut self, original: &str) {
        self.originals
            .extend_from_slice(escaped(original).as_bytes());
        self.originals.push(b'\n');
    }

    /// What a name means, looked up rather than judged again.
    fn meaning(&mut self, name: &str) -> Meaning {
        if let Some(meaning) = self.meanings.get(name) {
            return *meaning;
        }
        let meaning = self.redactor.meaning(name);
        if self.meanings.len() < MAX_NAMES {
            self.meanings.insert(name.to_owned(), meaning);
        }
        meaning
    }

    /// Ends what began at `start`, in place of the comma behind its last part.
    fn close(&mut self, start: usize, end: &str) {
        if self.out.len() > start + 1 {
            self.out.pop();
        }
        self.raw(end);
    }

    fn raw(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn json<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), serde_json::Error> {
        serde_json::to_writer(&mut *self.out, value)
    }
}

/// Reads a JSON value and writes it, redacted. What a member's name tells holds for all that is
/// inside.
struct Copied<'a, 'p>(&'a mut Pen<'p>, Meaning);

impl<'de> DeserializeSeed<'de> for Copied<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Copied<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.0.raw("null");
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.0.raw(if value { "true" } else { "false" });
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.0.number(self.1, &value).map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.0.number(self.1, &value).map_err(E::custom)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.0.number(self.1, &value).map_err(E::custom)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.0.string(self.1, value).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Self(pen, meaning) = self;
        let start = pen.out.len();
        pen.raw("[");
        while items.next_element_seed(Copied(pen, meaning))?.is_some() {
            pen.raw(",");
        }
        pen.close(start, "]");
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Self(pen, outside) = self;
        let start = pen.out.len();
        pen.raw("{");
        while let Some(meaning) = members.next_key_seed(Name(pen))? {
            let meaning = match (outside, meaning) {
                (Meaning::Secret, _) | (_, Meaning::Secret) => Meaning::Secret,
                (Meaning::Personal, _) => Meaning::Personal,
                (Meaning::Plain, meaning) => meaning,
            };
            members.next_value_seed(Copied(pen, meaning))?;
            pen.raw(",");
        }
        pen.close(start, "}");
        Ok(())
    }
}

/// Reads the name of a member and writes it with its colon; tells what it means.
struct Name<'a, 'p>(&'a mut Pen<'p>);

impl<'de> DeserializeSeed<'de> for Name<'_, '_> {
    type Value = Meaning;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Meaning, D::Error> {
        reader.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_, '_> {
    type Value = Meaning;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Meaning, E> {
        self.0.text(name).map_err(E::custom)?;
        self.0.raw(":");
        Ok(self.0.meaning(name))
    }
}
