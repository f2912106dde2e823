//! Rules shared by all v1 operations: credentials, spellings and errors.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de::Error as _};

use super::error_pattern::ErrorPattern;
pub use super::option::{OptionRule, Options};
use crate::{exchange::V1Error, template::Template};

/// Properties of the v1 protocol.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Protocol {
    /// First path segment of v1 URLs: `v1`.
    pub prefix: String,
    /// Alternative prefixes: `api/v1`.
    #[serde(default)]
    pub other_prefixes: Vec<String>,
    /// Parameter with the API key.
    pub key: String,
    /// Parameter with the API secret.
    pub secret: String,
    /// Parameter that selects JSON or XML.
    pub format: String,
    /// Members of v1 or v2 that contain a person's name, in lower case; recordings pseudonymize
    /// them.
    #[serde(default)]
    pub personal: Vec<String>,
    /// Lower-case words that mark a member or parameter as a secret when its name contains one,
    /// unless the catalog has a field with that name.
    pub secret_words: Vec<String>,
    /// Additional words for names in source code, in lower case.
    pub secret_words_in_code: Vec<String>,
    pub(crate) bool_true: Vec<String>,
    pub(crate) bool_false: Vec<String>,
    #[serde(rename = "media_type", default)]
    media_types: Vec<MediaType>,
    #[serde(skip)]
    pub(crate) errors: BTreeMap<String, NamedError>,
}

/// Image media type.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MediaType {
    name: String,
    /// Signature at the start of the file; hexadecimal bytes separated by blanks in TOML.
    #[serde(deserialize_with = "bytes")]
    magic: Vec<u8>,
}

fn bytes<'de, D: Deserializer<'de>>(reader: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(reader)?;
    let bytes = text.split(' ').map(|byte| u8::from_str_radix(byte, 16));
    let bytes: Result<_, _> = bytes.collect();
    bytes.map_err(|_| D::Error::custom("magic is not a list of bytes like `ff d8 ff`"))
}

/// Error that the shim itself returns.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedError {
    /// v1 error code.
    pub code: i64,
    /// HTTP status: 200 as in v1, except for requests that never reach an operation.
    #[serde(default = "NamedError::ok")]
    pub status: u16,
    /// Message with placeholders.
    pub message: Template,
    /// Origin of the wording.
    pub source: String,
}

impl NamedError {
    fn ok() -> u16 {
        200
    }
}

/// Kind of object that operations act on and whose id is part of v2 paths.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Catalog name, also the placeholder of its id in error texts: `user`.
    #[serde(skip)]
    pub kind: String,
    /// Placeholder in v2 paths: `userId`.
    pub placeholder: String,
    /// Noun for messages.
    pub noun: String,
    /// Named error for an unknown id.
    #[serde(default = "Subject::unknown")]
    pub unknown: String,
    /// Ids with a special meaning in v2, in lower case.
    #[serde(default)]
    pub reserved: Vec<String>,
    /// Ids may be UUIDs, which v2 requires to be percent-encoded twice in paths if they begin with
    /// `/` or contain `//`.
    #[serde(default)]
    pub uuid: bool,
}

impl Subject {
    /// True if the id has a special meaning in v2.
    pub(crate) fn is_reserved(&self, id: &str) -> bool {
        !self.reserved.is_empty() && self.reserved.contains(&id.to_lowercase())
    }

    fn unknown() -> String {
        PARAMETER_INVALID.to_owned()
    }
}

/// Maps v2 errors to a v1 error.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "RuleShape")]
pub struct Rule {
    /// Matching v2 errors.
    pub v2: ErrorPattern,
    /// v1 error.
    pub answer: RuleAnswer,
    /// Origin of the wording.
    pub source: Option<String>,
}

/// v1 error of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleAnswer {
    /// Named error.
    Named(String),
    /// Code and message; those of v2 where `None`.
    Said {
        /// v1 error code.
        code: Option<i64>,
        /// v1 message, with placeholders.
        message: Option<Template>,
    },
}

/// TOML form of a rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleShape {
    v2: ErrorPattern,
    v1: AnswerShape,
    source: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerShape {
    code: Option<i64>,
    message: Option<Template>,
    error: Option<String>,
}

impl TryFrom<RuleShape> for Rule {
    type Error = &'static str;

    fn try_from(shape: RuleShape) -> Result<Self, Self::Error> {
        let RuleShape { v2, v1, source } = shape;
        if v2.is_any() {
            return Err("the rule matches every error: set a status, code or message");
        }
        let answer = match (v1.error, v1.code, v1.message) {
            (Some(name), None, None) => RuleAnswer::Named(name),
            (None, code, message) => RuleAnswer::Said { code, message },
            _ => return Err("a named error has its own code and message"),
        };
        Ok(Self { v2, answer, source })
    }
}

/// Errors returned before an operation starts, or instead of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    /// Unreadable body; the detail is the reason.
    BodyUnreadable,
    /// Body above the size limit.
    BodyTooLarge,
    /// Missing key or secret.
    CredentialsMissing,
    /// Unknown key or wrong secret.
    CredentialsWrong,
    /// Internal failure of the shim.
    Internal,
    /// HTTP method other than POST.
    MethodNotAllowed,
    /// Operation not allowed for the caller; the detail is its name.
    OperationNotAllowed,
    /// Unknown operation.
    OperationUnknown,
    /// Too many concurrent requests.
    Overloaded,
    /// Unreadable parameter; the detail is its name.
    ParameterInvalid,
}

impl ProtocolError {
    /// All variants.
    pub const ALL: [Self; 10] = [
        Self::BodyUnreadable,
        Self::BodyTooLarge,
        Self::CredentialsMissing,
        Self::CredentialsWrong,
        Self::Internal,
        Self::MethodNotAllowed,
        Self::OperationNotAllowed,
        Self::OperationUnknown,
        Self::Overloaded,
        Self::ParameterInvalid,
    ];

    /// Its name in the catalog.
    pub fn catalog_name(self) -> &'static str {
        match self {
            Self::BodyUnreadable => "body_unreadable",
            Self::BodyTooLarge => "body_too_large",
            Self::CredentialsMissing => "credentials_missing",
            Self::CredentialsWrong => "credentials_wrong",
            Self::Internal => "internal",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::OperationNotAllowed => "operation_not_allowed",
            Self::OperationUnknown => "operation_unknown",
            Self::Overloaded => "overloaded",
            Self::ParameterInvalid => "parameter_invalid",
        }
    }
}

/// Placeholder values for the brownout error.
#[derive(Clone, Copy, Debug)]
pub struct Brownout<'a> {
    /// Name of the operation.
    pub operation: &'a str,
    /// v2 requests that replace it.
    pub replacement: &'a str,
    /// End of the brownout: `2027-03-01T10:15:00Z`.
    pub until: &'a str,
    /// Shutdown date of v1.
    pub day: &'a str,
    /// Link to migration instructions.
    pub link: &'a str,
}

/// Names of the errors that the core returns; the catalog must declare all of them.
pub(crate) const CORE_ERRORS: [&str; 15] = [
    BROWNOUT,
    NOT_HONOURED,
    NOT_SERVED,
    LIST_TOO_LONG,
    PARAMETER_INVALID,
    PARAMETER_MISSING,
    REFUSED,
    UNFINISHED,
    UNREACHABLE_READ,
    UNREACHABLE_WRITE,
    UNREADABLE,
    UNREADABLE_WRITE,
    UNEXPLAINED,
    PAGE_NOT_REACHED,
    REFUSED_LATER,
];
/// Error of every operation during a brownout.
pub(crate) const BROWNOUT: &str = "brownout";
/// Error for a parameter that v2 does not support, in strict mode.
pub const NOT_HONOURED: &str = "not_honoured";
/// Error for a list with more pages than the limit.
pub(crate) const LIST_TOO_LONG: &str = "list_too_long";
pub(crate) const NOT_SERVED: &str = "operation_not_served";
pub(crate) const OVERLOADED: &str = "overloaded";
/// Error for a parameter that is unreadable or out of range.
pub const PARAMETER_INVALID: &str = "parameter_invalid";
/// Error for a missing required parameter.
pub const PARAMETER_MISSING: &str = "parameter_missing";
pub(crate) const REFUSED: &str = "refused";
pub(crate) const UNFINISHED: &str = "unfinished";
pub(crate) const UNREACHABLE_READ: &str = "unreachable_read";
pub(crate) const UNREACHABLE_WRITE: &str = "unreachable_write";
pub(crate) const UNREADABLE: &str = "unreadable";
pub(crate) const UNREADABLE_WRITE: &str = "unreadable_write";
pub(crate) const UNEXPLAINED: &str = "unexplained";
pub(crate) const PAGE_NOT_REACHED: &str = "page_not_reached";
pub(crate) const REFUSED_LATER: &str = "refused_later";

impl Protocol {
    /// All URL prefixes of v1.
    pub fn prefixes(&self) -> impl Iterator<Item = &str> {
        let prefixes = std::iter::once(&self.prefix).chain(&self.other_prefixes);
        prefixes.map(String::as_str)
    }

    /// An error with its HTTP status. `detail` fills the only placeholder that the message may
    /// have: the operation, the parameter or the reason.
    pub fn error(&self, error: ProtocolError, detail: &str) -> (u16, V1Error) {
        (
            self.status(error),
            self.named(error.catalog_name(), &|_| Some(detail.to_owned())),
        )
    }

    /// Error of an operation during a brownout.
    pub fn brownout(&self, told: Brownout<'_>) -> V1Error {
        self.named(BROWNOUT, &|placeholder| {
            let text = match placeholder {
                "operation" => told.operation,
                "replacement" => told.replacement,
                "until" => told.until,
                "day" => told.day,
                "link" => told.link,
                _ => return None,
            };
            Some(text.to_owned())
        })
    }

    /// Error of a write whose outcome is unknown because no response arrived.
    pub fn unknown_outcome(&self) -> V1Error {
        self.named(UNREACHABLE_WRITE, &|_| None)
    }

    fn status(&self, error: ProtocolError) -> u16 {
        self.errors
            .get(error.catalog_name())
            .map_or(200, |named| named.status)
    }

    /// A named error with its placeholders filled.
    pub(crate) fn named(&self, name: &str, fill: &dyn Fn(&str) -> Option<String>) -> V1Error {
        match self.errors.get(name) {
            Some(named) => V1Error {
                code: named.code,
                message: named.message.fill_lossy(fill),
            },
            // Unreachable: the loader checks that all names used in code exist.
            None => V1Error {
                code: 0,
                message: name.to_owned(),
            },
        }
    }

    pub(crate) fn parameter_error(&self, name: &str, parameter: &str) -> V1Error {
        self.named(name, &|placeholder| match placeholder {
            "name" => Some(parameter.to_owned()),
            "Name" => Some(capitalised(parameter)),
            _ => None,
        })
    }

    /// All named errors.
    pub fn errors(&self) -> impl Iterator<Item = (&str, &NamedError)> {
        self.errors
            .iter()
            .map(|(name, error)| (name.as_str(), error))
    }

    /// Parses a v1 boolean.
    pub(crate) fn bool(&self, text: &str) -> Option<bool> {
        let text = text.trim().to_lowercase();
        if self.bool_true.contains(&text) {
            Some(true)
        } else if self.bool_false.contains(&text) {
            Some(false)
        } else {
            None
        }
    }

    /// Media type of an image, detected from its signature.
    pub(crate) fn media_type(&self, bytes: &[u8]) -> Option<&str> {
        let mut types = self.media_types.iter();
        let known = types.find(|known| bytes.starts_with(&known.magic));
        known.map(|known| known.name.as_str())
    }
}

fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}
