//! Classifies the differences between two v1 responses of an operation.

use mappings::{
    Catalog,
    catalog::{
        field::{self, Field, Part, Place},
        operation::{Operation, Service, View},
    },
    conversion::{Conversion, Sent},
    fidelity::Fidelity,
};
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    Comparison, Row, Verdict,
    json::{self, Kind, Pair, Path},
};
use crate::REDACTED;

/// Member of a response that holds v1's error.
pub const ERROR: &str = "error";

/// Compares two v1 responses of an operation, or without an operation any two JSON values.
pub fn compare(
    catalog: &Catalog,
    operation: Option<&Operation>,
    old: &Value,
    new: &Value,
) -> Vec<Row> {
    if let Some(row) = error_on_one_side(operation, old, new) {
        return vec![row];
    }
    json::pairs(old, new)
        .into_iter()
        .map(|pair| {
            let (verdict, reason) = match operation {
                Some(operation) => judge(catalog, operation, &pair),
                None => without_catalog(&pair),
            };
            row(pair, verdict, reason)
        })
        .collect()
}

/// One row if only one side is a v1 error, because the fields have no counterparts then.
fn error_on_one_side(operation: Option<&Operation>, old: &Value, new: &Value) -> Option<Row> {
    operation?;
    let (old_error, new_error) = (old.get(ERROR), new.get(ERROR));
    let reason = match (old_error, new_error) {
        (None, Some(error)) => format!("error instead of an answer: {}", error_text(error)),
        (Some(error), None) => format!("answer instead of an error: {}", error_text(error)),
        _ => return None,
    };
    Some(Row {
        path: ERROR.to_owned(),
        field: ERROR.to_owned(),
        place: None,
        old: old_error.cloned(),
        new: new_error.cloned(),
        verdict: Verdict::Unexpected,
        kind: Some(if old_error.is_some() {
            Kind::Missing
        } else {
            Kind::Extra
        }),
        reason,
    })
}

/// `1001 User not exist: u1`
fn error_text(error: &Value) -> String {
    let message = error.get("message").and_then(Value::as_str);
    let code = error.get("code").map(Value::to_string);
    let parts: Vec<_> = code.as_deref().into_iter().chain(message).collect();
    parts.join(" ")
}

impl Comparison {
    /// Compares two responses of the same shape.
    pub fn of_answers(
        catalog: &Catalog,
        operation: Option<&Operation>,
        name: &str,
        (old_name, old): (&str, &Value),
        (new_name, new): (&str, &Value),
    ) -> Self {
        Self {
            name: name.to_owned(),
            operation: operation.map(|operation| operation.name.clone()),
            sides: (old_name.to_owned(), new_name.to_owned()),
            rows: compare(catalog, operation, old, new),
        }
    }
}

fn row(pair: Pair, verdict: Verdict, reason: String) -> Row {
    Row {
        path: pair.path.to_string(),
        field: pair.path.field(),
        place: None,
        old: pair.old,
        new: pair.new,
        verdict,
        kind: pair.kind,
        reason,
    }
}

fn without_catalog(pair: &Pair) -> (Verdict, String) {
    match pair.kind {
        None => (Verdict::Same, String::new()),
        Some(kind) => unexpected(kind, pair.old.as_ref(), pair.new.as_ref()),
    }
}

fn judge(catalog: &Catalog, operation: &Operation, pair: &Pair) -> (Verdict, String) {
    let Some(kind) = pair.kind else {
        return (Verdict::Same, String::new());
    };
    let (old, new) = (pair.old.as_ref(), pair.new.as_ref());
    find(catalog, operation, &pair.path)
        .and_then(|(field, part)| explained(field, part, old, new))
        .unwrap_or_else(|| unexpected(kind, old, new))
}

/// View of an operation's response.
pub fn view<'c>(catalog: &'c Catalog, operation: &Operation) -> Option<&'c View> {
    match operation.service {
        Service::Plan { view, .. } | Service::Refused { view, .. } => catalog.view(view),
        Service::NotServed(_) => None,
    }
}

/// Field mapping of a path in an operation's response.
fn find<'c>(
    catalog: &'c Catalog,
    operation: &Operation,
    path: &Path,
) -> Option<(&'c Field, &'c Part)> {
    let mut view = view(catalog, operation)?;
    let mut names = path.members().peekable();
    while let Some(name) = names.next() {
        let mut members = view.members.iter();
        let found = members.find_map(|member| {
            let (field, part) = catalog.field(member.field)?;
            (part.name == name).then_some((field, part))
        })?;
        if names.peek().is_none() {
            return Some(found);
        }
        view = catalog.view(view.items?)?;
    }
    None
}

/// True if the catalog has a field with the last name of a path such as `users[].pmi`.
pub fn is_known_field(catalog: &Catalog, path: &str) -> bool {
    let last = path.rsplit(['.', ']']).next();
    let mut parts = catalog.fields().iter().flat_map(|field| &field.parts);
    parts.any(|part| last == Some(&part.name))
}

/// Verdict and reason, if the catalog or the field's type explains the difference.
pub fn explained(
    field: &Field,
    part: &Part,
    old: Option<&Value>,
    new: Option<&Value>,
) -> Option<(Verdict, String)> {
    let old = old?;
    new.and_then(|new| volatile(field, part, old, new))
        .map(|reason| (Verdict::Volatile, reason.to_owned()))
        .or_else(|| {
            is_lossy(field, part, old, new)
                .then(|| (Verdict::Lossy, field.reason.clone().unwrap_or_default()))
        })
}

/// Reason, if the values are response times, tokens, or URLs with different signatures.
fn volatile(field: &Field, part: &Part, old: &Value, new: &Value) -> Option<&'static str> {
    let (old, new) = (old.as_str()?, new.as_str()?);
    if part.kind == field::Kind::Secret {
        // Empty tokens are a real difference.
        let both = !old.is_empty() && !new.is_empty();
        return (both && field.always.is_none()).then_some("a token is a new one each time");
    }
    let is_now = field.places.contains(&Place::Clock);
    if part.kind == field::Kind::Time && is_time(old) && is_time(new) {
        if is_now {
            return Some("the time of the answer");
        }
        return (field.fidelity == Fidelity::Lossy).then_some("v2 renews this time with a delay");
    }
    is_signed_url(old, new).then_some("a signed URL")
}

fn is_time(text: &str) -> bool {
    OffsetDateTime::parse(text, &Rfc3339).is_ok()
}

/// True if two URLs differ only in their query.
fn is_signed_url(old: &str, new: &str) -> bool {
    let bare = |text: &str| {
        let (bare, _query) = text.split_once('?')?;
        bare.contains("://").then(|| bare.to_owned())
    };
    bare(old).is_some_and(|old| Some(old) == bare(new))
}

/// True if a documented loss explains the new value.
fn is_lossy(field: &Field, part: &Part, old: &Value, new: Option<&Value>) -> bool {
    if field.fidelity == Fidelity::Exact {
        return false;
    }
    let Some(new) = new else {
        // v2 has no counterpart, and no value is invented.
        return field.fidelity == Fidelity::None && field.always.is_none();
    };
    if field.always.as_ref() == Some(new) {
        return true;
    }
    if json::type_name(old) != json::type_name(new) {
        return false;
    }
    if field.omit.contains(old) {
        return true;
    }
    // Optional: empty if the site or v2 provides none.
    if part.kind == field::Kind::Secret && part.empty.as_ref() == Some(new) {
        return true;
    }
    let at = field.parts.iter().position(|known| known.name == part.name);
    match (&field.conversion, at) {
        (Conversion::Choice(_), _) | (_, None) => false,
        (conversion, Some(at)) => match conversion.to_v2(old) {
            Sent::Value {
                value,
                changed: true,
            } => field.to_v1(at, &value).as_ref() == Some(new),
            _ => false,
        },
    }
}

/// Verdict and reason of an unexplained difference.
pub fn unexpected(kind: Kind, old: Option<&Value>, new: Option<&Value>) -> (Verdict, String) {
    let reason = match (kind, old, new) {
        (Kind::Missing, ..) => "missing".to_owned(),
        (Kind::Extra, ..) => "extra".to_owned(),
        (Kind::Order, ..) => "another order".to_owned(),
        (Kind::Type, Some(old), Some(new)) => {
            format!("{} became {}", json::type_name(old), json::type_name(new))
        }
        _ if [old, new].iter().flatten().any(|value| **value == REDACTED) => {
            "a secret on one side only".to_owned()
        }
        _ => "another value".to_owned(),
    };
    (Verdict::Unexpected, reason)
}
