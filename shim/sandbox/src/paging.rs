//! Pagination: page numbers, and page tokens that expire and are valid for one list only.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use time::OffsetDateTime;

use super::config::{Paging, SandboxConfig};
use super::error::ApiError;
use super::request::{Members, Typed as _};

const DEFAULT_PAGE_SIZE: usize = 30;

/// Requested page.
pub(crate) struct PageRequest<'a> {
    /// List with its filters; tokens of another list are rejected.
    pub(crate) list: &'a str,
    pub(crate) parameters: &'a Members,
    /// False for lists of groups, which only have tokens.
    pub(crate) numbered: bool,
}

/// Issues and verifies page tokens: position and expiry, authenticated by a key of this sandbox.
#[derive(Default)]
pub(crate) struct PageTokens {
    key: RandomState,
}

impl PageTokens {
    /// Selects the page from `items`, which are sorted by number, and returns its pagination
    /// members.
    ///
    /// # Errors
    ///
    /// If the page token belongs to another list or has expired, or the page number is invalid.
    pub(crate) fn page<T>(
        &self,
        items: Vec<(u64, T)>,
        request: &PageRequest<'_>,
        config: &SandboxConfig,
        now: OffsetDateTime,
    ) -> Result<(Vec<T>, Members), ApiError> {
        let parameters = request.parameters;
        let size = parameters
            .integer("page_size")
            .and_then(|size| usize::try_from(size).ok());
        let size = size.filter(|size| *size > 0).unwrap_or(DEFAULT_PAGE_SIZE);
        let by_number = request.numbered && config.paging == Paging::Both;
        let number = if by_number {
            page_number(parameters)?
        } else {
            1
        };
        let start = match parameters.text("next_page_token") {
            Some(token) => {
                let after = self
                    .read(token, request.list, now)
                    .ok_or_else(|| ApiError::new("page_token_invalid"))?;
                items.partition_point(|(number, _)| *number <= after)
            }
            None => (number - 1).saturating_mul(size),
        };
        let total = items.len();
        let mut rest = items.into_iter().skip(start);
        let mut last = 0;
        let page: Vec<T> = rest
            .by_ref()
            .take(size)
            .map(|(number, item)| {
                last = number;
                item
            })
            .collect();
        let next = if rest.next().is_some() {
            self.issue(last, request.list, expiry(now, config.page_token_lifetime))
        } else {
            String::new()
        };

        let mut description = Members::new();
        description.insert("next_page_token".to_owned(), next.into());
        if by_number {
            description.insert("page_count".to_owned(), total.div_ceil(size).into());
            // A page reached by token has the number of its position.
            description.insert("page_number".to_owned(), (start / size + 1).into());
        }
        if request.numbered {
            description.insert("page_size".to_owned(), size.into());
        }
        description.insert("total_records".to_owned(), total.into());
        Ok((page, description))
    }

    fn issue(&self, after: u64, list: &str, expires: OffsetDateTime) -> String {
        let expires = expires.unix_timestamp();
        let seal = self.seal(after, expires, list);
        let bytes = [
            after.to_be_bytes(),
            expires.to_be_bytes(),
            seal.to_be_bytes(),
        ]
        .concat();
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn read(&self, token: &str, list: &str, now: OffsetDateTime) -> Option<u64> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (parts, []) = bytes.as_chunks::<8>() else {
            return None;
        };
        let [after, expires, seal] = parts else {
            return None;
        };
        let (after, expires) = (u64::from_be_bytes(*after), i64::from_be_bytes(*expires));
        let genuine = u64::from_be_bytes(*seal) == self.seal(after, expires, list);
        (genuine && now.unix_timestamp() < expires).then_some(after)
    }

    fn seal(&self, after: u64, expires: i64, list: &str) -> u64 {
        self.key.hash_one((after, expires, list))
    }
}

/// v2 documents the page number as a string for one list and as an integer for others.
fn page_number(parameters: &Members) -> Result<usize, ApiError> {
    let given = match parameters.text("page_number") {
        Some(text) => Some(
            text.parse()
                .map_err(|_| ApiError::refused("page_number", "Must be a number."))?,
        ),
        None => parameters.integer("page_number"),
    };
    Ok(given
        .and_then(|number| usize::try_from(number).ok())
        .filter(|number| *number > 0)
        .unwrap_or(1))
}

/// List response with its pagination members.
pub(crate) fn page_document(member: &str, items: Vec<Value>, mut description: Members) -> Value {
    description.insert(member.to_owned(), Value::Array(items));
    Value::Object(description)
}

/// Expiry of something issued `now`.
pub(crate) fn expiry(now: OffsetDateTime, lifetime: Duration) -> OffsetDateTime {
    now.checked_add(time::Duration::try_from(lifetime).unwrap_or(time::Duration::MAX))
        .unwrap_or(now)
}
