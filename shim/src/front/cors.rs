//! Cross-origin requests of the browser programs that a site allows (CORS).

use axum::body::Body;
use hyper::{
    HeaderMap, Method, Response, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
        HeaderName, HeaderValue, ORIGIN, VARY,
    },
};

/// What a preflight request is answered, and for how many seconds that holds.
const PREFLIGHT: [(HeaderName, &str); 3] = [
    (ACCESS_CONTROL_ALLOW_METHODS, "POST"),
    (ACCESS_CONTROL_ALLOW_HEADERS, "content-type"),
    (ACCESS_CONTROL_MAX_AGE, "600"),
];

/// The headers that scripts may read.
const READABLE: &str = "x-shim-warning, x-request-id";

/// The origins whose scripts may read answers.
#[derive(Debug)]
pub(crate) struct AllowedOrigins(Vec<HeaderValue>);

impl AllowedOrigins {
    pub(crate) fn new(origins: &[String]) -> Self {
        // Checked settings have printable characters only: no origin is left out.
        let origins = origins.iter().map(|origin| HeaderValue::from_str(origin));
        Self(origins.filter_map(Result::ok).collect())
    }

    /// The answer to a preflight request; `None` for any other request.
    pub(crate) fn preflight(&self, method: &Method, headers: &HeaderMap) -> Option<Response<Body>> {
        let is_preflight =
            method == Method::OPTIONS && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        self.of(headers).filter(|_| is_preflight)?;
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        for (name, value) in PREFLIGHT {
            let value = HeaderValue::from_static(value);
            response.headers_mut().insert(name, value);
        }
        Some(response)
    }

    /// Adds what lets a script of an allowed origin read the answer.
    pub(crate) fn add_to(&self, answer: &mut HeaderMap, request: &HeaderMap) {
        if self.0.is_empty() {
            return;
        }
        answer.append(VARY, HeaderValue::from(ORIGIN));
        if let Some(origin) = self.of(request) {
            answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            let readable = HeaderValue::from_static(READABLE);
            answer.insert(ACCESS_CONTROL_EXPOSE_HEADERS, readable);
        }
    }

    /// The origin of a request, if it is allowed.
    fn of(&self, headers: &HeaderMap) -> Option<&HeaderValue> {
        let origin = headers.get(ORIGIN)?;
        self.0.iter().find(|allowed| *allowed == origin)
    }
}
