//! The overview page.

use maud::{Markup, html};
use shim_upstream::RateLabel;

use super::page::{ago, empty, share, table, text, time};
use crate::{
    observe::{OperationTraffic, TrafficCounts, shadow::Shadow},
    serve::{Shim, TenantStatus},
};

/// Minutes that the rate is an average of.
const RATE_MINUTES: usize = 5;

pub(super) fn body(shim: &Shim, statuses: &[TenantStatus], seen: &TrafficCounts) -> Markup {
    let (tenants, base) = shim.behind();
    let all = seen.operations.values();
    let sum = |count: fn(&OperationTraffic) -> u64| all.clone().map(count).sum::<u64>();
    let requests = sum(|operation| operation.requests);
    let (errors, trouble) = (
        sum(|operation| operation.errors),
        sum(|operation| operation.trouble),
    );
    let rejected = sum(|operation| operation.refused);
    html! {
        dl.facts {
            div { dt { "v2" } dd {
                @if shim.is_cut_off() { span.bad { "down: calls fail at once" } }
                @else { span.good { "not known to be down" } }
            } }
            div { dt { "Tokens" } dd {
                @if statuses.iter().all(|tenant| tenant.access.is_ok()) { span.good { "all tenants have one" } }
                @for tenant in statuses {
                    @if let Err(error) = &tenant.access {
                        span.bad { "tenant " (text(&tenant.key)) }
                        small { (text(error)) }
                    }
                }
            } }
            div { dt { "State" } dd {
                @let status = shim.state_status().status;
                span.good[status == "ok"].bad[status != "ok"] { (status) }
            } }
            @if let Some((window, is_in_force)) = shim.brownout() {
                div { dt { "Brownout" } dd {
                    @if is_in_force {
                        span.bad { "in force" }
                        small { "until " (time(window.ends.saturating_mul(1000))) }
                    } @else {
                        "announced"
                        small { "from " (time(window.begins.saturating_mul(1000)))
                            " to " (time(window.ends.saturating_mul(1000))) }
                    }
                } }
            }
            div { dt { "Requests a minute" } dd { (rate(seen)) small { "in the last " (RATE_MINUTES) " minutes" } } }
            div { dt { "Requests" } dd { (requests) } }
            div { dt { "v1 errors" } dd { (errors) small { (share(errors, requests)) " of all" } } }
            div { dt { "Trouble" } dd {
                @if trouble > 0 { span.bad { (trouble) } } @else { "0" }
                small { "errors that are v2's or the shim's" }
            } }
            div { dt { "Refused" } dd { (rejected) small { "credentials, body, overload" } } }
        }
        section aria-labelledby="minutes" {
            h2 id="minutes" { "Requests in the last hour" }
            @if requests == 0 {
                (empty("Nothing was asked yet.", &html! {
                    p { "Point a program at the v1 address of this shim." }
                }))
            } @else {
                (chart(&seen.minutes))
            }
        }
        section aria-labelledby="running" {
            h2 id="running" { "Running" }
            dl.list {
                dt { "Version" } dd { (env!("BUILD_VERSION")) }
                dt { "Since" } dd { (time(seen.since)) ", " (ago(seen.since)) }
                dt { "v2 is at" } dd { code { (base) } }
                dt { "Tenants" } dd { (tenants) }
                dt { "Recording" } dd {
                    @match shim.recorded() {
                        Some((written, 0, _)) => { (written) " exchanges written" },
                        Some((written, dropped, _)) => {
                            (written) " exchanges written, " span.bad { (dropped) " dropped" }
                        },
                        None => { "off" },
                    }
                }
                dt { "Shadow" } dd {
                    @match shim.shadow() {
                        Some(shadow) => (compared(&shadow)),
                        None => { "off" },
                    }
                }
            }
        }
        section aria-labelledby="budget" {
            h2 id="budget" { "Calls that v2 takes" }
            (budget(&shim.budget_levels()))
        }
    }
}

fn compared(shadow: &Shadow) -> Markup {
    let found = shadow.differences().found();
    let compared: u64 = found.operations.values().map(|tally| tally.compared).sum();
    html! { a href="/ui/differences" { (compared) " compared" } " with " (shadow.shown()) }
}

fn rate(seen: &TrafficCounts) -> String {
    let last: Vec<_> = seen.minutes.iter().rev().take(RATE_MINUTES).collect();
    let requests: u64 = last.iter().map(|(requests, _)| requests).sum();
    let minutes = (last.len() as u64).max(1);
    let tenths = requests * 10 / minutes;
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn budget(levels: &[(usize, RateLabel, u32)]) -> Markup {
    if levels.is_empty() {
        return html! {
            p { "Unlimited: v2's own refusals are all that is heeded. Say with " code { "plan" }
                " under " code { "[upstream]" } " which plan the account has." }
        };
    }
    let rows = html! {
        @for (account, label, level) in levels {
            tr {
                th scope="row" { "account " (account) }
                td data-label="rate label" { (label.as_str()) }
                td.n data-label="at once" { (level) }
            }
        }
    };
    let columns = [("account", ""), ("rate label", ""), ("calls at once", "n")];
    table("Calls that could be made at once", &columns, &rows)
}

/// Bars by minute, with the numbers in words for those who do not see it.
fn chart(minutes: &[(u64, u64)]) -> Markup {
    const WIDTH: usize = 10;
    const HEIGHT: u64 = 60;
    let most = minutes.iter().map(|(requests, _)| *requests).max();
    let most = most.unwrap_or_default().max(1);
    let all: u64 = minutes.iter().map(|(requests, _)| requests).sum();
    let failed: u64 = minutes.iter().map(|(_, failed)| failed).sum();
    let height = |count: u64| (count * HEIGHT).div_ceil(most);
    let start = 60_usize.saturating_sub(minutes.len());
    html! {
        figure {
            svg.chart viewBox={ "0 0 " (60 * WIDTH) " " (HEIGHT) } preserveAspectRatio="none" role="img"
                aria-label={ (all) " requests, " (failed) " without success, at most " (most) " in a minute" } {
                line.axis x1="0" x2=(60 * WIDTH) y1=(HEIGHT) y2=(HEIGHT) {}
                @for (at, (requests, failed)) in minutes.iter().enumerate() {
                    @let x = (start + at) * WIDTH + 1;
                    @if *requests > 0 {
                        rect.all x=(x) width=(WIDTH - 2) y=(HEIGHT - height(*requests)) height=(height(*requests)) {}
                    }
                    @if *failed > 0 {
                        rect.failed x=(x) width=(WIDTH - 2) y=(HEIGHT - height(*failed)) height=(height(*failed)) {}
                    }
                }
            }
            figcaption {
                (all) " requests, at most " (most) " in a minute; "
                span.bad[failed > 0] { (failed) " without success" }
            }
        }
    }
}
