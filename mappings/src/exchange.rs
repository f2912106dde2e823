//! The values that pass between a v1 client, the core and v2.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::document::Document;

/// One v1 parameter as the client sent it, before its type is known.
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

/// The parameters of one v1 request: each name once, in the order in which they came.
///
/// `Debug` shows names only, because any value may be a secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Arguments(Vec<(String, Argument)>);

impl Arguments {
    /// Adds a parameter, unless one of that name is there already: the first one wins, as it did
    /// with v1's Java servlets, where the query string comes before the body.
    pub fn add(&mut self, name: impl Into<String>, value: Argument) {
        let name = name.into();
        if self.get(&name).is_none() {
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

    /// The value of a parameter that is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some(Argument::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Takes a parameter out.
    pub fn remove(&mut self, name: &str) -> Option<Argument> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(at).1)
    }

    /// All parameters, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Argument)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// True if there is no parameter.
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

/// An HTTP method that v2 uses.
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
    /// The method as it stands in a request line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "DELETE",
            Self::Get => "GET",
            Self::Patch => "PATCH",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }

    /// True if a request of this method changes nothing.
    pub fn is_read(self) -> bool {
        self == Self::Get
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One v2 request, ready to be sent to the v2 base URL.
///
/// `Debug` leaves out the query and the body, which may hold a password or an address.
#[derive(Clone, PartialEq)]
pub struct V2Request {
    /// The method.
    pub method: Method,
    /// The path below the v2 base, percent-encoded, with its leading slash: `/users/a%40b.c`.
    pub path: String,
    /// The query parameters, not yet encoded, in order.
    pub query: Vec<(String, String)>,
    /// The body.
    pub body: Body,
    /// The path with its placeholders, as v2's description names it: `/users/{userId}`. Safe to
    /// log and to count by.
    pub template: Arc<str>,
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
        /// The media type of the part, read off the bytes.
        media_type: String,
        /// What the part carries.
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

/// What became of one v2 request.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// v2 answered.
    Answered {
        /// The HTTP status.
        status: u16,
        /// The body as JSON; `None` if it was empty. What is not JSON is
        /// [`Outcome::Unreadable`].
        body: Option<Document>,
    },
    /// Something answered that is not v2's API: a body that is not JSON, or a broken one.
    Unreadable {
        /// The HTTP status.
        status: u16,
    },
    /// No answer came.
    NoAnswer {
        /// True if v2 may have acted on the request (it was sent, wholly or in part); false if it
        /// surely never left.
        maybe_done: bool,
    },
    /// v2 did not accept the shim's own credentials, also after a new token; or no token was to
    /// be had.
    Refused,
    /// v2's request limit, also after waiting as long as the caller's deadline allowed.
    Limited,
}

/// An error in v1's words. [`fmt::Display`] gives the message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct V1Error {
    /// v1's error number, which is in the body; the HTTP status is another thing.
    pub code: i64,
    /// What the client reads and may match by substrings.
    pub message: String,
}

/// Something that the client asked for and v2 cannot honour, or that its answer should have had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// What kind of thing happened.
    pub kind: WarningKind,
    /// The v1 parameter, or the answer's fields, with commas between.
    pub field: String,
    /// What happened to it and why, as one sentence without values.
    pub reason: String,
}

/// Why a client does not get what v1 would have given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WarningKind {
    /// A parameter that v2 cannot honour.
    NotHonoured,
    /// Fields that the site's choice leaves out of the answer.
    LeftOut,
    /// Fields that could not be had from v2 this time.
    Unreadable,
}

/// The answer to one v1 request.
#[derive(Clone, Debug, PartialEq)]
pub struct V1Answer {
    /// What v1 answered, or v1's error.
    pub result: Result<V1Object, V1Error>,
    /// What could not be honoured.
    pub warnings: Vec<Warning>,
}

/// The members of an answer in v1's order, written down as the JSON that is sent.
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

    /// The members, read back, for whoever looks at them.
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
