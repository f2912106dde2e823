//! `migrate usage`.

use std::path::PathBuf;

use super::{
    made,
    output::{Format, Output, Report},
    sources::Sources,
};
use crate::{
    exit::Exit,
    site_mappings::SiteMappings,
    usage::{self, Code, Since, Story},
};
use migrate_audit::ShimUrl;
use recording::usage::{LIVE_DAYS, Ledger, Rule, SAFE_DAYS};

/// Show who still calls v1, and whether it can be switched off.
///
/// Reads what the usage ledger of a shim knows, says of each consumer whether it is live, dormant,
/// or safe to switch off, and by which rule; with an audit also what the code says. A ledger knows
/// nothing of days on which it was not kept.
///
/// Exit codes: 0 if v1 can be switched off by the rule, 1 if not, or not yet known, 2 an error.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Where the ledger is read: the operations address of a shim, a file with what its /usage
    /// answered, or - for standard input. Of shims that share the work, name all.
    #[arg(value_name = "URL|FILE", default_value = DEFAULT)]
    sources: Vec<String>,

    /// A consumer that called within this many days is live.
    #[arg(long, value_name = "DAYS", default_value_t = LIVE_DAYS, value_parser = clap::value_parser!(i64).range(0..=3660))]
    live_days: i64,

    /// A consumer without a call on this many observed days can be switched off; longer than the
    /// pauses of the rarest job.
    #[arg(long, value_name = "DAYS", default_value_t = SAFE_DAYS, value_parser = clap::value_parser!(i64).range(1..=3660))]
    safe_days: i64,

    /// Beside what an audit found: a report of `migrate audit --format json`
    #[arg(long, value_name = "FILE", conflicts_with = "code")]
    audit: Option<PathBuf>,

    /// Beside what an audit of this folder finds
    #[arg(long, value_name = "PATH")]
    code: Option<PathBuf>,

    /// Where the code of --code calls the shim already, as `https://shim.example.com`
    #[arg(long, value_name = "URL", requires = "code")]
    shim: Option<ShimUrl>,

    /// A report for each owner, made to be sent: what its keys still call, and what replaces it
    #[arg(long, value_name = "WHOM")]
    by: Option<By>,

    /// Only calls of the last days, as 7d, or from a day on
    #[arg(long, value_name = "DAYS|DAY")]
    since: Option<Since>,

    /// Only this operation: user/get
    #[arg(long, value_name = "OPERATION")]
    operation: Option<String>,

    /// Only this v1 key
    #[arg(long, value_name = "KEY")]
    key: Option<String>,

    /// Also name the parameters that v2 honours
    #[arg(long)]
    all: bool,

    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    mappings: SiteMappings,
}

/// What a report is divided by.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum By {
    /// Who maintains the programs with a key: `tenant.owner` in the settings of the shim.
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
        document.made = made();
        let exit = if document.is_good {
            Exit::Clean
        } else {
            Exit::Findings
        };
        let story = serde_json::json!({ "schema": 1, "subject": ledger.subject, "owners": owners });
        args.output.write(&Report::new(document, &story))?;
        return Ok(exit);
    }
    let rule = Rule {
        live_days: args.live_days,
        safe_days: args.safe_days,
    };
    let story = Story::new(ledger, rule, code.as_ref());
    let mut document = usage::document(&story, args.all);
    document.made = made();
    args.output.write(&Report::new(document, &story))?;
    Ok(if story.can_be_switched_off {
        Exit::Clean
    } else {
        Exit::Findings
    })
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
