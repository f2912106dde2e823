//! Traffic by operation.

use maud::{Markup, html};

use super::page::{ago, empty, millis, share, table, text};
use crate::observe::TrafficCounts;

pub(super) fn body(counts: &TrafficCounts) -> Markup {
    if counts.operations.is_empty() {
        return empty(
            "No requests yet.",
            &html! { p { "Point a program at the v1 address of this shim." } },
        );
    }
    let mut operations: Vec<_> = counts.operations.iter().collect();
    operations.sort_by_key(|(_, operation)| std::cmp::Reverse(operation.requests));
    let rows = html! {
        @for (name, operation) in operations {
            tr {
                th scope="row" {
                    // Labels that are not operation names are in parentheses.
                    @if name.starts_with('(') { (text(name)) }
                    @else { a href={ "/ui/operation/" (name) } { (text(name)) } }
                }
                td.n data-label="requests" { (operation.requests) }
                td.n data-label="not served" {
                    @if operation.not_served > 0 { span.bad { (operation.not_served) } } @else { "0" }
                }
                td.n data-label="v1 errors" {
                    (operation.errors) " " small { (share(operation.errors, operation.requests)) }
                }
                td.n data-label="trouble" {
                    @if operation.trouble > 0 {
                        a.bad href={ "/ui/exchanges?outcome=trouble&find=" (name) } { (operation.trouble) }
                    } @else { "0" }
                }
                td.n data-label="refused" { (operation.refused) }
                td.n data-label="p50" { (millis(operation.percentile(50))) }
                td.n data-label="p99" { (millis(operation.percentile(99))) }
                td.n data-label="v2 calls each" { (format!("{:.1}", operation.calls_per_request())) }
                td.n data-label="last" { (ago(operation.last)) }
            }
        }
    };
    let columns = [
        ("operation", ""),
        ("requests", "n"),
        ("not served", "n"),
        ("v1 errors", "n"),
        ("trouble", "n"),
        ("refused", "n"),
        ("p50", "n"),
        ("p99", "n"),
        ("v2 calls each", "n"),
        ("last", "n"),
    ];
    html! {
        (table("Since the start, most called first", &columns, &rows))
        p.note { "Times are accurate to ±25 %; " code { "/metrics" } " has exact histograms. Not served: the answer "
            "was error 501. v1 errors: caused by the request. Trouble: caused by v2 or the shim. Refused: wrong credentials, "
            "an unreadable body, or more requests than the limits allow." }
    }
}
