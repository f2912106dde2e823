//! CORS for the browser programs of allowed origins.

use axum::body::Body;
use hyper::{
    HeaderMap, Method, Response, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
        HeaderName, HeaderValue, ORIGIN, VARY,
    },
};

/// Response headers of a preflight request; cached by browsers for 600 s.
const PREFLIGHT: [(HeaderName, &str); 3] = [
    (ACCESS_CONTROL_ALLOW_METHODS, "POST"),
    (ACCESS_CONTROL_ALLOW_HEADERS, "content-type"),
    (ACCESS_CONTROL_MAX_AGE, "600"),
];

/// Response headers that scripts may read.
const READABLE: &str = "x-shim-warning, x-request-id";

/// Origins whose scripts may read responses.
#[derive(Debug)]
pub(crate) struct AllowedOrigins(Vec<HeaderValue>);

impl AllowedOrigins {
    pub(crate) fn new(origins: &[String]) -> Self {
        // Validated settings contain printable characters only, so no origin is skipped.
        let origins = origins.iter().map(|origin| HeaderValue::from_str(origin));
        Self(origins.filter_map(Result::ok).collect())
    }

    /// Response to a preflight request of an allowed origin; `None` for other requests.
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

    /// Adds the headers that allow a script to read the response.
    pub(crate) fn add_to(&self, response: &mut HeaderMap, request: &HeaderMap) {
        if self.0.is_empty() {
            return;
        }
        response.append(VARY, HeaderValue::from(ORIGIN));
        if let Some(origin) = self.of(request) {
            response.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            let readable = HeaderValue::from_static(READABLE);
            response.insert(ACCESS_CONTROL_EXPOSE_HEADERS, readable);
        }
    }

    /// The request's origin, if it is allowed.
    fn of(&self, headers: &HeaderMap) -> Option<&HeaderValue> {
        let origin = headers.get(ORIGIN)?;
        self.0.iter().find(|allowed| *allowed == origin)
    }
}
