//! Relays files of v2 under signed, expiring links that are tied to one tenant.
//!
//! v2 answers a download without an `Authorization` header with an HTML page and status 200, which
//! old programs would store in place of the video.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::body::{Body, Bytes, HttpBody};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use hyper::{
    HeaderMap, Method, Response, StatusCode,
    body::{Frame, SizeHint},
    header::{
        ACCEPT_RANGES, ALLOW, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE,
        CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_RANGE, LAST_MODIFIED, RANGE, RETRY_AFTER,
    },
    http::request::Parts,
};
use mappings::Links;
use secrecy::ExposeSecret as _;
use sha2::Sha256;
use shim_upstream::FileError;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, Sleep, sleep_until},
};
use url::Url;

use super::{Generation, plain};
use crate::{
    clock::unix_seconds,
    front::server::InProgress,
    settings::RelayConfig,
    state::{Key, State},
};

/// Path prefix of links, below the base URL.
const FOLDER: &str = "relay/";

/// Request headers passed on to v2.
const FORWARDED: [HeaderName; 2] = [RANGE, IF_RANGE];

/// Response headers passed back to the client.
const RETURNED: [HeaderName; 8] = [
    ACCEPT_RANGES,
    CONTENT_DISPOSITION,
    CONTENT_ENCODING,
    CONTENT_LENGTH,
    CONTENT_RANGE,
    CONTENT_TYPE,
    ETAG,
    LAST_MODIFIED,
];

/// Length of a MAC, and of a tenant's id, in bytes.
const DIGEST: usize = 32;

/// `Retry-After` in seconds if all download permits are taken.
const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("10");

/// Creates and verifies links.
pub(crate) struct Relay {
    config: RelayConfig,
    /// Keyed MACs: the first one signs, any of them verifies.
    macs: Vec<Hmac<Sha256>>,
    /// Limits concurrent downloads.
    permits: Arc<Semaphore>,
}

/// Reasons to reject a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LinkError {
    /// Malformed, or not signed with a known key.
    Forged,
    Expired,
}

impl Relay {
    /// Without a configured key, links are signed with the key in the state.
    pub(super) fn new(config: RelayConfig, state: &State) -> Self {
        let mac = |key: &[u8]| Hmac::new_from_slice(key).ok();
        let macs = match &config.key {
            Some(key) => mac(key.expose_secret().as_bytes()).into_iter().collect(),
            None => state
                .link_keys()
                .iter()
                .filter_map(|key| mac(key))
                .collect(),
        };
        Self {
            macs,
            permits: Arc::new(Semaphore::new(config.downloads)),
            config,
        }
    }

    /// Link factory for one tenant.
    pub(super) fn links(self: &Arc<Self>, tenant: Key) -> Arc<dyn Links> {
        let relay = Arc::clone(self);
        Arc::new(TenantLinks { relay, tenant })
    }

    /// Signs a link that is valid until `until`, in seconds since 1970.
    fn token(&self, tenant: &[u8; DIGEST], url: &str, until: i64) -> Option<String> {
        let signed = [&until.to_be_bytes(), tenant.as_slice(), url.as_bytes()].concat();
        let mac = self.macs.first()?.clone().chain_update(&signed).finalize();
        Some(BASE64_URL_SAFE_NO_PAD.encode([mac.into_bytes().as_slice(), &signed].concat()))
    }

    /// Verifies a token and returns its tenant and URL.
    fn open(&self, token: &str, now: i64) -> Result<([u8; DIGEST], Url), LinkError> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token);
        let bytes = bytes.map_err(|_| LinkError::Forged)?;
        let (mac, signed) = bytes.split_at_checked(DIGEST).ok_or(LinkError::Forged)?;
        let has_signed = |key: &Hmac<Sha256>| {
            let signature = key.clone().chain_update(signed).verify_slice(mac);
            signature.is_ok()
        };
        if !self.macs.iter().any(has_signed) {
            return Err(LinkError::Forged);
        }
        let opened = signed.split_first_chunk().and_then(|(until, rest)| {
            let (tenant, url) = rest.split_first_chunk()?;
            let url = Url::parse(std::str::from_utf8(url).ok()?).ok()?;
            Some((i64::from_be_bytes(*until), *tenant, url))
        });
        let (until, tenant, url) = opened.ok_or(LinkError::Forged)?;
        if until < now {
            return Err(LinkError::Expired);
        }
        Ok((tenant, url))
    }
}

struct TenantLinks {
    relay: Arc<Relay>,
    tenant: Key,
}

impl Links for TenantLinks {
    fn link(&self, url: &str, now: i64) -> Option<String> {
        let Relay { config, .. } = self.relay.as_ref();
        let lifetime = i64::try_from(config.link_time.as_secs()).ok()?;
        let until = now.checked_add(lifetime)?;
        let token = self.relay.token(self.tenant.as_bytes(), url, until)?;
        Some(format!("{}{FOLDER}{token}", config.base))
    }
}

impl fmt::Debug for TenantLinks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TenantLinks")
    }
}

/// Extracts the token from the path of a link; `None` for any other path.
pub(super) fn token_of(path: &str) -> Option<&str> {
    let path = path.strip_prefix('/')?;
    path.strip_prefix(FOLDER)
        .or_else(|| path.split_once("/relay/").map(|(_, token)| token))
        .filter(|token| !token.contains('/'))
}

impl Generation {
    /// Answers a request for a link with the file, or with a plain HTTP error.
    pub(super) async fn relay(
        &self,
        relay: &Arc<Relay>,
        token: &str,
        head: &Parts,
    ) -> Response<Body> {
        let response = self.relayed(relay, token, head).await;
        let mut response = response.unwrap_or_else(|refusal| refusal);
        let status = response.status();
        tracing::info!("{} (a relayed file)  {}", head.method, status.as_u16());
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response
                .headers_mut()
                .entry(RETRY_AFTER)
                .or_insert(RETRY_SECONDS);
        }
        response
    }

    async fn relayed(
        &self,
        relay: &Arc<Relay>,
        token: &str,
        head: &Parts,
    ) -> Result<Response<Body>, Response<Body>> {
        if !matches!(head.method, Method::GET | Method::HEAD) {
            let mut refusal = plain(StatusCode::METHOD_NOT_ALLOWED, "405 Use GET\n");
            let allowed = HeaderValue::from_static("GET, HEAD");
            refusal.headers_mut().insert(ALLOW, allowed);
            return Err(refusal);
        }
        let opened = relay.open(token, unix_seconds());
        let (tenant, url) = opened.map_err(|error| match error {
            LinkError::Forged => plain(StatusCode::FORBIDDEN, "403 This link is not valid\n"),
            LinkError::Expired => plain(StatusCode::GONE, "410 This link has expired\n"),
        })?;
        let mut tenants = self.0.tenants.iter();
        let tenant = tenants.find(|known| *known.id().as_bytes() == tenant);
        let tenant = tenant.ok_or_else(|| {
            plain(
                StatusCode::FORBIDDEN,
                "403 This link is not valid any more\n",
            )
        })?;
        let permit = Arc::clone(&relay.permits).try_acquire_owned();
        let permit = permit.map_err(|_| {
            plain(
                StatusCode::SERVICE_UNAVAILABLE,
                "503 Too many downloads; try again\n",
            )
        })?;

        let begun = Instant::now();
        let forwarded = select(&head.headers, &FORWARDED);
        let file = tenant.upstream.file(
            (&head.method, &url, &forwarded),
            &relay.config.domains,
            begun + self.0.shared.request_time,
        );
        let file = file.await.map_err(|error| {
            tracing::warn!("A file cannot be relayed: {error}");
            file_error(&error)
        })?;
        let (answer, body) = file.into_parts();
        let passed = match answer.status {
            status @ (StatusCode::OK | StatusCode::PARTIAL_CONTENT) => status,
            status => return Err(status_error(status, &answer.headers)),
        };
        let in_progress = InProgress::default();
        let mut response = Response::new(Body::new(RelayedBody {
            body,
            _in_progress: in_progress.clone(),
            end: Box::pin(sleep_until(begun + relay.config.download_time)),
            _permit: permit,
        }));
        *response.status_mut() = passed;
        *response.headers_mut() = select(&answer.headers, &RETURNED);
        response.extensions_mut().insert(in_progress);
        Ok(response)
    }
}

/// Copies the named headers.
fn select(headers: &HeaderMap, names: &[HeaderName]) -> HeaderMap {
    let header = |name: &HeaderName| Some((name.clone(), headers.get(name)?.clone()));
    names.iter().filter_map(header).collect()
}

/// Error response if v2 gave no response.
fn file_error(error: &FileError) -> Response<Body> {
    match error {
        FileError::Unreachable => plain(StatusCode::GATEWAY_TIMEOUT, "504 Zoom does not answer\n"),
        FileError::Host(_) | FileError::Token(_) | FileError::Page | FileError::Redirects => plain(
            StatusCode::BAD_GATEWAY,
            "502 Zoom does not provide this file\n",
        ),
    }
}

/// Error response for an error status of v2, whose own text is not passed on.
fn status_error(status: StatusCode, headers: &HeaderMap) -> Response<Body> {
    match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => plain(
            StatusCode::NOT_FOUND,
            "404 There is no such file any more\n",
        ),
        StatusCode::RANGE_NOT_SATISFIABLE => {
            let mut refusal = plain(status, "416 The file is shorter\n");
            refusal
                .headers_mut()
                .extend(select(headers, &[CONTENT_RANGE]));
            refusal
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            let mut refusal = plain(
                StatusCode::SERVICE_UNAVAILABLE,
                "503 Zoom limits downloads at the moment; try again\n",
            );
            refusal
                .headers_mut()
                .extend(select(headers, &[RETRY_AFTER]));
            refusal
        }
        _ => {
            tracing::warn!(status = status.as_u16(), "v2 refused a file");
            plain(
                StatusCode::BAD_GATEWAY,
                "502 Zoom does not provide this file\n",
            )
        }
    }
}

/// A file in transit, passed on as it arrives until the download time is over.
struct RelayedBody {
    body: reqwest::Body,
    end: Pin<Box<Sleep>>,
    _in_progress: InProgress,
    _permit: OwnedSemaphorePermit,
}

impl HttpBody for RelayedBody {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.end.as_mut().poll(context).is_ready() {
            return Poll::Ready(Some(Err("the download timed out".into())));
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::state::AnswerCache;

    fn relay(key: &str) -> Arc<Relay> {
        let config = RelayConfig {
            base: "https://shim.example.com/".parse().unwrap(),
            key: (!key.is_empty()).then(|| key.into()),
            link_time: Duration::from_secs(60),
            download_time: Duration::from_secs(60),
            downloads: 1,
            domains: Vec::new(),
        };
        let cache = AnswerCache {
            time: Duration::ZERO,
            bytes: 0,
        };
        Arc::new(Relay::new(config, &State::in_memory(cache).unwrap()))
    }

    const URL: &str = "https://example.com/rec/download/1";

    #[test]
    fn link_is_valid_until_it_expires_and_with_its_own_key() {
        let (one, other) = (relay("a key"), relay(""));
        let tenant = Key::new([b"tenant".as_slice()]);
        let link = one.links(tenant).link(URL, 1000).unwrap();
        let path = link.strip_prefix("https://shim.example.com").unwrap();
        let token = token_of(path).unwrap();
        let opened = (*tenant.as_bytes(), URL.parse().unwrap());
        assert_eq!(one.open(token, 1060), Ok(opened.clone()));
        assert_eq!(relay("a key").open(token, 1000), Ok(opened));
        assert_eq!(one.open(token, 1061), Err(LinkError::Expired));
        assert_eq!(other.open(token, 1000), Err(LinkError::Forged));
    }

    #[test]
    fn modified_link_is_rejected() {
        let relay = relay("");
        let token = relay.token(&[7; DIGEST], URL, 2000).unwrap();
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(&token).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let changed = BASE64_URL_SAFE_NO_PAD.encode(changed);
            assert_eq!(relay.open(&changed, 1000), Err(LinkError::Forged), "{at}");
        }
        for wrong in ["", "a", "%", &token[..60], &format!("{token}=")] {
            assert_eq!(relay.open(wrong, 1000), Err(LinkError::Forged), "{wrong}");
        }
    }

    #[test]
    fn link_path_is_recognized_below_any_base() {
        assert_eq!(token_of("/relay/abc"), Some("abc"));
        assert_eq!(token_of("/old/zoom/relay/abc"), Some("abc"));
        for other in ["/relay", "/v1/user/get", "/relay/a/b", "relay/abc"] {
            assert_eq!(token_of(other), None, "{other}");
        }
    }
}
