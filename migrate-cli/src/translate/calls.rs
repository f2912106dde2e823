//! Conversion of planned requests to printable calls.

use mappings::{
    Body, V2Request,
    catalog::operation::{Call, Plan},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::{
    BodyCondition, FileEntry, TranslatedCall, Variable,
    dry_run::Planned,
    form, shell,
    variables::{Piece, Variables, item_variable},
};
use crate::explain::{direct_dependencies, wording};

/// Characters not encoded in a query: RFC 3986 unreserved characters, and some without a meaning
/// there.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b',')
    .remove(b'@');

/// Context shared by all calls of a translation.
pub(super) struct CallContext<'f, 'a> {
    pub(super) plan: &'a Plan,
    /// Base URL of v2, without a trailing slash.
    pub(super) base: &'f str,
    pub(super) variables: &'f Variables,
    /// Marker for the id of list items.
    pub(super) item: &'f str,
    /// File paths, by parameter.
    pub(super) files: &'f [(String, String)],
}

impl<'a> CallContext<'_, 'a> {
    /// Numbers the calls and adds preparation steps to the notes.
    pub(super) fn calls(
        &self,
        planned: Vec<Planned>,
        notes: &mut Vec<String>,
    ) -> Vec<TranslatedCall<'a>> {
        let made: Vec<usize> = planned.iter().map(|planned| planned.call).collect();
        let mut calls: Vec<TranslatedCall<'a>> = Vec::with_capacity(planned.len());
        for planned in planned {
            let Some(call) = self.plan.calls.get(planned.call) else {
                continue;
            };
            let direct = direct_dependencies(self.plan, planned.call, |at| made.contains(&at));
            let numbered = (1..).zip(&made).filter(|(_, at)| direct.contains(at));
            let after: Vec<usize> = numbered.map(|(number, _)| number).collect();
            let steps = calls.iter().filter(|call| after.contains(&call.number));
            let step = steps
                .map(|call| call.step)
                .max()
                .map_or(1, |latest| latest + 1);
            let number = calls.len() + 1;
            let mut translated = self.call(call, planned, &made, notes);
            translated.number = number;
            translated.step = step;
            translated.after = after;
            calls.push(translated);
        }
        calls
    }

    fn call(
        &self,
        call: &'a Call,
        planned: Planned,
        made: &[usize],
        notes: &mut Vec<String>,
    ) -> TranslatedCall<'a> {
        let variables = self.variables.with_item(call, self.item);
        let file = file_entry(&planned.request, self.files, notes);
        let number_of = |at: usize| made.iter().position(|known| *known == at).map(|n| n + 1);
        let marked_url = url(self.base, &planned.request);
        let marked_body = match planned.request.body {
            Body::Json(body) => Some(body),
            Body::None | Body::File { .. } => None,
        };
        let members = planned.members.into_iter();
        let mut translated = TranslatedCall {
            number: 0,
            name: &call.name,
            step: 0,
            after: Vec::new(),
            each: self.plan.list_of(call).and_then(number_of),
            each_where: call.each.as_ref().and_then(wording::each_where),
            only_if: planned.only_if,
            body_only_if: members
                .map(|(member, only_if)| BodyCondition { member, only_if })
                .collect(),
            method: call.method.as_str(),
            url: variables.named(&marked_url),
            body: marked_body
                .as_ref()
                .map(|body| named_body(body, &variables)),
            file,
            note: call.note.as_deref(),
            scope: &call.scope,
            curl: String::new(),
            item: item_variable(call),
            marked_url,
            marked_body,
            variables,
        };
        translated.curl = shell::command(&translated, usize::MAX);
        translated
    }
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
        Value::Array(items) => items
            .iter()
            .map(|item| named_body(item, variables))
            .collect(),
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
    let Body::File {
        part, media_type, ..
    } = &request.body
    else {
        return None;
    };
    let path = files
        .iter()
        .find(|(name, _)| name == part)
        .map(|(_, path)| path);
    let path = path
        .filter(|path| !path.contains(form::is_invisible))
        .cloned();
    let path = path.unwrap_or_else(|| {
        let kind = media_type.strip_prefix("image/").unwrap_or("bin");
        let path = format!("{part}.{kind}");
        notes.push(format!("{part}: save the content of the picture as {path}"));
        path
    });
    Some(FileEntry {
        part: part.clone(),
        path,
    })
}

/// Environment variables of the commands.
pub(super) fn variables(calls: &[TranslatedCall<'_>]) -> Vec<Variable> {
    let mut scopes: Vec<&str> = Vec::new();
    for call in calls {
        if !scopes.contains(&call.scope) {
            scopes.push(call.scope);
        }
    }
    let mut needed = vec![Variable {
        name: "TOKEN".to_owned(),
        about: format!("a v2 access token for {}", wording::all_of(&scopes)),
    }];
    for call in calls {
        for (name, is_given) in call.variables.names().filter(|(name, _)| is_in(call, name)) {
            let about = match call.each.filter(|_| call.item.as_deref() == Some(name)) {
                Some(each) => format!("the id of an item that {each} finds"),
                None if is_given => {
                    "of the v1 request; percent-encode it for URLs, escape it for JSON".to_owned()
                }
                None => "a secret of the v1 request; escape it for JSON".to_owned(),
            };
            let variable = Variable {
                name: name.to_owned(),
                about,
            };
            if !needed.contains(&variable) {
                needed.push(variable);
            }
        }
    }
    needed
}

fn is_in(call: &TranslatedCall<'_>, variable: &str) -> bool {
    let is_it = |text: &str| {
        let mut pieces = call.variables.pieces(text).into_iter();
        pieces.any(|piece| matches!(piece, Piece::Variable(name) if name == variable))
    };
    let body = call.marked_body.as_ref().map(Value::to_string);
    is_it(&call.marked_url) || body.is_some_and(|body| is_it(&body))
}
