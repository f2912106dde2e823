//! Translation of a v1 request to the v2 requests that the shim would send. Sends nothing.
//!
//! [`Translated`] is the JSON output, with `"schema": 1`. Members may be added.

mod assignments;
mod calls;
mod clients;
mod command_line;
mod dry_run;
mod form;
mod http_text;
mod losses;
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
        operation::{Operation, Plan, Service},
        protocol::ProtocolError,
    },
};
use serde::Serialize;
use serde_json::Value;

use crate::explain::{self, wording};
use calls::CallContext;
use dry_run::DryRun;
use losses::Losses;
pub(crate) use request::V1Request;
pub(crate) use text::{refused, translated};
use variables::Variables;

/// Empty plan, for operations that are not served from v2.
static NO_PLAN: LazyLock<Plan> = LazyLock::new(Plan::default);

/// Version of the JSON output.
const SCHEMA: u32 = 1;
/// Kind of a request that depends on the value of a variable.
const UNDECIDED: &str = "undecided";

/// v2 requests for a v1 request.
#[derive(Debug, Serialize)]
pub(crate) struct Translated<'a> {
    schema: u32,
    kind: &'static str,
    operation: &'a str,
    calls: Vec<TranslatedCall<'a>>,
    /// Environment variables of the commands.
    variables: Vec<Variable>,
    /// Parameters that are not sent to v2, with reasons.
    not_sent: Vec<Loss>,
    /// Parameters whose meaning changes, with reasons.
    changed: Vec<Loss>,
    /// Parameters unknown to v1.
    ignored: Vec<String>,
    /// Fields that will be missing from v1's response, with reasons.
    left_out: Vec<Loss>,
    /// Assumptions made while parsing the request.
    notes: Vec<String>,
    /// Fields of v1's response.
    answer: Vec<&'a str>,
}

/// One v2 request.
#[derive(Debug, Serialize)]
pub(crate) struct TranslatedCall<'a> {
    /// Number, from 1.
    number: usize,
    /// Name of the call in the plan.
    name: &'a str,
    /// Calls of one step run in parallel.
    step: usize,
    /// Numbers of the calls that it waits for.
    after: Vec<usize>,
    /// Number of the call whose list items it is repeated for.
    each: Option<usize>,
    /// Condition on the items; all items if `None`.
    each_where: Option<String>,
    /// Conditions of which one must hold; unconditional if empty.
    only_if: Vec<String>,
    /// Conditional members of the body.
    body_only_if: Vec<BodyCondition>,
    method: &'static str,
    /// URL; `$NAME` is a variable.
    url: String,
    /// JSON body; `$NAME` is a variable.
    body: Option<Value>,
    file: Option<FileEntry>,
    note: Option<&'a str>,
    scope: &'a str,
    /// The request as a curl command.
    curl: String,
    /// Variable with the id of the list item.
    #[serde(skip)]
    item: Option<String>,
    #[serde(skip)]
    marked_url: String,
    #[serde(skip)]
    marked_body: Option<Value>,
    #[serde(skip)]
    variables: Variables,
}

/// Member of a body that is only sent under a condition.
#[derive(Debug, Serialize)]
pub(crate) struct BodyCondition {
    member: String,
    only_if: String,
}

/// File sent as `multipart/form-data`.
#[derive(Debug, Serialize)]
pub(crate) struct FileEntry {
    /// Part name.
    part: String,
    path: String,
}

/// Environment variable of a command.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Variable {
    name: String,
    about: String,
}

/// A lossy parameter or field, with the reason.
#[derive(Debug, Serialize)]
pub(crate) struct Loss {
    field: String,
    reason: String,
}

/// A v1 request without v2 requests: it fails, or depends on the value of a variable.
#[derive(Debug, Serialize)]
pub(crate) struct Refused {
    schema: u32,
    kind: &'static str,
    /// Reason, in a sentence.
    reason: String,
    operation: String,
    /// v1's error; `None` for an operation that the shim does not serve.
    error: Option<ErrorEntry>,
    /// v2 replacement of an operation that the shim does not serve.
    v2: Vec<String>,
    /// Next step or suggested name.
    hint: String,
}

/// v1 error.
#[derive(Debug, Serialize)]
pub(crate) struct ErrorEntry {
    code: i64,
    message: String,
}

/// Translates a request under the given site options. `base` is the base URL of v2, without a
/// trailing slash.
///
/// # Errors
///
/// The v1 error that the shim returns without calling v2.
#[expect(clippy::result_large_err, reason = "once a run")]
pub(crate) fn translate<'a>(
    catalog: &'a Catalog,
    site: &'a Site,
    base: &str,
    mut request: V1Request,
) -> Result<Translated<'a>, Refused> {
    let operation = known(catalog, &request)?;
    if let Service::NotServed(_) = &operation.service {
        return Err(Refused::not_served(operation));
    }
    let (variables, arguments, item) = Variables::extract_secrets(
        catalog,
        operation,
        &request.arguments,
        &request.variables,
        &mut request.notes,
    );
    let plan = operation.plan().unwrap_or(&NO_PLAN);
    let dry_run = DryRun {
        catalog,
        operation,
        plan,
        site,
        arguments: &arguments,
        item: &item,
    };
    let (planned, finished) = dry_run.requests().map_err(|error| {
        if request.unknown.is_empty() {
            Refused::new(catalog, Some(operation), &request, error)
        } else {
            Refused::parameters(operation, &request.unknown, &error)
        }
    })?;
    let mut losses = Losses::default();
    for warning in finished.answer.warnings {
        losses.add(catalog, operation, &planned, warning);
    }
    let context = CallContext {
        plan,
        base,
        variables: &variables,
        item: &item,
        files: &request.files,
    };
    let mut notes = request.notes;
    let calls = context.calls(planned, &mut notes);
    Ok(Translated {
        schema: SCHEMA,
        kind: "translation",
        operation: &operation.name,
        variables: calls::variables(&calls),
        calls,
        not_sent: losses.not_sent,
        changed: losses.changed,
        ignored: finished
            .unknown
            .iter()
            .map(|name| variables.named(name))
            .collect(),
        left_out: losses.left_out,
        notes,
        answer: answer_fields(catalog, operation),
    })
}

/// The v2 command that replaces a v1 `curl` command; `None` if it takes several, or if anything is
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
    /// The command, if one request replaces the v1 call without loss or condition.
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
        if request.variables.is_in(&request.operation) {
            return Refused::operation(request);
        }
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
                format!("{name}: v1 returns an error without any v2 call."),
                format!("see `migrate explain {}`", known.name),
            ),
            None => (
                format!("{name}: v1 had no such operation."),
                match explain::nearest_operations(catalog, &request.operation).as_slice() {
                    [] => "`migrate explain` lists all operations".to_owned(),
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

    /// An operation in a variable.
    fn operation(request: &V1Request) -> Self {
        let name = request
            .variables
            .shown(&request.operation, |name| format!("${name}"));
        Self::undecided(
            format!("{name}: the operation depends on a variable."),
            name,
            "write the operation in its place".to_owned(),
        )
    }

    /// An error that may come from parameters in variables.
    fn parameters(operation: &Operation, unknown: &[String], error: &V1Error) -> Self {
        let name = &operation.name;
        let variables = unknown.join(", ");
        Self::undecided(
            format!("{name}: depends on the parameters in {variables}, whose value is unknown."),
            name.clone(),
            format!(
                "write them in its place, as id=abc; without them, v1 answers: {}",
                error.message
            ),
        )
    }

    fn undecided(reason: String, operation: String, hint: String) -> Self {
        Self {
            schema: SCHEMA,
            kind: UNDECIDED,
            reason,
            operation,
            error: None,
            v2: Vec::new(),
            hint,
        }
    }

    /// True if the result depends on the value of a variable.
    pub(crate) fn is_undecided(&self) -> bool {
        self.kind == UNDECIDED
    }

    fn not_served(operation: &Operation) -> Self {
        Self {
            schema: SCHEMA,
            kind: "not_served",
            reason: format!("{}: the shim does not serve it yet.", operation.name),
            operation: operation.name.clone(),
            error: None,
            v2: explain::v2_requests(operation),
            hint: format!(
                "its parameters are not mapped yet; `migrate explain {}` lists them",
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
