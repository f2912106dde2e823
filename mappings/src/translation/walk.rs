//! Reads all pages of a list.

use super::{
    CallId, Translation,
    entry::Entry,
    paging::{PageOutcome, Paging},
    units::Unit,
};
use crate::{
    catalog::{
        PAGE,
        operation::{self, PageMode, Pages},
        protocol::LIST_TOO_LONG,
    },
    document::{Document, Json},
    exchange::{V2Request, Warning},
};

/// Pages read so far.
#[derive(Default)]
pub(super) struct Walk<'a> {
    entries: Vec<Entry<'a>>,
    /// Number of pages read.
    pages: usize,
    /// Token of the next page.
    token: String,
    /// True once a token was rejected and the walk restarted.
    restarted: bool,
}

impl<'a> Translation<'a> {
    pub(super) fn accept_page(
        &mut self,
        id: CallId,
        call: &'a operation::Call,
        pages: &'a Pages,
        body: &Document,
    ) {
        let Some(paging) = &mut self.paging else {
            return;
        };
        match paging.accept(body) {
            PageOutcome::Page {
                items,
                page,
                is_guessed,
            } => {
                if is_guessed {
                    self.warnings.push(Warning::unreadable(
                        "page_count, total_records",
                        "v2 does not say how many there are: at least one page follows",
                    ));
                }
                self.root.documents.add(PAGE, page);
                let entries = self.entries(&pages.document, &items, &pages.only);
                self.root.extend(&pages.list, entries);
                self.keep_answer(id, call, body);
                if let Some(document) = &call.reads {
                    self.root.documents.add(document, body.clone());
                }
            }
            PageOutcome::Again => {
                self.begin_request(id, call);
            }
            PageOutcome::NotAPage => self.reject_page(id, call, body),
        }
    }

    fn reject_page(&mut self, id: CallId, call: &'a operation::Call, body: &Document) {
        let failure = self.mapper(Some(id)).not_a_page(call, body);
        self.failed(id, call, failure, None);
    }

    /// Processes a page in mode [`PageMode::All`].
    pub(super) fn another_page(
        &mut self,
        id: CallId,
        call: &'a operation::Call,
        pages: &'a Pages,
        body: &Document,
    ) {
        let Some(items) = body
            .part(&pages.items)
            .filter(|items| items.json().is_array())
        else {
            return self.reject_page(id, call, body);
        };
        let entries = self.entries(&pages.document, &items, &pages.only);
        let token = body.json().get(&pages.token).and_then(Json::as_str);
        let walk = self.walks.entry(id).or_default();
        walk.entries.extend(entries);
        walk.pages += 1;
        let is_last = token.is_none_or(|token| token.is_empty() || token == walk.token);
        token.unwrap_or_default().clone_into(&mut walk.token);
        if !is_last && walk.pages >= pages.most.of(&self.site.options) {
            let failure = self.mapper(Some(id)).named(LIST_TOO_LONG);
            return self.fail(id.call, failure);
        }
        if !is_last {
            self.begin_request(id, call);
            return;
        }
        self.unit_is_done(id, call, true);
        self.keep_answer(id, call, body);
        if call.each.is_none() || matches!(self.unit(id), Some(Unit::Entry { .. })) {
            let walk = self.walks.remove(&id).unwrap_or_default();
            self.add_entries(id, &pages.list, walk.entries);
            self.count(id, &pages.list);
        }
    }

    /// Concatenates the lists of a fan-out in item order.
    pub(super) fn join_walks(&mut self, index: usize, call: &'a operation::Call) {
        let Some(pages) = call.pages.as_ref().filter(|_| call.each.is_some()) else {
            return;
        };
        if pages.mode != PageMode::All || call.each_of().is_some() {
            return;
        }
        let mut entries = Vec::new();
        let walks = std::mem::take(&mut self.walks);
        // Keys are ordered by item.
        for (id, walk) in walks {
            if id.call == index {
                entries.extend(walk.entries);
            } else {
                self.walks.insert(id, walk);
            }
        }
        self.root.extend(&pages.list, entries);
        let id = CallId::once(index);
        self.count(id, &pages.list);
    }

    /// Adds the page parameters to a request.
    pub(super) fn put_page(&self, id: CallId, call: &operation::Call, request: &mut V2Request) {
        match &call.pages {
            Some(pages) if pages.mode == PageMode::All => {
                let walk = self.walks.get(&id).filter(|walk| !walk.token.is_empty());
                if let Some(walk) = walk {
                    request
                        .query
                        .push((pages.token.clone(), walk.token.clone()));
                }
            }
            Some(_) => {
                if let Some(paging) = &self.paging {
                    paging.put_into(&mut request.query);
                }
            }
            None => {}
        }
    }

    /// True if the pagination restarts.
    pub(super) fn restarts(&mut self, id: CallId, call: &operation::Call) -> bool {
        match &call.pages {
            Some(pages) if pages.mode == PageMode::All => {
                let walk = self.walks.get_mut(&id);
                let Some(walk) = walk.filter(|walk| walk.pages > 0 && !walk.restarted) else {
                    return false;
                };
                *walk = Walk {
                    restarted: true,
                    ..Walk::default()
                };
                true
            }
            Some(_) => self.paging.as_mut().is_some_and(Paging::restart),
            None => false,
        }
    }
}
