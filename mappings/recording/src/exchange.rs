//! The recording format: v1 requests and responses with the v2 calls between them.
//! A recording is a JSON Lines file of [`Exchange`]s. The format is versioned by [`FORMAT`];
//! readers ignore unknown members. A [`Redactor`](crate::Redactor) removes secrets from every
//! exchange before it is written.

use mappings::{
    Argument, Arguments, Document, File, Method, Outcome, Site, V1Answer, V1Error,
    catalog::protocol::Options,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Version of the format; incremented when a member is removed or changes its meaning.
pub const FORMAT: u32 = 1;

/// v1 request and response with the v2 calls in between.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// [`FORMAT`].
    pub format: u32,
    /// Identifies the exchange within its recording.
    pub id: String,
    /// Id of the request in its response and the log; `None` if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// Time of the request: RFC 3339, UTC; empty if unknown.
    #[serde(default)]
    pub at: String,
    /// Duration of the request in microseconds; 0 if unknown.
    #[serde(default)]
    pub micros: u64,
    /// Settings of the site; `None` if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<RecordedSite>,
    /// Recorder settings that caused other exchanges to be omitted; `None` if none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incomplete: Option<String>,
    /// The v1 request and response.
    pub v1: V1Exchange,
    /// The v2 calls, in the order of their responses.
    #[serde(default)]
    pub v2: Vec<V2Exchange>,
}

/// Settings of a site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordedSite {
    /// Strict mode: unsupported parameters are errors.
    pub strict: bool,
    /// Catalog options, defaults included.
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

/// v1 side of an exchange.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct V1Exchange {
    /// The operation: `user/get`.
    pub operation: String,
    /// Encoding of the parameters.
    #[serde(default)]
    pub wrapping: Wrapping,
    /// Parameters of the operation, without credentials. Files are represented as `{"file":
    /// {"bytes": 1024}}`.
    pub parameters: Map<String, Value>,
    /// Number of removed parameters that the operation does not have.
    #[serde(default)]
    pub ignored: usize,
    /// Response as JSON: the members, or `{"error": {"code", "message"}}`.
    pub answer: Value,
}

/// Encoding of a v1 request's parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wrapping {
    /// Query string only.
    Query,
    /// Form body.
    Form,
    /// JSON body.
    Json,
    /// Multipart body.
    Multipart,
    /// Anything else, or unknown.
    #[default]
    Other,
}

/// v2 request and response.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct V2Exchange {
    /// The name of the call in the plan; empty if unknown.
    #[serde(default)]
    pub call: String,
    /// The HTTP method.
    pub method: String,
    /// The path below v2's base, percent-encoded.
    pub path: String,
    /// The query parameters, in order.
    #[serde(default)]
    pub query: Vec<(String, String)>,
    /// The JSON body; a file is represented as `{"file": {"part", "media_type", "bytes"}}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// The outcome: `answered`, `unreadable`, `no_answer`, `refused` or `limited`.
    #[serde(default)]
    pub outcome: OutcomeKind,
    /// The HTTP status, if v2 answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// v2's response as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Value>,
    /// Duration of the call in microseconds.
    #[serde(default)]
    pub micros: u64,
}

/// The outcome of a v2 request; see [`Outcome`].
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
    /// Kind of an outcome, and the HTTP status if v2 responded.
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

/// Reason why a line is not a readable exchange.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Not JSON, or not of this shape.
    #[error("not an exchange: {0}")]
    Shape(#[from] serde_json::Error),
    /// Another version of the format.
    #[error("of format {0}, and this program reads format {FORMAT}")]
    Format(u32),
}

impl Exchange {
    /// Reads a line of a recording.
    ///
    /// # Errors
    ///
    /// If the line is not an exchange, or has another [`FORMAT`].
    pub fn read(line: &str) -> Result<Self, RecordError> {
        let exchange: Self = serde_json::from_str(line)?;
        if exchange.format == FORMAT {
            Ok(exchange)
        } else {
            Err(RecordError::Format(exchange.format))
        }
    }

    /// Writes a line of a recording, without a line break.
    ///
    /// # Errors
    /// None in practice: exchanges always serialize.
    pub fn write(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}

impl V1Exchange {
    /// The unredacted v1 side of an exchange.
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

    /// The unredacted v1 side without a response.
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

    /// The parameters for a new translation. Files have the recorded size and consist of zeros.
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

/// Maximum size of such a file; v1 accepted pictures of up to 2 MiB.
const LARGEST_FILE: usize = 8 << 20;

fn file_size(value: &Value) -> usize {
    let bytes = value.pointer("/file/bytes").and_then(Value::as_u64);
    let bytes = bytes.and_then(|bytes| usize::try_from(bytes).ok());
    bytes.unwrap_or_default().min(LARGEST_FILE)
}

impl V2Exchange {
    /// The outcome for a new translation.
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

    /// True for read-only requests.
    pub fn is_read(&self) -> bool {
        self.method == Method::Get.as_str()
    }
}

/// Formats a time in Unix milliseconds as RFC 3339; empty if out of range.
pub fn moment(millis: i64) -> String {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000)
        .ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_default()
}
