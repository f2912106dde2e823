//! `migrate plan`.

use std::io::{self, Write as _};

use super::{
    generated,
    output::{Format, Output, Report},
    sources::Sources,
};
use crate::{exit::Exit, plan, site_mappings::SiteMappings};
use migrate_audit::{Wave, base_at, waves::Waves};
use migrate_report::words::plain;

/// Plan the migration of a code base in waves, each with its effort and exit check
///
/// Exit codes: 0 success, 1 the wave of --check has open steps, 2 an error.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    sources: Sources,

    #[command(flatten)]
    mappings: SiteMappings,

    #[command(flatten)]
    output: Output,

    /// Show only this wave and fail while it has open steps: the exit check of the wave. The last
    /// wave has the steps of all waves.
    #[arg(long, value_name = "WAVE", value_enum)]
    check: Option<Wave>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    args.output.check(&Format::USUAL)?;
    let catalog = args.mappings.catalog()?;
    let found = args.sources.run(&catalog)?;
    if found.interrupted {
        anyhow::bail!("interrupted: no plan from an incomplete audit");
    }
    let mut waves = Waves::of(&found.outcome.findings);
    // Nothing is removed before all of v1 is replaced.
    if let Some(name) = args.check.filter(|name| *name != Wave::Remove) {
        waves.waves.retain(|wave| wave.name == name);
    }
    for unreadable in &found.outcome.unreadable {
        let (path, reason) = (plain(&unreadable.path), &unreadable.reason);
        let _ = writeln!(io::stderr(), "not read: {path}: {reason}");
    }
    let rules = args.sources.audit_rules()?;
    let base = base_at(args.sources.moved().url.as_ref());
    let plan = plan::Plan::new(waves, &found.outcome.findings, &rules, &base);
    let mut document = plan.document(&args.sources.subject(), args.check);
    document.generated = generated();
    args.output.write(&Report::new(document, &plan))?;
    Ok(if found.outcome.unreadable.is_empty() {
        Exit::clean_if(args.check.is_none() || plan.is_done())
    } else {
        Exit::Failed
    })
}
