//! `migrate usage`.

use std::{fs, path::PathBuf};

use anyhow::Context as _;

use super::sources::Sources;
use crate::{
    exit::Exit,
    site_mappings::SiteMappings,
    usage::{self, Code, Format, Ledger, Page, Rule, Story},
};
use migrate_audit::ShimUrl;
use migrate_report::sheet;

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
    #[arg(long, value_name = "DAYS", default_value_t = 7, value_parser = clap::value_parser!(i64).range(0..=3660))]
    live_days: i64,

    /// A consumer without a call on this many observed days can be switched off; longer than the
    /// pauses of the rarest job.
    #[arg(long, value_name = "DAYS", default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=3660))]
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

    /// Only this operation: user/get
    #[arg(long, value_name = "OPERATION")]
    operation: Option<String>,

    /// Only this v1 key
    #[arg(long, value_name = "KEY")]
    key: Option<String>,

    /// How the report is written
    #[arg(long, value_enum, default_value = "text")]
    format: Format,

    /// Where the report goes, if not to standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Columns of text [default: those of the terminal, or 100]
    #[arg(long, value_name = "N")]
    width: Option<usize>,

    /// Also name the parameters that v2 honours
    #[arg(long)]
    all: bool,

    #[command(flatten)]
    mappings: SiteMappings,
}

const DEFAULT: &str = "http://127.0.0.1:9090";

const EXAMPLES: &str = "\
Examples:
  migrate usage
  migrate usage http://127.0.0.1:9090 --code .
  curl -s 'http://127.0.0.1:9090/usage?limit=1000' > usage.json; migrate usage usage.json
  shim usage ledger.sqlite | migrate usage -";

/// Where there is no terminal.
const WIDTH: usize = 100;

/// In less, no table can be read.
const NARROWEST: usize = 64;

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let code = args.code()?;
    let documents = args.sources.iter().map(|source| usage::read(source));
    let documents: Vec<_> = documents.collect::<anyhow::Result<_>>()?;
    let mut ledger = Ledger::of(documents.concat())?;
    ledger.narrow(args.operation.as_deref(), args.key.as_deref());
    let rule = Rule {
        live_days: args.live_days,
        safe_days: args.safe_days,
    };
    let story = Story::new(ledger, rule, code.as_ref());
    let text = usage::write(&story, args.format, args.page())?;
    if let Some(path) = &args.output {
        let plain = anstream::adapter::strip_str(&text).to_string();
        fs::write(path, plain).with_context(|| format!("{} cannot be written", path.display()))?;
    } else {
        sheet::show(&text)?;
    }
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

    fn page(&self) -> Page {
        let terminal = terminal_size::terminal_size_of(std::io::stdout());
        let columns = terminal.map_or(WIDTH, |(width, _)| usize::from(width.0));
        Page {
            width: self.width.unwrap_or(columns).max(NARROWEST),
            all: self.all,
        }
    }
}
