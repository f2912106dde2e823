//! `migrate status`.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use super::{baseline_file, sources::Sources};
use crate::{exit::Exit, site_mappings::SiteMappings};
use migrate_audit::{baseline::Drift, owners::Owners};

/// Show what changed since a baseline: new, fixed and unchanged uses, by owner.
///
/// Exit codes: 0 nothing is new, 1 something is, 2 an error or files that could not be read.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    sources: Sources,

    #[command(flatten)]
    mappings: SiteMappings,

    /// The baseline to compare with; by default .migrate-baseline in the audited folder.
    #[arg(long, value_name = "BASELINE")]
    since: Option<PathBuf>,

    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let catalog = args.mappings.catalog()?;
    let (path, baseline) = baseline_file::read(args.since.as_deref(), args.sources.first())?;
    if !path.exists() {
        anyhow::bail!(
            "there is no baseline {}; write one with migrate audit --write-baseline",
            path.display()
        );
    }
    if args.sources.is_partial() {
        anyhow::bail!("a baseline is of a whole folder; leave single files and --files-from out");
    }
    let found = args.sources.run(&catalog)?;
    if found.interrupted {
        anyhow::bail!("interrupted: a part of the code says nothing of the whole");
    }
    let owners = Owners::of(args.sources.first());
    let drift = baseline.drift(&found.outcome.findings, |path| owners.of_file(path));
    let total = drift.values().fold(Drift::default(), |sum, drift| Drift {
        new: sum.new + drift.new,
        unchanged: sum.unchanged + drift.unchanged,
        fixed: sum.fixed + drift.fixed,
    });
    let mut out = io::stdout().lock();
    if args.json {
        let row = |drift: &Drift| serde_json::json!({"new": drift.new, "fixed": drift.fixed, "unchanged": drift.unchanged});
        let owners: serde_json::Map<_, _> = drift
            .iter()
            .map(|(owner, drift)| (owner.clone(), row(drift)))
            .collect();
        let document = serde_json::json!({"schema": 1, "total": row(&total), "owners": owners});
        writeln!(out, "{document}")?;
    } else {
        let row = |owner: &str, drift: &Drift| {
            let Drift {
                new,
                fixed,
                unchanged,
            } = drift;
            format!("{owner:<24} {new:>6} {fixed:>6} {unchanged:>10}")
        };
        writeln!(
            out,
            "{:<24} {:>6} {:>6} {:>10}",
            "owner", "new", "fixed", "unchanged"
        )?;
        for (owner, drift) in &drift {
            writeln!(
                out,
                "{}",
                row(if owner == "-" { "nobody" } else { owner }, drift)
            )?;
        }
        if drift.len() != 1 {
            writeln!(out, "{}", row("all", &total))?;
        }
    }
    for unreadable in &found.outcome.unreadable {
        let _ = writeln!(
            io::stderr(),
            "not read: {}: {}",
            migrate_report::words::plain(&unreadable.path),
            unreadable.reason
        );
    }
    Ok(if !found.outcome.unreadable.is_empty() {
        Exit::Failed
    } else if total.new > 0 {
        Exit::Findings
    } else {
        Exit::Clean
    })
}
