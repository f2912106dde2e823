//! Knowledge beyond the mappings: protocol terms and hints for errors.

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

/// Guide text for one or more names.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Guide {
    /// Names it is found under.
    pub(crate) names: Vec<String>,
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

impl<'a> ErrorPage<'a> {
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
