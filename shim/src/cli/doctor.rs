//! `shim doctor`: tests everything that the settings depend on, and prints what to do about
//! failures.
//!
//! It uses the HTTP client, tokens and state engine of `serve`. It is read-only and can run beside
//! a running shim.

mod report;
mod servers;
mod tenants;

use std::sync::Arc;

use clap::{Args, ValueEnum};
use mappings::{Catalog, catalog::Rates};
use secrecy::{ExposeSecret as _, SecretString};
use shim_upstream::Http;
use tokio::task::spawn_blocking;

use super::{
    Failure, Serve, banner,
    listen::LocalAddresses,
    run::{self, start_sandbox},
};
use crate::{
    serve::{Dependencies, Shim},
    settings::{Config, Source, StateConfig, StateUrl, V2Config},
    state::{AnswerCache, State},
};
use report::{Check, Report};

/// Check v2, tokens, scopes, clock and state.
///
/// One line for each check: pass, warn or fail, and what to do. Nothing is changed, and a running
/// shim is not disturbed.
#[derive(Args, Clone, Debug)]
pub(crate) struct Doctor {
    /// Format of the report
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    serve: Serve,
}

/// Report format.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// One JSON object, for programs
    Json,
}

pub(super) const EXIT_CODES: &str = "Exit codes:
  0  no check failed; there may be warnings
  1  a check failed
  2  the command line or the settings are wrong; nothing was tried";

pub(super) fn run(arguments: &Doctor) -> Result<(), Failure> {
    let catalog = run::catalog(arguments.serve.mappings.as_deref()).map_err(Failure::Settings)?;
    let config = run::config(&arguments.serve, &catalog).map_err(Failure::Settings)?;
    let report = examine(&arguments.serve, config, catalog)?;
    match arguments.format {
        Format::Text => banner::print(&report.text()),
        Format::Json => banner::print(&format_args!("{}\n", report.to_json())),
    }
    report.verdict()
}

/// Runs all checks: the machine, then v2, then the tenants.
pub(super) fn examine(
    arguments: &Serve,
    config: Config,
    catalog: Catalog,
) -> Result<Report, Failure> {
    let mut report = Report::default();
    for warning in config.warnings() {
        report.add(Check::warn("settings", "", warning, ""));
    }
    let checks = checks(&mut report, arguments, config, Arc::new(catalog));
    run::runtime()?.block_on(checks).map_err(Failure::Running)?;
    Ok(report)
}

async fn checks(
    report: &mut Report,
    arguments: &Serve,
    config: Config,
    catalog: Arc<Catalog>,
) -> anyhow::Result<()> {
    let Config {
        listen,
        tls,
        source,
        site,
        limits,
        state,
        webhooks,
        ..
    } = config;
    report.add(state_engine(state, AnswerCache::from(&limits)).await);
    if let Some(webhooks) = &webhooks {
        report.add(webhook_secrets(&webhooks.secret_tokens));
    }
    let v2 = match source {
        Source::V2(v2) => v2,
        Source::Sandbox { users } => {
            let faults = arguments.sandbox_faults.clone();
            start_sandbox(users, &site, faults, None).await?
        }
        Source::Replay => {
            let text = "responses come from a recording: no calls to v2";
            report.add(Check::pass("settings", "--replay", text));
            return Ok(());
        }
    };
    let http = match Http::new(&v2.http(&limits)) {
        Ok(http) => http,
        Err(error) => {
            let remedy =
                "install the system's certificates (ca-certificates), and check HTTPS_PROXY";
            report.add(Check::fail(
                "client",
                v2.shown().0,
                error.to_string(),
                remedy,
            ));
            return Ok(());
        }
    };
    let own = listen.as_deref().into_iter();
    let own = own.chain(tls.as_ref().map(|tls| tls.listen.as_str()));
    let own = LocalAddresses::of(own).await;
    servers::check(report, &v2, &v2.http(&limits), &http, &own).await;
    let rates = rates_by_key(&v2);
    let dependencies = Dependencies::local(&limits)?;
    let shim = Shim::new(catalog, v2, &site, &limits, dependencies)?;
    tenants::check(report, &shim, &rates).await;
    Ok(())
}

/// The rates of the price plan by tenant key.
fn rates_by_key(v2: &V2Config) -> Vec<(String, Option<Rates>)> {
    let tenants = v2.tenants.iter();
    tenants
        .map(|tenant| (tenant.api_key.clone(), tenant.rates))
        .collect()
}

async fn state_engine(config: StateConfig, cache: AnswerCache) -> Check {
    let (subject, good) = match &config.url {
        StateUrl::Memory => (
            "in memory".to_owned(),
            "page cursors and unfinished writes end with the process".to_owned(),
        ),
        StateUrl::Sqlite(file) => (
            format!("sqlite:{}", file.display()),
            "can be read and written".to_owned(),
        ),
        StateUrl::Redis(url) => {
            let hosts = url.hosts.iter().map(|(host, port)| match port {
                Some(port) => format!("{host}:{port}"),
                None => host.clone(),
            });
            let hosts = hosts.collect::<Vec<_>>().join(", ");
            (format!("Redis at {hosts}"), "answers".to_owned())
        }
    };
    let opened = spawn_blocking(move || anyhow::Ok(State::open(&config, cache)?)).await;
    let remedy =
        "check [state], and that the shim's user may use the files; it does not start without";
    match opened.map_err(anyhow::Error::from).flatten() {
        Ok(state) if state.is_degraded() => {
            let remedy =
                "start Redis, or correct state.url; until then each replica keeps its own state";
            Check::fail("state", subject, "cannot be reached", remedy)
        }
        Ok(_) => Check::pass("state", subject, good),
        Err(error) => Check::fail("state", subject, format!("{error:#}"), remedy),
    }
}

/// Minimum length of a plausible secret token. Those of Zoom apps have 22 characters.
const SHORTEST_SECRET: usize = 16;

fn webhook_secrets(secrets: &[SecretString]) -> Check {
    let count = secrets.len();
    let is_short = |secret: &SecretString| secret.expose_secret().len() < SHORTEST_SECRET;
    if secrets.iter().any(is_short) {
        let text = format!("has less than {SHORTEST_SECRET} characters: signatures will not match");
        let remedy =
            "copy the Secret Token of the app's Feature page into webhooks.secret_token_file";
        return Check::warn("webhooks", "webhooks.secret_token", text, remedy);
    }
    let text = format!("{count} set; they are verified with the first webhook");
    Check::pass("webhooks", "webhooks.secret_token", text)
}
