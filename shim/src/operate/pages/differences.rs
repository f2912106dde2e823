//! The page of differences from the shadow.

use std::collections::BTreeMap;

use maud::{Markup, html};
use recording::comparison::Verdict;

use super::page::{empty, table, text, time};
use crate::{
    observe::shadow::{FieldTally, OperationTally, Shadow},
    settings::Side,
};

/// Fields that are shown, the worst first.
const SHOWN: usize = 200;

pub(super) fn body(shadow: Option<&Shadow>) -> Markup {
    let Some(shadow) = shadow else {
        return empty("Nothing is compared.", &how_to());
    };
    let found = shadow.differences().found();
    let noise = shadow.noise();
    html! {
        p {
            "Compared with " b { (text(&shadow.shown())) } " since " (time(found.since)) ". Clients get "
            @match shadow.answer() {
                Side::Shim => { "this shim's answers." },
                Side::Shadow => { "the shadow's answers, or this shim's if it gives none." },
            }
        }
        section aria-labelledby="operations" {
            h2 id="operations" { "Operations" }
            @if found.operations.is_empty() {
                (empty("Nothing was compared yet.", &html! {
                    p { "Reads are compared as they come. Writes are never sent to the shadow: with "
                        code { "shadow.mappings" } " what they would send is compared." }
                }))
            } @else { (operations(&found.operations)) }
        }
        section aria-labelledby="fields" {
            h2 id="fields" { "Fields that differ" }
            @if found.fields.is_empty() { p { "None." } }
            @for field in found.fields.iter().take(SHOWN) { (self::field(field)) }
            @if found.fields.len() > SHOWN {
                p.note { (found.fields.len() - SHOWN) " more fields are in " a href="/differences" { "the JSON" } "." }
            }
            @if found.others > 0 {
                p.note { (found.others) " differences in more fields than are listed." }
            }
        }
        @if !noise.is_empty() {
            section aria-labelledby="noise" {
                h2 id="noise" { "Noise" }
                p { "Asked the same twice, this shim gave other values for these fields: they are volatile." }
                ul { @for (operation, field) in &noise { li { (text(operation)) " " code { (text(field)) } } } }
            }
        }
        p.note { a href="/differences" { "The same as JSON" } }
    }
}

fn how_to() -> Markup {
    html! {
        p { "Name a second v1 in the configuration file, another build of the shim or a private v1 "
            "that still runs; reads go to both, and what differs is shown here:" }
        pre { code {
            "[shadow]\nurl = \"http://127.0.0.1:8081/v1\"\n"
            "forward_credentials = true   # or api_key and api_secret_file"
        } }
        p { "Or other mappings, with which every request is translated once more and nothing is sent:" }
        pre { code { "[shadow]\nmappings = \"changed\"" } }
    }
}

fn operations(operations: &BTreeMap<String, OperationTally>) -> Markup {
    let rows = html! {
        @for (name, tally) in operations {
            tr {
                th scope="row" { a href={ "/ui/operation/" (name) } { (text(name)) } }
                td.n data-label="compared" { (tally.compared) }
                td data-label="worst verdict of each" { (verdicts(&tally.verdicts)) }
                td data-label="not compared" {
                    @if tally.not_compared.is_empty() { "–" }
                    @for (at, (reason, count)) in tally.not_compared.iter().enumerate() {
                        @if at > 0 { ", " }
                        (count) " " (in_words(reason))
                    }
                }
            }
        }
    };
    let columns = [
        ("operation", ""),
        ("compared", "n"),
        ("worst verdict of each", ""),
        ("not compared", ""),
    ];
    table("Requests since the start", &columns, &rows)
}

fn verdicts(verdicts: &BTreeMap<Verdict, u64>) -> Markup {
    html! {
        @for (at, (verdict, count)) in verdicts.iter().rev().enumerate() {
            @if at > 0 { ", " }
            span class=(verdict.as_str()) { (count) " " (verdict.as_str()) }
        }
    }
}

fn in_words(reason: &str) -> &str {
    match reason {
        "write" => "writes: never sent to a shadow",
        "capped" => "beyond the cap per second",
        "dropped" => "dropped: too many at a time",
        "timeout" => "without an answer in time",
        "unreachable" => "without an answer",
        "unreadable" => "with an answer that is not v1's",
        other => other,
    }
}

fn field(field: &FieldTally) -> Markup {
    html! {
        article {
            h3 {
                b { (text(&field.operation)) } " " code { (text(&field.field)) } " " (verdicts(&field.verdicts))
            }
            @let rows = html! {
                @for example in &field.examples {
                    tr {
                        th scope="row" { (text(&example.path)) br; small { (text(&example.at)) } }
                        td data-label="shadow" { code { (example.shadow) } }
                        td data-label="shim" { code { (example.shim) } }
                        td.wide data-label="verdict" {
                            span class=(example.verdict.as_str()) { (example.verdict.as_str()) }
                            @if !example.reason.is_empty() { ": " (text(&example.reason)) }
                        }
                    }
                }
            };
            (table("The last ones", &[("place", ""), ("shadow", ""), ("shim", ""), ("verdict", "")], &rows))
        }
    }
}
