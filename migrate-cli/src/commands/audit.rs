//! `migrate audit`.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, IsTerminal, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;
use mappings::Catalog;

use super::{baseline_file, sources::Sources, today};
use crate::{
    audit::{
        Audit, Finding, Options, SuppressedBy,
        fix::{self, ShimUrl},
        report::{Format, Report},
        traffic::Traffic,
    },
    cli::Exit,
    site_mappings::SiteMappings,
};

/// Find every use of v1 in a code base, and what replaces it.
///
/// Exit codes: 0 nothing fails, 1 findings that fail, 2 an error or files that could not be read.
#[expect(clippy::struct_excessive_bools, reason = "one a switch")]
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    sources: Sources,

    #[command(flatten)]
    mappings: SiteMappings,

    /// The format of the report; several are written to the --output of the same place.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Vec<Format>,

    /// Where a report goes, in the order of --format; - is the standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Vec<PathBuf>,

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

    /// Point base URLs and URLs of v1 at the shim, in place. Only what is provably safe.
    #[arg(long, requires = "shim")]
    fix: bool,

    /// Show what --fix would change as a patch, and change nothing.
    #[arg(long, requires = "shim")]
    diff: bool,

    /// Where the shim answers, for --fix and --diff: `https://shim.example.com`
    #[arg(long, value_name = "URL")]
    shim: Option<ShimUrl>,

    /// Write all findings to the baseline.
    #[arg(long)]
    write_baseline: bool,

    /// Take findings that are gone out of the baseline; never puts one in.
    #[arg(long, conflicts_with = "write_baseline")]
    prune_baseline: bool,
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
    if args.output.len() > args.format.len() {
        anyhow::bail!("there are more --output than --format");
    }
    let (path, mut baseline) = baseline_file::read(args.baseline.as_deref(), args.sources.first())?;
    let found = args.sources.run(&catalog)?;
    let mut outcome = found.outcome;
    if args.write_baseline || args.prune_baseline {
        if found.interrupted {
            anyhow::bail!("interrupted: the baseline stays as it is");
        }
        if args.write_baseline {
            baseline.absorb(&outcome.findings);
        } else {
            baseline.prune(&outcome.findings);
        }
        baseline_file::write(&path, &baseline)?;
        let _ = writeln!(
            io::stderr(),
            "{} findings in {}",
            baseline.len(),
            path.display()
        );
    }
    let traffic = read_logs(&args.access_log, &catalog)?;
    let expired = baseline.apply(&mut outcome.findings, &today());
    if expired > 0 {
        let _ = writeln!(
            io::stderr(),
            "{expired} entries of the baseline have expired"
        );
    }
    if let (true, Some(shim)) = (args.fix || args.diff, &args.shim) {
        return fix(args, &outcome.findings, shim);
    }
    for (index, format) in args.format.iter().enumerate() {
        let output = args.output.get(index).map(PathBuf::as_path);
        let mut report = Report {
            findings: &outcome.findings,
            unreadable: &outcome.unreadable,
            files: outcome.files,
            elapsed: outcome.elapsed,
            traffic: traffic.as_ref(),
            interrupted: found.interrupted,
            styled: false,
        };
        write(&mut report, *format, output)?;
    }
    Ok(exit(
        args.fail_on,
        &outcome.findings,
        !outcome.unreadable.is_empty(),
    ))
}

fn fix(args: &Args, findings: &[Finding], shim: &ShimUrl) -> anyhow::Result<Exit> {
    let root = args.sources.root_of_fixes()?;
    let changes = fix::changes(&root, findings, shim)?;
    let mut out = BufWriter::new(io::stdout().lock());
    for change in &changes {
        if args.diff {
            write!(out, "{}", change.patch())?;
        } else {
            change
                .apply(&root)
                .with_context(|| format!("cannot write {}", change.path))?;
            writeln!(out, "{}: {} changed", change.path, change.places)?;
        }
    }
    out.flush()?;
    Ok(Exit::Clean)
}

fn read_logs(paths: &[PathBuf], catalog: &Catalog) -> anyhow::Result<Option<Traffic>> {
    if paths.is_empty() {
        return Ok(None);
    }
    let audit = Audit::new(catalog, Options::default())?;
    let mut all = Traffic::default();
    for path in paths {
        let context = || format!("cannot read the access log {}", path.display());
        let log = File::open(path).with_context(context)?;
        all.merge(audit.traffic(BufReader::new(log)).with_context(context)?);
    }
    Ok(Some(all))
}

fn write(report: &mut Report, format: Format, output: Option<&Path>) -> anyhow::Result<()> {
    match output {
        Some(path) if path != Path::new("-") => {
            let file = File::create(path)
                .with_context(|| format!("cannot write the report to {}", path.display()))?;
            let mut out = BufWriter::new(file);
            report.write(format, &mut out)?;
            out.flush()
                .with_context(|| format!("cannot write the report to {}", path.display()))
        }
        _ => {
            report.styled = io::stdout().is_terminal()
                && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
                && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
            let mut out = BufWriter::new(io::stdout().lock());
            report.write(format, &mut out)?;
            Ok(out.flush()?)
        }
    }
}

fn exit(fail_on: FailOn, findings: &[Finding], unreadable: bool) -> Exit {
    let fails = |finding: &Finding| match fail_on {
        FailOn::Never => false,
        FailOn::New => finding.counts(),
        FailOn::Any => {
            let by_baseline = finding
                .suppressed
                .as_ref()
                .is_some_and(|suppression| suppression.by == SuppressedBy::Baseline);
            finding.counts() || by_baseline
        }
    };
    if unreadable {
        Exit::Failed
    } else if findings.iter().any(fails) {
        Exit::Findings
    } else {
        Exit::Clean
    }
}
