//! Knowledge beyond the mappings: protocol terms and hints for errors.

use std::{collections::BTreeMap, sync::LazyLock};

use mappings::Catalog;
use serde::{Deserialize, Serialize};

use super::{
    OperationPage, SCHEMA,
    errors::{Cause, ErrorEntry, ErrorScope},
};

static GUIDE: LazyLock<Shape> =
    LazyLock::new(|| toml::from_str(include_str!("guide.toml")).unwrap_or_default());

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    #[serde(default)]
    topic: Vec<Guide>,
}

/// Guide text for one or more names.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Guide {
    /// Names it is found under.
    pub(crate) names: Vec<String>,
    /// Parts of messages that people look up, in lower case.
    #[serde(default, skip_serializing)]
    says: Vec<String>,
    /// Sentences for the pages of operations that take a parameter, by its name.
    #[serde(default, skip_serializing)]
    hints: BTreeMap<String, String>,
    /// Title, if the name is neither an operation nor a field.
    #[serde(default)]
    pub(crate) title: String,
    /// Paragraphs.
    pub(crate) text: Vec<String>,
    /// Related pages.
    #[serde(default)]
    pub(crate) see: Vec<String>,
}

impl Guide {
    /// Finds a guide by name, ignoring case.
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        let is_it = |known: &String| known.eq_ignore_ascii_case(name);
        GUIDE
            .topic
            .iter()
            .find(|guide| guide.names.iter().any(is_it))
    }

    /// Finds the name of the guide whose message a text quotes.
    pub(crate) fn quoted(text: &str) -> Option<&'static str> {
        let text = text.to_lowercase();
        let is_it = |says: &String| text.contains(says.as_str());
        let mut guides = GUIDE.topic.iter();
        let guide = guides.find(|guide| guide.says.iter().any(is_it))?;
        guide.names.first().map(String::as_str)
    }

    /// Sentence for the pages of operations that take a parameter.
    pub(crate) fn hint(parameter: &str) -> Option<&'static str> {
        let mut hints = GUIDE
            .topic
            .iter()
            .filter_map(|guide| guide.hints.get(parameter));
        hints.next().map(String::as_str)
    }

    pub(crate) fn names<'a>() -> impl Iterator<Item = &'a str> {
        { GUIDE.topic.iter() }.flat_map(|guide| guide.names.iter().map(String::as_str))
    }
}

/// Page of a protocol term.
#[derive(Debug, Serialize)]
pub(crate) struct WordPage {
    schema: u32,
    kind: &'static str,
    pub(crate) name: String,
    #[serde(flatten)]
    pub(crate) guide: &'static Guide,
}

impl WordPage {
    pub(crate) fn new(name: &str, guide: &'static Guide) -> Self {
        Self {
            schema: SCHEMA,
            kind: "word",
            name: name.to_owned(),
            guide,
        }
    }
}

/// Page of an error code of v1 or v2.
#[derive(Debug, Serialize)]
pub(crate) struct ErrorPage<'a> {
    schema: u32,
    kind: &'static str,
    pub(crate) code: i64,
    pub(crate) guide: Option<&'static Guide>,
    pub(crate) errors: Vec<KnownError<'a>>,
}

/// An error and the operations that return it.
#[derive(Debug, Serialize)]
pub(crate) struct KnownError<'a> {
    /// v1's code; `None` if v2's is passed on.
    pub(crate) code: Option<i64>,
    pub(crate) message: Option<String>,
    /// True if it is specific to some operations.
    #[serde(skip)]
    is_own: bool,
    pub(crate) causes: Vec<String>,
    /// Operations that return it; all if empty.
    pub(crate) operations: Vec<&'a str>,
}

/// Minimum length of a message by which an error is found, in bytes; shorter ones are words.
const MIN_MESSAGE: usize = 8;

impl<'a> ErrorPage<'a> {
    /// Finds the error that a text quotes by its code or its message, as in `403 Forbidden` or
    /// `User not exist: ada@example.com`.
    pub(crate) fn quoted(catalog: &'a Catalog, text: &str) -> Option<Self> {
        let words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
        let mut codes = words.filter(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
        if let Some(page) = codes.find_map(|code| Self::find(catalog, code)) {
            return Some(page);
        }
        let text = text.trim().to_lowercase();
        let mut known: Vec<(i64, String)> = catalog
            .protocol()
            .errors()
            .map(|(_, error)| (error.code, error.message.to_string()))
            .collect();
        for operation in catalog.operations() {
            let errors = OperationPage::new(catalog, operation).errors.into_iter();
            known.extend(errors.filter_map(|error| error.code.zip(error.message)));
        }
        let literals = known.iter().filter_map(|(code, message)| {
            let literal = longest_literal(message);
            let is_quoted = text.contains(&literal)
                || text.len() >= MIN_MESSAGE && literal.contains(text.as_str());
            (literal.len() >= MIN_MESSAGE && is_quoted).then_some((literal.len(), *code))
        });
        let (_, code) = literals.max_by_key(|(length, _)| *length)?;
        Self::find(catalog, &code.to_string())
    }

    /// Finds an error code; `None` if it is unknown.
    pub(crate) fn find(catalog: &'a Catalog, name: &str) -> Option<Self> {
        let code: i64 = name.parse().ok()?;
        let is_it = |error: &ErrorEntry<'_>| {
            let of_v2 = matches!(&error.cause, Cause::V2 { codes, .. } if codes.contains(&code));
            error.code == Some(code) || of_v2
        };
        let mut errors: Vec<KnownError<'a>> = Vec::new();
        for operation in catalog.operations() {
            let page = OperationPage::new(catalog, operation);
            for error in page.errors.into_iter().filter(is_it) {
                let is_own = error.scope == ErrorScope::Operation;
                let cause = error.cause.in_words();
                let same = |known: &&mut KnownError<'_>| {
                    known.is_own == is_own && known.message == error.message
                };
                if !errors.iter_mut().any(|mut known| same(&mut known)) {
                    errors.push(KnownError {
                        code: error.code,
                        message: error.message.clone(),
                        is_own,
                        causes: Vec::new(),
                        operations: Vec::new(),
                    });
                }
                let Some(known) = errors.iter_mut().find(same) else {
                    continue;
                };
                if !known.causes.contains(&cause) {
                    known.causes.push(cause);
                }
                if is_own && !known.operations.contains(&operation.name.as_str()) {
                    known.operations.push(&operation.name);
                }
            }
        }
        // Protocol errors, returned before an operation starts.
        for (_, error) in catalog.protocol().errors() {
            let message = Some(error.message.to_string());
            if error.code == code && errors.iter().all(|known| known.message != message) {
                errors.push(KnownError {
                    code: Some(code),
                    message,
                    is_own: false,
                    causes: vec![error.source.clone()],
                    operations: Vec::new(),
                });
            }
        }
        let guide = Guide::find(name);
        (guide.is_some() || !errors.is_empty()).then_some(Self {
            schema: SCHEMA,
            kind: "error",
            code,
            guide,
            errors,
        })
    }
}

/// The longest part of a message between its placeholders, in lower case.
fn longest_literal(message: &str) -> String {
    let parts = message.split(['{', '}']).step_by(2);
    let is_mark = |letter: char| letter.is_whitespace() || matches!(letter, ':' | '.');
    let longest = parts
        .map(|part| part.trim_matches(is_mark))
        .max_by_key(|part| part.len());
    longest.unwrap_or_default().to_lowercase()
}
