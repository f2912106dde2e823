//! One v1 request as the v2 requests that the shim would send for it. Sends nothing.
//!
//! [`Translated`] is the JSON output: `"schema": 1`, members may be added under the same number.

mod calls;
mod clients;
mod command_line;
mod form;
mod http_text;
mod losses;
mod rehearsal;
mod request;
mod shell;
#[cfg(test)]
mod tests;
mod text;
mod variables;

use std::{collections::BTreeMap, sync::LazyLock};

use mappings::{
    Catalog, Site, V1Error,
    catalog::{
        operation::{Operation, Plan, Replacement, Service},
        protocol::ProtocolError,
    },
};
use serde::Serialize;
use serde_json::Value;

use crate::explain::{self, wording};
use calls::Frame;
use losses::Losses;
use rehearsal::Rehearsal;
pub(crate) use request::V1Request;
pub(crate) use text::{refused, translated};
use variables::Variables;

/// The plan of an operation that is not served from v2.
static NO_PLAN: LazyLock<Plan> = LazyLock::new(Plan::default);

/// The version of the JSON output.
const SCHEMA: u32 = 1;

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
    /// Which of the items those are; all if there is nothing here.
    each_where: Option<String>,
    /// It is made only if one of these holds; always if empty.
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
    /// The variable with the id of the item that it is made for.
    #[serde(skip)]
    item: Option<String>,
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

/// A request for which no v2 request is sent.
#[derive(Debug, Serialize)]
pub(crate) struct Refused {
    schema: u32,
    kind: &'static str,
    /// Why, in a sentence.
    reason: String,
    operation: String,
    /// What v1 answers; nothing for an operation that the shim does not serve.
    error: Option<ErrorEntry>,
    /// The v2 requests that replace an operation that the shim does not serve.
    v2: Vec<String>,
    /// What to look at, or what may have been meant.
    hint: String,
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
#[expect(clippy::result_large_err, reason = "once a run")]
pub(crate) fn translate<'a>(
    catalog: &'a Catalog,
    site: &'a Site,
    base: &str,
    mut request: V1Request,
) -> Result<Translated<'a>, Refused> {
    let operation = known(catalog, &request)?;
    if let Service::NotServed(replacement) = &operation.service {
        return Err(Refused::not_served(operation, replacement));
    }
    let (variables, arguments, item) = Variables::take_secrets(
        catalog,
        operation,
        &request.arguments,
        &request.variables,
        &mut request.notes,
    );
    let plan = operation.plan().unwrap_or(&NO_PLAN);
    let rehearsal = Rehearsal {
        catalog,
        operation,
        plan,
        site,
        arguments: &arguments,
        item: &item,
    };
    let (planned, finished) = rehearsal
        .play()
        .map_err(|error| Refused::new(catalog, Some(operation), &request, error))?;
    let mut losses = Losses::default();
    for warning in finished.answer.warnings {
        losses.add(catalog, operation, &planned, warning);
    }
    let frame = Frame {
        plan,
        base,
        variables: &variables,
        item: &item,
        files: &request.files,
    };
    let mut notes = request.notes;
    let calls = frame.calls(planned, &mut notes);
    Ok(Translated {
        schema: SCHEMA,
        kind: "translation",
        operation: &operation.name,
        variables: calls::variables(&calls),
        calls,
        not_sent: losses.not_sent,
        changed: losses.changed,
        ignored: { finished.unknown.iter() }
            .map(|name| variables.named(name))
            .collect(),
        left_out: losses.left_out,
        notes,
        answer: answer_fields(catalog, operation),
    })
}

/// The only v2 command that a v1 `curl` command needs; `None` if it needs several, or if anything is
/// lost or conditional.
pub(crate) fn one_command(catalog: &Catalog, curl: &str) -> Option<String> {
    let [request] = <[_; 1]>::try_from(V1Request::from_text(catalog, curl).ok()?).ok()?;
    let site = Site {
        options: catalog.options(&BTreeMap::new()).unwrap_or_default(),
        ..Site::default()
    };
    let translated = translate(catalog, &site, "https://api.zoom.us/v2", request).ok()?;
    translated.only_command().map(str::to_owned)
}

impl Translated<'_> {
    /// The command, if one request does all that v1 did and nothing is lost or conditional.
    fn only_command(&self) -> Option<&str> {
        let nothing_lost = self.not_sent.is_empty()
            && self.changed.is_empty()
            && self.ignored.is_empty()
            && self.notes.is_empty();
        match self.calls.as_slice() {
            [one]
                if nothing_lost
                    && one.only_if.is_empty()
                    && one.body_only_if.is_empty()
                    && one.each.is_none()
                    && one.file.is_none()
                    && self.variables.len() == 1 =>
            {
                Some(&one.curl)
            }
            _ => None,
        }
    }
}

#[expect(clippy::result_large_err, reason = "once a run")]
fn known<'a>(catalog: &'a Catalog, request: &V1Request) -> Result<&'a Operation, Refused> {
    catalog.find(&request.operation).ok_or_else(|| {
        let protocol = catalog.protocol();
        let (_, error) = protocol.error(ProtocolError::OperationUnknown, &request.operation);
        Refused::new(catalog, None, request, error)
    })
}

impl Refused {
    #[expect(clippy::needless_pass_by_value, reason = "made for it")]
    fn new(
        catalog: &Catalog,
        operation: Option<&Operation>,
        request: &V1Request,
        error: V1Error,
    ) -> Self {
        let name = operation.map_or(&request.operation, |known| &known.name);
        let name = request.variables.shown(name, |name| format!("${name}"));
        let (reason, hint) = match operation {
            Some(known) => (
                format!("{name}: v1's answer is an error, and v2 is asked nothing."),
                format!("`migrate explain {}` says more", known.name),
            ),
            None => (
                format!("{name}: v1 had no such operation."),
                match explain::nearest_operations(catalog, &request.operation).as_slice() {
                    [] => "`migrate explain` lists what v1 had".to_owned(),
                    nearest => format!("did you mean {}?", wording::one_of(nearest)),
                },
            ),
        };
        Self {
            schema: SCHEMA,
            kind: "error",
            reason,
            operation: name,
            error: Some(ErrorEntry {
                code: error.code,
                message: request
                    .variables
                    .shown(&error.message, |name| format!("${name}")),
            }),
            v2: Vec::new(),
            hint,
        }
    }

    fn not_served(operation: &Operation, replacement: &Replacement) -> Self {
        let requests = replacement.requests.iter();
        Self {
            schema: SCHEMA,
            kind: "not_served",
            reason: format!("{}: the shim does not serve it yet.", operation.name),
            operation: operation.name.clone(),
            error: None,
            v2: { requests }
                .map(|(method, path)| format!("{method} {path}"))
                .collect(),
            hint: format!(
                "its parameters have no place in v2 yet; `migrate explain {}` lists them",
                operation.name
            ),
        }
    }
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
