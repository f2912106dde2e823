//! Deliveries: webhooks of v2, and the pushes that result from them.

use maud::{Markup, html};

use super::page::{ago, empty, table, text};
use crate::{notifications::Waiting, observe::Deliveries};

pub(super) fn body(deliveries: &Deliveries, waiting: &[Waiting]) -> Markup {
    let log = deliveries.snapshot();
    if waiting.is_empty() {
        return empty(
            "No receivers are configured.",
            &html! { p { "Set " code { "[webhooks]" } " and a " code { "[[receiver]]" } "." } },
        );
    }
    let queues = html! {
        @for queue in waiting {
            tr {
                th scope="row" { (text(&queue.receiver)) }
                td.n data-label="waiting" { (queue.counts.waiting) }
                td.n data-label="dead" { (queue.counts.dead) }
            }
        }
    };
    let webhooks = html! {
        @for ((event, outcome), count) in &log.webhooks {
            tr {
                th scope="row" { (text(event)) }
                td data-label="outcome" { (outcome) }
                td.n data-label="count" { (count) }
            }
        }
    };
    let attempts = html! {
        @for attempt in &log.attempts {
            tr {
                th scope="row" { (text(&attempt.event)) }
                td data-label="notification" { (text(&attempt.notification)) }
                td data-label="receiver" { (text(&attempt.receiver)) }
                td.n data-label="attempt" { (attempt.number) }
                td data-label="outcome" { (attempt.outcome.as_str()) }
                td.n data-label="when" { (ago(attempt.at)) }
                td.wide data-label="reason" { (text(attempt.failure.as_deref().unwrap_or_default())) }
            }
        }
    };
    let queue_columns = [("receiver", ""), ("waiting", "n"), ("dead", "n")];
    let webhook_columns = [("event", ""), ("outcome", ""), ("count", "n")];
    let attempt_columns = [
        ("event", ""),
        ("notification", ""),
        ("receiver", ""),
        ("attempt", "n"),
        ("outcome", ""),
        ("when", "n"),
        ("reason", ""),
    ];
    html! {
        (table("Queues", &queue_columns, &queues))
        (table("v2's webhooks since the start", &webhook_columns, &webhooks))
        (table("Most recent attempts", &attempt_columns, &attempts))
    }
}
