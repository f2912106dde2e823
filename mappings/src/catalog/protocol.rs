//! What all v1 operations share: credentials, spellings, errors and the choices of a site.

use std::collections::BTreeMap;

use super::operation::OptionValue;
use crate::{exchange::V1Error, template::Template};

/// How v1 was spoken.
#[derive(Debug)]
pub struct Protocol {
    /// The first path segment of every v1 URL: `v1`.
    pub prefix: String,
    /// Where v1 was served besides: `api/v1`.
    pub other_prefixes: Vec<String>,
    /// The parameter that names the caller.
    pub key: String,
    /// The parameter that proves who the caller is.
    pub secret: String,
    /// The parameter that chooses between JSON and XML.
    pub format: String,
    /// Members that name a person, in v1 or v2, in lower case; records may have pseudonyms there.
    pub personal: Vec<String>,
    /// A member or parameter that has one of these in its name is a secret, unless the catalog has a
    /// field of that name; in lower case.
    pub secret_words: Vec<String>,
    /// What tells of a secret in source code, besides, where names are shorter; in lower case.
    pub secret_words_in_code: Vec<String>,
    pub(crate) bool_true: Vec<String>,
    pub(crate) bool_false: Vec<String>,
    pub(crate) media_types: Vec<(String, Vec<u8>)>,
    pub(crate) errors: BTreeMap<String, NamedError>,
    /// The kinds of subjects.
    pub(crate) kinds: Vec<String>,
}

/// An error that the shim itself answers.
#[derive(Debug)]
pub struct NamedError {
    /// v1's number.
    pub code: i64,
    /// The HTTP status: 200 as v1 had it, but for the few that never reach an operation.
    pub status: u16,
    /// The text, with placeholders.
    pub message: Template,
    /// Where the wording comes from.
    pub source: String,
}

/// Whom or what operations are about, and whose ids stand in v2's paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Its name in the catalog, and the placeholder of its id in the texts of errors: `user`.
    pub kind: String,
    /// Its name in v2's paths: `userId`.
    pub placeholder: String,
    /// What a sentence calls it.
    pub noun: String,
    /// The name of the error for an id that names none.
    pub unknown: String,
    /// Ids that v2 takes for something else, in lower case.
    pub reserved: Vec<String>,
    /// An id may be a uuid, which v2's paths want encoded twice if it begins with `/` or has `//`.
    pub uuid: bool,
}

impl Subject {
    /// True if v2 takes the id for something else.
    pub(crate) fn is_reserved(&self, id: &str) -> bool {
        !self.reserved.is_empty() && self.reserved.contains(&id.to_lowercase())
    }
}

/// How an error of v2 is said in v1's words.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The HTTP status.
    pub status: Option<u16>,
    /// v2's code; any if empty.
    pub codes: Vec<i64>,
    /// A part of v2's message.
    pub message: Option<String>,
    /// v2 names the fields that it refuses.
    pub fields: bool,
    /// What v1 says.
    pub answer: RuleAnswer,
    /// Where the wording comes from.
    pub source: Option<String>,
}

/// What v1 says.
#[derive(Clone, Debug)]
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

impl Rule {
    pub(crate) fn fits(&self, status: u16, code: Option<i64>, message: &str, fields: bool) -> bool {
        self.status.is_none_or(|wanted| wanted == status)
            && (self.codes.is_empty() || code.is_some_and(|code| self.codes.contains(&code)))
            && self
                .message
                .as_ref()
                .is_none_or(|part| message.contains(part))
            && (!self.fields || fields)
    }

    /// True if every error that fits `other` fits this rule too.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        (self.status.is_none() || self.status == other.status)
            && (self.codes.is_empty()
                || (!other.codes.is_empty()
                    && other.codes.iter().all(|code| self.codes.contains(code))))
            && match (&self.message, &other.message) {
                (None, _) => true,
                (Some(mine), Some(theirs)) => theirs.contains(mine),
                (Some(_), None) => false,
            }
            && (!self.fields || other.fields)
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

    pub(crate) fn catalog_name(self) -> &'static str {
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

/// The names of the errors that the core answers; the catalog must have them all.
pub(crate) const CORE_ERRORS: [&str; 14] = [
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
        self.media_types
            .iter()
            .find(|(_, magic)| bytes.starts_with(magic))
            .map(|(name, _)| name.as_str())
    }
}

fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// Something that a site may choose.
#[derive(Debug)]
pub struct OptionRule {
    /// The choices; empty for a switch or a number.
    pub values: Vec<String>,
    /// Smallest and largest number, if it is one.
    pub range: Option<(i64, i64)>,
    /// What holds if the site says nothing.
    pub default: OptionValue,
    /// What it is about.
    pub about: String,
}

/// A site's choices, complete and checked; see [`crate::Catalog::options`].
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Options(pub(crate) BTreeMap<String, OptionValue>);

impl OptionRule {
    /// True if a site may choose this.
    pub(crate) fn takes(&self, value: &OptionValue) -> bool {
        match value {
            OptionValue::Switch(_) => self.values.is_empty() && self.range.is_none(),
            OptionValue::Number(number) => {
                let range = self.range;
                range.is_some_and(|(least, most)| (least..=most).contains(number))
            }
            OptionValue::Choice(choice) => self.values.contains(choice),
        }
    }
}

impl Options {
    /// The number that was chosen for an option.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        match self.get(name)? {
            OptionValue::Number(number) => Some(*number),
            OptionValue::Switch(_) | OptionValue::Choice(_) => None,
        }
    }

    /// The choice for an option.
    pub fn get(&self, name: &str) -> Option<&OptionValue> {
        self.0.get(name)
    }

    /// The same with another choice for an option.
    #[must_use]
    pub fn with(mut self, name: &str, value: OptionValue) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }

    /// All choices by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &OptionValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}
