//! Maps v1's page numbers to v2's pages, also where v2 only has cursors.

use std::collections::BTreeMap;

use crate::{
    catalog::{
        operation::{PageMode, Pages},
        page,
    },
    document::{Document, Json},
};

/// Search for one page of a v2 list.
pub(super) struct Paging<'a> {
    pages: &'a Pages,
    /// Requested page, from 1.
    requested: i64,
    size: i64,
    /// Page of the request in flight.
    asked: i64,
    /// Page tokens by page number.
    tokens: BTreeMap<i64, String>,
    /// True once a token was rejected and the search restarted.
    restarted: bool,
    by_token: bool,
    /// True once a page before the requested one was read.
    has_read_earlier_page: bool,
}

/// Meaning of a v2 response.
pub(super) enum PageOutcome {
    /// The requested page: its items and pagination members.
    Page {
        /// Items.
        items: Document,
        /// [`PAGE`] document.
        page: Document,
        /// True if v2's totals are absent or contradict its next-page token.
        is_guessed: bool,
    },
    /// Another request is needed.
    Again,
    /// The response is not a page.
    NotAPage,
}

impl<'a> Paging<'a> {
    pub(super) fn new(
        pages: &'a Pages,
        requested: i64,
        size: i64,
        known: Vec<(u32, String)>,
    ) -> Self {
        let tokens: BTreeMap<i64, String> = known
            .into_iter()
            .map(|(page, token)| (page.into(), token))
            .collect();
        let mut paging = Self {
            pages,
            requested,
            size,
            asked: requested,
            tokens,
            restarted: false,
            by_token: false,
            has_read_earlier_page: false,
        };
        paging.begin();
        paging
    }

    /// Chooses the first page to request: the nearest one with a known token, else the requested
    /// one, or the first where v2 has no page numbers.
    fn begin(&mut self) {
        let nearest = self.tokens.range(..=self.requested).next_back();
        let nearest = nearest.map(|(page, _)| *page);
        let has_numbers = self.pages.mode == PageMode::Number;
        self.by_token = nearest.is_some() || !has_numbers;
        self.asked = nearest.unwrap_or(if has_numbers { self.requested } else { 1 });
    }

    /// Replaces the page number in a query by the page's token, if pages are read by token.
    pub(super) fn put_into(&self, query: &mut Vec<(String, String)>) {
        let token = self.tokens.get(&self.asked).filter(|_| self.by_token);
        if let Some(token) = token {
            query.retain(|(name, _)| *name != self.pages.number);
            query.push((self.pages.token.clone(), token.clone()));
        }
    }

    /// Processes a response.
    pub(super) fn accept(&mut self, body: &Document) -> PageOutcome {
        let items = body.part(&self.pages.items);
        let Some(items) = items.filter(|items| items.json().is_array()) else {
            return PageOutcome::NotAPage;
        };
        let body = body.json();
        let number = body.get(&self.pages.number).and_then(whole);
        let token = body
            .get(&self.pages.token)
            .and_then(Json::as_str)
            .unwrap_or_default();
        if !self.by_token && (self.asked == 1 || number == Some(self.asked)) {
            if self.asked == self.requested {
                if number.is_none() && !token.is_empty() {
                    self.tokens.insert(2, token.to_owned());
                }
                return self.page(items, body);
            }
        } else if !self.by_token {
            // v2 ignored the number and returned its first page.
            self.by_token = true;
            self.asked = 1;
        }
        self.by_token = true;
        if !token.is_empty() {
            self.tokens
                .insert(self.asked.saturating_add(1), token.to_owned());
        }
        if self.asked == self.requested {
            return self.page(items, body);
        }
        let before = |page: i64| page.saturating_sub(1).saturating_mul(self.size);
        // Ignore a total that the next-page token contradicts.
        let seen = before(self.asked.saturating_add(1));
        let total = body.get(&self.pages.total).and_then(whole);
        let total = total.filter(|total| *total > seen);
        if token.is_empty() || total.is_some_and(|total| before(self.requested) >= total) {
            return self.page(Document::default(), body);
        }
        self.has_read_earlier_page = true;
        self.asked = self.asked.saturating_add(1);
        PageOutcome::Again
    }

    /// True once a page before the requested one was read.
    pub(super) fn has_read_earlier_page(&self) -> bool {
        self.has_read_earlier_page
    }

    /// The page reached so far, and the requested one.
    pub(super) fn reached(&self) -> (i64, i64) {
        (self.asked, self.requested)
    }

    /// Called when v2 rejects the request. True if an expired token may be the reason and the
    /// search restarts from the first page.
    pub(super) fn restart(&mut self) -> bool {
        let had_token = self.by_token && self.tokens.contains_key(&self.asked);
        if !had_token || self.restarted {
            return false;
        }
        self.restarted = true;
        self.tokens.clear();
        self.begin();
        true
    }

    /// Page tokens to store.
    pub(super) fn into_tokens(self) -> Vec<(u32, String)> {
        self.tokens
            .into_iter()
            .filter_map(|(page, token)| Some((u32::try_from(page).ok()?, token)))
            .collect()
    }

    /// The requested page. v2's totals are raised where its next-page token contradicts them,
    /// because clients stop at the last page that a response states.
    fn page(&self, items: Document, body: Json<'_>) -> PageOutcome {
        let seen = self.requested.saturating_sub(1).saturating_mul(self.size);
        let seen = seen.saturating_add(i64::try_from(items.elements().count()).unwrap_or(i64::MAX));
        let token = body.get(&self.pages.token).and_then(Json::as_str);
        let goes_on = token.is_some_and(|token| !token.is_empty()) && !items.json().is_null();
        let least = seen.saturating_add(i64::from(goes_on));
        let read = body.get(&self.pages.total).and_then(whole);
        let total = read.map_or(least, |total| total.max(least * i64::from(goes_on)));
        let counted = total.saturating_add(self.size.saturating_sub(1)) / self.size.max(1);
        let count = body.get(&self.pages.count).and_then(whole);
        let count = count.filter(|_| !self.by_token).unwrap_or(counted);
        let least_pages = self.requested.saturating_add(1) * i64::from(goes_on);
        PageOutcome::Page {
            items,
            page: page(self.requested, self.size, count.max(least_pages), total).into(),
            is_guessed: goes_on && (read.is_none_or(|total| total < least) || count < least_pages),
        }
    }
}

/// Integer, also as text.
fn whole(value: Json<'_>) -> Option<i64> {
    let text = || value.as_str()?.trim().parse().ok();
    value.as_i64().or_else(text)
}
