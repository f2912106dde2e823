//! Redaction: removes secrets, and replaces addresses and names by pseudonyms on request.
//! The catalog declares secret fields; other members are classified by name. The values of secret
//! members are also replaced in all other strings of the exchange, because error messages quote
//! rejected values.
//! Redaction works on the complete record. It takes 4.4 µs for `user/checkemail` and 220 µs for
//! `user/get` with 300 settings (`cargo bench -p recording`), on a background thread.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use mappings::{Catalog, Document, document::Json, translation::segment};
use memchr::memmem;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use sha2::Sha256;

use crate::{
    exchange::{Exchange, V1Exchange, V2Exchange},
    names::{Meaning, Names},
    scrub::{self, Found},
    unredacted::Unredacted,
};

/// Replacement for secrets.
pub const REDACTED: &str = "[redacted]";

/// Domain of pseudonymous email addresses; it never receives mail (RFC 2606).
const PSEUDONYM_DOMAIN: &str = "pseudonym.invalid";

/// Removes secrets. With a [`PseudonymKey`], also replaces addresses and names by pseudonyms.
#[derive(Debug)]
pub struct Redactor {
    names: Names,
    key: Option<PseudonymKey>,
}

/// The HMAC key of pseudonyms: the same key gives the same person the same pseudonym.
#[derive(Clone)]
pub struct PseudonymKey(Vec<u8>);

/// The key is short enough for a brute-force search.
#[derive(Debug, thiserror::Error)]
#[error(
    "a key for pseudonyms needs at least {} characters",
    PseudonymKey::SHORTEST
)]
pub struct PseudonymKeyError;

impl PseudonymKey {
    const SHORTEST: usize = 16;

    /// A key from a secret text of at least 16 characters.
    ///
    /// # Errors
    ///
    /// If the text is too short.
    pub fn new(text: &str) -> Result<Self, PseudonymKeyError> {
        if text.len() < Self::SHORTEST {
            return Err(PseudonymKeyError);
        }
        Ok(Self(text.as_bytes().to_vec()))
    }

    fn digest(&self, text: &str) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else {
            return String::new(); // never: HMAC takes keys of every length
        };
        mac.update(text.to_lowercase().as_bytes());
        let digest = mac.finalize().into_bytes();
        digest
            .iter()
            .take(6)
            .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    }
}

impl fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PseudonymKey(…)")
    }
}

impl Redactor {
    /// Creates a redactor for a catalog. Without a key, addresses and names are not replaced.
    pub fn new(catalog: &Catalog, key: Option<PseudonymKey>) -> Self {
        Self {
            names: Names::new(catalog, key.is_some()),
            key,
        }
    }

    /// Redacts a record. `others` are further secrets to replace, such as the access token.
    /// Parameters unknown to the operation are removed.
    pub fn exchange(&self, catalog: &Catalog, exchange: &mut Exchange, others: &[&str]) {
        let mut known = Known::with(others);
        self.learn_requests(exchange, &mut known);
        self.learn(&exchange.v1.answer, Meaning::Plain, &mut known);
        for answer in exchange.v2.iter().filter_map(|call| call.answer.as_ref()) {
            self.learn(answer, Meaning::Plain, &mut known);
        }
        self.redact(catalog, exchange, known);
    }

    /// Creates the redacted record of an exchange; `others` as in [`Self::exchange`].
    pub fn record(&self, catalog: &Catalog, exchange: &Unredacted, others: &[&str]) -> Exchange {
        let answer = Document::read(exchange.answer.to_vec()).unwrap_or_default();
        let answers = exchange
            .calls
            .iter()
            .filter_map(|call| call.answer.as_ref());
        let mut known = Known::with(others);
        for document in answers.chain([&answer]) {
            self.learn_document(document.json(), Meaning::Plain, &mut known);
        }
        let mut exchange = exchange.exchange(&answer);
        self.learn_requests(&exchange, &mut known);
        self.redact(catalog, &mut exchange, known);
        exchange
    }

    /// Collects secrets and names from requests.
    fn learn_requests(&self, exchange: &Exchange, known: &mut Known) {
        self.learn_members(&exchange.v1.parameters, Meaning::Plain, known);
        for call in &exchange.v2 {
            if let Some(body) = &call.body {
                self.learn(body, Meaning::Plain, known);
            }
            for (name, value) in &call.query {
                known.add(self.names.meaning(name), value);
            }
        }
    }

    fn redact(&self, catalog: &Catalog, exchange: &mut Exchange, mut known: Known) {
        known.sort();
        if let Some(operation) = catalog.find(&exchange.v1.operation) {
            let protocol = catalog.protocol();
            let ours = [&protocol.key, &protocol.secret, &protocol.format];
            let V1Exchange {
                parameters,
                ignored,
                ..
            } = &mut exchange.v1;
            parameters.retain(|name, _| {
                let is_a_parameter = operation.parameters.iter().any(|known| known.name == *name);
                *ignored += usize::from(!is_a_parameter && !ours.contains(&name));
                is_a_parameter
            });
        } else {
            exchange.v1.operation = self.text(&exchange.v1.operation, &known);
        }
        self.members(&mut exchange.v1.parameters, &known);
        self.inside(&mut exchange.v1.answer, &known);
        for call in &mut exchange.v2 {
            call.path = self.path(&call.path, &known);
            for (name, value) in &mut call.query {
                let mut redacted = Value::from(std::mem::take(value));
                self.named(name, &mut redacted, &known);
                redacted.as_str().unwrap_or_default().clone_into(value);
                *name = self.text(name, &known);
            }
            call.body
                .iter_mut()
                .for_each(|body| self.inside(body, &known));
            call.answer
                .iter_mut()
                .for_each(|answer| self.inside(answer, &known));
        }
    }

    /// Redacts a single document.
    pub fn value(&self, value: &mut Value) {
        self.value_without(value, &[]);
    }

    /// Redacts a single document; `others` are further secrets to replace.
    pub fn value_without(&self, value: &mut Value, others: &[&str]) {
        let mut known = Known::with(others);
        self.learn(value, Meaning::Plain, &mut known);
        known.sort();
        self.inside(value, &known);
    }

    /// Redacts a single string.
    pub fn plain_text(&self, text: &str) -> String {
        self.text(text, &Known::default())
    }

    /// Collects secrets and names from a value; `meaning` is that of the enclosing members.
    fn learn(&self, value: &Value, meaning: Meaning, known: &mut Known) {
        match value {
            Value::Array(items) => {
                for item in items {
                    self.learn(item, meaning, known);
                }
            }
            Value::Object(members) => self.learn_members(members, meaning, known),
            Value::String(text) => known.add(meaning, text),
            Value::Number(number) if meaning != Meaning::Plain => {
                known.add(meaning, &number.to_string());
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn learn_members(&self, members: &Map<String, Value>, outer: Meaning, known: &mut Known) {
        for (name, value) in members {
            self.learn(value, outer.inside(self.names.meaning(name)), known);
        }
    }

    /// [`Self::learn`] including duplicate members, which a [`Value`] would drop but other strings
    /// may quote.
    fn learn_document(&self, json: Json<'_>, meaning: Meaning, known: &mut Known) {
        for element in json.elements() {
            self.learn_document(element, meaning, known);
        }
        for (name, value) in json.members() {
            self.learn_document(value, meaning.inside(self.names.meaning(name)), known);
        }
        if !json.is_object() && !json.is_array() {
            self.learn(&json.to_value(), meaning, known);
        }
    }

    fn members(&self, members: &mut Map<String, Value>, known: &Known) {
        let old = std::mem::take(members);
        for (name, mut value) in old {
            self.named(&name, &mut value, known);
            members.insert(self.text(&name, known), value);
        }
    }

    fn named(&self, name: &str, value: &mut Value, known: &Known) {
        match self.names.meaning(name) {
            Meaning::Secret => mask(value),
            Meaning::Personal => self.rename(value),
            Meaning::Plain => self.inside(value, known),
        }
    }

    fn inside(&self, value: &mut Value, known: &Known) {
        match value {
            Value::String(text) => *text = self.text(text, known),
            Value::Array(items) => items.iter_mut().for_each(|item| self.inside(item, known)),
            Value::Object(members) => self.members(members, known),
            Value::Number(number) if known.has_secret(&number.to_string()) => {
                *value = REDACTED.into();
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn rename(&self, value: &mut Value) {
        match value {
            Value::String(text) if !text.is_empty() => *text = self.name(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.rename(item)),
            Value::Object(members) => {
                for (name, value) in members {
                    match self.names.meaning(name) {
                        Meaning::Secret => mask(value),
                        Meaning::Plain | Meaning::Personal => self.rename(value),
                    }
                }
            }
            _ => {}
        }
    }

    fn path(&self, path: &str, known: &Known) -> String {
        let segments = path.split('/').map(|part| {
            let decoded = percent_decode_str(part).decode_utf8_lossy();
            let redacted = self.text(&decoded, known);
            if redacted == decoded {
                part.to_owned()
            } else {
                segment(&redacted).unwrap_or_default()
            }
        });
        segments.collect::<Vec<_>>().join("/")
    }

    fn text(&self, text: &str, known: &Known) -> String {
        let mut text = text.to_owned();
        for secret in &known.secrets {
            // Copy only if there is something to replace.
            if memmem::find(text.as_bytes(), secret.as_bytes()).is_some() {
                text = scrub::replace(&text, secret, REDACTED);
            }
        }
        text = self.without_patterns(text);
        for name in &known.names {
            if text.contains(name.as_str()) {
                text = scrub::replace_word(&text, name, &self.name(name));
            }
        }
        text
    }

    /// Replaces likely secrets, and email addresses by pseudonyms.
    fn without_patterns(&self, mut text: String) -> String {
        if scrub::may_have_patterns(&text) {
            let is_secret = |name: &str| self.names.meaning(name) == Meaning::Secret;
            text = scrub::patterns(&text, &is_secret, REDACTED);
        }
        if self.key.is_some() {
            text = scrub::addresses(&text, &|address| self.address(&address));
        }
        text
    }

    fn address(&self, found: &Found<'_>) -> String {
        let Some(key) = &self.key else {
            return found.as_written();
        };
        if found.domain.eq_ignore_ascii_case(PSEUDONYM_DOMAIN) {
            return found.as_written();
        }
        let digest = key.digest(&found.address());
        format!("{digest}{}{PSEUDONYM_DOMAIN}", found.at)
    }

    fn name(&self, name: &str) -> String {
        let Some(key) = &self.key else {
            return name.to_owned();
        };
        if is_name_pseudonym(name) {
            return name.to_owned();
        }
        format!("name-{}", key.digest(name))
    }
}

/// True if the string contains a replacement, so that no request can be made with it.
fn is_redacted(text: &str) -> bool {
    text.contains(REDACTED) || is_pseudonym(text)
}

impl Exchange {
    /// True if a parameter was redacted, so that the request cannot be repeated.
    pub fn is_masked(&self) -> bool {
        let mut texts = self.v1.parameters.values().filter_map(Value::as_str);
        texts.any(is_redacted)
    }

    /// True if addresses or names are pseudonyms.
    pub fn has_pseudonyms(&self) -> bool {
        let has = |call: &V2Exchange| {
            call.path.contains(PSEUDONYM_DOMAIN)
                || call.query.iter().any(|(_, value)| is_pseudonym(value))
                || call.body.iter().chain(&call.answer).any(has_pseudonym)
        };
        has_pseudonym(&self.v1.answer)
            || self.v1.parameters.values().any(has_pseudonym)
            || self.v2.iter().any(has)
    }
}

fn has_pseudonym(value: &Value) -> bool {
    match value {
        Value::String(text) => is_pseudonym(text),
        Value::Array(items) => items.iter().any(has_pseudonym),
        Value::Object(members) => members.values().any(has_pseudonym),
        _ => false,
    }
}

fn is_pseudonym(text: &str) -> bool {
    text.contains(PSEUDONYM_DOMAIN) || is_name_pseudonym(text)
}

fn is_name_pseudonym(name: &str) -> bool {
    name.strip_prefix("name-").is_some_and(|digest| {
        digest.len() == 12 && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// Replaces all strings and numbers of a secret member, except empty strings.
fn mask(value: &mut Value) {
    match value {
        Value::String(text) if !text.is_empty() => *value = REDACTED.into(),
        Value::Number(_) => *value = REDACTED.into(),
        Value::Array(items) => items.iter_mut().for_each(mask),
        Value::Object(members) => members.values_mut().for_each(mask),
        _ => {}
    }
}

/// Secrets and names to replace in the strings of an exchange, longest first, because one may
/// contain another.
#[derive(Default)]
struct Known {
    secrets: Vec<String>,
    names: Vec<String>,
}

impl Known {
    fn with(secrets: &[&str]) -> Self {
        let mut known = Self::default();
        for secret in secrets {
            known.add(Meaning::Secret, secret);
        }
        known
    }

    /// Adds a text, unless it is so short that it occurs in unrelated words.
    fn add(&mut self, meaning: Meaning, text: &str) {
        match meaning {
            Meaning::Secret => {
                let secret = text.trim();
                if secret.len() >= 4 && secret != REDACTED {
                    self.secrets.extend(scrub::written_forms(secret));
                }
            }
            Meaning::Personal if text.chars().count() >= 3 => self.names.push(text.to_owned()),
            Meaning::Personal | Meaning::Plain => {}
        }
    }

    fn sort(&mut self) {
        for texts in [&mut self.secrets, &mut self.names] {
            texts.sort_unstable_by(|one, other| other.len().cmp(&one.len()).then(one.cmp(other)));
            texts.dedup();
        }
    }

    fn has_secret(&self, number: &str) -> bool {
        self.secrets.iter().any(|secret| secret == number)
    }
}
