//! The page of unfinished writes: what v2 did in part.

use maud::{Markup, html};

use super::{
    exchanges::caller,
    page::{ago, empty, operation, table, text},
};
use crate::observe::LiveRequest;

pub(super) fn body(unfinished: &[LiveRequest]) -> Markup {
    if unfinished.is_empty() {
        return empty(
            "No write was left unfinished since the start.",
            &html! { p { "A write of several v2 calls is unfinished if a later one fails. Its answer says "
            "what is stored and what is not; the same request again does the rest." } },
        );
    }
    let rows = html! {
        @for request in unfinished {
            tr {
                th scope="row" { (operation(request.operation.as_deref())) }
                td.n data-label="when" { (ago(request.at)) }
                td data-label="caller" { (caller(request)) }
                td data-label="request" { code { (request.id) } }
                td.wide data-label="v2 calls that failed" {
                    @for failure in &request.failures { div { (text(failure)) } }
                }
            }
        }
    };
    let columns = [
        ("operation", ""),
        ("when", "n"),
        ("caller", ""),
        ("request", ""),
        ("v2 calls that failed", ""),
    ];
    html! {
        (table("Since the start, the newest first", &columns, &rows))
        p.note { "The same request again does the rest. Writes that a program has completed since then stay in "
            "this list; " code { "shim_unfinished_writes_total" } " counts all." }
    }
}
