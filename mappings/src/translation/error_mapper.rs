//! Maps v2 failures to v1 errors.

use super::{CallId, Translation, not_honoured, units::Unit, values::plain};
use crate::{
    catalog::{
        GIVEN,
        operation::{Call, PageMode},
        protocol::{
            NOT_HONOURED, OVERLOADED, PAGE_NOT_REACHED, REFUSED, RuleAnswer, UNEXPLAINED,
            UNREACHABLE_READ, UNREACHABLE_WRITE, UNREADABLE, UNREADABLE_WRITE,
        },
    },
    document::{Document, Json},
    exchange::{Outcome, V1Error},
    template::Template,
};

/// Maximum length in bytes of v2 texts in errors and the log.
const MAX_TEXT: usize = 1024;

/// Failed v2 call.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    /// HTTP status, if v2 responded.
    pub status: Option<u16>,
    /// v2's error code, if any.
    pub code: Option<i64>,
    /// v2's message; may be empty.
    pub message: String,
    /// Reason why the response is not accepted as v2's, for the log.
    pub reason: Option<&'static str>,
    /// Error for the client.
    pub error: V1Error,
    /// True if v2 or the shim caused the failure, not the caller.
    pub trouble: bool,
    /// True if v2 may have executed the request nevertheless.
    pub unknown: bool,
    /// True if v2 rejected the request for a permanent reason.
    pub refused: bool,
}

/// Maps failures of a translation's calls to v1 errors.
pub(super) struct ErrorMapper<'t, 'a> {
    pub translation: &'t Translation<'a>,
    /// Failed request.
    pub id: Option<CallId>,
}

impl ErrorMapper<'_, '_> {
    /// The body of a successful response, or the failure.
    pub(super) fn read(&self, call: &Call, outcome: Outcome) -> Result<Option<Document>, Failure> {
        let write = !call.method.is_read();
        match outcome {
            Outcome::Answered {
                status: status @ 200..300,
                body,
            } => match self.hidden_failure(call, status, body.as_ref()) {
                Some(failure) => Err(failure),
                None => Ok(body),
            },
            Outcome::Answered {
                status: status @ 500..,
                ..
            } => Err(Failure {
                status: Some(status),
                ..self.unreachable(write)
            }),
            Outcome::Answered { status, body } => {
                Err(self.api_error(call, status, body.unwrap_or_default().json()))
            }
            Outcome::Unreadable { status } => {
                // A proxy that rejects the request with its own page did not forward it.
                let is_refusal = (400..500).contains(&status) && status != 408;
                Err(self.unreadable(write && !is_refusal, status, "not JSON, or incomplete"))
            }
            Outcome::NoAnswer { maybe_done } => Err(match &self.translation.paging {
                Some(paging) if call.pages.is_some() && paging.has_read_earlier_page() => {
                    self.named(PAGE_NOT_REACHED)
                }
                _ => self.unreachable(write && maybe_done),
            }),
            Outcome::Refused => Err(self.named(REFUSED)),
            Outcome::Limited => Err(self.named(OVERLOADED)),
        }
    }

    /// Detects a 2xx response that lacks required members or is an error in disguise: an object
    /// with an integer `code` and a string `message`.
    fn hidden_failure(&self, call: &Call, status: u16, body: Option<&Document>) -> Option<Failure> {
        let nothing = Document::default();
        let body = body.unwrap_or(&nothing).json();
        let has = |at: &String| {
            let value = body.at(at).filter(|value| !value.is_null());
            value.is_some_and(|value| value.as_str() != Some(""))
        };
        let is_error = || {
            let code = body.get("code").and_then(Json::as_i64);
            code.is_some() && body.get("message").and_then(Json::as_str).is_some()
        };
        let is_read = call.method.is_read() && call.reads.is_some();
        let is_document = body.is_object() || body.elements().next().is_some();
        let is_about_another = |id| self.translation.is_about_another(id, call, body);
        let reason = if !call.needs.iter().all(has) {
            Some("a required member is missing")
        } else if is_read && !is_document {
            Some("not an object")
        } else if self.id.is_some_and(is_about_another) {
            Some("about another object than requested")
        } else {
            None
        };
        if (call.needs.is_empty() || reason.is_some()) && is_error() {
            return Some(self.api_error(call, status, body));
        }
        reason.map(|reason| self.unreadable(!call.method.is_read(), status, reason))
    }

    /// A response that should be a page of a list but is not.
    pub(super) fn not_a_page(&self, call: &Call, body: &Document) -> Failure {
        if body.json().get("code").and_then(Json::as_i64).is_some() {
            return self.api_error(call, 200, body.json());
        }
        self.unreadable(false, 200, "not a page of the list")
    }

    /// A response that is not from v2; `unknown` if v2 may have executed the request.
    fn unreadable(&self, unknown: bool, status: u16, reason: &'static str) -> Failure {
        let name = if unknown {
            UNREADABLE_WRITE
        } else {
            UNREADABLE
        };
        Failure {
            status: Some(status),
            reason: Some(reason),
            ..self.named(name)
        }
    }

    /// No response from v2; `unknown` if it may have executed the request.
    fn unreachable(&self, unknown: bool) -> Failure {
        self.named(if unknown {
            UNREACHABLE_WRITE
        } else {
            UNREACHABLE_READ
        })
    }

    /// A failure with a named error.
    pub(super) fn named(&self, name: &str) -> Failure {
        let protocol = self.translation.catalog.protocol();
        let error = protocol.named(name, &|placeholder| self.fill(placeholder));
        Failure {
            status: None,
            code: None,
            message: String::new(),
            reason: None,
            error,
            trouble: is_trouble(name),
            unknown: [UNREACHABLE_WRITE, UNREADABLE_WRITE].contains(&name),
            refused: false,
        }
    }

    /// A loss that strict mode rejects.
    pub(super) fn strict(&self, name: &str, reason: &str) -> Failure {
        Failure {
            error: not_honoured(self.translation.catalog, name, reason),
            ..self.named(NOT_HONOURED)
        }
    }

    /// Placeholders that do not depend on the failure.
    fn fill(&self, placeholder: &str) -> Option<String> {
        let translation = self.translation;
        if placeholder == "subject" {
            return Some(translation.subject.clone().unwrap_or_default());
        }
        if let Some(name) = placeholder.strip_prefix(GIVEN) {
            return translation.given.text(name);
        }
        if let ("page" | "reached", Some(paging)) = (placeholder, &translation.paging) {
            let (reached, requested) = paging.reached();
            let page = if placeholder == "page" {
                requested
            } else {
                reached
            };
            return Some(page.to_string());
        }
        if placeholder == "most" {
            let call = translation.plan.calls.get(self.id?.call)?;
            let pages = call
                .pages
                .as_ref()
                .filter(|pages| pages.mode == PageMode::All)?;
            return Some(pages.most.of(&translation.site.options).to_string());
        }
        if let ("element", Some(Unit::Elements { parameter, range })) =
            (placeholder, self.id.and_then(|id| translation.unit(id)))
        {
            let elements = translation.given.elements(parameter);
            return match elements.get(range.clone())? {
                [only] => Some(plain(only)),
                _ => None,
            };
        }
        let of_path = self.id.map(|id| translation.ids_of(id)).unwrap_or_default();
        let mut of_path = of_path.into_iter();
        let in_path = of_path
            .find(|(kind, _)| kind == placeholder)
            .map(|(_, id)| id);
        in_path.or_else(|| {
            let kind = translation.operation.subject_kind.as_ref();
            let is_it = kind.is_some_and(|kind| kind.kind == placeholder);
            translation.subject.clone().filter(|_| is_it)
        })
    }

    fn api_error(&self, call: &Call, status: u16, body: Json<'_>) -> Failure {
        let translation = self.translation;
        let protocol = translation.catalog.protocol();
        let code = body.get("code").and_then(Json::as_i64);
        let message = body.get("message").and_then(Json::as_str);
        let mut message = cut(message.unwrap_or_default());
        if let Some(code) = code.filter(|_| message.is_empty()) {
            let fill = |_: &str| Some(code.to_string());
            message = protocol.named(UNEXPLAINED, &fill).message;
        }
        let fields = self.refused_fields(call, body);
        let rules = translation
            .operation
            .rules
            .iter()
            .chain(translation.catalog.rules());
        let rule = rules.into_iter().find(|rule| {
            rule.v2
                .fits(Some(status), code, &message, !fields.is_empty())
        });
        let fill = |placeholder: &str| match placeholder {
            "message" => Some(message.clone()),
            "fields" => Some(cut(&fields.join(", "))),
            other => self.fill(other),
        };
        // v1 and v2 share one range of error codes, so codes without a rule are passed through.
        let error = |as_code: Option<i64>, text: Option<&Template>| V1Error {
            code: as_code.or(code).unwrap_or_default(),
            // v2's message is the fallback if a placeholder has no value.
            message: text
                .and_then(|text| text.fill(&fill))
                .unwrap_or_else(|| message.clone()),
        };
        let (error, trouble, refused) = match rule.map(|rule| &rule.answer) {
            Some(RuleAnswer::Named(name)) => {
                let trouble = is_trouble(name);
                let refused = !trouble && name != OVERLOADED;
                (protocol.named(name, &fill), trouble, refused)
            }
            Some(RuleAnswer::Said { code, message }) => {
                (error(*code, message.as_ref()), false, true)
            }
            None if code.is_some() => (error(None, None), false, true),
            None => (self.named(UNREADABLE).error, true, false),
        };
        Failure {
            status: Some(status),
            code,
            message: message.clone(),
            reason: None,
            error,
            trouble,
            unknown: false,
            refused,
        }
    }

    /// v1 names of the fields that v2 rejected; v2's names where unknown.
    fn refused_fields(&self, call: &Call, body: Json<'_>) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for error in body.get("errors").into_iter().flat_map(Json::elements) {
            let Some(v2) = error.get("field").and_then(Json::as_str) else {
                continue;
            };
            let name = self.v1_name(call, v2).unwrap_or_else(|| v2.to_owned());
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    fn v1_name(&self, call: &Call, v2: &str) -> Option<String> {
        let (document, at) = call.sends.as_ref()?;
        let asked = format!("/{}", v2.trim_start_matches('/').replace('.', "/"));
        let asked = asked.strip_prefix(at.as_str()).unwrap_or(&asked);
        let Translation {
            operation,
            catalog,
            given,
            ..
        } = self.translation;
        let parameters = operation.parameters.iter();
        let fields = parameters.filter_map(|parameter| catalog.fields().get(parameter.field?.0));
        let mut named = fields.filter(|field| {
            field
                .pointer_in(document)
                .is_some_and(|p| p == asked || p.ends_with(asked))
        });
        let field = named.next()?;
        // For a pair, the field that the client sent.
        let mut parts = field.parts.iter().filter(|part| given.has(&part.name));
        parts
            .next()
            .or_else(|| field.parts.first())
            .map(|part| part.name.clone())
    }
}

/// True if v2 or the shim causes this error.
fn is_trouble(error: &str) -> bool {
    [
        REFUSED,
        UNREACHABLE_READ,
        UNREACHABLE_WRITE,
        UNREADABLE,
        UNREADABLE_WRITE,
        PAGE_NOT_REACHED,
    ]
    .contains(&error)
}

/// Truncates v2 texts, which may have any length.
fn cut(text: &str) -> String {
    let end = (0..=MAX_TEXT).rev().find(|end| text.is_char_boundary(*end));
    match end.and_then(|end| text.get(..end)) {
        Some(cut) if text.len() > MAX_TEXT => format!("{cut}…"),
        _ => text.to_owned(),
    }
}
