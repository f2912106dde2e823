//! Encodes v1 answers: JSON or XML, v1's error envelope, losses in a header.

mod deprecation;
mod warnings;
mod xml;

use axum::body::Body;
use bytes::Bytes;
pub(crate) use deprecation::DeprecationHeaders;
use hyper::{
    HeaderMap, Response, StatusCode,
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
};
use mappings::{V1Answer, V1Error, V1Object};
use serde_json::{Map, Value, json};

/// Reports losses, one per value.
const WARNING: HeaderName = HeaderName::from_static("x-shim-warning");

/// Capacity for the headers of every response.
const USUAL_HEADERS: usize = 8;

/// Encoding of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// Default of v1.
    #[default]
    Json,
    /// Selected by `data_type=XML`.
    Xml,
}

impl Format {
    /// Parses a format name, ignoring case; JSON if unknown, like v1.
    pub(crate) fn named(name: Option<&str>) -> Self {
        match name {
            Some(name) if name.trim().eq_ignore_ascii_case("xml") => Self::Xml,
            _ => Self::Json,
        }
    }

    /// Some clients choose the parser by this, e.g. Ruby's.
    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json;charset=UTF-8",
            Self::Xml => "application/xml;charset=UTF-8",
        })
    }
}

/// Builds the response; `json` is the answer if it was already serialized.
pub(crate) fn response(
    answer: &V1Answer,
    json: Option<Bytes>,
    format: Format,
    status: StatusCode,
) -> Response<Body> {
    let body = match format {
        Format::Json => json
            .unwrap_or_else(|| self::json(answer.result.as_ref()))
            .into(),
        Format::Xml => match &answer.result {
            Ok(object) => xml::document(&object.members()),
            Err(error) => xml::document(&error_envelope(error)),
        }
        .into(),
    };

    let mut headers = HeaderMap::with_capacity(USUAL_HEADERS);
    headers.insert(CONTENT_TYPE, format.content_type());
    for warning in warnings::header_values(&answer.warnings) {
        headers.append(WARNING, warning);
    }
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// Serializes an answer as JSON.
pub(crate) fn json(result: Result<&V1Object, &V1Error>) -> Bytes {
    match result {
        Ok(object) => object.json().clone(),
        Err(error) => V1Object::from(&error_envelope(error)).json().clone(),
    }
}

fn error_envelope(error: &V1Error) -> Map<String, Value> {
    let fields = json!({ "code": error.code, "message": error.message });
    Map::from_iter([("error".to_owned(), fields)])
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use http_body_util::BodyExt as _;
    use mappings::{Warning, WarningKind};

    use super::*;

    fn show(answer: &V1Answer, format: Format) -> String {
        let response = response(answer, None, format, StatusCode::OK);
        let headers = response.headers().iter();
        let shown: Vec<_> = headers
            .map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap()))
            .collect();
        let body = response.into_body().collect().now_or_never();
        let body = body.unwrap().unwrap().to_bytes();
        shown.concat() + str::from_utf8(&body).unwrap()
    }

    fn success() -> V1Answer {
        let members = json!({
            "id": "z8yAAAAA8bbbQ",
            "type": 2,
            "pmi": 2_035_134_243_u64,
            "dept": null,
            "first_name": "Zoë & <Ada>",
            "enable_cmr": true,
            "users": [{ "id": "1", "email": "a@example.com" }, { "id": "2" }],
            "rows": [["x"], 1],
            "total_records": 2,
        });
        V1Answer {
            result: Ok(members.as_object().unwrap().into()),
            warnings: vec![Warning {
                kind: WarningKind::NotHonoured,
                field: "track_id".to_owned(),
                reason: "v2 has no referral track id".to_owned(),
            }],
        }
    }

    fn error() -> V1Answer {
        let error = V1Error {
            code: 1001,
            message: "User not exist: <a\u{1}\r\n&b>".to_owned(),
        };
        V1Answer {
            result: Err(error),
            warnings: Vec::new(),
        }
    }

    #[test]
    fn json_keeps_the_order_of_the_answer() {
        insta::assert_snapshot!(show(&success(), Format::Json));
    }

    #[test]
    fn xml_has_the_members_below_the_root() {
        insta::assert_snapshot!(show(&success(), Format::Xml));
    }

    #[test]
    fn errors_have_the_envelope() {
        insta::assert_snapshot!(show(&error(), Format::Json), @r#"
        content-type: application/json;charset=UTF-8
        {"error":{"code":1001,"message":"User not exist: <a\u0001\r\n&b>"}}
        "#);
        insta::assert_snapshot!(show(&error(), Format::Xml), @r#"
        content-type: application/xml;charset=UTF-8
        <?xml version="1.0" encoding="UTF-8"?>
        <result><error><code>1001</code><message>User not exist: &lt;a�&#13;
        &amp;b&gt;</message></error></result>
        "#);
    }

    #[test]
    fn formats_are_named_in_any_case() {
        for name in ["XML", "xml", "Xml"] {
            assert_eq!(Format::named(Some(name)), Format::Xml);
        }
        for name in [None, Some("JSON"), Some("json"), Some("yaml"), Some("")] {
            assert_eq!(Format::named(name), Format::Json);
        }
    }
}
