//! An exchange before redaction.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use serde_json::{Value, json};

use mappings::{Argument, Arguments, Body, Document, Outcome, V2Request};

use crate::exchange::{
    Exchange, FORMAT, OutcomeKind, RecordedSite, V1Exchange, V2Exchange, Wrapping, moment,
};

/// Exchange with its secrets, collected cheaply while the request is served: v2's responses are
/// shared, not copied. [`crate::Redactor::record`] redacts it later.
///
/// `Debug` shows only the operation.
pub struct Unredacted {
    /// Identifies the exchange within its recording.
    pub id: String,
    /// Id of the request in its response and the log.
    pub request: Option<String>,
    /// Time of the request in milliseconds since 1970.
    pub at: i64,
    /// Duration of the request in microseconds.
    pub micros: u64,
    /// Settings of the site, if known.
    pub site: Option<Arc<RecordedSite>>,
    /// The operation.
    pub operation: String,
    /// Encoding of the parameters.
    pub wrapping: Wrapping,
    /// Parameters including credentials, so that redaction also finds these elsewhere.
    pub arguments: Arguments,
    /// v1 response as JSON.
    pub answer: Bytes,
    /// The v2 calls, in the order of their responses.
    pub calls: Vec<UnredactedCall>,
}

/// v2 request and response, including secrets.
///
/// `Debug` shows only the request's template.
pub struct UnredactedCall {
    /// Name of the call in the plan.
    pub call: String,
    /// The request.
    pub request: V2Request,
    /// The outcome.
    pub outcome: OutcomeKind,
    /// The HTTP status, if v2 answered.
    pub status: Option<u16>,
    /// v2's response, if it is JSON.
    pub answer: Option<Document>,
    /// Duration of the call in microseconds.
    pub micros: u64,
}

impl Unredacted {
    /// Approximate memory in bytes.
    pub fn weight(&self) -> usize {
        let arguments = self.arguments.iter().map(|(name, value)| {
            let value = match value {
                Argument::Text(text) => text.len(),
                Argument::File(file) => file.bytes.len(),
            };
            EACH + name.len() + value
        });
        let calls = self.calls.iter().map(UnredactedCall::weight);
        EACH + self.answer.len() + arguments.sum::<usize>() + calls.sum::<usize>()
    }

    /// The unredacted record. `answer` is the parsed v1 response.
    pub(super) fn exchange(&self, answer: &Document) -> Exchange {
        Exchange {
            format: FORMAT,
            id: self.id.clone(),
            request: self.request.clone(),
            at: moment(self.at),
            micros: self.micros,
            site: self.site.as_deref().cloned(),
            incomplete: None,
            v1: V1Exchange {
                answer: answer.json().to_value(),
                ..V1Exchange::of_arguments(&self.operation, self.wrapping, &self.arguments)
            },
            v2: self.calls.iter().map(UnredactedCall::exchange).collect(),
        }
    }
}

/// Estimated overhead of a name, a value or a call, in bytes.
const EACH: usize = 64;

impl V2Exchange {
    /// The unredacted record of a v2 call.
    pub fn new(call: &str, request: &V2Request, outcome: &Outcome, micros: u64) -> Self {
        UnredactedCall::new(call.to_owned(), request.clone(), outcome, micros).exchange()
    }
}

impl UnredactedCall {
    /// Creates the record of a v2 call.
    pub fn new(call: String, request: V2Request, outcome: &Outcome, micros: u64) -> Self {
        let answer = match outcome {
            Outcome::Answered { body, .. } => body.clone(),
            _ => None,
        };
        let (outcome, status) = OutcomeKind::of(outcome);
        Self {
            call,
            request,
            outcome,
            status,
            answer,
            micros,
        }
    }

    fn weight(&self) -> usize {
        let body = match &self.request.body {
            Body::None => 0,
            Body::Json(value) => weight(value),
            Body::File { file, .. } => file.bytes.len(),
        };
        let answer = self.answer.as_ref().map_or(0, Document::weight);
        4 * EACH + self.request.path.len() + body + answer
    }

    fn exchange(&self) -> V2Exchange {
        V2Exchange {
            call: self.call.clone(),
            method: self.request.method.as_str().to_owned(),
            path: self.request.path.clone(),
            query: self.request.query.clone(),
            body: body(&self.request.body),
            outcome: self.outcome,
            status: self.status,
            answer: self.answer.as_ref().map(|answer| answer.json().to_value()),
            micros: self.micros,
        }
    }
}

fn body(body: &Body) -> Option<Value> {
    match body {
        Body::None => None,
        Body::Json(value) => Some(value.clone()),
        Body::File {
            part,
            media_type,
            file,
        } => {
            let bytes = file.bytes.len();
            Some(json!({ "file": { "part": part, "media_type": media_type, "bytes": bytes } }))
        }
    }
}

fn weight(value: &Value) -> usize {
    EACH + match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(weight).sum(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| name.len() + weight(value))
            .sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

impl fmt::Debug for Unredacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unredacted({})", self.operation)
    }
}

impl fmt::Debug for UnredactedCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnredactedCall({:?})", self.request)
    }
}
