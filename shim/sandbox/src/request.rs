//! Extractors for path segments, queries and bodies, whose rejections are v2 errors, and JSON
//! responses.

use std::borrow::Cow;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use super::error::ApiError;
use super::response::json_response;

/// Result of a handler.
pub(crate) type Answer = Result<Response, ApiError>;

/// Members of a JSON object.
pub(crate) type Members = Map<String, Value>;

/// Typed access to members; `None` for other types and for values that are not objects.
pub(crate) trait Typed {
    fn member(&self, name: &str) -> Option<&Value>;

    fn text(&self, name: &str) -> Option<&str> {
        self.member(name).and_then(Value::as_str)
    }

    fn integer(&self, name: &str) -> Option<i64> {
        self.member(name).and_then(Value::as_i64)
    }

    fn is_true(&self, name: &str) -> bool {
        self.member(name) == Some(&Value::Bool(true))
    }

    fn elements(&self, name: &str) -> &[Value] {
        let array = self.member(name).and_then(Value::as_array);
        array.map(Vec::as_slice).unwrap_or_default()
    }
}

impl Typed for Members {
    fn member(&self, name: &str) -> Option<&Value> {
        self.get(name)
    }
}

impl Typed for Value {
    fn member(&self, name: &str) -> Option<&Value> {
        self.get(name)
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "tail expression of handlers, which return an Answer"
)]
pub(crate) fn ok(body: &Value) -> Answer {
    Ok(json_response(StatusCode::OK, body))
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "tail expression of handlers, which return an Answer"
)]
pub(crate) fn created(body: &Value) -> Answer {
    Ok(json_response(StatusCode::CREATED, body))
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "tail expression of handlers, which return an Answer"
)]
pub(crate) fn no_content() -> Answer {
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Merges changes recursively; values other than objects are replaced.
pub(crate) fn merge(object: &mut Members, changes: Members) {
    for (name, change) in changes {
        match (object.get_mut(&name), change) {
            (Some(Value::Object(inner)), Value::Object(change)) => merge(inner, change),
            (_, change) => {
                object.insert(name, change);
            }
        }
    }
}

/// Decoded path parameters, in order.
pub(crate) struct Segments(Vec<(String, String)>);

impl Segments {
    /// The segment at `position`, decoded a second time: v2 requires double encoding for ids that
    /// begin with `/` or contain `//`. `None` for such an id that was encoded once.
    pub(crate) fn decoded_again(&self, position: usize) -> Option<String> {
        let once = self.at(position);
        if once.starts_with('/') || once.contains("//") {
            return None;
        }
        let query = format!("={}", once.replace('+', "%2B").replace('&', "%26"));
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(&query).ok()?;
        pairs.into_iter().next().map(|(_, value)| value)
    }

    /// All segments by name.
    pub(crate) fn document(&self) -> Value {
        Value::from_iter(self.0.clone())
    }

    /// The segment at `position`; empty if the route has fewer.
    pub(crate) fn at(&self, position: usize) -> &str {
        self.0.get(position).map_or("", |(_, value)| value.as_str())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Segments {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        // Segments that are not UTF-8 match no object.
        let Path(segments) = Path::<Vec<(String, String)>>::from_request_parts(parts, state)
            .await
            .map_err(|_| ApiError::new("unknown_endpoint"))?;
        if segments.iter().any(|(_, value)| value.is_empty()) {
            return Err(ApiError::new("unknown_endpoint"));
        }
        Ok(Self(segments))
    }
}

/// Decoded query, in order, including unknown parameters.
pub(crate) struct QueryPairs(pub(crate) Vec<(String, String)>);

impl QueryPairs {
    /// The first value of a parameter.
    pub(crate) fn first(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The first nonempty value of a parameter.
    pub(crate) fn filled(&self, name: &str) -> Option<&str> {
        self.first(name).filter(|value| !value.is_empty())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for QueryPairs {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self(serde_urlencoded::from_str(query).unwrap_or_default()))
    }
}

/// JSON object in the body; empty for an empty body.
pub(crate) struct JsonObject(pub(crate) Members);

impl<S: Send + Sync> FromRequest<S> for JsonObject {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let content_type = content_type(request.headers()).into_owned();
        let body = Bytes::from_request(request, state)
            .await
            .map_err(|rejection| {
                ApiError::new(match rejection.status() {
                    StatusCode::PAYLOAD_TOO_LARGE => "body_too_large",
                    _ => "body_unreadable",
                })
            })?;
        if body.is_empty() {
            return Ok(Self(Members::new()));
        }
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        if !media_type.eq_ignore_ascii_case("application/json") {
            return Err(ApiError::new("body_type_unsupported").with("content_type", media_type));
        }
        match serde_json::from_slice(&body) {
            Ok(Value::Object(members)) => Ok(Self(members)),
            _ => Err(ApiError::new("body_not_json")),
        }
    }
}

pub(crate) fn content_type(headers: &HeaderMap) -> Cow<'_, str> {
    headers
        .get(CONTENT_TYPE)
        .map_or(Cow::Borrowed(""), |value| {
            String::from_utf8_lossy(value.as_bytes())
        })
}
