//! Headers that announce the end of v1: `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and a `Link`
//! to the successor.

use hyper::header::{HeaderMap, HeaderName, HeaderValue, LINK};

use crate::settings::Deprecation;

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// Prepared headers; empty if not configured.
#[derive(Debug, Default)]
pub(crate) struct DeprecationHeaders(Vec<(HeaderName, HeaderValue)>);

impl DeprecationHeaders {
    pub(crate) fn new(deprecation: Option<&Deprecation>) -> Self {
        let Some(Deprecation {
            since,
            sunset,
            link,
        }) = deprecation
        else {
            return Self::default();
        };
        let since = since.midnight().assume_utc().unix_timestamp();
        let sunset = httpdate::fmt_http_date(sunset.midnight().assume_utc().into());
        let link = format!("<{link}>; rel=\"successor-version\"");
        let headers = [
            (DEPRECATION, format!("@{since}")),
            (SUNSET, sunset),
            (LINK, link),
        ];
        // A parsed URL contains printable characters only, so no header is skipped.
        let headers = headers
            .into_iter()
            .filter_map(|(name, value)| Some((name, HeaderValue::from_str(&value).ok()?)));
        Self(headers.collect())
    }

    pub(crate) fn add_to(&self, headers: &mut HeaderMap) {
        headers.extend(self.0.iter().cloned());
    }
}
