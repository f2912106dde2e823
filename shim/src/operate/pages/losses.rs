//! Losses: parameters and fields that v2 cannot serve.

use std::collections::BTreeMap;

use mappings::Catalog;
use maud::{Markup, html};

use super::page::{ago, empty, table, text};
use crate::observe::TrafficCounts;

pub(super) fn body(catalog: &Catalog, counts: &TrafficCounts) -> Markup {
    html! {
        section aria-labelledby="lossy" {
            h2 id="lossy" { "Not supported, or missing" }
            (lossy(catalog, counts))
        }
        section aria-labelledby="unknown" {
            h2 id="unknown" { "Unknown parameters" }
            (unknown(counts))
        }
    }
}

fn lossy(catalog: &Catalog, counts: &TrafficCounts) -> Markup {
    if counts.lost.is_empty() {
        return empty(
            "No losses so far.",
            &html! { p { "Losses are also reported in the header " code { "X-Shim-Warning" }
            " of each answer and in the log. With " code { "strict = true" } ", they are errors." } },
        );
    }
    // Grouped by cause: settings that could not be read, for example, concern many fields.
    let mut causes: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for ((operation, field, kind), lost) in &counts.lost {
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
                td data-label="loss" { (kind) }
                td.n data-label="count" { (most) }
                td.n data-label="last" { (ago(last)) }
                td.wide data-label="reason" { (text(reason)) }
            }
        }
    };
    let columns = [
        ("operation", ""),
        ("names", ""),
        ("loss", ""),
        ("count", "n"),
        ("last", "n"),
        ("reason", ""),
    ];
    table("Since the start, most frequent first", &columns, &rows)
}

fn unknown(counts: &TrafficCounts) -> Markup {
    if counts.unknown.is_empty() {
        return empty(
            "No unknown parameters.",
            &html! { p { "Unknown parameters are ignored, as v1 ignored them, and counted here." } },
        );
    }
    let mut unknown: Vec<_> = counts.unknown.iter().collect();
    unknown.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let rows = html! {
        @for ((operation, name), count) in unknown {
            tr {
                th scope="row" {
                    @match name {
                        Some(name) => (text(name)),
                        None => { "(not a name of v1)" },
                    }
                }
                td data-label="operation" { (text(operation)) }
                td.n data-label="count" { (count) }
            }
        }
    };
    let columns = [("parameter", ""), ("operation", ""), ("count", "n")];
    html! {
        (table("Ignored, as v1 ignored them", &columns, &rows))
        p.note { "Only names of other operations' parameters are shown; any other could be a secret." }
    }
}
