//! What all v1 operations share: credentials, spellings, errors and the choices of a site.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de::Error as _};

use super::error_pattern::ErrorPattern;
pub use super::option::{OptionRule, Options};
use crate::{exchange::V1Error, template::Template};

/// How v1 was spoken.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Protocol {
    /// The first path segment of every v1 URL: `v1`.
    pub prefix: String,
    /// Where v1 was served besides: `api/v1`.
    #[serde(default)]
    pub other_prefixes: Vec<String>,
    /// The parameter that names the caller.
    pub key: String,
    /// The parameter that proves who the caller is.
    pub secret: String,
    /// The parameter that chooses between JSON and XML.
    pub format: String,
    /// Members that name a person, in v1 or v2, in lower case; records may have pseudonyms there.
    #[serde(default)]
    pub personal: Vec<String>,
    /// A member or parameter that has one of these in its name is a secret, unless the catalog has a
    /// field of that name; in lower case.
    pub secret_words: Vec<String>,
    /// More such words for names in source code, which are shorter; in lower case.
    pub secret_words_in_code: Vec<String>,
    pub(crate) bool_true: Vec<String>,
    pub(crate) bool_false: Vec<String>,
    #[serde(rename = "media_type", default)]
    media_types: Vec<MediaType>,
    #[serde(skip)]
    pub(crate) errors: BTreeMap<String, NamedError>,
}

/// A type of pictures.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MediaType {
    name: String,
    /// The first bytes; in the file in hexadecimal, with blanks between.
    #[serde(deserialize_with = "bytes")]
    magic: Vec<u8>,
}

fn bytes<'de, D: Deserializer<'de>>(reader: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(reader)?;
    let bytes = text.split(' ').map(|byte| u8::from_str_radix(byte, 16));
    let bytes: Result<_, _> = bytes.collect();
    bytes.map_err(|_| D::Error::custom("magic is not a list of bytes like `ff d8 ff`"))
}

/// An error that the shim itself answers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedError {
    /// v1's number.
    pub code: i64,
    /// The HTTP status: 200 as v1 had it, but for the few that never reach an operation.
    #[serde(default = "NamedError::ok")]
    pub status: u16,
    /// The text, with placeholders.
    pub message: Template,
    /// Where the wording comes from.
    pub source: String,
}

impl NamedError {
    fn ok() -> u16 {
        200
    }
}

/// Whom or what operations are about, and whose ids stand in v2's paths.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Its name in the catalog, and the placeholder of its id in the texts of errors: `user`.
    #[serde(skip)]
    pub kind: String,
    /// Its name in v2's paths: `userId`.
    pub placeholder: String,
    /// What a sentence calls it.
    pub noun: String,
    /// The name of the error for an id that names none.
    #[serde(default = "Subject::unknown")]
    pub unknown: String,
    /// Ids that v2 takes for something else, in lower case.
    #[serde(default)]
    pub reserved: Vec<String>,
    /// An id may be a uuid, which v2's paths want encoded twice if it begins with `/` or has `//`.
    #[serde(default)]
    pub uuid: bool,
}

impl Subject {
    /// True if v2 takes the id for something else.
    pub(crate) fn is_reserved(&self, id: &str) -> bool {
        !self.reserved.is_empty() && self.reserved.contains(&id.to_lowercase())
    }

    fn unknown() -> String {
        PARAMETER_INVALID.to_owned()
    }
}

/// Maps errors of v2 to one of v1.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "RuleShape")]
pub struct Rule {
    /// v2's errors.
    pub v2: ErrorPattern,
    /// What v1 says.
    pub answer: RuleAnswer,
    /// Where the wording comes from.
    pub source: Option<String>,
}

/// What v1 says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleAnswer {
    /// A named error.
    Named(String),
    /// A number and a text; v2's own where left out.
    Said {
        /// v1's number.
        code: Option<i64>,
        /// v1's text, with placeholders.
        message: Option<Template>,
    },
}

/// A rule as it is written.
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
            return Err("the rule fits every error: say which status, code or message it is for");
        }
        let answer = match (v1.error, v1.code, v1.message) {
            (Some(name), None, None) => RuleAnswer::Named(name),
            (None, code, message) => RuleAnswer::Said { code, message },
            _ => return Err("a named error brings its own code and message"),
        };
        Ok(Self { v2, answer, source })
    }
}

/// The errors that the shim answers before an operation begins, or instead of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    /// The body cannot be read; says why.
    BodyUnreadable,
    /// The body is larger than allowed.
    BodyTooLarge,
    /// No key, or no secret.
    CredentialsMissing,
    /// Unknown key, or wrong secret.
    CredentialsWrong,
    /// The shim failed.
    Internal,
    /// Another method than POST.
    MethodNotAllowed,
    /// The caller may not use the operation; names it.
    OperationNotAllowed,
    /// v1 had no such operation.
    OperationUnknown,
    /// The shim has too much to do.
    Overloaded,
    /// A parameter that cannot be understood; names it.
    ParameterInvalid,
}

impl ProtocolError {
    /// All of them.
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

/// What the error of a brownout says.
#[derive(Clone, Copy, Debug)]
pub struct Brownout<'a> {
    /// The operation.
    pub operation: &'a str,
    /// The v2 requests that replace it.
    pub replacement: &'a str,
    /// When v1 is back: `2027-03-01T10:15:00Z`.
    pub until: &'a str,
    /// The day on which v1 ends.
    pub day: &'a str,
    /// Where to read what to do instead.
    pub link: &'a str,
}

/// The names of the errors that the core answers; the catalog must have them all.
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
/// The error of every operation while v1 is off on purpose.
pub(crate) const BROWNOUT: &str = "brownout";
/// The error of a parameter that v2 cannot honour, in strict mode.
pub const NOT_HONOURED: &str = "not_honoured";
/// The error of a list of more pages than are read.
pub(crate) const LIST_TOO_LONG: &str = "list_too_long";
pub(crate) const NOT_SERVED: &str = "operation_not_served";
pub(crate) const OVERLOADED: &str = "overloaded";
/// The error of a parameter that cannot be read, or is out of its range.
pub const PARAMETER_INVALID: &str = "parameter_invalid";
/// The error of a required parameter that is absent.
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
    /// Where v1 was served: the prefix and the other ones.
    pub fn prefixes(&self) -> impl Iterator<Item = &str> {
        let prefixes = std::iter::once(&self.prefix).chain(&self.other_prefixes);
        prefixes.map(String::as_str)
    }

    /// An error and its HTTP status. `detail` fills the one placeholder that the text may have:
    /// the operation, the parameter or the reason.
    pub fn error(&self, error: ProtocolError, detail: &str) -> (u16, V1Error) {
        (
            self.status(error),
            self.named(error.catalog_name(), &|_| Some(detail.to_owned())),
        )
    }

    /// The error of an operation while v1 is off on purpose.
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

    /// The error of a write whose outcome is unknown, because no answer came.
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
            // The catalog is checked for the names that code uses.
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

    /// The names of all errors that an operation or the shim can answer, with their texts.
    pub fn errors(&self) -> impl Iterator<Item = (&str, &NamedError)> {
        self.errors
            .iter()
            .map(|(name, error)| (name.as_str(), error))
    }

    /// A v1 boolean in one of its spellings.
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

    /// The media type of a picture, read off its first bytes.
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
