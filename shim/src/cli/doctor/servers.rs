//! Checks of v2's server and the token endpoints: name, connection, clock.

use std::{
    net::IpAddr,
    time::{Duration, SystemTime},
};

use shim_upstream::{Access, Greeting, Http, HttpSettings, greet, lookup};
use url::Url;

use super::report::{Check, Report};
use crate::{
    cli::listen::{LeadsBack, LocalAddresses, RESOLVE_REMEDY, has_proxy, leads_back},
    settings::V2Config,
};

/// Clock difference that is not significant: a `Date` header has a resolution of 1 s.
const UNSURE: Duration = Duration::from_secs(5);

/// Maximum age of a webhook signature, and so the maximum clock difference.
const TOLERATED: Duration = Duration::from_secs(300);

/// Status with which a shim responds to the request of a shim.
const LOOP_DETECTED: u16 = 508;

pub(super) async fn check(
    report: &mut Report,
    v2: &V2Config,
    settings: &HttpSettings,
    http: &Http,
    own: &LocalAddresses,
) {
    let mut urls: Vec<(&str, Url)> = Vec::new();
    urls.extend(
        v2.base
            .as_str()
            .parse()
            .ok()
            .map(|url| ("upstream.url", url)),
    );
    for tenant in &v2.tenants {
        if let Access::OAuth(oauth) = &tenant.access
            && !urls
                .iter()
                .any(|(_, known)| known.origin() == oauth.url.origin())
        {
            urls.push(("upstream.oauth_url", oauth.url.clone()));
        }
    }
    let mut greeted = None;
    for (setting, url) in urls {
        let host = url.host_str().unwrap_or_default().to_owned();
        let is_found = if has_proxy() && !settings.is_local {
            let text = "is looked up by the proxy of the environment";
            report.add(Check::pass("dns", &host, text));
            true
        } else {
            let (check, is_found) = name(settings, setting, &url, &host, own).await;
            report.add(check);
            is_found
        };
        if !is_found {
            continue;
        }
        let greeting = greet(http, url.clone()).await;
        report.add(connection(setting, &url, &host, &greeting));
        greeted = greeted.or(greeting.ok().map(|greeting| (host, greeting)));
    }
    if let Some((host, greeting)) = greeted {
        report.add(clock(&host, &greeting));
    }
}

async fn name(
    settings: &HttpSettings,
    setting: &str,
    url: &Url,
    host: &str,
    own: &LocalAddresses,
) -> (Check, bool) {
    let host_name = host.trim_matches(['[', ']']);
    let found = match lookup(settings, host_name).await {
        Ok(found) if !found.is_empty() => found,
        Ok(_) => return (unknown(setting, host, "has no address"), false),
        Err(error) => return (unknown(setting, host, &error), false),
    };
    let port = url.port_or_known_default().unwrap_or_default();
    match leads_back(own, host, &found, port) {
        Some(LeadsBack::ToShim(text)) => {
            return (Check::fail("dns", host, text, RESOLVE_REMEDY), false);
        }
        Some(LeadsBack::ToMachine(text)) => {
            return (Check::warn("dns", host, text, RESOLVE_REMEDY), true);
        }
        None => {}
    }
    let others = match found.len() - 1 {
        0 => String::new(),
        others => format!(" and {others} more"),
    };
    let text = format!(
        "is {}{others}",
        found.first().map_or_else(String::new, IpAddr::to_string)
    );
    (Check::pass("dns", host, text), true)
}

fn unknown(setting: &str, host: &str, why: &str) -> Check {
    let remedy =
        format!("check the host in {setting} and this machine's name servers, or set upstream.dns");
    Check::fail("dns", host, why, remedy)
}

fn connection(setting: &str, url: &Url, host: &str, greeting: &Result<Greeting, String>) -> Check {
    let name = if url.scheme() == "https" {
        "tls"
    } else {
        "connect"
    };
    match greeting {
        Ok(Greeting {
            status: LOOP_DETECTED,
            ..
        }) => {
            let text = format!("a shim answers there: {setting} leads back here");
            Check::fail(name, host, text, RESOLVE_REMEDY)
        }
        Ok(_) if name == "tls" => Check::pass(name, host, "the certificate is trusted"),
        Ok(_) => Check::pass(name, host, "answers, without TLS"),
        Err(cause) => Check::fail(name, host, cause, connection_remedy(setting, cause)),
    }
}

fn connection_remedy(setting: &str, cause: &str) -> String {
    let is_about = |word: &str| cause.to_lowercase().contains(word);
    if is_about("expired") {
        format!(
            "the server's certificate has expired: renew it, or correct {setting}; check this machine's clock"
        )
    } else if is_about("certificate") || is_about("unknownissuer") {
        "add the authority that signed it to the system's certificates, also that of a proxy that \
         opens TLS; SSL_CERT_FILE names another file"
            .to_owned()
    } else if is_about("refused") {
        format!("nothing listens there: check host and port in {setting}, and the firewall")
    } else {
        format!("check {setting}, the firewall, and HTTPS_PROXY if this network needs one")
    }
}

/// Compares the clocks of this machine and of a server.
fn clock(host: &str, greeting: &Greeting) -> Check {
    let Some(date) = greeting.date else {
        return Check::warn("clock", host, "sends no Date header to compare with", "");
    };
    let (difference, is_ahead) = difference(greeting.here, date);
    let seconds = difference.as_secs();
    if difference <= UNSURE {
        return Check::pass("clock", host, "agrees with this machine's clock");
    }
    let way = if is_ahead { "ahead of" } else { "behind" };
    let text = format!("this machine's clock is {seconds} s {way} this server's");
    let remedy = "synchronize it: timedatectl set-ntp true; tokens, webhook signatures and date ranges \
                  depend on it";
    if difference > TOLERATED {
        Check::fail("clock", host, text, remedy)
    } else {
        Check::warn("clock", host, text, remedy)
    }
}

/// The absolute difference of two times; true if `here` is later.
fn difference(here: SystemTime, there: SystemTime) -> (Duration, bool) {
    match here.duration_since(there) {
        Ok(ahead) => (ahead, true),
        Err(behind) => (behind.duration(), false),
    }
}
