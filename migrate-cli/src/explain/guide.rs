//! What no mapping says: words of the protocol, and what people do about errors.

use std::sync::LazyLock;

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

/// Something worth knowing about a name.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Guide {
    /// The names that it is about.
    pub(crate) names: Vec<String>,
    /// What that is, if nothing else has the name.
    #[serde(default)]
    pub(crate) title: String,
    /// What to know, in paragraphs.
    pub(crate) text: Vec<String>,
    /// The names of other pages.
    #[serde(default)]
    pub(crate) see: Vec<String>,
}

impl Guide {
    /// What is known about a name in any case.
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        let is_it = |known: &String| known.eq_ignore_ascii_case(name);
        GUIDE
            .topic
            .iter()
            .find(|guide| guide.names.iter().any(is_it))
    }

    /// All names.
    pub(crate) fn names<'a>() -> impl Iterator<Item = &'a str> {
        { GUIDE.topic.iter() }.flat_map(|guide| guide.names.iter().map(String::as_str))
    }
}

/// A word of the protocol.
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

/// The errors with a number, v1's or v2's.
#[derive(Debug, Serialize)]
pub(crate) struct ErrorPage<'a> {
    schema: u32,
    kind: &'static str,
    pub(crate) code: i64,
    pub(crate) guide: Option<&'static Guide>,
    pub(crate) errors: Vec<KnownError<'a>>,
}

/// An error and the operations that answer it.
#[derive(Debug, Serialize)]
pub(crate) struct KnownError<'a> {
    /// v1's number; `None` for v2's own.
    pub(crate) code: Option<i64>,
    pub(crate) message: Option<String>,
    /// Only some operations answer it.
    #[serde(skip)]
    is_own: bool,
    pub(crate) causes: Vec<String>,
    /// The operations that answer it; any may if empty.
    pub(crate) operations: Vec<&'a str>,
}

impl<'a> ErrorPage<'a> {
    /// The page of a number; `None` if no error has it.
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
        // Those that the shim answers before an operation begins.
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
