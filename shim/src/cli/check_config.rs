//! `shim check-config`: prints the effective settings after validating them.

use anyhow::anyhow;

use super::{CheckConfig, Failure, banner, doctor, run, watchers::shadow_mappings};
use crate::settings::{Config, Effective};

pub(super) fn run(arguments: &CheckConfig) -> Result<(), Failure> {
    let serve = &arguments.serve;
    let catalog = run::catalog(serve.mappings.as_deref()).map_err(Failure::Settings)?;
    let checked = run::with_sources(serve, |sources| {
        let config = Config::load(sources, &catalog)?;
        shadow_mappings(config.shadow.as_ref())?;
        let effective = Effective::of(sources, &catalog);
        Ok((config, effective))
    });
    let (config, effective) = checked.map_err(Failure::Settings)?;
    let unknown = run::unknown_variables();
    if !unknown.is_empty() {
        let lines = unknown.iter().map(|unknown| format!("\n  {unknown}"));
        return Err(Failure::Settings(anyhow!(
            "the environment has unknown variables:{}",
            lines.collect::<String>()
        )));
    }
    if arguments.changed {
        banner::print(&effective.changed());
    } else {
        banner::print(&effective);
    }
    let warnings = config.warnings();
    for warning in &warnings {
        banner::print(&format_args!("# warning: {warning}\n"));
    }
    match warnings.len() {
        0 => banner::print(&"# valid\n"),
        1 => banner::print(&"# valid, with 1 warning\n"),
        count => banner::print(&format_args!("# valid, with {count} warnings\n")),
    }
    if !arguments.online {
        return Ok(());
    }
    let report = doctor::examine(serve, config, catalog)?;
    banner::print(&format_args!("\n{}", report.text()));
    report.verdict()
}
