//! Requests, responses and errors of both APIs, as the core receives and returns them.

use std::{collections::HashSet, fmt, sync::Arc};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::document::Document;

/// v1 parameter as sent by the client, before its type is known.
#[derive(Clone, PartialEq, Eq)]
pub enum Argument {
    /// Text of a form field, a query parameter, a JSON member or a multipart part.
    Text(String),
    /// A multipart part that carried a file name, or a percent-encoded file.
    File(File),
}

/// An uploaded file.
#[derive(Clone, PartialEq, Eq)]
pub struct File {
    /// The file name that the client gave, if any; never used as a path.
    pub name: Option<String>,
    /// The content.
    pub bytes: Bytes,
}

/// Parameters of a v1 request, in request order. Names are unique, except for names with brackets,
/// which mark lists.
///
/// `Debug` shows names only, because any value may be a secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Arguments(Vec<(String, Argument)>);

impl Arguments {
    /// Adds a parameter. The first value of a name wins, as in v1's Java servlets, where the query
    /// string precedes the body. All values of a name with brackets, such as `ids[]`, are kept.
    pub fn add(&mut self, name: impl Into<String>, value: Argument) {
        let name = name.into();
        if name.ends_with(']') || self.get(&name).is_none() {
            self.0.push((name, value));
        }
    }

    /// The value of a parameter.
    pub fn get(&self, name: &str) -> Option<&Argument> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    }

    /// The value of a text parameter.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some(Argument::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Removes a parameter.
    pub fn remove(&mut self, name: &str) -> Option<Argument> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(at).1)
    }

    /// Removes all parameters `name[…]`; returns the brackets and the value of each.
    pub(crate) fn remove_bracketed(&mut self, name: &str) -> Vec<(String, Argument)> {
        let brackets = |known: &str| {
            let rest = known.strip_prefix(name)?;
            (rest.starts_with('[') && rest.ends_with(']')).then(|| rest.to_owned())
        };
        if !self.0.iter().any(|(known, _)| brackets(known).is_some()) {
            return Vec::new();
        }
        let mut taken = Vec::new();
        for (known, value) in std::mem::take(&mut self.0) {
            match brackets(&known) {
                Some(rest) => taken.push((rest, value)),
                None => self.0.push((known, value)),
            }
        }
        taken
    }

    /// The names, deduplicated.
    pub(crate) fn into_names(self) -> Vec<String> {
        let mut names: Vec<String> = self.0.into_iter().map(|(name, _)| name).collect();
        let mut seen = HashSet::new();
        names.retain(|name| seen.insert(name.clone()));
        names
    }

    /// All parameters in request order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Argument)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// True if there are no parameters.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Arguments {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut arguments = Self::default();
        for (name, value) in pairs {
            arguments.add(name, Argument::Text(value.into()));
        }
        arguments
    }
}

impl fmt::Debug for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text(…)",
            Self::File(_) => "File(…)",
        })
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "File({} bytes)", self.bytes.len())
    }
}

impl fmt::Debug for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

/// HTTP method used by v2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// `DELETE`
    Delete,
    /// `GET`
    Get,
    /// `PATCH`
    Patch,
    /// `POST`
    Post,
    /// `PUT`
    Put,
}

impl Method {
    /// The method as in a request line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "DELETE",
            Self::Get => "GET",
            Self::Patch => "PATCH",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }

    /// True for `GET`.
    pub fn is_read(self) -> bool {
        self == Self::Get
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// v2's rate label: the class of rate limit that a call counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RateLabel {
    /// Limited per second.
    Light,
    /// Limited per second, lower.
    Medium,
    /// Limited per second, lowest.
    Heavy,
    /// Limited per minute.
    ResourceIntensive,
}

impl RateLabel {
    /// All labels.
    pub const ALL: [Self; 4] = [
        Self::Light,
        Self::Medium,
        Self::Heavy,
        Self::ResourceIntensive,
    ];

    /// Name in v2's documentation and the catalog.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Medium => "medium",
            Self::Heavy => "heavy",
            Self::ResourceIntensive => "resource-intensive",
        }
    }
}

/// v2 request, relative to the v2 base URL.
///
/// `Debug` omits the query and the body, which may contain a password or an address.
#[derive(Clone, PartialEq)]
pub struct V2Request {
    /// The method.
    pub method: Method,
    /// Path below the v2 base URL, percent-encoded, with a leading slash: `/users/a%40b.c`.
    pub path: String,
    /// Query parameters in order, not yet encoded.
    pub query: Vec<(String, String)>,
    /// The body.
    pub body: Body,
    /// Path with placeholders, as in v2's documentation: `/users/{userId}`. Safe in logs and
    /// metrics.
    pub template: Arc<str>,
    /// v2's rate label.
    pub label: RateLabel,
}

/// The body of a v2 request.
#[derive(Clone, PartialEq)]
pub enum Body {
    /// No body.
    None,
    /// `application/json`.
    Json(Value),
    /// `multipart/form-data` with one file part.
    File {
        /// The name of the part.
        part: String,
        /// The media type of the part, detected from the bytes.
        media_type: String,
        /// The content of the part.
        file: File,
    },
}

impl fmt::Debug for V2Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "V2Request({} {})", self.method, self.template)
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Json(_) => "Json(…)",
            Self::File { .. } => "File(…)",
        })
    }
}

/// The outcome of one v2 request.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// v2 answered.
    Answered {
        /// The HTTP status.
        status: u16,
        /// The body as JSON; `None` if it was empty. A body that is not JSON is
        /// [`Outcome::Unreadable`].
        body: Option<Document>,
    },
    /// A response that is not from v2's API: its body is not JSON, or incomplete.
    Unreadable {
        /// The HTTP status.
        status: u16,
    },
    /// No response arrived.
    NoAnswer {
        /// True if v2 may have processed the request, because at least part of it was sent.
        maybe_done: bool,
    },
    /// v2 rejected the shim's credentials, even with a new token; or no token was available.
    Refused,
    /// v2's rate limit was still exceeded at the caller's deadline.
    Limited,
}

/// A v1 error. [`fmt::Display`] gives the message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct V1Error {
    /// v1's error code, as in the body; it is not the HTTP status.
    pub code: i64,
    /// The message, which clients may match by substrings.
    pub message: String,
}

/// Loss: a parameter that v2 does not support, or a field missing from the response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The kind of loss.
    pub kind: WarningKind,
    /// The v1 parameter, or the fields of the response, separated by commas.
    pub field: String,
    /// The effect and its reason, as one sentence without values.
    pub reason: String,
}

impl Warning {
    pub(crate) fn not_honoured(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            kind: WarningKind::NotHonoured,
            field: field.into(),
            reason: reason.into(),
        }
    }

    pub(crate) fn left_out(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            kind: WarningKind::LeftOut,
            ..Self::not_honoured(field, reason)
        }
    }

    pub(crate) fn guessed(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            kind: WarningKind::Guessed,
            ..Self::not_honoured(field, reason)
        }
    }

    pub(crate) fn unreadable(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            kind: WarningKind::Unreadable,
            ..Self::not_honoured(field, reason)
        }
    }
}

/// Reason why a response differs from v1's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WarningKind {
    /// A parameter that v2 does not support.
    NotHonoured,
    /// Fields omitted from the response by an option.
    LeftOut,
    /// Fields that could not be read from v2 in this request.
    Unreadable,
    /// An assumption about a parameter: its charset was not declared, or an object that matches it
    /// counts as created by an earlier request.
    Guessed,
}

/// Result of one v1 request.
#[derive(Clone, Debug, PartialEq)]
pub struct V1Answer {
    /// The v1 response, or the v1 error.
    pub result: Result<V1Object, V1Error>,
    /// Losses, as warnings.
    pub warnings: Vec<Warning>,
}

/// Members of a v1 response in v1's order, as serialized JSON.
#[derive(Clone, PartialEq, Eq)]
pub struct V1Object(Bytes);

impl V1Object {
    /// `json` is a JSON object.
    pub(crate) fn written(json: Vec<u8>) -> Self {
        Self(json.into())
    }

    /// The JSON text.
    pub fn json(&self) -> &Bytes {
        &self.0
    }

    /// The members, parsed again.
    pub fn members(&self) -> Map<String, Value> {
        // It was written as an object.
        serde_json::from_slice(&self.0).unwrap_or_default()
    }
}

impl From<&Map<String, Value>> for V1Object {
    fn from(members: &Map<String, Value>) -> Self {
        // A map of JSON values always serialises.
        Self(serde_json::to_vec(members).unwrap_or_default().into())
    }
}

/// Names only, because any value may be a secret.
impl fmt::Debug for V1Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.members().keys()).finish()
    }
}
