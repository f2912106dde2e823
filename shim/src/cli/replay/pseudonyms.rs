//! Pseudonyms for requests to a recording that has them instead of addresses and names.

use std::{collections::HashMap, sync::Arc};

use mappings::Catalog;
use parking_lot::Mutex;
use recording::{Exchange, OutcomeKind, PseudonymKey, Redactor, V1Exchange, V2Exchange, Wrapping};
use serde_json::{Map, Value};

/// Maximum number of pseudonyms kept with their real texts.
const PERSONS: usize = 10_000;

/// Replaces addresses and names in requests by pseudonyms, as the recorder did, and reverses that
/// in responses.
#[derive(Debug)]
pub(super) struct Pseudonyms {
    catalog: Arc<Catalog>,
    redactor: Redactor,
    /// Real texts of requests, by pseudonym.
    persons: Mutex<HashMap<String, String>>,
}

/// A v2 request: method, path, query and body.
pub(super) struct V2Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) body: Option<Value>,
}

impl Pseudonyms {
    pub(super) fn new(catalog: &Arc<Catalog>, key: PseudonymKey) -> Self {
        Self {
            catalog: Arc::clone(catalog),
            redactor: Redactor::new(catalog, Some(key)),
            persons: Mutex::default(),
        }
    }

    /// The request as the recorder would have recorded it.
    pub(super) fn apply(&self, request: V2Request) -> V2Request {
        let mut exchange = Exchange {
            format: recording::FORMAT,
            id: String::new(),
            request: None,
            at: String::new(),
            micros: 0,
            site: None,
            incomplete: None,
            v1: V1Exchange {
                operation: String::new(),
                wrapping: Wrapping::default(),
                parameters: Map::new(),
                ignored: 0,
                answer: Value::Null,
            },
            v2: vec![V2Exchange {
                call: String::new(),
                method: request.method.clone(),
                path: request.path.clone(),
                query: request.query.clone(),
                body: request.body.clone(),
                outcome: OutcomeKind::Answered,
                status: None,
                answer: None,
                micros: 0,
            }],
        };
        self.redactor.exchange(&self.catalog, &mut exchange, &[]);
        let Some(recorded) = exchange.v2.pop() else {
            return request;
        };
        let recorded = V2Request {
            method: recorded.method,
            path: recorded.path,
            query: recorded.query,
            body: recorded.body,
        };
        self.remember(&request, &recorded);
        recorded
    }

    fn remember(&self, request: &V2Request, recorded: &V2Request) {
        let (mut real, mut known) = (Vec::new(), Vec::new());
        request.texts(&mut real);
        recorded.texts(&mut known);
        let mut persons = self.persons.lock();
        for (real, known) in real.into_iter().zip(known) {
            if real != known && known != recording::REDACTED && persons.len() < PERSONS {
                persons.insert(known, real);
            }
        }
    }

    /// A response with the real texts instead of known pseudonyms.
    pub(super) fn answer(&self, mut answer: Value) -> Value {
        restore(&mut answer, &self.persons.lock());
        answer
    }
}

impl V2Request {
    /// All texts that may be pseudonyms, in a fixed order.
    fn texts(&self, found: &mut Vec<String>) {
        for part in self.path.split('/') {
            let part = percent_encoding::percent_decode_str(part);
            found.push(part.decode_utf8_lossy().into_owned());
        }
        found.extend(self.query.iter().map(|(_, value)| value.clone()));
        if let Some(body) = &self.body {
            texts(body, found);
        }
    }
}

fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(members) => members.values().for_each(|member| texts(member, found)),
        Value::String(text) => found.push(text.clone()),
        // The recorder replaces a secret number by a text.
        other => found.push(other.to_string()),
    }
}

fn restore(value: &mut Value, persons: &HashMap<String, String>) {
    match value {
        Value::String(text) => {
            if let Some(person) = persons.get(text.as_str()) {
                text.clone_from(person);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| restore(item, persons)),
        Value::Object(members) => {
            for (_, member) in members {
                restore(member, persons);
            }
        }
        _ => {}
    }
}
