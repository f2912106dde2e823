//! Error responses, declared in `errors.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::embedded;
use super::response::json_response;

/// A v2 error: `{"code":…,"message":…}` with its HTTP status.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: u16,
    code: u32,
    message: String,
    refused: Vec<RefusedField>,
}

/// Field that failed validation.
#[derive(Debug)]
pub(crate) struct RefusedField {
    pub(crate) field: String,
    pub(crate) reason: String,
}

impl ApiError {
    /// The error of `errors.toml` with this name.
    pub(crate) fn new(name: &str) -> Self {
        let row = rows().get(name);
        debug_assert!(row.is_some(), "{name} is not in errors.toml");
        Self::of(row)
    }

    /// The error of a table row; status 500 for a missing row, which is a mistake in the data.
    pub(crate) fn of(row: Option<&ErrorRow>) -> Self {
        static MISSING: ErrorRow = ErrorRow {
            status: 500,
            code: 500,
            message: String::new(),
        };
        let row = row.unwrap_or(&MISSING);
        Self {
            status: row.status,
            code: row.code,
            message: row.message.clone(),
            refused: Vec::new(),
        }
    }

    /// Fills the placeholder `{name}` of the message.
    pub(crate) fn with(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.message = self
            .message
            .replace(&format!("{{{name}}}"), &value.to_string());
        self
    }

    /// Replaces the message by `render(message)`.
    pub(crate) fn map_message(mut self, render: impl FnOnce(&str) -> String) -> Self {
        self.message = render(&self.message);
        self
    }

    /// Validation error with its fields.
    pub(crate) fn validation(refused: Vec<RefusedField>) -> Self {
        Self {
            refused,
            ..Self::new("validation_failed")
        }
    }

    /// Validation error of one field.
    pub(crate) fn refused(field: &str, reason: &str) -> Self {
        Self::validation(vec![RefusedField {
            field: field.to_owned(),
            reason: reason.to_owned(),
        }])
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut body = json!({ "code": self.code, "message": self.message });
        if !self.refused.is_empty()
            && let Some(members) = body.as_object_mut()
        {
            let errors = self
                .refused
                .into_iter()
                .map(|refused| json!({ "field": refused.field, "message": refused.reason }))
                .collect();
            members.insert("errors".to_owned(), Value::Array(errors));
        }
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        json_response(status, &body)
    }
}

/// Row of an error table.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ErrorRow {
    pub(crate) status: u16,
    pub(crate) code: u32,
    pub(crate) message: String,
}

/// Rows of `errors.toml` by name.
pub(crate) fn rows() -> &'static BTreeMap<String, ErrorRow> {
    static ROWS: LazyLock<BTreeMap<String, ErrorRow>> =
        LazyLock::new(|| embedded::toml("errors.toml", include_str!("errors.toml")));
    &ROWS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_an_error_status_and_a_message() {
        for (name, row) in rows() {
            let status = row.status;
            assert!((400..500).contains(&status), "{name}: status {status}");
            assert!(!row.message.is_empty(), "{name}: no message");
        }
    }
}
