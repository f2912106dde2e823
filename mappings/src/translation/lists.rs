//! Derived lists: filtered, joined, sorted and paginated.

use std::{
    cmp::Ordering,
    collections::{BTreeSet, HashMap},
};

use super::{Translation, entry::Entry, values::text_of};
use crate::{
    catalog::{
        PAGE,
        operation::{Join, List, PageMode},
        page, whole_list,
    },
    document::Json,
};

impl<'a> Translation<'a> {
    pub(super) fn is_made(&self, list: usize) -> bool {
        self.made.contains(&list)
    }

    /// Builds the derived lists whose sources are complete.
    pub(super) fn make_lists(&mut self) {
        let plan = self.plan;
        for (index, list) in plan.lists.iter().enumerate() {
            let ready = !self.is_made(index)
                && list.after.iter().all(|call| self.is_settled(*call))
                && list.after_lists.iter().all(|list| self.is_made(*list));
            if ready && self.failure.is_none() {
                self.made.push(index);
                self.build_list(list);
            }
        }
    }

    fn build_list(&mut self, list: &'a List) {
        // The source call was skipped.
        if self.root.list(&list.of).is_none() {
            return;
        }
        let mut entries = self.root.take(&list.of);
        if let Some(inner) = &list.inner {
            let inner = |mut entry: Entry<'a>| entry.take(inner);
            entries = entries.into_iter().flat_map(inner).collect();
        }
        entries.retain(|entry| self.fits(entry, &list.keep));
        for join in &list.joins {
            let others = self.root.take(&join.list);
            joined(&mut entries, others, join);
        }
        if let Some(at) = &list.sort {
            entries.sort_by(|one, other| {
                let order = compared(key(one, at), key(other, at));
                if list.descending {
                    order.reverse()
                } else {
                    order
                }
            });
        }
        let total = entries.len();
        if let Some((number, size)) = &list.page {
            let number = self.given.number(number).unwrap_or(1).max(1);
            let size = self.given.number(size).unwrap_or(1).max(1);
            let skipped = number.saturating_sub(1).saturating_mul(size);
            let skipped = usize::try_from(skipped).unwrap_or(usize::MAX);
            let shown = usize::try_from(size).unwrap_or(usize::MAX);
            entries = entries.into_iter().skip(skipped).take(shown).collect();
            let total = i64::try_from(total).unwrap_or(i64::MAX);
            let pages = total.saturating_add(size.saturating_sub(1)) / size;
            let page = page(number, size, pages, total);
            self.root.documents.add(PAGE, page.into());
        } else if !self.is_page_of_v2(&list.of) {
            self.root.documents.add(PAGE, whole_list(total).into());
        }
        self.root.extend(&list.name, entries);
    }

    /// True if v2 provides the record count of the list.
    fn is_page_of_v2(&self, list: &str) -> bool {
        let mut pages = self
            .plan
            .calls
            .iter()
            .filter_map(|call| call.pages.as_ref());
        pages.any(|pages| pages.list == list && pages.mode != PageMode::All)
    }
}

fn key<'e>(entry: &'e Entry<'_>, at: &str) -> Option<Json<'e>> {
    entry.own()?.at(at).filter(|value| !value.is_null())
}

/// Numbers by value, other values as text; absent values first.
fn compared(one: Option<Json<'_>>, other: Option<Json<'_>>) -> Ordering {
    let (Some(one), Some(other)) = (one, other) else {
        return one.is_some().cmp(&other.is_some());
    };
    let number = |value: Json<'_>| value.as_number().and_then(|number| number.as_f64());
    match (number(one), number(other)) {
        (Some(one), Some(other)) => one.total_cmp(&other),
        _ => text_of(one).cmp(&text_of(other)),
    }
}

/// Adds the documents of the other entries to entries with equal keys, ignoring case.
fn joined<'a>(entries: &mut Vec<Entry<'a>>, others: Vec<Entry<'a>>, join: &Join) {
    let key = |entry: &Entry<'a>, at: &str| {
        let key = key(entry, at).map(text_of)?.to_lowercase();
        (!key.is_empty()).then_some(key)
    };
    let by_key = join.on.iter().map(|(here, there)| {
        let mut by_key: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, other) in others.iter().enumerate() {
            if let Some(key) = key(other, there) {
                by_key.entry(key).or_default().push(at);
            }
        }
        (here, by_key)
    });
    let by_key: Vec<_> = by_key.collect();
    let mut matched = BTreeSet::new();
    for entry in entries.iter_mut() {
        let mut keys = by_key.iter();
        let found = keys.find_map(|(here, by_key)| by_key.get(&key(entry, here)?));
        for at in found.into_iter().flatten() {
            matched.insert(*at);
            for (name, document) in others.get(*at).into_iter().flat_map(|o| o.documents.iter()) {
                entry.documents.add(name, document.clone());
            }
        }
    }
    if join.rest {
        let others = others.into_iter().enumerate();
        let rest = others.filter(|(at, _)| !matched.contains(at));
        entries.extend(rest.map(|(_, other)| other));
    }
}
