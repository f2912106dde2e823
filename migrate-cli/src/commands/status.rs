//! `migrate status`.

use std::{
    collections::BTreeMap,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use mappings::Catalog;
use serde::{Deserialize, Serialize};

use super::{
    baseline_file, generated,
    output::{Format, Output, Report},
    sources::Sources,
};
use crate::{exit::Exit, site_mappings::SiteMappings};
use migrate_audit::{owners::Owners, plain_file};
use migrate_report::{
    Document,
    document::{Cell, Table},
    words::{count, plain},
};

/// Show changes since a baseline: new, fixed and unchanged uses, by owner
///
/// Exit codes: 0 no new uses, 1 new uses, 2 an error or unreadable files.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  migrate status
  migrate status --merge shop billing intranet --format html --output v1.html
  migrate status --merge shop.json billing.json     reports of --format json")]
pub(crate) struct Args {
    #[command(flatten)]
    sources: Sources,

    #[command(flatten)]
    mappings: SiteMappings,

    #[command(flatten)]
    output: Output,

    /// Baseline to compare with [default: .migrate-baseline in the audited folder].
    #[arg(long, value_name = "BASELINE", conflicts_with = "merge")]
    since: Option<PathBuf>,

    /// Combine several repositories in one table. Each path is a folder with a baseline, or a
    /// status report written with --format json.
    #[arg(long)]
    merge: bool,
}

/// Number of uses by change since the baseline.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
struct Change {
    new: usize,
    fixed: usize,
    unchanged: usize,
}

/// Status of one repository, or of several combined.
#[derive(Debug, Deserialize, Serialize)]
struct Status {
    schema: u32,
    /// Name of the repository.
    #[serde(default)]
    name: String,
    total: Change,
    /// Changes by owner; `-` for files without one.
    #[serde(default)]
    owners: BTreeMap<String, Change>,
    /// Changes by repository, if several are combined.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    repositories: BTreeMap<String, Change>,
    /// Files that could not be read.
    #[serde(default)]
    unreadable: usize,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    args.output.check(&Format::USUAL)?;
    let catalog = args.mappings.catalog()?;
    let status = if args.merge {
        let all = args.sources.each().map(|sources| match sources.file() {
            Some(path) => Status::read(path),
            None => args.status(&catalog, &sources),
        });
        Status::merged(all.collect::<anyhow::Result<_>>()?)
    } else {
        args.status(&catalog, &args.sources)?
    };
    let mut document = status.document();
    document.generated = generated();
    args.output.write(&Report::new(document, &status))?;
    Ok(if status.unreadable > 0 {
        Exit::Failed
    } else {
        Exit::clean_if(status.total.new == 0)
    })
}

impl Args {
    fn status(&self, catalog: &Catalog, sources: &Sources) -> anyhow::Result<Status> {
        let (path, baseline) = baseline_file::read(self.since.as_deref(), sources.first())?;
        if !path.exists() {
            let path = path.display();
            bail!("no baseline {path}; create one with migrate audit --write-baseline");
        }
        if sources.is_partial() {
            bail!(
                "a baseline covers a whole folder; remove single files, --files-from and filters"
            );
        }
        let found = sources.run(catalog)?;
        if found.interrupted {
            bail!("interrupted: no status from an incomplete audit");
        }
        for unreadable in &found.outcome.unreadable {
            let (path, reason) = (plain(&unreadable.path), &unreadable.reason);
            let _ = writeln!(io::stderr(), "not read: {path}: {reason}");
        }
        let owners = Owners::of(sources.first());
        let drift = baseline.drift(&found.outcome.findings, |path| owners.of_file(path));
        let owners: BTreeMap<String, Change> = drift
            .into_iter()
            .map(|(owner, drift)| {
                let (new, fixed, unchanged) = (drift.new, drift.fixed, drift.unchanged);
                (
                    owner,
                    Change {
                        new,
                        fixed,
                        unchanged,
                    },
                )
            })
            .collect();
        Ok(Status {
            schema: 1,
            name: sources.subject(),
            total: sum(owners.values()),
            owners,
            repositories: BTreeMap::new(),
            unreadable: found.outcome.unreadable.len(),
        })
    }
}

impl Status {
    /// Reads a report written with `--format json`.
    fn read(path: &Path) -> anyhow::Result<Self> {
        let context = || {
            format!(
                "{} is not a report of migrate status --format json",
                path.display()
            )
        };
        let text = plain_file::read_text(path).with_context(context)?;
        let mut status: Self = serde_json::from_str(&text).with_context(context)?;
        if status.name.is_empty() {
            let stem = path.file_stem().unwrap_or_default();
            status.name = stem.to_string_lossy().into_owned();
        }
        Ok(status)
    }

    /// Combines the status of several repositories.
    fn merged(all: Vec<Self>) -> Self {
        let mut merged = Self {
            schema: 1,
            name: count(all.len(), "repository", "repositories"),
            total: sum(all.iter().map(|status| &status.total)),
            owners: BTreeMap::new(),
            repositories: BTreeMap::new(),
            unreadable: all.iter().map(|status| status.unreadable).sum(),
        };
        for status in all {
            for (owner, change) in status.owners {
                let of_all = merged.owners.entry(owner).or_default();
                *of_all = sum([&*of_all, &change]);
            }
            // Repositories may have the same name.
            let mut name = status.name.clone();
            for number in 2.. {
                if !merged.repositories.contains_key(&name) {
                    break;
                }
                name = format!("{} ({number})", status.name);
            }
            merged.repositories.insert(name, status.total);
        }
        merged
    }

    fn document(&self) -> Document<'_> {
        let mut document = Document {
            tool: "migrate status",
            title: format!("Uses of Zoom's API v1 in {} since the baseline", self.name),
            is_good: self.total.new == 0,
            ..Document::default()
        };
        for (title, rows) in [("repository", &self.repositories), ("owner", &self.owners)] {
            let mut table = Table::new([title, "new#", "fixed#", "unchanged#"]);
            let mut row = |name: &str, change: &Change| {
                let new = Cell::from(change.new.to_string());
                table.row([
                    name.into(),
                    new.toned(if change.new > 0 { "bad" } else { "" }),
                    change.fixed.to_string().into(),
                    change.unchanged.to_string().into(),
                ]);
            };
            for (name, change) in rows {
                row(if name == "-" { "(no owner)" } else { name }, change);
            }
            if rows.len() > 1 {
                row("all", &self.total);
            }
            if !table.rows.is_empty() {
                document.section(format!("By {title}"), table);
            }
        }
        let Change {
            new,
            fixed,
            unchanged,
        } = self.total;
        document.summary = format!("{new} new, {fixed} fixed, {unchanged} unchanged");
        if new > 0 {
            document.summary += " · exit code 1: migrate audit lists the new ones";
        }
        document
    }
}

fn sum<'c>(changes: impl IntoIterator<Item = &'c Change>) -> Change {
    changes
        .into_iter()
        .fold(Change::default(), |sum, change| Change {
            new: sum.new + change.new,
            fixed: sum.fixed + change.fixed,
            unchanged: sum.unchanged + change.unchanged,
        })
}
