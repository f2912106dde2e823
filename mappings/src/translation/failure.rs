//! v2's failures in v1's words.

use super::given::Given;
use crate::{
    catalog::{
        Catalog,
        operation::{BodyTemplate, Call, Operation, Segment},
        protocol::{
            OVERLOADED, REFUSED, Rule, RuleAnswer, UNREACHABLE_READ, UNREACHABLE_WRITE, UNREADABLE,
        },
    },
    document::{Document, Json},
    exchange::{Outcome, V1Error},
    template::Template,
};

/// A v2 call that did not succeed.
#[derive(Debug)]
pub(super) struct Failure {
    /// The HTTP status, if v2 answered.
    pub status: Option<u16>,
    /// v2's code, if it gave one.
    pub code: Option<i64>,
    /// v2's message, or nothing.
    pub message: String,
    /// What the client is told.
    pub error: V1Error,
    /// True if the failure is v2's or the shim's trouble, not the caller's.
    pub trouble: bool,
}

/// Whose words a failure is put in.
pub(super) struct Speaker<'t, 'a> {
    pub catalog: &'a Catalog,
    pub operation: &'a Operation,
    pub given: &'t Given<'a>,
    /// The subject as the client gave it.
    pub subject: Option<&'t str>,
}

impl Speaker<'_, '_> {
    /// The body of a successful answer, or the failure.
    pub(super) fn read(&self, call: &Call, outcome: Outcome) -> Result<Option<Document>, Failure> {
        let write = !call.method.is_read();
        match outcome {
            Outcome::Answered {
                status: 200..300,
                body,
            } => Ok(body),
            Outcome::Answered {
                status: status @ 500..,
                ..
            } => Err(Failure {
                status: Some(status),
                ..self.unreachable(write)
            }),
            Outcome::Answered { status, body } => {
                Err(self.said(call, status, body.unwrap_or_default().json()))
            }
            Outcome::Unreadable { status } => {
                let failure = self.named(UNREADABLE);
                Err(Failure {
                    status: Some(status),
                    ..failure
                })
            }
            Outcome::NoAnswer { maybe_done } => Err(self.unreachable(write && maybe_done)),
            Outcome::Refused => Err(self.named(REFUSED)),
            Outcome::Limited => Err(self.named(OVERLOADED)),
        }
    }

    /// No answer of v2's own; `unknown` if it may have done what was asked nevertheless.
    fn unreachable(&self, unknown: bool) -> Failure {
        self.named(if unknown {
            UNREACHABLE_WRITE
        } else {
            UNREACHABLE_READ
        })
    }

    /// A failure with a named error.
    pub(super) fn named(&self, name: &str) -> Failure {
        let error = self
            .catalog
            .protocol()
            .named(name, &|placeholder| match placeholder {
                "subject" => Some(self.subject.unwrap_or_default().to_owned()),
                _ => None,
            });
        Failure {
            status: None,
            code: None,
            message: String::new(),
            error,
            trouble: is_trouble(name),
        }
    }

    fn said(&self, call: &Call, status: u16, body: Json<'_>) -> Failure {
        let code = body.get("code").and_then(Json::as_i64);
        let message = body
            .get("message")
            .and_then(Json::as_str)
            .unwrap_or_default()
            .to_owned();
        let fields = self.refused_fields(call, body);
        let rules = self.operation.rules.iter().chain(self.catalog.rules());
        let rule = rules
            .into_iter()
            .find(|rule| rule.fits(status, code, &message, !fields.is_empty()));
        let in_path = call.path.iter().find_map(|segment| match segment {
            Segment::Parameter(name) => self.given.text(name),
            _ => None,
        });
        let in_body = || {
            let mut names = call.body.iter().flat_map(BodyTemplate::placeholders);
            names.find_map(|(name, _)| self.given.text(name))
        };
        let group = in_path.or_else(in_body);
        let fill = |placeholder: &str| match placeholder {
            "subject" => Some(self.subject.unwrap_or_default().to_owned()),
            "message" => Some(message.clone()),
            "fields" => Some(fields.join(", ")),
            "group" => group.clone(),
            _ => None,
        };
        let error = match (rule.map(|rule: &Rule| &rule.answer), code) {
            (Some(RuleAnswer::Named(name)), _) => self.catalog.protocol().named(name, &fill),
            (
                Some(RuleAnswer::Said {
                    code: as_code,
                    message: text,
                }),
                _,
            ) => V1Error {
                code: as_code.or(code).unwrap_or_default(),
                message: text
                    .as_ref()
                    .map_or_else(|| message.clone(), |text: &Template| text.fill_lossy(&fill)),
            },
            // v1 and v2 share the space of numbers: what no rule knows goes through.
            (None, Some(code)) => V1Error {
                code,
                message: message.clone(),
            },
            (None, None) => self.named(UNREADABLE).error,
        };
        Failure {
            status: Some(status),
            code,
            message,
            error,
            trouble: match rule.map(|rule| &rule.answer) {
                Some(RuleAnswer::Named(name)) => is_trouble(name),
                Some(RuleAnswer::Said { .. }) => false,
                None => code.is_none(),
            },
        }
    }

    /// The v1 names of the fields that v2 refused, as far as they are known.
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
        let fields = self
            .operation
            .parameters
            .iter()
            .filter_map(|parameter| self.catalog.fields().get(parameter.field?.0));
        let mut named = fields.filter(|field| {
            field
                .pointer_in(document)
                .is_some_and(|p| p == asked || p.ends_with(asked))
        });
        let field = named.next()?;
        // Of a pair, name what the client gave.
        let mut given = field.parts.iter().filter(|part| self.given.has(&part.name));
        given
            .next()
            .or_else(|| field.parts.first())
            .map(|part| part.name.clone())
    }
}

/// True if a named error is v2's or the shim's trouble.
fn is_trouble(error: &str) -> bool {
    [REFUSED, UNREACHABLE_READ, UNREACHABLE_WRITE, UNREADABLE].contains(&error)
}

/// True if the failure says that what was asked is so already.
pub(super) fn is_done_already(call: &Call, failure: &Failure) -> bool {
    call.done
        .iter()
        .any(|(code, part)| failure.code == Some(*code) && failure.message.contains(part))
}
