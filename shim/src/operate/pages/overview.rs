//! Overview: readiness, counts, tenants, rate limits.

use maud::{Markup, html};
use shim_upstream::RateLabel;

use super::page::{ago, empty, operation, table, text, time};
use crate::{
    observe::{LiveRequest, OperationTraffic, TrafficCounts, shadow::Shadow},
    serve::{Shim, TenantStatus},
};

/// Minutes over which the request rate is averaged.
const RATE_MINUTES: usize = 5;

/// Maximum number of missing scopes shown per tenant.
const NAMED: usize = 8;

/// Input of the readiness section.
pub(super) struct Readiness {
    pub(super) is_stopping: bool,
    pub(super) tenants: Vec<TenantStatus>,
    /// Most recent error caused by v2 or the shim.
    pub(super) trouble: Option<LiveRequest>,
}

pub(super) fn body(shim: &Shim, readiness: &Readiness, counts: &TrafficCounts) -> Markup {
    let (tenants, base) = shim.tenants_and_base();
    let all = counts.operations.values();
    let sum = |count: fn(&OperationTraffic) -> u64| all.clone().map(count).sum::<u64>();
    let requests = sum(|operation| operation.requests);
    let (errors, trouble) = (
        sum(|operation| operation.errors),
        sum(|operation| operation.trouble),
    );
    let not_served = sum(|operation| operation.not_served);
    let rejected = sum(|operation| operation.refused);
    let calls = sum(|operation| operation.calls);
    html! {
        (self::readiness(shim, readiness))
        dl.facts {
            div { dt { "v2" } dd {
                @if shim.is_upstream_down() { span.bad { "down" } small { "calls fail immediately" } }
                @else if calls == 0 { "no calls yet" }
                @else if readiness.tenants.iter().all(|tenant| tenant.access.is_err()) { "unknown" }
                @else { span.good { "up" } }
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
            div { dt { "Requests a minute" } dd { (rate(counts)) small { "in the last " (RATE_MINUTES) " minutes" } } }
            div { dt { "Requests" } dd { (requests) } }
            div { dt { "Not served" } dd {
                @if not_served > 0 { a.bad href="/ui/exchanges?outcome=not_served" { (not_served) } } @else { "0" }
                small { "answered with error 501" }
            } }
            div { dt { "Trouble" } dd {
                @if trouble > 0 { a.bad href="/ui/exchanges?outcome=trouble" { (trouble) } } @else { "0" }
                small { "errors of v2 or the shim" }
            } }
            div { dt { "v1 errors" } dd { (errors) small { "caused by the request" } } }
            div { dt { "Refused" } dd { (rejected) small { "credentials, body, overload" } } }
        }
        section aria-labelledby="tenants" {
            h2 id="tenants" { "Tenants" }
            (tenant_table(&readiness.tenants))
        }
        section aria-labelledby="minutes" {
            h2 id="minutes" { "Requests in the last hour" }
            @if requests == 0 {
                (empty("No requests yet.", &html! {
                    p { "Point a program at the v1 address of this shim." }
                }))
            } @else {
                (chart(&counts.minutes))
            }
        }
        section aria-labelledby="running" {
            h2 id="running" { "Running" }
            dl.list {
                dt { "Version" } dd { (env!("BUILD_VERSION")) }
                dt { "Since" } dd { (time(counts.since)) ", " (ago(counts.since)) }
                dt { "v2 URL" } dd { code { (base) } }
                dt { "Tenants" } dd { (tenants) }
                dt { "Recording" } dd {
                    @match shim.recorder_counts() {
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
            h2 id="budget" { "Rate limit budget" }
            (budget(&shim.budget_levels()))
        }
    }
}

fn compared(shadow: &Shadow) -> Markup {
    let report = shadow.differences().report();
    let compared: u64 = report.operations.values().map(|tally| tally.compared).sum();
    html! { a href="/ui/differences" { (compared) " compared" } " with " (shadow.shown()) }
}

fn rate(counts: &TrafficCounts) -> String {
    let last: Vec<_> = counts.minutes.iter().rev().take(RATE_MINUTES).collect();
    let requests: u64 = last.iter().map(|(requests, _)| requests).sum();
    let minutes = (last.len() as u64).max(1);
    let tenths = requests * 10 / minutes;
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn budget(levels: &[(usize, RateLabel, u32)]) -> Markup {
    if levels.is_empty() {
        return html! {
            p { "No limit is set: calls are sent until v2 refuses them. Set " code { "upstream.plan" }
                " to the account's price plan." }
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

/// Whether requests are served, and current problems.
fn readiness(shim: &Shim, readiness: &Readiness) -> Markup {
    let mut wrong: Vec<Markup> = Vec::new();
    if readiness.is_stopping {
        wrong.push(html! { "The shim is stopping: it takes no new connections." });
    }
    if shim.is_upstream_down() {
        wrong.push(html! { "v2 is down: the circuit breaker of every account in use is open." });
    }
    if shim.state_status().status != "ok" {
        wrong.push(html! { "The state engine cannot be reached." });
    }
    for tenant in &readiness.tenants {
        if let Err(error) = &tenant.access {
            wrong.push(html! { "Tenant " (text(&tenant.key)) " has no v2 token: " (text(&error.to_string())) });
        }
    }
    html! {
        section.ready.wrong[!wrong.is_empty()] aria-label="Readiness" {
            @if wrong.is_empty() { p.good { "Ready" } } @else {
                p.bad { @if readiness.is_stopping { "Not ready" } @else { "Ready, with trouble" } }
                ul { @for reason in &wrong { li { (reason) } } }
            }
            @if let Some(trouble) = &readiness.trouble {
                p {
                    "Last trouble: " (operation(trouble.operation.as_deref()))
                    @if let Some(code) = trouble.error { ", error " (code) }
                    ", " (ago(trouble.at)) ". "
                    @for failure in &trouble.failures { (text(failure)) ". " }
                    a href={ "/ui/exchanges?find=" (trouble.id) } { "Request " code { (trouble.id) } }
                }
            }
        }
    }
}

fn tenant_table(tenants: &[TenantStatus]) -> Markup {
    let rows = html! {
        @for tenant in tenants {
            tr {
                th scope="row" { (text(&tenant.key)) }
                td data-label="token" {
                    @match (&tenant.access, tenant.ends_in) {
                        (Err(_), _) => span.bad { "none" },
                        (Ok(()), Some(ends)) => { span.good { "good" } small { " for " (ends.as_secs() / 60) " min" } },
                        (Ok(()), None) => { "fixed" },
                    }
                }
                td.wide data-label="scopes" {
                    @match tenant.missing.as_deref() {
                        None => { "unknown" },
                        Some([]) => span.good { "complete" },
                        Some(missing) => {
                            span.bad { (missing.len()) " missing" }
                            ul {
                                @for missing in missing.iter().take(NAMED) {
                                    li { code { (text(&missing.scope)) } ": " (text(&missing.operations.join(", "))) }
                                }
                            }
                            @if missing.len() > NAMED { small { code { "shim doctor" } " lists all" } }
                        },
                    }
                }
            }
        }
    };
    table(
        "v2 access",
        &[("key", ""), ("token", ""), ("scopes", "")],
        &rows,
    )
}

/// Bar chart by minute, with the totals as text for screen readers.
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
                aria-label={ (all) " requests, " (failed) " failed, at most " (most) " in a minute" } {
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
                (all) @if all == 1 { " request" } @else { " requests" } ", at most " (most) " in a minute; "
                span.bad[failed > 0] { (failed) " failed" }
            }
        }
    }
}
