//! `migrate usage`.

use std::path::PathBuf;

use super::{
    generated,
    output::{Format, Output, Report},
    sources::Sources,
};
use crate::{
    exit::Exit,
    site_mappings::SiteMappings,
    usage::{self, Code, Since, UsageReport},
};
use migrate_audit::ShimUrl;
use recording::usage::{LIVE_DAYS, Ledger, Rule, SAFE_DAYS};

/// Show who still calls v1, and whether it can be switched off.
///
/// Reads the usage ledger of a shim and classifies each consumer as live, dormant or safe to switch
/// off, with the reason. With an audit, also compares the calls with the code. Days without a
/// ledger are not counted as silent.
///
/// Exit codes: 0 if v1 can be switched off, 1 if not or not known yet, 2 an error.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Where to read the ledger: the operations address of a shim, a file with the response of
    /// /usage, or - for standard input. Name all shims that share the traffic.
    #[arg(value_name = "URL|FILE", default_value = DEFAULT)]
    sources: Vec<String>,

    /// A consumer is live if it called within this many days.
    #[arg(long, value_name = "DAYS", default_value_t = LIVE_DAYS, value_parser = clap::value_parser!(i64).range(0..=3660))]
    live_days: i64,

    /// A consumer can be switched off after this many observed days without a call. Use more than
    /// the longest interval between runs of any job.
    #[arg(long, value_name = "DAYS", default_value_t = SAFE_DAYS, value_parser = clap::value_parser!(i64).range(1..=3660))]
    safe_days: i64,

    /// Compare with an audit: a report of `migrate audit --format json`
    #[arg(long, value_name = "FILE", conflicts_with = "code")]
    audit: Option<PathBuf>,

    /// Compare with an audit of this folder
    #[arg(long, value_name = "PATH")]
    code: Option<PathBuf>,

    /// The shim's address, if the code of --code already calls it: `https://shim.example.com`
    #[arg(long, value_name = "URL", requires = "code")]
    shim: Option<ShimUrl>,

    /// One report per owner: what its keys still call and what replaces it
    #[arg(long, value_name = "WHOM")]
    by: Option<By>,

    /// Only calls of the last days (7d) or since a day (2026-11-22)
    #[arg(long, value_name = "DAYS|DAY")]
    since: Option<Since>,

    /// Only this operation: user/get
    #[arg(long, value_name = "OPERATION")]
    operation: Option<String>,

    /// Only this v1 key
    #[arg(long, value_name = "KEY")]
    key: Option<String>,

    /// Also list the parameters that v2 supports
    #[arg(long)]
    all: bool,

    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    mappings: SiteMappings,
}

/// How a report is grouped.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum By {
    /// Owner of the key: `tenant.owner` in the settings of the shim.
    Owner,
}

const DEFAULT: &str = "http://127.0.0.1:9090";

const EXAMPLES: &str = "\
Examples:
  migrate usage
  migrate usage http://127.0.0.1:9090 --code .
  curl -s 'http://127.0.0.1:9090/usage?limit=1000' > usage.json; migrate usage usage.json
  migrate usage --by owner --since 7d --format markdown
  shim usage ledger.sqlite | migrate usage -";

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    args.output.check(&Format::USUAL)?;
    let code = args.code()?;
    let since = args.since.map(Since::day);
    let documents = args.sources.iter();
    let documents = documents.map(|source| usage::read(source, since));
    let documents: Vec<_> = documents.collect::<anyhow::Result<_>>()?;
    let mut ledger = Ledger::of(documents.concat())?;
    ledger.narrow(args.operation.as_deref(), args.key.as_deref());
    if args.by.is_some() {
        let owners = usage::owners(&ledger, code.as_ref(), &args.mappings.catalog()?);
        let mut document = usage::owners_document(&owners, &ledger.subject, since);
        document.generated = generated();
        let exit = Exit::clean_if(document.is_good);
        let report =
            serde_json::json!({ "schema": 1, "subject": ledger.subject, "owners": owners });
        args.output.write(&Report::new(document, &report))?;
        return Ok(exit);
    }
    let rule = Rule {
        live_days: args.live_days,
        safe_days: args.safe_days,
    };
    let report = UsageReport::new(ledger, rule, code.as_ref());
    let mut document = usage::document(&report, args.all);
    document.generated = generated();
    args.output.write(&Report::new(document, &report))?;
    Ok(Exit::clean_if(report.can_be_switched_off))
}

impl Args {
    fn code(&self) -> anyhow::Result<Option<Code>> {
        if let Some(path) = &self.audit {
            return Code::read(path).map(Some);
        }
        let Some(path) = &self.code else {
            return Ok(None);
        };
        let catalog = self.mappings.catalog()?;
        let found = Sources::of_path(path.clone(), self.shim.clone()).run(&catalog)?;
        if found.interrupted || !found.outcome.unreadable.is_empty() {
            anyhow::bail!(
                "the audit could not read all of {}; see migrate audit",
                path.display()
            );
        }
        Ok(Some(Code::of(&found.outcome.findings)))
    }
}
