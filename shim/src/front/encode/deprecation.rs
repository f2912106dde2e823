//! Headers that tell a program's maintainers that v1 has ended: `Deprecation` (RFC 9745), `Sunset`
//! (RFC 8594), and where to go instead.

use hyper::header::{HeaderMap, HeaderName, HeaderValue, LINK};

use crate::settings::Deprecation;

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// The headers, written down once; none if a site does not want them.
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
        // A parsed URL has printable characters only: no value is left out.
        let headers = headers
            .into_iter()
            .filter_map(|(name, value)| Some((name, HeaderValue::from_str(&value).ok()?)));
        Self(headers.collect())
    }

    pub(crate) fn add_to(&self, headers: &mut HeaderMap) {
        headers.extend(self.0.iter().cloned());
    }
}
