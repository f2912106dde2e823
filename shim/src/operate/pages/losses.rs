//! The page of losses: parameters and fields that v2 cannot serve.

use std::collections::BTreeMap;

use mappings::Catalog;
use maud::{Markup, html};

use super::page::{ago, empty, table, text};
use crate::observe::TrafficCounts;

pub(super) fn body(catalog: &Catalog, seen: &TrafficCounts) -> Markup {
    html! {
        section aria-labelledby="lossy" {
            h2 id="lossy" { "Not supported, or missing" }
            (lossy(catalog, seen))
        }
        section aria-labelledby="unknown" {
            h2 id="unknown" { "Unknown parameters" }
            (unknown(seen))
        }
    }
}

fn lossy(catalog: &Catalog, seen: &TrafficCounts) -> Markup {
    if seen.lost.is_empty() {
        return empty(
            "Nothing was lost so far.",
            &html! { p { "What v2 does not support is also named in the header " code { "X-Shim-Warning" }
            " of each answer and in the log. With " code { "strict = true" } " it is an error." } },
        );
    }
    // One cause, such as settings that were not read, concerns many fields.
    let mut causes: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for ((operation, field, kind), lost) in &seen.lost {
        let cause = causes.entry((operation, kind, &lost.reason)).or_default();
        cause.push((field, lost));
    }
    let counted = causes.into_iter().map(|(cause, fields)| {
        let most = fields.iter().map(|(_, lost)| lost.count).max();
        let last = fields.iter().map(|(_, lost)| lost.last).max();
        (
            cause,
            fields,
            most.unwrap_or_default(),
            last.unwrap_or_default(),
        )
    });
    let mut counted: Vec<_> = counted.collect();
    counted.sort_by_key(|(.., most, _)| std::cmp::Reverse(*most));
    let rows = html! {
        @for ((operation, kind, reason), fields, most, last) in counted {
            tr {
                th scope="row" { (text(operation)) }
                td.wide data-label="names" {
                    @for (number, (field, _)) in fields.iter().enumerate() {
                        @if number > 0 { ", " }
                        @if catalog.find(operation).is_some() {
                            a href={ "/ui/operation/" (operation) "#" (field) } { (text(field)) }
                        } @else { (text(field)) }
                    }
                }
                td data-label="what happened" { (kind) }
                td.n data-label="how often" { (most) }
                td.n data-label="last" { (ago(last)) }
                td.wide data-label="why" { (text(reason)) }
            }
        }
    };
    let columns = [
        ("operation", ""),
        ("names", ""),
        ("what happened", ""),
        ("how often", "n"),
        ("last", "n"),
        ("why", ""),
    ];
    table("Since the start, the most frequent first", &columns, &rows)
}

fn unknown(seen: &TrafficCounts) -> Markup {
    if seen.unknown.is_empty() {
        return empty(
            "Every parameter was one that its operation knows.",
            &html! { p { "Others are ignored, as v1 ignored them, and counted here." } },
        );
    }
    let mut unknown: Vec<_> = seen.unknown.iter().collect();
    unknown.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let rows = html! {
        @for ((operation, name), count) in unknown {
            tr {
                th scope="row" {
                    @match name {
                        Some(name) => (text(name)),
                        None => { "(a name that v1 never had)" },
                    }
                }
                td data-label="operation" { (text(operation)) }
                td.n data-label="how often" { (count) }
            }
        }
    };
    let columns = [("parameter", ""), ("operation", ""), ("how often", "n")];
    html! {
        (table("Ignored, as v1 ignored them", &columns, &rows))
        p.note { "Only names that another operation knows are shown; any other may be a secret." }
    }
}
