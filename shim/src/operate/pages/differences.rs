//! Differences from the shadow.

use std::collections::BTreeMap;

use maud::{Markup, html};
use recording::comparison::Verdict;

use super::page::{empty, table, text, time};
use crate::{
    observe::shadow::{FieldTally, OperationTally, Shadow},
    settings::Side,
};

/// Maximum number of fields shown.
const SHOWN: usize = 200;

pub(super) fn body(shadow: Option<&Shadow>) -> Markup {
    let Some(shadow) = shadow else {
        return empty("No shadow is configured.", &how_to());
    };
    let report = shadow.differences().report();
    let noise = shadow.noise();
    html! {
        p {
            "Compared with " b { (text(&shadow.shown())) } " since " (time(report.since)) ". Clients get "
            @match shadow.answer() {
                Side::Shim => { "this shim's answers." },
                Side::Shadow => { "the shadow's answers, or this shim's if it gives none." },
            }
        }
        section aria-labelledby="operations" {
            h2 id="operations" { "Operations" }
            @if report.operations.is_empty() {
                (empty("No comparisons yet.", &html! {
                    p { "Reads are compared as they come. Writes are never sent to the shadow: with "
                        code { "shadow.mappings" } " what they would send is compared." }
                }))
            } @else { (operations(&report.operations)) }
        }
        section aria-labelledby="fields" {
            h2 id="fields" { "Fields that differ" }
            @if report.fields.is_empty() { p { "None." } }
            @for field in report.fields.iter().take(SHOWN) { (self::field(field)) }
            @if report.fields.len() > SHOWN {
                p.note { (report.fields.len() - SHOWN) " more fields are in " a href="/differences" { "the JSON" } "." }
            }
            @if report.others > 0 {
                p.note { (report.others) " differences in more fields than are listed." }
            }
        }
        @if !noise.is_empty() {
            section aria-labelledby="noise" {
                h2 id="noise" { "Noise" }
                p { "These fields are volatile: this shim returned other values when a request was repeated." }
                ul { @for (operation, field) in &noise { li { (text(operation)) " " code { (text(field)) } } } }
            }
        }
        p.note { a href="/differences" { "Differences as JSON" } }
    }
}

fn how_to() -> Markup {
    html! {
        p { "Configure a second v1, such as another build of the shim or a private v1 that still runs. "
            "Reads are sent to both, and differences are shown here:" }
        pre { code {
            "[shadow]\nurl = \"http://127.0.0.1:8081/v1\"\n"
            "forward_credentials = true   # or api_key and api_secret_file"
        } }
        p { "Or configure other mappings. Every request is translated a second time; nothing is sent:" }
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
                        (count) " " (describe(reason))
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

fn describe(reason: &str) -> &str {
    match reason {
        "write" => "writes: never sent to a shadow",
        "capped" => "over the rate limit",
        "dropped" => "dropped: the queue was full",
        "timeout" => "timed out",
        "unreachable" => "unreachable",
        "unreadable" => "not a v1 response",
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
            (table("Most recent examples", &[("place", ""), ("shadow", ""), ("shim", ""), ("verdict", "")], &rows))
        }
    }
}
