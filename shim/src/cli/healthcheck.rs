//! `shim healthcheck`: checks whether a running shim is ready.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use reqwest::Client;
use shim_upstream::innermost;

use super::{Failure, Serve, banner, run};
use crate::{
    install_tls,
    settings::{DEFAULT_OPS_LISTEN, OpsListen, Source},
};

/// Timeout of the request. Container engines use 30 s for the whole check by default.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Check whether a running shim is ready, for containers without a shell.
///
/// It asks `/readyz` at the operations address that the settings name, and prints what was
/// answered.
#[derive(Args, Clone, Debug)]
pub(crate) struct Healthcheck {
    #[command(flatten)]
    serve: Serve,
}

pub(super) const EXIT_CODES: &str = "Exit codes:
  0  the shim is ready
  1  it is stopping, or does not answer
  2  the command line or the settings are wrong, or there is no operations address";

pub(super) fn run(arguments: &Healthcheck) -> Result<(), Failure> {
    let catalog = run::catalog(arguments.serve.mappings.as_deref()).map_err(Failure::Settings)?;
    let config = run::config(&arguments.serve, &catalog).map_err(Failure::Settings)?;
    let address = match &config.ops {
        OpsListen::At(address) => address,
        OpsListen::Default if matches!(config.source, Source::V2(_)) => DEFAULT_OPS_LISTEN,
        OpsListen::Default => {
            let error = anyhow!(
                "with --sandbox or --replay, the operations address may have any free port; give \
                 `serve` and `healthcheck` the same --ops-listen"
            );
            return Err(Failure::Settings(error));
        }
        OpsListen::Off => {
            let error = anyhow!("ops.listen is \"off\": there is no address to check");
            return Err(Failure::Settings(error));
        }
    };
    let status = run::runtime()?.block_on(request_readiness(address));
    banner::print(&format_args!("{}\n", status.map_err(Failure::Running)?));
    Ok(())
}

/// Requests `/readyz` and returns the response body.
async fn request_readiness(address: &str) -> anyhow::Result<String> {
    let resolved = tokio::net::lookup_host(address).await;
    let resolved: Vec<SocketAddr> = resolved.with_context(|| address.to_owned())?.collect();
    let first = resolved.first().with_context(|| address.to_owned())?;
    install_tls();
    let url = format!("http://{}/readyz", banner::reachable(*first));
    // A proxy from the environment cannot reach this machine.
    let client = Client::builder().no_proxy().timeout(TIMEOUT);
    let client = client.tls_certs_only([]).build()?;
    let failed = |error: reqwest::Error| anyhow!("no shim answers at {url}: {}", innermost(&error));
    let answer = client.get(&url).send().await.map_err(failed)?;
    let status = answer.status();
    let text = answer.text().await.map_err(failed)?;
    if !status.is_success() {
        bail!("not ready ({status}): {}", text.trim());
    }
    Ok(text.trim().to_owned())
}
