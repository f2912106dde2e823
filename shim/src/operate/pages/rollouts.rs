//! Rollouts.

use maud::{Markup, html};
use recording::rollout::{Figures, Side};

use super::page::{empty, table, text};

pub(super) fn body(rollouts: &[Figures]) -> Markup {
    if rollouts.is_empty() {
        return empty("No callers are moved.", &how_to());
    }
    html! { @for figures in rollouts { (rollout(figures)) } }
}

fn how_to() -> Markup {
    html! {
        p { "Configure a second v1 and the share of callers to move to it:" }
        pre { code {
            "[[rollout]]\nname = \"new-build\"\nurl = \"http://127.0.0.1:8081/v1\"\n"
            "forward_credentials = true   # or api_key and api_secret_file\npercent = 1"
        } }
    }
}

fn rollout(figures: &Figures) -> Markup {
    html! {
        section aria-labelledby=(figures.name) {
            h2 id=(figures.name) { (figures.name) }
            dl.facts {
                div { dt { "Callers moved" } dd {
                    (figures.percent) " %"
                    small { "since " (text(&figures.since)) "; " (figures.configured_percent) " % in the settings" }
                } }
                div { dt { "Share of answers" } dd { (percent(figures.share)) } }
                div { dt { "Consistency" } dd {
                    (percent(figures.consistency))
                    small { (figures.compared()) " answers compared" }
                } }
            }
            @if let Some(left) = &figures.left {
                p { span.bad { "Left" } " at " (text(&left.at)) " from " (left.percent) " %: " (left.reason) "." }
            }
            @let rows = html! {
                (side("this shim", &figures.sides.this))
                (side(&figures.other, &figures.sides.other))
            };
            @let columns = [("side", ""), ("answers", "n"), ("errors", "n"), ("p99", "n")];
            (table("Answers since then", &columns, &rows))
            p.note {
                "Of the last " (figures.recently.answers) " answers of the other side: "
                (figures.recently.unexpected) " with unexpected differences, "
                (figures.recently.errors) " failed, " (figures.recently.slow) " too slow."
            }
        }
    }
}

fn side(name: &str, side: &Side) -> Markup {
    html! {
        tr {
            th scope="row" { (text(name)) }
            td.n data-label="answers" { (side.answers) }
            td.n data-label="errors" { (side.errors) }
            td.n data-label="p99" {
                @match side.p99_ms { Some(p99) => { (format!("{p99:.1} ms")) }, None => "–" }
            }
        }
    }
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.2} %", share * 100.0))
}
