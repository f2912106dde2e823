//! The record of an exchange: what a v1 client asked and got, and what v2 was asked for it.
//!
//! A recording is a text of lines, each of them one [`Exchange`] as JSON. The format is versioned by
//! [`FORMAT`]; readers ignore members that they do not know. [`Redactor`](crate::Redactor) goes over
//! every exchange before it is written.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use mappings::{
    Argument, Arguments, Body, Document, File, Method, Outcome, Site, V1Answer, V1Error, V2Request,
    catalog::protocol::Options,
};

/// The version of the format; it changes when a member changes its meaning or goes away.
pub const FORMAT: u32 = 1;

/// One v1 request, its answer, and the v2 requests and answers between them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// [`FORMAT`].
    pub format: u32,
    /// Names the exchange within its recording.
    pub id: String,
    /// When the request came: RFC 3339, UTC; empty if nobody knows.
    #[serde(default)]
    pub at: String,
    /// From the request to its answer, in microseconds; 0 if nobody knows.
    #[serde(default)]
    pub micros: u64,
    /// The choices of the site that it was served under; `None` if nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<RecordedSite>,
    /// What the client sent and got.
    pub v1: V1Exchange,
    /// What v2 was asked, in the order in which its answers came.
    #[serde(default)]
    pub v2: Vec<V2Exchange>,
}

/// What a site had chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordedSite {
    /// What v2 cannot honour was an error.
    pub strict: bool,
    /// The options of its catalog, with their defaults.
    pub options: Options,
}

impl From<&Site> for RecordedSite {
    fn from(site: &Site) -> Self {
        Self {
            strict: site.strict,
            options: site.options.clone(),
        }
    }
}

/// The client's side of an exchange.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct V1Exchange {
    /// The operation: `user/get`.
    pub operation: String,
    /// How the parameters came.
    #[serde(default)]
    pub wrapping: Wrapping,
    /// The parameters that the operation knows, without credentials. A text is a string, a file
    /// an object `{"file": {"bytes": 1024}}`.
    pub parameters: Map<String, Value>,
    /// How many parameters were left out, because the operation does not know them.
    #[serde(default)]
    pub ignored: usize,
    /// The answer as JSON: the members, or `{"error": {"code", "message"}}`.
    pub answer: Value,
}

/// How a v1 client sent its parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wrapping {
    /// All in the query string.
    Query,
    /// A form.
    Form,
    /// A JSON body.
    Json,
    /// Multipart.
    Multipart,
    /// Something else, or not known.
    #[default]
    Other,
}

/// One v2 request and its answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct V2Exchange {
    /// The name of the call in the plan; empty if nobody knows.
    #[serde(default)]
    pub call: String,
    /// The HTTP method.
    pub method: String,
    /// The path below v2's base, percent-encoded.
    pub path: String,
    /// The query parameters, in order.
    #[serde(default)]
    pub query: Vec<(String, String)>,
    /// The JSON body; a file stands as `{"file": {"part", "media_type", "bytes"}}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// What became of it: `answered`, `unreadable`, `no_answer`, `refused` or `limited`.
    #[serde(default)]
    pub outcome: OutcomeKind,
    /// The HTTP status, if v2 answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// v2's answer as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Value>,
    /// From the call to its answer, in microseconds.
    #[serde(default)]
    pub micros: u64,
}

/// What became of a v2 request; see [`Outcome`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "they are those of `Outcome`")]
pub enum OutcomeKind {
    #[default]
    Answered,
    Unreadable,
    NoAnswer,
    Refused,
    Limited,
}

impl OutcomeKind {
    /// The kind of an outcome, and the HTTP status if v2 answered.
    pub(crate) fn of(outcome: &Outcome) -> (Self, Option<u16>) {
        match outcome {
            Outcome::Answered { status, .. } => (Self::Answered, Some(*status)),
            Outcome::Unreadable { status } => (Self::Unreadable, Some(*status)),
            Outcome::NoAnswer { .. } => (Self::NoAnswer, None),
            Outcome::Refused => (Self::Refused, None),
            Outcome::Limited => (Self::Limited, None),
        }
    }
}

/// Why a line is no exchange.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Not JSON, or not of this shape.
    #[error("not an exchange: {0}")]
    Shape(#[from] serde_json::Error),
    /// Of another version.
    #[error("of format {0}, and this program reads format {FORMAT}")]
    Format(u32),
}

impl Exchange {
    /// Reads a line of a recording.
    ///
    /// # Errors
    ///
    /// If the line is no exchange, or one of another format.
    pub fn read(line: &str) -> Result<Self, RecordError> {
        let exchange: Self = serde_json::from_str(line)?;
        if exchange.format == FORMAT {
            Ok(exchange)
        } else {
            Err(RecordError::Format(exchange.format))
        }
    }

    /// The line of a recording, without its end.
    ///
    /// # Errors
    ///
    /// None that are known: all of an exchange is JSON.
    pub fn write(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}

impl V1Exchange {
    /// The client's side as the shim saw it, not yet redacted.
    pub fn new(
        operation: &str,
        wrapping: Wrapping,
        arguments: &Arguments,
        answer: &V1Answer,
    ) -> Self {
        Self {
            answer: match &answer.result {
                Ok(object) => Value::Object(object.members()),
                Err(V1Error { code, message }) => {
                    json!({ "error": { "code": code, "message": message } })
                }
            },
            ..Self::of_arguments(operation, wrapping, arguments)
        }
    }

    /// Without an answer.
    pub(crate) fn of_arguments(operation: &str, wrapping: Wrapping, arguments: &Arguments) -> Self {
        let parameters = arguments.iter().map(|(name, value)| {
            let value = match value {
                Argument::Text(text) => Value::from(text.as_str()),
                Argument::File(file) => json!({ "file": { "bytes": file.bytes.len() } }),
            };
            (name.to_owned(), value)
        });
        Self {
            operation: operation.to_owned(),
            wrapping,
            parameters: parameters.collect(),
            ignored: 0,
            answer: Value::Null,
        }
    }

    /// The parameters, to be translated again. A file has its size only: it is all zeros.
    pub fn arguments(&self) -> Arguments {
        let mut arguments = Arguments::default();
        for (name, value) in &self.parameters {
            let argument = match value {
                Value::String(text) => Argument::Text(text.clone()),
                Value::Object(_) => Argument::File(File {
                    name: None,
                    bytes: vec![0; file_size(value)].into(),
                }),
                other => Argument::Text(other.to_string()),
            };
            arguments.add(name.as_str(), argument);
        }
        arguments
    }
}

/// Larger files are not made up again: v1 took pictures of 2 MiB.
const LARGEST_FILE: usize = 8 << 20;

fn file_size(value: &Value) -> usize {
    let bytes = value.pointer("/file/bytes").and_then(Value::as_u64);
    let bytes = bytes.and_then(|bytes| usize::try_from(bytes).ok());
    bytes.unwrap_or_default().min(LARGEST_FILE)
}

impl V2Exchange {
    /// A call as it was made, not yet redacted.
    pub fn new(call: &str, request: &V2Request, outcome: &Outcome, micros: u64) -> Self {
        let (kind, status) = OutcomeKind::of(outcome);
        let answer = match outcome {
            Outcome::Answered { body, .. } => body.as_ref().map(|body| body.json().to_value()),
            _ => None,
        };
        Self {
            call: call.to_owned(),
            method: request.method.as_str().to_owned(),
            path: request.path.clone(),
            query: request.query.clone(),
            body: body(&request.body),
            outcome: kind,
            status,
            answer,
            micros,
        }
    }

    /// What the translation is told when the recorded answer stands in for v2.
    pub fn outcome(&self) -> Outcome {
        match (self.outcome, self.status) {
            (OutcomeKind::Answered, Some(status)) => Outcome::Answered {
                status,
                body: self.answer.clone().map(Document::from),
            },
            (OutcomeKind::Unreadable, Some(status)) => Outcome::Unreadable { status },
            (OutcomeKind::Refused, _) => Outcome::Refused,
            (OutcomeKind::Limited, _) => Outcome::Limited,
            _ => Outcome::NoAnswer { maybe_done: false },
        }
    }

    /// True if the request changes nothing.
    pub fn is_read(&self) -> bool {
        self.method == Method::Get.as_str()
    }
}

pub(crate) fn body(body: &Body) -> Option<Value> {
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

/// A moment as records have it; `millis` since 1970.
pub fn moment(millis: i64) -> String {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000)
        .ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_default()
}
