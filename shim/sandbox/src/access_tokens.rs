//! Issued access tokens, and their place in requests.

use std::collections::VecDeque;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use time::OffsetDateTime;

use super::TOKEN;
use super::random::random_text;

/// Maximum number of stored tokens; the oldest are evicted.
const REMEMBERED_TOKENS: usize = 1_000;

/// Issued access tokens, oldest first.
#[derive(Default)]
pub(crate) struct AccessTokens {
    issued: VecDeque<(String, OffsetDateTime)>,
}

impl AccessTokens {
    pub(crate) fn issue(&mut self, expires: OffsetDateTime) -> String {
        let token = format!("eyJ{}", random_text(&mut fastrand::Rng::new(), 120));
        if self.issued.len() >= REMEMBERED_TOKENS {
            self.issued.pop_front();
        }
        self.issued.push_back((token.clone(), expires));
        token
    }

    pub(crate) fn check(&self, token: &str, now: OffsetDateTime) -> Result<(), &'static str> {
        if token == TOKEN {
            return Ok(());
        }
        match self.issued.iter().find(|(issued, _)| issued == token) {
            Some((_, expires)) if now < *expires => Ok(()),
            Some(_) => Err("expired_access_token"),
            None => Err("invalid_access_token"),
        }
    }
}

/// Credentials of the `Authorization` header with this scheme.
pub(crate) fn credentials<'a>(headers: &'a HeaderMap, scheme: &str) -> Option<&'a str> {
    let (given, rest) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    given.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}
