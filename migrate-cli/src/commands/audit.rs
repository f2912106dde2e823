//! `migrate audit`.

use std::{
    collections::BTreeSet,
    io::{self, BufReader, BufWriter, Write},
    path::PathBuf,
};

use anyhow::Context;
use clap::ValueEnum as _;
use mappings::Catalog;
use migrate_audit::{
    Audit, Finding, Options, Outcome, SuppressedBy,
    fix::{Fixes, Wanted},
    plain_file,
    traffic::Traffic,
};
use migrate_report::{sheet::Sheet, text::Text, words::count};

use super::{
    baseline_file, made,
    output::{self, Format, Output},
    sources::Sources,
    today,
};
use crate::{
    audit::{recipe, report::Report},
    exit::Exit,
    site_mappings::SiteMappings,
    translate,
};

/// Find every use of v1 in a code base, and what replaces it.
///
/// Exit codes: 0 nothing fails, 1 findings that fail, 2 an error, files that could not be read, or
/// a run that was ended early. With --fix and --diff: 0, or 2 if a file could not be changed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    sources: Sources,

    #[command(flatten)]
    mappings: SiteMappings,

    #[command(flatten)]
    output: Output,

    /// Which findings fail: those that the baseline does not have, any, or none.
    #[arg(long, value_enum, default_value = "new")]
    fail_on: FailOn,

    /// The baseline; by default .migrate-baseline in the audited folder, if there is one.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,

    /// An access log of v1's traffic (nginx or Apache, JSON lines, HAR): tells live code from
    /// dormant code, and calls that no code here makes. May be given several times.
    #[arg(long, value_name = "FILE")]
    access_log: Vec<PathBuf>,

    /// Change the code in place: base URLs to --shim or --shim-env, and exact versions of client
    /// libraries, where that is provably safe. `--fix=unsafe` also rewrites calls whose v2 form is
    /// unambiguous. What is left is listed with a recipe.
    #[arg(
        long,
        value_name = "LEVEL",
        value_enum,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "safe"
    )]
    fix: Option<Level>,

    /// Show what --fix would change as a patch, and change nothing.
    #[arg(long)]
    diff: bool,

    /// Write all findings to the baseline.
    #[arg(long)]
    write_baseline: bool,

    /// Take findings that are gone out of the baseline; never puts one in.
    #[arg(long, conflicts_with = "write_baseline")]
    prune_baseline: bool,
}

/// How sure a fix must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Level {
    /// Provably safe.
    Safe,
    /// Suggestions, too: look at each.
    Unsafe,
}

/// Which findings fail a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum FailOn {
    /// Those that neither a comment nor the baseline suppresses.
    New,
    /// Those that no comment suppresses.
    Any,
    /// None.
    Never,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let catalog = args.mappings.catalog()?;
    args.output.check(Format::value_variants())?;
    let (path, mut baseline) = baseline_file::read(args.baseline.as_deref(), args.sources.first())?;
    let found = args.sources.run(&catalog)?;
    let mut outcome = found.outcome;
    if args.write_baseline || args.prune_baseline {
        if args.sources.is_partial() {
            anyhow::bail!(
                "a baseline is of a whole folder; leave single files and --files-from out"
            );
        }
        if !outcome.unreadable.is_empty() && args.prune_baseline {
            anyhow::bail!(
                "{} could not be read, so what is gone is not known; the baseline stays as it is",
                outcome
                    .unreadable
                    .first()
                    .map_or("", |first| first.path.as_str())
            );
        }
        if found.interrupted {
            anyhow::bail!("interrupted: the baseline stays as it is");
        }
        if args.write_baseline {
            baseline.absorb(&outcome.findings);
        } else {
            baseline.prune(&outcome.findings);
        }
        baseline_file::write(&path, &baseline)?;
        let findings = count(baseline.len(), "finding", "findings");
        let _ = writeln!(io::stderr(), "{findings} in {}", path.display());
    }
    let traffic = read_logs(&args.access_log, &catalog)?;
    let expired = baseline.apply(&mut outcome.findings, &today());
    if expired > 0 {
        let entries = count(expired, "entry has", "entries have");
        let _ = writeln!(io::stderr(), "{entries} expired in the baseline");
    }
    if args.fix.is_some() || args.diff {
        // What the baseline accepts is to be changed all the same.
        for finding in &mut outcome.findings {
            let by = finding
                .suppressed
                .as_ref()
                .map(|suppression| suppression.by);
            if by == Some(SuppressedBy::Baseline) {
                finding.suppressed = None;
            }
        }
        return fix(args, &catalog, &outcome);
    }
    let prefix = args.sources.prefix();
    let subject = args.sources.subject();
    let fails = |finding: &Finding| args.fail_on.fails(finding);
    let report = Report {
        findings: &outcome.findings,
        unreadable: &outcome.unreadable,
        files: outcome.files,
        traffic: traffic.as_ref(),
        interrupted: found.interrupted,
        baseline: !baseline.is_empty(),
        prefix: &prefix,
        subject: &subject,
        made: &made(),
        fails: &fails,
    };
    let has_failed = outcome.findings.iter().any(fails);
    let here = std::env::current_dir().ok();
    args.output.write(&output::Report {
        text: Text {
            links: here.map(|folder| folder.join(&prefix)),
            elapsed: Some(outcome.elapsed),
            is_brief: !has_failed && report.baseline,
            ..Text::default()
        },
        sarif: Some(report.sarif()),
        ..output::Report::with_json(report.document(), Box::new(|| report.json()))
    })?;
    Ok(if !outcome.unreadable.is_empty() || found.interrupted {
        Exit::Failed
    } else if has_failed {
        Exit::Findings
    } else {
        Exit::Clean
    })
}

impl FailOn {
    fn fails(self, finding: &Finding) -> bool {
        match self {
            Self::Never => false,
            Self::New => finding.counts(),
            Self::Any => {
                let suppressed = finding.suppressed.as_ref();
                let by_baseline = suppressed.is_some_and(|by| by.by == SuppressedBy::Baseline);
                finding.counts() || by_baseline
            }
        }
    }
}

fn fix(args: &Args, catalog: &Catalog, outcome: &Outcome) -> anyhow::Result<Exit> {
    let root = args.sources.root_of_fixes()?;
    let wanted = Wanted {
        moved: args.sources.moved(),
        suggestions: (args.fix == Some(Level::Unsafe)).then_some(translate::one_command),
    };
    let fixes = Audit::new(catalog, Options::default())?.fixes(&root, outcome, &wanted);
    if args.diff {
        let mut out = BufWriter::new(io::stdout().lock());
        for change in &fixes.changes {
            out.write_all(change.patch().as_bytes())?;
        }
        out.flush()?;
        report_left(&fixes);
        return Ok(Exit::Clean);
    }
    let mut sheet = Sheet::new(args.output.width());
    let mut failed = false;
    let mut then = BTreeSet::new();
    for change in &fixes.changes {
        match change.apply(&root) {
            Ok(()) => {
                sheet.line(format!("{}: {} changed", change.path, change.places));
                then.extend(change.then.iter().map(String::as_str));
            }
            Err(error) => {
                failed = true;
                sheet.line(format!("{}: not changed: {error}", change.path));
            }
        }
    }
    if fixes.changes.is_empty() {
        sheet.line("nothing was changed");
    }
    for step in then {
        sheet.hanging("then: ", step);
    }
    let moved = &wanted.moved;
    if !fixes.changes.is_empty() && (moved.url.is_some() || moved.variable.is_some()) {
        sheet.hanging(
            "then: ",
            "give the same --shim or --shim-env to audit, plan and status, so that calls behind \
             the shim are still counted",
        );
    }
    let left: Vec<_> = fixes
        .left
        .iter()
        .filter_map(|(index, why)| Some((outcome.findings.get(*index)?, why.as_str())))
        .collect();
    if !left.is_empty() {
        sheet.blank();
        sheet.line(format!(
            "to do by hand: {}",
            count(left.len(), "finding", "findings")
        ));
        recipe::write(&mut sheet, catalog, &left);
    }
    args.output.write_text(&sheet.into_text(), &())?;
    Ok(if failed { Exit::Failed } else { Exit::Clean })
}

fn report_left(fixes: &Fixes) {
    if !fixes.left.is_empty() {
        let left = count(fixes.left.len(), "finding has", "findings have");
        let _ = writeln!(
            io::stderr(),
            "{left} no such fix; --fix says why, and what to do by hand"
        );
    }
}

fn read_logs(paths: &[PathBuf], catalog: &Catalog) -> anyhow::Result<Option<Traffic>> {
    if paths.is_empty() {
        return Ok(None);
    }
    let audit = Audit::new(catalog, Options::default())?;
    let mut all = Traffic::default();
    for path in paths {
        let context = || format!("cannot read the access log {}", path.display());
        let log = plain_file::open(path).with_context(context)?;
        all.merge(audit.traffic(BufReader::new(log)).with_context(context)?);
    }
    Ok(Some(all))
}
