//! The pages of the last exchanges.

use std::time::Duration;

use maud::{Markup, html};
use recording::{Exchange, OutcomeKind, V2Exchange};
use serde_json::Value;

use super::page::{document, empty, millis, table, text};
use crate::observe::Recent;

/// Shown at a time.
const SHOWN: usize = 200;

/// `dropped`: how many exchanges there was no time for.
pub(super) fn list(recent: Option<&Recent>, dropped: u64) -> Markup {
    let Some(recent) = recent else {
        return empty(
            "No exchanges are kept.",
            &html! {
                p { "Say how many in the configuration file, or record them with "
                    code { "--record FILE" } ":" }
                pre { code { "[ui]\nrecent = 100" } }
                p { "They stay in memory, and credentials, passwords and tokens are gone before that; "
                    "with " code { "record.pseudonym_key_file" } " addresses and names too." }
            },
        );
    };
    let summaries = recent.summaries(SHOWN);
    if summaries.is_empty() {
        return empty(
            "Nothing was asked yet.",
            &html! { p { "The last " (recent.most()) " exchanges will be here." } },
        );
    }
    let rows = html! {
        @for summary in &summaries {
            tr {
                th scope="row" { a href={ "/ui/exchanges/" (summary.id) } { (text(summary.operation())) } }
                td data-label="time" { (when(&summary.at)) }
                td.n data-label="took" { (millis(Duration::from_micros(summary.micros))) }
                td.n data-label="v2 calls" { (summary.calls()) }
                td data-label="answer" {
                    @match summary.error() {
                        Some(code) => span.bad { "error " (code) },
                        None => span.good { "answered" },
                    }
                }
            }
        }
    };
    let columns = [
        ("operation", ""),
        ("time", ""),
        ("took", "n"),
        ("v2 calls", "n"),
        ("answer", ""),
    ];
    html! {
        (table("The newest first, without secrets", &columns, &rows))
        p.note {
            (recent.count()) " of at most " (recent.most()) " are kept in memory"
            @if recent.count() > SHOWN { "; the last " (SHOWN) " are shown" }
            @if dropped > 0 { "; " (dropped) " others were not recorded" }
            "."
        }
    }
}

pub(super) fn detail(exchange: &Exchange) -> Markup {
    let v1 = &exchange.v1;
    html! {
        dl.list {
            dt { "Operation" } dd { a href={ "/ui/operation/" (v1.operation) } { (text(&v1.operation)) } }
            dt { "Time" } dd { (when(&exchange.at)) }
            dt { "Took" } dd { (millis(Duration::from_micros(exchange.micros))) }
            dt { "Sent as" } dd { (format!("{:?}", v1.wrapping).to_lowercase()) }
            @if v1.ignored > 0 { dt { "Not known" } dd { (v1.ignored) " more parameters" } }
        }
        section aria-labelledby="v1" {
            h2 id="v1" { "v1" }
            div.sides {
                div { h3 { "Request" } (document(&Value::Object(v1.parameters.clone()))) }
                div { h3 { "Answer" } (document(&v1.answer)) }
            }
        }
        @for (at, call) in exchange.v2.iter().enumerate() {
            @let id = format!("call-{}", at + 1);
            section aria-labelledby=(id) {
                h2 id=(id) { "v2 call " (at + 1) ": " (text(&call.call)) }
                (self::call(call))
            }
        }
        @if exchange.v2.is_empty() { p { "v2 was not asked." } }
    }
}

fn call(call: &V2Exchange) -> Markup {
    html! {
        div.sides {
            div {
                h3 { "Request" }
                p { code { (text(&call.method)) " " (text(&call.path)) } }
                @if !call.query.is_empty() {
                    dl.list {
                        @for (name, value) in &call.query { dt { (text(name)) } dd { (text(value)) } }
                    }
                }
                @match &call.body {
                    Some(body) => (document(body)),
                    None => p.note { "No body." },
                }
            }
            div {
                h3 { "Answer" }
                p {
                    @match (call.outcome, call.status) {
                        (OutcomeKind::Answered, Some(status)) if status < 400 => span.good { "HTTP " (status) },
                        (OutcomeKind::Answered, Some(status)) => span.bad { "HTTP " (status) },
                        (outcome, _) => span.bad { (outcome_in_words(outcome)) },
                    }
                    " after " (millis(Duration::from_micros(call.micros)))
                }
                @match &call.answer {
                    Some(answer) => (document(answer)),
                    None => p.note { "No body." },
                }
            }
        }
    }
}

fn outcome_in_words(outcome: OutcomeKind) -> &'static str {
    match outcome {
        OutcomeKind::Answered => "answered",
        OutcomeKind::Unreadable => "not v2's API",
        OutcomeKind::NoAnswer => "no answer",
        OutcomeKind::Refused => "the shim's credentials were refused",
        OutcomeKind::Limited => "v2's request limit",
    }
}

fn when(at: &str) -> Markup {
    let shown = at.trim_end_matches('Z').replace('T', " ");
    html! { time datetime=(at) { (text(&shown)) " UTC" } }
}
