//! Callers: who calls which operations since when, and whether v1 can be switched off for them.

use maud::{Markup, html};
use recording::usage::{Consumer, Judgement, Ledger, Rule, Usage, UsageError, Verdict};

use super::page::{day, empty, table, text};

/// Maximum number of operations named per caller, most called first.
const NAMED: usize = 6;

pub(super) fn off() -> Markup {
    empty(
        "The ledger is off.",
        &html! {
            p { "Name a file for the ledger in the configuration file, or start with " code { "--ledger FILE" } ":" }
            pre { code { "[ledger]\nfile = \"/var/lib/shim/ledger.sqlite\"" } }
            p { "The ledger stores names of operations and parameters by key, address and program, but no values." }
        },
    )
}

pub(super) fn body(usage: Usage) -> Result<Markup, UsageError> {
    let is_cut = usage.next.is_some();
    let ledger = Ledger::of(vec![usage])?;
    let rule = Rule::default();
    let mut callers: Vec<_> = ledger
        .consumers
        .iter()
        .map(|consumer| (rule.consumer(&ledger, consumer), consumer))
        .collect();
    if callers.is_empty() {
        let hint = html! { p { "Point a program at the v1 address of this shim." } };
        return Ok(empty("No calls yet.", &hint));
    }
    // By remaining work, then by last call.
    callers.sort_by(|(one, first), (other, second)| {
        let verdicts = one.verdict.cmp(&other.verdict);
        verdicts.then_with(|| second.last.cmp(&first.last))
    });
    let rows = html! { @for (judgement, caller) in &callers { (row(judgement, caller)) } };
    let columns = [
        ("key", ""),
        ("verdict", ""),
        ("address", ""),
        ("program", ""),
        ("operations", ""),
        ("requests", "n"),
        ("first", "n"),
        ("last", "n"),
    ];
    Ok(html! {
        (table("Most remaining work first", &columns, &rows))
        p.note {
            (rule.words()) " Days in the ledger: " (ledger.observed())
            @if is_cut { "; more callers are in " code { "migrate usage" } }
            "."
        }
    })
}

fn row(judgement: &Judgement, caller: &Consumer) -> Markup {
    let mut uses: Vec<_> = caller.operations.iter().collect();
    uses.sort_by_key(|used| std::cmp::Reverse(used.outcomes.total()));
    let requests = uses.iter().map(|used| used.outcomes.total()).sum::<u64>();
    let others = uses.len().saturating_sub(NAMED);
    html! {
        tr {
            th scope="row" {
                @match &caller.key {
                    Some(key) => (text(key)),
                    None => "(refused)",
                }
            }
            td data-label="verdict" {
                span.good[judgement.verdict == Verdict::Safe] {
                    (judgement.verdict.words())
                    @if judgement.verdict == Verdict::Dormant { " " (judgement.since) }
                }
                @if let Some(reason) = judgement.reason() { " " small { (reason) } }
            }
            td data-label="address" { (text(&caller.address)) }
            td.wide data-label="program" { @if caller.user_agent.is_empty() { "–" } @else { (text(&caller.user_agent)) } }
            td data-label="operations" {
                @for (at, used) in uses.iter().take(NAMED).enumerate() {
                    @if at > 0 { ", " }
                    @match &used.operation {
                        Some(name) => a href={ "/ui/operation/" (name) } { (text(name)) },
                        None => "(unknown)",
                    }
                }
                @if others > 0 { " and " (others) " more" }
            }
            td.n data-label="requests" { (requests) }
            td.n data-label="first" { (day(&caller.first)) }
            td.n data-label="last" { (day(&caller.last)) }
        }
    }
}
