//! Unfinished writes: partly done in v2 until an equal request completes them.

use std::time::Duration;

use futures_util::future::join_all;
use maud::{Markup, html};

use super::{
    exchanges::caller,
    page::{age, ago, empty, operation, table, text},
};
use crate::{
    observe::{Live, LiveRequest},
    serve::Shim,
    state::engine::UNFINISHED_TIME,
};

/// Allowance because a request is recorded after its write began, from when the state counts.
const MARGIN: Duration = Duration::from_secs(60 * 60);

/// A write that may be partly done.
pub(super) struct Unfinished {
    request: LiveRequest,
    /// False if the state no longer has it.
    is_resumed: bool,
}

/// Writes that this process left unfinished and no process has completed.
pub(super) async fn unfinished(shim: &Shim, live: &Live) -> Vec<Unfinished> {
    let listed = live.unfinished();
    let open = join_all(listed.iter().map(|(write, _)| shim.is_unfinished(*write))).await;
    let mut left = Vec::new();
    for ((write, request), is_resumed) in listed.into_iter().zip(open) {
        if is_resumed || age(request.at) + MARGIN >= UNFINISHED_TIME {
            left.push(Unfinished {
                request,
                is_resumed,
            });
        } else {
            live.completed(write, &request);
        }
    }
    left
}

pub(super) fn body(unfinished: &[Unfinished]) -> Markup {
    if unfinished.is_empty() {
        return empty(
            "No write is unfinished.",
            &html! { p { "A write of several v2 calls is unfinished if a later one fails. Its answer names "
            "the completed and the missing parts; repeating the request completes the write." } },
        );
    }
    let rows = html! {
        @for Unfinished { request, is_resumed } in unfinished {
            tr {
                th scope="row" { (operation(request.operation.as_deref())) }
                td.n data-label="when" { (ago(request.at)) }
                td data-label="caller" { (caller(request)) }
                td data-label="request" { code { (request.id) } }
                td data-label="the same request" { @if *is_resumed { "completes it" } @else { "starts over" } }
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
        ("the same request", ""),
        ("v2 calls that failed", ""),
    ];
    html! {
        (table("Left unfinished by this process, newest first", &columns, &rows))
        p.note { "Repeating the request within 24 h completes the write, and removes it from this list, also "
            "if another replica or a restarted shim does it. After 24 h, the request starts over, and the "
            "write stays listed, because the shim no longer knows whether it was completed. "
            code { "shim_unfinished_writes_total" } " counts all." }
    }
}
