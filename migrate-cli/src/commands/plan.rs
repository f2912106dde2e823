//! `migrate plan`.

use std::io::{self, Write};

use super::sources::Sources;
use crate::{
    audit::plan::{Plan, Wave},
    cli::Exit,
    site_mappings::SiteMappings,
};

/// Plan the migration of a code base in waves, each with its effort and its check.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    sources: Sources,

    #[command(flatten)]
    mappings: SiteMappings,

    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let catalog = args.mappings.catalog()?;
    let found = args.sources.run(&catalog)?;
    if found.interrupted {
        anyhow::bail!("interrupted: a part of the code says nothing of the whole");
    }
    let plan = Plan::of(&found.outcome.findings);
    let mut out = io::stdout().lock();
    if args.json {
        serde_json::to_writer(&mut out, &plan)?;
        writeln!(out)?;
        return Ok(Exit::Clean);
    }
    if plan.waves.is_empty() {
        writeln!(out, "no use of v1: nothing to plan")?;
        return Ok(Exit::Clean);
    }
    for (index, wave) in plan.waves.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        write(index + 1, wave, &mut out)?;
    }
    Ok(Exit::Clean)
}

fn write(number: usize, wave: &Wave, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{number}. {}", wave.title)?;
    writeln!(out, "   {}", wave.why)?;
    for step in &wave.steps {
        writeln!(
            out,
            "   {:<7} {:<30} {}",
            step.effort.name(),
            step.what,
            step.why
        )?;
        for place in step.places.iter().take(5) {
            writeln!(out, "           {place}")?;
        }
        if step.places.len() > 5 {
            writeln!(out, "           and {} more", step.places.len() - 5)?;
        }
    }
    writeln!(out, "   done when: {}", wave.check)
}
