//! Downloads files that v2 refers to by URL, such as recordings, with the tenant's token.

use hyper::{
    HeaderMap, Method, Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, LOCATION},
};
use reqwest::Body;
use tokio::time::{self, Instant};
use url::Url;

use crate::{address::BaseUrl, client::Upstream, token::TokenError};

/// Maximum number of redirects; v2 redirects downloads to its file servers.
const MAX_REDIRECTS: usize = 5;

/// Reason why a file is unavailable.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The URL or a redirect leads to a host that is neither v2's nor allowed.
    #[error("the host {0:?} is not one that files are fetched from")]
    Host(String),
    /// No token is available.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// v2 returned an HTML page, as for a missing or invalid token.
    #[error("v2 answered with a page in place of the file")]
    Page,
    /// Too many redirects, or an invalid target.
    #[error("v2 redirects without end, or to no URL")]
    Redirects,
    /// No response in time.
    #[error("no answer")]
    Unreachable,
}

impl Upstream {
    /// Requests a file and returns the response with its unread body. Any status is returned, but
    /// never an HTML page.
    ///
    /// Only v2's own host and, over TLS, hosts below `domains` are contacted. Their names must
    /// resolve to public addresses. The token is sent to the host of `url`, not to redirect
    /// targets.
    ///
    /// # Errors
    ///
    /// The reason why there is no response by the deadline.
    pub async fn file(
        &self,
        (method, url, headers): (&Method, &Url, &HeaderMap),
        domains: &[String],
        deadline: Instant,
    ) -> Result<Response<Body>, FileError> {
        let mut token = self.within(deadline, self.tokens().current()).await?;
        let (mut at, mut redirects, mut is_renewed) = (url.clone(), 0, false);
        loop {
            if !is_allowed(&at, &self.endpoint().base, domains) {
                let host = at.host_str().unwrap_or_default();
                return Err(FileError::Host(host.to_owned()));
            }
            let is_first = at.origin() == url.origin();
            let files = self.endpoint().http.files();
            let mut request = files
                .request(method.clone(), at.clone())
                .headers(headers.clone());
            if is_first {
                request = request.header(AUTHORIZATION, token.header());
            }
            let limit = deadline.min(Instant::now() + self.endpoint().limits.timeout);
            let response: Response<Body> = match time::timeout_at(limit, request.send()).await {
                Ok(Ok(response)) => response.into(),
                Ok(Err(_)) | Err(_) => return Err(FileError::Unreachable),
            };
            if response.status().is_redirection()
                && let Some(to) = response.headers().get(LOCATION)
            {
                redirects += 1;
                let to = to.to_str().ok().and_then(|to| at.join(to).ok());
                at = to
                    .filter(|_| redirects <= MAX_REDIRECTS)
                    .ok_or(FileError::Redirects)?;
                continue;
            }
            let is_refused = response.status() == StatusCode::UNAUTHORIZED || is_page(&response);
            if is_refused
                && !is_renewed
                && let Ok(renewed) = self.within(deadline, self.tokens().renew(&token)).await
            {
                (token, at, is_renewed) = (renewed, url.clone(), true);
                continue;
            }
            if is_page(&response) {
                return Err(FileError::Page);
            }
            return Ok(response);
        }
    }
}

/// True for v2's own host and port, and over TLS for names below the domains.
fn is_allowed(url: &Url, base: &BaseUrl, domains: &[String]) -> bool {
    let Some(host) = url.host_str() else {
        return false;
    };
    let is_plain = url.scheme() == "http";
    if host.eq_ignore_ascii_case(base.host()) && url.port_or_known_default() == Some(base.port()) {
        return is_plain == base.is_plain();
    }
    let is_below = |domain: &String| {
        host == domain
            || host
                .strip_suffix(domain.as_str())
                .is_some_and(|rest| rest.ends_with('.'))
    };
    url.scheme() == "https" && url.domain().is_some() && domains.iter().any(is_below)
}

/// True for a successful HTML response; v2 has no HTML files.
fn is_page(response: &Response<Body>) -> bool {
    let content_type = response.headers().get(CONTENT_TYPE);
    let content_type = content_type.map_or(&[][..], HeaderValue::as_bytes);
    response.status().is_success()
        && content_type
            .get(..9)
            .is_some_and(|start| start.eq_ignore_ascii_case(b"text/html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(url: &str, base: &str) -> bool {
        let base = BaseUrl::parse(base).unwrap();
        let domains = ["zoom.us".to_owned()];
        is_allowed(&url.parse().unwrap(), &base, &domains)
    }

    #[test]
    fn allows_v2_and_listed_domains_over_tls() {
        let v2 = "https://api.zoom.us/v2";
        for url in [
            "https://zoom.us/rec/download/a",
            "https://us02web.zoom.us/rec/download/a",
            "https://api.zoom.us/rec/download/a",
        ] {
            assert!(allowed(url, v2), "{url}");
        }
        for url in [
            "http://us02web.zoom.us/rec/download/a",
            "https://zoom.us.example.com/rec/download/a",
            "https://evilzoom.us/rec/download/a",
            "https://127.0.0.1/rec/download/a",
            "https://[::1]/rec/download/a",
            "https://user@example.com/@zoom.us",
            "ftp://zoom.us/a",
            "data:text/plain,a",
        ] {
            assert!(!allowed(url, v2), "{url}");
        }
        let own = "http://127.0.0.1:8100/v2";
        assert!(allowed("http://127.0.0.1:8100/rec/download/a", own));
        assert!(!allowed("http://127.0.0.1:8101/rec/download/a", own));
        assert!(!allowed("https://127.0.0.1:8100/rec/download/a", own));
    }
}
