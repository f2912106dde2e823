//! Checks of each tenant: token, scopes, price plan, and a harmless read in each area.

use std::{mem::discriminant, time::Duration};

use mappings::{
    Document, Outcome,
    catalog::{MissingScope, Rates},
    document::Json,
};
use shim_upstream::TokenError;
use tokio::time::Instant;

use super::report::{Check, Report};
use crate::serve::{Probed, Shim, TenantStatus};

/// Timeout for all tokens.
const TOKEN_TIME: Duration = Duration::from_secs(10);

/// Timeout of a read.
const READ_TIME: Duration = Duration::from_secs(10);

/// Maximum number of operations listed for a missing scope.
const NAMED: usize = 4;

pub(super) async fn check(report: &mut Report, shim: &Shim, rates: &[(String, Option<Rates>)]) {
    let statuses = shim.tenant_statuses(Instant::now() + TOKEN_TIME).await;
    let mut probed = shim.probe_tenants(READ_TIME).await.into_iter();
    for (status, (_, rates)) in statuses.iter().zip(rates) {
        let subject = format!("tenant {}", status.key);
        let reads = probed.next().map_or_else(Vec::new, |(_, reads)| reads);
        report.add(token(&subject, status));
        if status.access.is_err() {
            continue;
        }
        report.add(scopes(&subject, status.missing.as_deref()));
        report.add(price_plan(&subject, rates.as_ref()));
        for (subject, read) in distinct(&subject, &reads) {
            let is_fixed = status.ends_in.is_none();
            report.add(self::read(subject, read, is_fixed));
        }
    }
}

fn token(subject: &str, status: &TenantStatus) -> Check {
    match (&status.access, status.ends_in) {
        (Ok(()), Some(ends_in)) => {
            let minutes = ends_in.as_secs() / 60;
            Check::pass(
                "token",
                subject,
                format!("granted, expires in {minutes} min"),
            )
        }
        (Ok(()), None) => Check::warn(
            "token",
            subject,
            "a fixed token: it expires within the hour, and its scopes are unknown",
            "set oauth = { account_id, client_id, client_secret_file } instead",
        ),
        (Err(refused), _) => {
            let remedy = match refused.error {
                TokenError::Refused => {
                    "compare account_id, client_id and client_secret with the app's credentials in the Zoom \
                     App Marketplace, and check that the app is activated"
                }
                TokenError::Unreachable => {
                    "check the host and port of oauth_url, name servers, firewall and proxy of this machine"
                }
                TokenError::Limited => {
                    "wait a minute, and look for other programs that use this app"
                }
            };
            Check::fail("token", subject, refused.to_string(), remedy)
        }
    }
}

/// Reads with their subjects. If all reads fail in the same way before v2 handles them, only one is
/// listed.
fn distinct<'r>(subject: &str, reads: &'r [Probed]) -> Vec<(String, &'r Probed)> {
    let kind = |read: &Probed| discriminant(&read.outcome);
    match reads {
        [first, rest @ ..]
            if !rest.is_empty()
                && matches!(first.outcome, Outcome::NoAnswer { .. } | Outcome::Refused)
                && rest.iter().all(|read| kind(read) == kind(first)) =>
        {
            let all = format!("{subject}, {} and {} more", first.request, rest.len());
            vec![(all, first)]
        }
        _ => {
            let of = |read: &Probed| format!("{subject}, {}", read.request);
            reads.iter().map(|read| (of(read), read)).collect()
        }
    }
}

fn scopes(subject: &str, missing: Option<&[MissingScope]>) -> Check {
    match missing {
        None => Check::warn("scopes", subject, "the token response lists no scopes", ""),
        Some([]) => Check::pass(
            "scopes",
            subject,
            "the app has all scopes that the operations need",
        ),
        Some(missing) => {
            let text = match missing.len() {
                1 => "the app lacks 1 scope".to_owned(),
                lacked => format!("the app lacks {lacked} scopes"),
            };
            let remedy = "add them to the app in the Zoom App Marketplace; or name only what the \
                          programs use, as tenant.operations";
            let details = missing.iter().map(scope).collect();
            Check::warn("scopes", subject, text, remedy).with_details(details)
        }
    }
}

fn scope(missing: &MissingScope) -> String {
    let classic = missing.or_scopes.first();
    let classic = classic.map_or_else(String::new, |scope| format!(" (or {scope})"));
    let named: Vec<_> = missing
        .operations
        .iter()
        .take(NAMED)
        .map(String::as_str)
        .collect();
    let more = match missing.operations.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{classic}: {}{more}", missing.scope, named.join(", "))
}

fn price_plan(subject: &str, rates: Option<&Rates>) -> Check {
    match rates {
        Some(rates) => {
            let Rates {
                light,
                medium,
                heavy,
                resource_intensive,
                ..
            } = rates;
            let text = format!(
                "{light} light, {medium} medium and {heavy} heavy calls a second, {resource_intensive} \
                 resource-intensive ones a minute; {}",
                daily(rates)
            );
            Check::pass("limits", subject, text)
        }
        None => Check::warn(
            "limits",
            subject,
            "no price plan is set: calls are sent until v2 refuses them",
            "set upstream.plan to the account's plan, as \"pro\"",
        ),
    }
}

fn read(subject: String, read: &Probed, is_fixed: bool) -> Check {
    let Probed {
        outcome, elapsed, ..
    } = read;
    let millis = elapsed.as_millis();
    match outcome {
        Outcome::Answered { status, .. } if *status < 400 => {
            Check::pass("read", subject, format!("{status} in {millis} ms"))
        }
        Outcome::Answered { status, body } => answered(subject, *status, body.as_ref()),
        Outcome::Unreadable { status } => {
            let text = format!("{status}, and the response is not from v2's API");
            Check::fail("read", subject, text, "check the path of upstream.url")
        }
        Outcome::NoAnswer { .. } => {
            let text = format!("no answer within {millis} ms");
            Check::fail(
                "read",
                subject,
                text,
                "v2 or the network is down; see https://status.zoom.us",
            )
        }
        Outcome::Refused => {
            let remedy = if is_fixed {
                "set a new token; better, set oauth, which renews it"
            } else {
                "check that upstream.url and oauth_url belong together"
            };
            Check::fail("read", subject, "v2 refuses the token", remedy)
        }
        Outcome::Limited => {
            let text = "v2's rate limit, or a daily limit, is reached";
            Check::warn(
                "read",
                subject,
                text,
                "wait, or look for other programs of this account",
            )
        }
    }
}

/// An error response, of v2 or of another server.
fn answered(subject: String, status: u16, body: Option<&Document>) -> Check {
    let member = |name| body.and_then(|body| body.json().get(name));
    let Some(code) = member("code").and_then(Json::as_i64) else {
        let text = format!("{status}, and the response is not in the format of v2's API");
        return Check::fail("read", subject, text, "check the path of upstream.url");
    };
    let said = member("message").and_then(Json::as_str).unwrap_or_default();
    let text = format!("{status}, v2's error {code}: {said}");
    let remedy = "v2 may refuse an area that the account's plan or the app's scopes do not include; leave its \
                  operations out of tenant.operations";
    Check::warn("read", subject, text, remedy)
}

/// The daily limits of a price plan, as text.
fn daily(rates: &Rates) -> String {
    let limits = [
        (rates.light_daily, "light"),
        (rates.medium_daily, "medium"),
        (rates.heavy_daily, "heavy"),
    ];
    let limits = limits
        .iter()
        .filter_map(|(limit, label)| limit.map(|limit| format!("{limit} {label}")));
    let limits: Vec<_> = limits.collect();
    match limits.as_slice() {
        [] => "no daily limit".to_owned(),
        limits => format!("{} ones a day", limits.join(", ")),
    }
}
