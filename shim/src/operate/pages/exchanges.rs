//! Exchanges: a list of recent requests, and the content of those that are kept.

use std::{collections::BTreeMap, time::Duration};

use maud::{Markup, html};
use recording::{Exchange, OutcomeKind, V2Exchange};
use serde::Deserialize;
use serde_json::Value;

use super::page::{ago, document, empty, millis, operation, table, text};
use crate::observe::{Ending, LiveRequest, Recent};

/// Maximum number of rows.
const SHOWN: usize = 200;

/// Choices of the outcome filter.
const OUTCOMES: [Ending; 6] = [
    Ending::Answered,
    Ending::Error,
    Ending::NotServed,
    Ending::Brownout,
    Ending::Refused,
    Ending::Trouble,
];

/// Filter of the list.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Search {
    /// Words to find in operation, request id, key, address, error code or failed call.
    #[serde(default)]
    find: String,
    /// Name of an [`Ending`]; any if empty.
    #[serde(default)]
    outcome: String,
}

impl Search {
    /// Parses a query string; an invalid one matches everything.
    pub(super) fn parse(query: Option<&str>) -> Self {
        serde_urlencoded::from_str(query.unwrap_or_default()).unwrap_or_default()
    }

    fn matches(&self, request: &LiveRequest) -> bool {
        let is_chosen = self.outcome.is_empty() || self.outcome == request.ending.as_str();
        is_chosen
            && self
                .find
                .split_whitespace()
                .all(|word| contains(request, word))
    }
}

fn contains(request: &LiveRequest, word: &str) -> bool {
    let word = word.to_lowercase();
    let has = |text: &str| text.to_lowercase().contains(&word);
    has(&request.id)
        || request.operation.as_deref().is_some_and(has)
        || request.key.as_deref().is_some_and(has)
        || request
            .address
            .is_some_and(|address| has(&address.to_string()))
        || request.error.is_some_and(|code| code.to_string() == word)
        || request.failures.iter().any(|failure| has(failure))
}

/// The filter form and the list. The page's script refreshes the list; without scripts, the form's
/// button does.
pub(super) fn page(
    requests: &[LiveRequest],
    search: &Search,
    recent: Option<&Recent>,
    dropped: u64,
) -> Markup {
    html! {
        form.search method="get" action="/ui/exchanges" {
            label { "Find " input type="search" name="find" value=(search.find) maxlength="200"; }
            label { "Outcome "
                select name="outcome" {
                    option value="" { "any" }
                    @for outcome in OUTCOMES {
                        @let word = outcome.as_str();
                        option value=(word) selected[search.outcome == word] { (describe(outcome)) }
                    }
                }
            }
            button { "Show" }
        }
        div id="live" { (list(requests, search, recent, dropped)) }
        script src="/ui/live.js" defer {}
    }
}

/// The list; `dropped` is the number of exchanges that the recorder dropped.
pub(super) fn list(
    requests: &[LiveRequest],
    search: &Search,
    recent: Option<&Recent>,
    dropped: u64,
) -> Markup {
    let kept = recent.map_or_else(BTreeMap::new, |recent| recent.by_request(SHOWN));
    let found: Vec<_> = requests
        .iter()
        .filter(|request| search.matches(request))
        .collect();
    if requests.is_empty() {
        let hint =
            html! { p { "Point a program at the v1 address of this shim." } (how_to_keep(recent)) };
        return empty("No requests yet.", &hint);
    }
    let rows = html! {
        @for request in found.iter().take(SHOWN) { (row(request, kept.get(&request.id))) }
    };
    let columns = [
        ("operation", ""),
        ("when", "n"),
        ("caller", ""),
        ("request", ""),
        ("took", "n"),
        ("v2 calls", "n"),
        ("answer", ""),
    ];
    html! {
        p.note { (found.len()) " of the last " (requests.len()) " requests" }
        (table("Newest first", &columns, &rows))
        @if found.len() > SHOWN { p.note { "The newest " (SHOWN) " are shown." } }
        @if dropped > 0 { p.note { (dropped) " exchanges were dropped, because the recorder could not keep up." } }
        (how_to_keep(recent))
    }
}

fn how_to_keep(recent: Option<&Recent>) -> Markup {
    html! {
        @match recent {
            Some(recent) => p.note {
                "The content of the last " (recent.limit()) " exchanges is kept, without secrets: follow the "
                "operation's link."
            },
            None => div.empty {
                p.what { "Contents of requests and answers are not kept." }
                p { "Set the number of exchanges to keep in memory, or record them with "
                    code { "--record FILE" } ":" }
                pre { code { "[ui]\nrecent = 100" } }
                p { "They are kept in memory, without credentials, passwords and tokens. With "
                    code { "record.pseudonym_key_file" } ", addresses and names are pseudonyms." }
            },
        }
    }
}

fn row(request: &LiveRequest, kept: Option<&String>) -> Markup {
    html! {
        tr {
            th scope="row" {
                @match kept {
                    Some(id) => a href={ "/ui/exchanges/" (id) } {
                        (text(request.operation.as_deref().unwrap_or("(unknown)")))
                    },
                    None => (operation(request.operation.as_deref())),
                }
            }
            td.n data-label="when" { (ago(request.at)) }
            td data-label="caller" { (caller(request)) }
            td data-label="request" { code.id { (request.id) } }
            td.n data-label="took" { (millis(request.elapsed)) }
            td.n data-label="v2 calls" { (request.calls) }
            td.wide data-label="answer" {
                @let is_bad = matches!(request.ending, Ending::Trouble | Ending::NotServed);
                span.good[request.ending == Ending::Answered].bad[is_bad] {
                    (describe(request.ending))
                    @if let Some(code) = request.error { " " (code) }
                }
                @for failure in &request.failures { small { " " (text(failure)) } }
            }
        }
    }
}

/// Key and address of a caller.
pub(super) fn caller(request: &LiveRequest) -> Markup {
    html! {
        @match &request.key {
            Some(key) => (text(key)),
            None => "(refused)",
        }
        @if let Some(address) = request.address { " " small { (address) } }
    }
}

fn describe(ending: Ending) -> &'static str {
    match ending {
        Ending::Answered => "answered",
        Ending::Error => "v1 error",
        Ending::NotServed => "not served",
        Ending::Brownout => "brownout",
        Ending::Refused => "refused",
        Ending::Trouble => "trouble",
    }
}

pub(super) fn detail(exchange: &Exchange) -> Markup {
    let v1 = &exchange.v1;
    html! {
        dl.list {
            @if let Some(request) = &exchange.request { dt { "Request" } dd { code { (text(request)) } } }
            dt { "Operation" } dd { a href={ "/ui/operation/" (v1.operation) } { (text(&v1.operation)) } }
            dt { "Time" } dd { (when(&exchange.at)) }
            dt { "Took" } dd { (millis(Duration::from_micros(exchange.micros))) }
            dt { "Sent as" } dd { (format!("{:?}", v1.wrapping).to_lowercase()) }
            @if v1.ignored > 0 { dt { "Unknown" } dd { (v1.ignored) " more parameters" } }
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
        @if exchange.v2.is_empty() { p { "No v2 calls." } }
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
                        (outcome, _) => span.bad { (describe_outcome(outcome)) },
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

fn describe_outcome(outcome: OutcomeKind) -> &'static str {
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
