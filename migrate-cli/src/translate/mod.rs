//! One v1 request as the v2 requests that the shim would send for it. Sends nothing.
//!
//! [`Translated`] is the JSON output: `"schema": 1`, members may be added under the same number.

mod curl;
mod form;
mod rehearsal;
mod request;
mod shell;
mod text;
mod variables;

use mappings::{
    Body, Catalog, Site, V1Error, V2Request,
    catalog::{
        operation::{Fate, Operation, Plan, Service},
        protocol::ProtocolError,
    },
    exchange::WarningKind,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rehearsal::{Planned, Rehearsal};
pub(crate) use request::V1Request;
use serde::Serialize;
use serde_json::Value;
pub(crate) use text::{refused, translated};
use variables::{Variables, item_variable};

/// The version of the JSON output.
const SCHEMA: u32 = 1;

/// What a query keeps as it is: the unreserved characters of RFC 3986, and some that mean nothing
/// in a query.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b',')
    .remove(b'@');

/// The v2 requests for a v1 request.
#[derive(Debug, Serialize)]
pub(crate) struct Translated<'a> {
    schema: u32,
    kind: &'static str,
    operation: &'a str,
    calls: Vec<TranslatedCall<'a>>,
    /// What the commands need in the environment.
    variables: Vec<Variable>,
    /// Parameters that v2 is not sent, and why.
    not_sent: Vec<Loss>,
    /// Parameters that arrive otherwise than v1 would have taken them, and how.
    changed: Vec<Loss>,
    /// Parameters that v1 did not know.
    ignored: Vec<String>,
    /// Fields that v1's answer will not have, and why.
    left_out: Vec<Loss>,
    /// How the request was understood where that is not plain.
    notes: Vec<String>,
    /// The fields of v1's answer.
    answer: Vec<&'a str>,
}

/// One v2 request.
#[derive(Debug, Serialize)]
pub(crate) struct TranslatedCall<'a> {
    /// Counted from 1.
    number: usize,
    /// The name of the call in the plan.
    name: &'a str,
    /// Calls of the same step are made at the same time.
    step: usize,
    /// The numbers of the calls that it waits for.
    after: Vec<usize>,
    /// The number of the call for whose items it is made, once each.
    each: Option<usize>,
    /// It is made only if one of these holds; always if there is none.
    only_if: Vec<String>,
    /// Members of the body that are sent only under a condition.
    body_only_if: Vec<BodyCondition>,
    method: &'static str,
    /// The whole URL; `$NAME` is a variable.
    url: String,
    /// The JSON body; `$NAME` is a variable.
    body: Option<Value>,
    file: Option<FileEntry>,
    note: Option<&'a str>,
    scope: &'a str,
    /// The request as a command.
    curl: String,
    #[serde(skip)]
    marked_url: String,
    #[serde(skip)]
    marked_body: Option<Value>,
    #[serde(skip)]
    variables: Variables,
}

/// A member of a body that is sent only under a condition.
#[derive(Debug, Serialize)]
pub(crate) struct BodyCondition {
    member: String,
    only_if: String,
}

/// A file that is sent as `multipart/form-data`.
#[derive(Debug, Serialize)]
pub(crate) struct FileEntry {
    /// The name of the part.
    part: String,
    path: String,
}

/// Something that a command reads from the environment.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Variable {
    name: String,
    about: String,
}

/// A parameter or field, and what happened to it.
#[derive(Debug, Serialize)]
pub(crate) struct Loss {
    field: String,
    reason: String,
}

/// An error that v1 answers without any v2 request.
#[derive(Debug, Serialize)]
pub(crate) struct Refused {
    schema: u32,
    kind: &'static str,
    operation: String,
    error: ErrorEntry,
}

/// v1's error.
#[derive(Debug, Serialize)]
pub(crate) struct ErrorEntry {
    code: i64,
    message: String,
}

/// Translates a request as a shim with the site's choices would. `base` is v2's, without a slash at
/// its end.
///
/// # Errors
///
/// The v1 error that the shim answers without asking v2.
pub(crate) fn translate<'a>(
    catalog: &'a Catalog,
    site: &'a Site,
    base: &str,
    request: V1Request,
) -> Result<Translated<'a>, Refused> {
    let operation = catalog.find(&request.operation);
    let refuse = |error: V1Error| Refused {
        schema: SCHEMA,
        kind: "error",
        operation: operation.map_or(request.operation.clone(), |known| known.name.clone()),
        error: ErrorEntry {
            code: error.code,
            message: error.message,
        },
    };
    let Some(operation) = operation else {
        let protocol = catalog.protocol();
        let (_, error) = protocol.error(ProtocolError::OperationUnknown, &request.operation);
        return Err(refuse(error));
    };
    let (variables, arguments, item) =
        Variables::take_secrets(catalog, Some(operation), &request.arguments);
    let nothing = Plan {
        calls: Vec::new(),
        unsent: std::collections::BTreeMap::new(),
    };
    let plan = operation.plan();
    let rehearsal = Rehearsal {
        catalog,
        operation,
        plan: plan.unwrap_or(&nothing),
        site,
        arguments: &arguments,
        item: &item,
    };
    let (planned, finished) = rehearsal.play().map_err(refuse)?;
    // Without a plan there is always an error.
    let plan = plan.map_or(&[][..], |plan| &plan.calls);
    let mut losses = Losses::default();
    for warning in finished.answer.warnings {
        losses.add(catalog, operation, &planned, warning.kind, warning.field, warning.reason);
    }
    let numbers: Vec<usize> = planned.iter().map(|planned| planned.call).collect();
    let mut notes = request.notes;
    let mut calls: Vec<TranslatedCall<'a>> = Vec::new();
    for planned in planned {
        let Some(call) = plan.get(planned.call) else { continue };
        let after = waits_for(plan, planned.call, &numbers);
        let steps = after.iter().filter_map(|number| calls.get(number - 1));
        let step = steps.map(|call| call.step).max().map_or(1, |latest| latest + 1);
        let variables = variables.with_item(call, &item);
        let file = file_entry(&planned.request, &request.files, &mut notes);
        let number_of = |at: usize| numbers.iter().position(|known| *known == at).map(|n| n + 1);
        let marked_url = url(base, &planned.request);
        let marked_body = match planned.request.body {
            Body::Json(body) => Some(body),
            Body::None | Body::File { .. } => None,
        };
        let mut translated = TranslatedCall {
            number: calls.len() + 1,
            name: &call.name,
            step,
            after,
            each: call.each.as_ref().and_then(|each| number_of(each.call)),
            only_if: planned.only_if,
            body_only_if: planned
                .members
                .into_iter()
                .map(|(member, only_if)| BodyCondition { member, only_if })
                .collect(),
            method: call.method.as_str(),
            url: variables.named(&marked_url),
            body: marked_body.as_ref().map(|body| named_body(body, &variables)),
            file,
            note: call.note.as_deref(),
            scope: &call.scope,
            curl: String::new(),
            marked_url,
            marked_body,
            variables,
        };
        translated.curl = shell::command(&translated, &translated.variables, usize::MAX);
        calls.push(translated);
    }
    Ok(Translated {
        schema: SCHEMA,
        kind: "translation",
        operation: &operation.name,
        variables: needed(&calls, plan, &numbers),
        calls,
        not_sent: losses.not_sent,
        changed: losses.changed,
        ignored: finished.unknown,
        left_out: losses.left_out,
        notes,
        answer: answer_fields(catalog, operation),
    })
}

/// What became of parameters and fields, by kind.
#[derive(Default)]
struct Losses {
    not_sent: Vec<Loss>,
    changed: Vec<Loss>,
    left_out: Vec<Loss>,
}

impl Losses {
    fn add(
        &mut self,
        catalog: &Catalog,
        operation: &Operation,
        planned: &[Planned],
        kind: WarningKind,
        field: String,
        reason: String,
    ) {
        let list = match kind {
            WarningKind::NotHonoured if is_sent(catalog, operation, planned, &field) => {
                &mut self.changed
            }
            WarningKind::NotHonoured => &mut self.not_sent,
            WarningKind::LeftOut => &mut self.left_out,
            // That comes of the assumed answers.
            WarningKind::Unreadable => return,
        };
        list.push(Loss { field, reason });
    }
}

/// True if some request carries the parameter.
fn is_sent(catalog: &Catalog, operation: &Operation, planned: &[Planned], name: &str) -> bool {
    let parameter = operation.parameters.iter().find(|known| known.name == name);
    let Some(parameter) = parameter else { return false };
    match parameter.fate {
        Fate::Used => true,
        Fate::Dropped(_) | Fate::Unknown => false,
        Fate::SentBy(at) => {
            let field = parameter.field.and_then(|at| catalog.field(at));
            let call = operation.plan().and_then(|plan| plan.calls.get(at));
            let place = field.zip(call).and_then(|((field, _), call)| {
                let (document, base) = call.sends.as_ref()?;
                Some(format!("{base}{}", field.pointer_in(document)?))
            });
            let request = planned.iter().find(|planned| planned.call == at);
            match (request.map(|planned| &planned.request.body), place) {
                (Some(Body::Json(body)), Some(place)) => body.pointer(&place).is_some(),
                _ => false,
            }
        }
    }
}

/// The numbers of the calls that a call waits for: of those that are made, without what those wait
/// for anyway.
fn waits_for(
    plan: &[mappings::catalog::operation::Call],
    call: usize,
    made: &[usize],
) -> Vec<usize> {
    fn all(plan: &[mappings::catalog::operation::Call], call: usize, found: &mut Vec<usize>) {
        for at in plan.get(call).into_iter().flat_map(|call| &call.after) {
            if !found.contains(at) {
                found.push(*at);
                all(plan, *at, found);
            }
        }
    }
    let mut waits = Vec::new();
    all(plan, call, &mut waits);
    waits.retain(|at| made.contains(at));
    let is_indirect = |at: usize| {
        waits.iter().any(|other| {
            let mut theirs = Vec::new();
            all(plan, *other, &mut theirs);
            theirs.contains(&at)
        })
    };
    let direct = made.iter().enumerate().filter(|(_, at)| waits.contains(at));
    direct
        .filter(|(_, at)| !is_indirect(**at))
        .map(|(index, _)| index + 1)
        .collect()
}

fn url(base: &str, request: &V2Request) -> String {
    let query: Vec<_> = request
        .query
        .iter()
        .map(|(name, value)| {
            let encode = |text| utf8_percent_encode(text, QUERY);
            format!("{}={}", encode(name), encode(value))
        })
        .collect();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{base}{}{mark}{}", request.path, query.join("&"))
}

fn named_body(body: &Value, variables: &Variables) -> Value {
    match body {
        Value::String(text) => variables.named(text).into(),
        Value::Array(items) => items.iter().map(|item| named_body(item, variables)).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), named_body(value, variables)))
            .collect(),
        other => other.clone(),
    }
}

fn file_entry(
    request: &V2Request,
    files: &[(String, String)],
    notes: &mut Vec<String>,
) -> Option<FileEntry> {
    let Body::File { part, media_type, .. } = &request.body else {
        return None;
    };
    let path = files.iter().find(|(name, _)| name == part);
    let path = path.map(|(_, path)| path.clone()).unwrap_or_else(|| {
        let kind = media_type.strip_prefix("image/").unwrap_or("bin");
        let path = format!("{part}.{kind}");
        notes.push(format!("{part}: save the content that the request carries as {path}"));
        path
    });
    Some(FileEntry {
        part: part.clone(),
        path,
    })
}

fn needed(
    calls: &[TranslatedCall<'_>],
    plan: &[mappings::catalog::operation::Call],
    made: &[usize],
) -> Vec<Variable> {
    let mut scopes: Vec<&str> = Vec::new();
    for call in calls {
        if !scopes.contains(&call.scope) {
            scopes.push(call.scope);
        }
    }
    let mut needed = vec![Variable {
        name: "TOKEN".to_owned(),
        about: format!("a v2 access token for {}", crate::explain::wording::all_of(&scopes)),
    }];
    for (call, at) in calls.iter().zip(made) {
        let of_item = plan.get(*at).and_then(item_variable);
        for name in call.variables.names() {
            let text = format!("{} {}", call.url, call.body.as_ref().map_or(String::new(), Value::to_string));
            if !text.contains(&format!("${name}")) {
                continue;
            }
            let about = if of_item.as_deref() == Some(name) {
                let each = call.each.unwrap_or_default();
                format!("the id of an item that {each} finds")
            } else {
                "the secret of the v1 request, as it stands in a JSON text; never shown here".to_owned()
            };
            let variable = Variable { name: name.to_owned(), about };
            if !needed.contains(&variable) {
                needed.push(variable);
            }
        }
    }
    needed
}

fn answer_fields<'a>(catalog: &'a Catalog, operation: &'a Operation) -> Vec<&'a str> {
    let view = match &operation.service {
        Service::Plan { view, .. } | Service::Refused { view, .. } => catalog.view(*view),
        Service::NotServed(_) => None,
    };
    let members = view.into_iter().flat_map(|view| &view.members);
    members
        .filter_map(|member| Some(catalog.field(member.field)?.1.name.as_str()))
        .collect()
}
