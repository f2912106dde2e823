//! `migrate diff`.

use std::{
    env,
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    sync::atomic::Ordering,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, anyhow, bail};
use mappings::{Catalog, catalog::operation::Operation};
use migrate_audit::plain_file;
use migrate_report::{text::Text, words::count};
use recording::{Exchange, PseudonymKey, Redactor};
use serde_json::{Map, Value};

use super::output::{self, Format, Output};
use crate::{
    diff::{
        Comparison,
        beside::beside_v2,
        documents::Documents,
        given::Given,
        join::join,
        live::{Live, Stages, Thresholds},
        replay::{API_KEY, API_SECRET, Client, Credentials, Replay},
        rules::{self, Rules},
        show::Report,
    },
    exit::Exit,
    record::Recording,
    site_mappings::SiteMappings,
};

/// Compare old and new answers, through the mappings between v1 and v2.
///
/// Exit codes: 0 if all differences are explained, 1 if one is not or a threshold is missed, 2 if the
/// comparison failed or nothing was compared.
/// Secrets are removed from what is shown.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Two JSON answers of the same shape, the old one first: files, - for standard input, or URLs.
    /// A URL of v1 is requested with a form and the credentials of the environment, others by GET
    #[arg(num_args = 1..=2, value_names = ["OLD", "NEW"], conflicts_with_all = ["v1", "recorded"])]
    files: Vec<Given>,
    /// A v1 answer, beside the v2 answers of --v2
    #[arg(long, value_name = "FILE", requires_all = ["v2", "operation"], conflicts_with = "recorded")]
    v1: Option<PathBuf>,
    /// A v2 answer that the v1 answer is made from; NAME=FILE says which, if it is not plain
    #[arg(long, value_name = "FILE", requires = "v1")]
    v2: Vec<String>,
    /// The v1 operation of the answers: user/get
    #[arg(long, value_name = "OPERATION")]
    operation: Option<String>,
    /// A recording of the shim
    #[arg(long, value_name = "FILE")]
    recorded: Option<PathBuf>,
    /// The exchange of the recording whose v1 answer is shown beside the v2 answers it was made from
    #[arg(long, value_name = "ID", requires = "recorded")]
    exchange: Option<String>,
    /// A running shim: reads of the recording are asked again there, writes are not sent but
    /// compared as what would be sent to v2
    #[arg(
        long,
        value_name = "URL",
        requires = "recorded",
        conflicts_with = "exchange",
        group = "running"
    )]
    shim: Option<String>,
    /// The operations address of a running shim: shows the stages of its rollouts, once, or on a
    /// terminal every two seconds until Ctrl-C [default: <http://127.0.0.1:9090>]
    #[arg(
        long,
        value_name = "URL",
        num_args = 0..=1,
        default_missing_value = "http://127.0.0.1:9090",
        conflicts_with_all = ["files", "v1", "recorded", "rules", "all"],
        group = "running"
    )]
    live: Option<String>,
    /// Send writes of the recording, too
    #[arg(long, requires = "shim")]
    allow_writes: bool,
    /// The most requests in a second
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: u32,
    /// Stop after this many seconds
    #[arg(long, value_name = "SECONDS", requires = "shim")]
    time: Option<u64>,
    /// Note what was compared in this file, and go on where it ends
    #[arg(long, value_name = "FILE", requires = "shim")]
    resume: Option<PathBuf>,
    /// Differences that are expected, as TOML: [[rule]] with field, reason, and if need be
    /// operation, kind, expires
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Add what is unexpected to the rules, for this reason
    #[arg(long, value_name = "REASON", requires_all = ["rules", "until"])]
    accept: Option<String>,
    /// The last day on which what is accepted is expected: 2027-01-31
    #[arg(long, value_name = "DAY", requires = "accept")]
    until: Option<String>,
    /// Show at most N exchanges that differ in the same way; 0 shows all
    #[arg(long, value_name = "N", default_value_t = 3)]
    alike: u64,
    /// Fail only if less than this share of the answers is as expected, in percent: 99.9
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    min_consistency: Option<f64>,
    /// Fail if more than 1 of 100 answers of the shim, or of the other side of a rollout, takes longer
    #[arg(long, value_name = "MILLISECONDS", requires = "running")]
    max_p99: Option<u64>,
    /// How text is laid out: side by side on terminals that are wide enough
    #[arg(long, value_enum, default_value = "auto")]
    layout: Layout,
    /// Also show what is the same
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    site: SiteMappings,
}

/// How rows are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Layout {
    /// Side by side on a terminal that is wide enough.
    Auto,
    /// Side by side.
    Side,
    /// One below the other.
    Unified,
}

const EXAMPLES: &str = "\
Examples:
  migrate diff before.json after.json
  migrate diff before.json 'http://127.0.0.1:8080/v1/user/get?id=abc'
  migrate diff --operation user/get --v1 v1.json --v2 user.json --v2 settings.json
  migrate diff --recorded monday.jsonl --exchange 19ab3f7c2d1-1
  migrate diff --recorded monday.jsonl --shim http://127.0.0.1:8080 --resume monday.progress
  migrate diff --live http://127.0.0.1:9090 --min-consistency 99.9 --max-p99 1500

Environment, for --shim and URLs of v1:
  MIGRATE_API_KEY, MIGRATE_API_SECRET  what v1 programs send
  MIGRATE_PSEUDONYM_KEY                the key of the recording's pseudonyms, if it has them";

/// The interval at which stages are shown again.
const REFRESH: Duration = Duration::from_secs(2);

/// How soon Ctrl-C is seen.
const LOOK: Duration = Duration::from_millis(50);

/// Clears a terminal, and goes to its first line.
const CLEAR: &str = "\x1b[2J\x1b[H";

const PSEUDONYM_KEY: &str = "MIGRATE_PSEUDONYM_KEY";

/// Columns that are narrower would show nothing of most values.
const NARROW: usize = 72;
const FORMATS: [Format; 7] = [
    Format::Text,
    Format::Json,
    Format::Markdown,
    Format::Html,
    Format::Csv,
    Format::Junit,
    Format::Github,
];

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    if let Some(shim) = &args.live {
        return args.live(shim);
    }
    args.output.check(&FORMATS)?;
    let catalog = args.site.catalog()?;
    let rules = args.rules()?;
    let mut report = args.report(&catalog, &rules)?;
    report.finish();
    args.write(&report)?;
    if let (Some(reason), Some(path), Some(until)) = (&args.accept, &args.rules, &args.until) {
        let accepted = rules::accept(path, &report.shown, reason, until)?;
        let accepted = count(accepted, "difference is", "differences are");
        writeln!(io::stderr(), "{accepted} accepted until {until}")?;
        return Ok(Exit::Clean);
    }
    let share = report.consistency.unwrap_or(100.0);
    let is_inconsistent = match args.min_consistency {
        Some(least) => share < least,
        None => report.unexpected() > 0,
    };
    let slowest = report.p99_micros.map_or(0, |(_, new)| new);
    let is_slow = args
        .max_p99
        .is_some_and(|most| slowest > most.saturating_mul(1000));
    // A comparison of nothing proves nothing: a gate must not pass.
    Ok(if report.is_interrupted || report.compared() == 0 {
        Exit::Failed
    } else if is_inconsistent || is_slow {
        Exit::Findings
    } else {
        Exit::Clean
    })
}

impl Args {
    /// The rules; with --accept, the file may not be there yet.
    fn rules(&self) -> anyhow::Result<Rules> {
        match &self.rules {
            Some(path) if path.exists() || self.accept.is_none() => Rules::read(path),
            _ => Ok(Rules::default()),
        }
    }

    /// Shows the stages of rollouts.
    fn live(&self, shim: &str) -> anyhow::Result<Exit> {
        self.output.check(&Format::USUAL)?;
        let live = Live::new(shim)?;
        let thresholds = Thresholds {
            consistency: self.min_consistency,
            p99: self.max_p99,
        };
        if !self.output.is_on_screen() {
            return self.show(&live.read(thresholds)?);
        }
        let stop = super::interruption();
        let is_stopped = || stop.load(Ordering::Relaxed);
        loop {
            let read = live.read(thresholds);
            write!(io::stdout(), "{CLEAR}")?;
            let exit = match read {
                Ok(stages) => self.show(&stages)?,
                // It may be restarted.
                Err(error) => {
                    writeln!(io::stdout(), "{error:#}")?;
                    Exit::Failed
                }
            };
            let until = Instant::now() + REFRESH;
            while Instant::now() < until {
                if is_stopped() {
                    return Ok(exit);
                }
                thread::sleep(LOOK);
            }
        }
    }

    fn show(&self, stages: &Stages) -> anyhow::Result<Exit> {
        let mut document = stages.document();
        document.made = super::made();
        self.output.write(&output::Report::new(document, stages))?;
        Ok(if stages.is_good() {
            Exit::Clean
        } else {
            Exit::Findings
        })
    }

    fn report(&self, catalog: &Catalog, rules: &Rules) -> anyhow::Result<Report> {
        if let (Some(recording), Some(shim)) = (&self.recorded, &self.shim) {
            return self.replay(catalog, rules, recording, shim);
        }
        let mut report = Report::default();
        let mut comparison = match (self.files.as_slice(), &self.v1, &self.recorded) {
            ([old, new], ..) => self.files(catalog, old, new)?,
            ([one], ..) => bail!("{one} is one answer; give the other one, too"),
            (_, Some(v1), _) => self.at_hand(catalog, v1)?,
            (.., Some(recording)) if self.exchange.is_some() => {
                self.exchange(catalog, recording)?
            }
            (.., Some(_)) => bail!("--recorded needs --shim or --exchange"),
            _ => bail!("nothing to compare: give two files, --v1 and --v2, or --recorded"),
        };
        rules.apply(&mut comparison);
        report.add(comparison, None, true);
        Ok(report)
    }

    fn replay(
        &self,
        catalog: &Catalog,
        rules: &Rules,
        recording: &Path,
        shim: &str,
    ) -> anyhow::Result<Report> {
        let variable = |name: &str| {
            let value = env::var(name).ok().filter(|value| !value.is_empty());
            value.with_context(|| {
                format!("set {API_KEY} and {API_SECRET} to what v1 programs send to the shim")
            })
        };
        let credentials = Credentials {
            key: variable(API_KEY)?,
            secret: variable(API_SECRET)?.into(),
        };
        let key = env::var(PSEUDONYM_KEY).ok();
        let key = key
            .map(|key| PseudonymKey::new(&key))
            .transpose()
            .context(PSEUDONYM_KEY)?;
        let redactor = Redactor::new(catalog, key);
        let replay = Replay {
            catalog,
            redactor: &redactor,
            client: Client::new(shim, credentials)?,
            rules,
            alike: self.alike,
            allow_writes: self.allow_writes,
            pause: Duration::from_secs(1) / self.rate,
            limit: self.time.map(Duration::from_secs),
            stop: super::interruption(),
        };
        replay.run(recording, self.resume.as_deref())
    }

    fn files(&self, catalog: &Catalog, old: &Given, new: &Given) -> anyhow::Result<Comparison> {
        if matches!((old, new), (Given::Input, Given::Input)) {
            bail!("standard input has one answer: name the other one");
        }
        let redactor = Redactor::new(catalog, None);
        let operation = match self.operation.as_deref() {
            Some(name) => Some(find(catalog, name)?),
            None => old.operation(catalog).or_else(|| new.operation(catalog)),
        };
        let old_value = old.answer(catalog, &redactor)?;
        let new_value = new.answer(catalog, &redactor)?;
        let (old_name, new_name) = (old.to_string(), new.to_string());
        let old = (old_name.as_str(), &old_value);
        Ok(Comparison::of_answers(
            catalog,
            operation,
            "",
            old,
            (&new_name, &new_value),
        ))
    }

    fn at_hand(&self, catalog: &Catalog, v1: &Path) -> anyhow::Result<Comparison> {
        let redactor = Redactor::new(catalog, None);
        let operation = find(catalog, self.operation.as_deref().unwrap_or_default())?;
        let plan = operation
            .plan()
            .with_context(|| format!("{} is not answered from v2", operation.name))?;
        let answer = read(&redactor, v1)?;
        let mut answers = Vec::new();
        for given in &self.v2 {
            let (said, file) = match given.split_once('=') {
                Some((name, file)) if !Path::new(given).exists() => (Some(name.to_owned()), file),
                _ => (None, given.as_str()),
            };
            answers.push((said, file.to_owned(), read(&redactor, Path::new(file))?));
        }
        let documents = Documents::of_answers(catalog, &operation.name, plan, answers)?;
        Ok(Comparison {
            name: v1.display().to_string(),
            operation: Some(operation.name.clone()),
            sides: ("v1".to_owned(), "v2".to_owned()),
            rows: join(catalog, operation, &Map::new(), &answer, &documents),
        })
    }

    fn exchange(&self, catalog: &Catalog, recording: &Path) -> anyhow::Result<Comparison> {
        let id = self.exchange.as_deref().unwrap_or_default();
        let mut exchange = None;
        for found in Recording::open(recording)? {
            let (_, found) = found?;
            if found.id == id {
                exchange = Some(found);
                break;
            }
        }
        let mut exchange: Exchange =
            exchange.ok_or_else(|| anyhow!("{} has no exchange {id}", recording.display()))?;
        Redactor::new(catalog, None).exchange(catalog, &mut exchange, &[]);
        let operation = find(catalog, &exchange.v1.operation)?;
        beside_v2(catalog, operation, &exchange)
            .with_context(|| format!("{} is not answered from v2", operation.name))
    }

    fn write(&self, report: &Report) -> anyhow::Result<()> {
        let is_side_by_side = match self.layout {
            Layout::Auto => io::stdout().is_terminal() && self.output.width() >= NARROW,
            Layout::Side => true,
            Layout::Unified => false,
        };
        let text = Text {
            is_side_by_side,
            shows_same: self.all,
            ..Text::default()
        };
        let mut document = report.document();
        document.made = super::made();
        self.output.write(&output::Report {
            text,
            ..output::Report::new(document, report)
        })
    }
}

/// A share in percent.
fn percent(text: &str) -> Result<f64, String> {
    let share = text
        .parse()
        .ok()
        .filter(|share| (0.0..=100.0).contains(share));
    share.ok_or_else(|| "a share is a number from 0 to 100, as 99.9".to_owned())
}

fn find<'c>(catalog: &'c Catalog, name: &str) -> anyhow::Result<&'c Operation> {
    catalog
        .find(name)
        .with_context(|| format!("v1 had no operation {name}; `migrate explain` names all"))
}

fn read(redactor: &Redactor, path: &Path) -> anyhow::Result<Value> {
    let text = plain_file::read_text(path)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    let mut value =
        serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))?;
    redactor.value(&mut value);
    Ok(value)
}
