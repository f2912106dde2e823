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
        documents::Documents,
        exchange::compare_with_v2,
        join::join,
        live::{Live, Stages},
        replay::{API_KEY, API_SECRET, Client, Credentials, Replay},
        report::Report,
        response_source::ResponseSource,
        rules::{self, Rules},
        thresholds::Thresholds,
    },
    exit::Exit,
    record::Recording,
    site_mappings::SiteMappings,
};

/// Compare old and new responses, using the mappings between v1 and v2.
///
/// Exit codes: 0 if all differences are explained, 1 if one is not or a threshold is missed, 2 if the
/// comparison failed or nothing was compared. Secrets are removed from the output.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Two JSON responses of the same shape, the old one first: files, URLs, or - for standard
    /// input. v1 URLs are requested with a form and the credentials from the environment, other
    /// URLs with GET
    #[arg(num_args = 1..=2, value_names = ["OLD", "NEW"], conflicts_with_all = ["v1", "recorded"])]
    files: Vec<ResponseSource>,
    /// A v1 response, compared with the v2 responses of --v2
    #[arg(long, value_name = "FILE", requires_all = ["v2", "operation"], conflicts_with = "recorded")]
    v1: Option<PathBuf>,
    /// A v2 response that the v1 response was built from; use NAME=FILE if it cannot be identified
    #[arg(long, value_name = "FILE", requires = "v1")]
    v2: Vec<String>,
    /// The v1 operation of the responses: user/get
    #[arg(long, value_name = "OPERATION")]
    operation: Option<String>,
    /// A recording of the shim
    #[arg(long, value_name = "FILE")]
    recorded: Option<PathBuf>,
    /// Compare the v1 response of this recorded exchange with its v2 responses
    #[arg(long, value_name = "ID", requires = "recorded")]
    exchange: Option<String>,
    /// A running shim. Reads from the recording are sent to it; writes are only translated and
    /// compared with the recorded v2 requests
    #[arg(
        long,
        value_name = "URL",
        requires = "recorded",
        conflicts_with = "exchange",
        group = "running"
    )]
    shim: Option<String>,
    /// The operations address of a running shim. Shows the stages of its rollouts: once, or every 2
    /// s on a terminal until Ctrl-C [default: <http://127.0.0.1:9090>]
    #[arg(
        long,
        value_name = "URL",
        num_args = 0..=1,
        default_missing_value = "http://127.0.0.1:9090",
        conflicts_with_all = ["files", "v1", "recorded", "rules", "all"],
        group = "running"
    )]
    live: Option<String>,
    /// Also send the recorded writes
    #[arg(long, requires = "shim")]
    allow_writes: bool,
    /// Maximum requests per second
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: u32,
    /// Stop after this many seconds
    #[arg(long, value_name = "SECONDS", requires = "shim")]
    time: Option<u64>,
    /// Journal file: records progress, and resumes from it on the next run
    #[arg(long, value_name = "FILE", requires = "shim")]
    resume: Option<PathBuf>,
    /// Expected differences, as TOML: [[rule]] with field and reason, optionally operation, kind
    /// and expires
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Add the unexpected differences to the rules, with this reason
    #[arg(long, value_name = "REASON", requires_all = ["rules", "until"])]
    accept: Option<String>,
    /// Last day on which the accepted differences are expected: 2027-01-31
    #[arg(long, value_name = "DAY", requires = "accept")]
    until: Option<String>,
    /// Show at most N exchanges with the same difference; 0 shows all
    #[arg(long, value_name = "N", default_value_t = 3)]
    alike: u64,
    /// Fail only if less than this percentage of responses is as expected: 99.9
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    min_consistency: Option<f64>,
    /// Fail if the 99th percentile of response times of the shim, or of the other side of a
    /// rollout, is higher
    #[arg(long, value_name = "MILLISECONDS", requires = "running")]
    max_p99: Option<u64>,
    /// Text layout; auto is side by side on wide terminals
    #[arg(long, value_enum, default_value = "auto")]
    layout: Layout,
    /// Also show fields without differences
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    site: SiteMappings,
}

/// Text layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Layout {
    /// Side by side on a wide terminal, else unified.
    Auto,
    /// Always side by side.
    Side,
    /// Old and new value on separate lines.
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
  MIGRATE_API_KEY, MIGRATE_API_SECRET  v1 credentials
  MIGRATE_PSEUDONYM_KEY                pseudonym key of the recording, if it has one";

/// Refresh interval of --live.
const REFRESH: Duration = Duration::from_secs(2);

/// Interval at which Ctrl-C is checked.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Clears the terminal and moves the cursor to the top.
const CLEAR: &str = "\x1b[2J\x1b[H";

const PSEUDONYM_KEY: &str = "MIGRATE_PSEUDONYM_KEY";

/// Minimum terminal width for side-by-side layout, in columns.
const MIN_SIDE_BY_SIDE_WIDTH: usize = 72;
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
    // A comparison of nothing proves nothing: a gate must not pass.
    Ok(if report.is_interrupted || report.compared() == 0 {
        Exit::Failed
    } else {
        Exit::clean_if(report.is_good())
    })
}

impl Args {
    /// Reads the rules. With --accept, the file may not exist yet.
    fn rules(&self) -> anyhow::Result<Rules> {
        match &self.rules {
            Some(path) if path.exists() || self.accept.is_none() => Rules::read(path),
            _ => Ok(Rules::default()),
        }
    }

    fn thresholds(&self) -> Thresholds {
        Thresholds {
            consistency: self.min_consistency,
            p99: self.max_p99,
        }
    }

    /// Prints the stages of rollouts, repeatedly on a terminal.
    fn live(&self, shim: &str) -> anyhow::Result<Exit> {
        self.output.check(&Format::USUAL)?;
        let live = Live::new(shim)?;
        let thresholds = self.thresholds();
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
                // The shim may be restarting.
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
                thread::sleep(POLL_INTERVAL);
            }
        }
    }

    fn show(&self, stages: &Stages) -> anyhow::Result<Exit> {
        let mut document = stages.document();
        document.generated = super::generated();
        self.output.write(&output::Report::new(document, stages))?;
        Ok(Exit::clean_if(stages.is_good()))
    }

    fn report(&self, catalog: &Catalog, rules: &Rules) -> anyhow::Result<Report> {
        if let (Some(recording), Some(shim)) = (&self.recorded, &self.shim) {
            return self.replay(catalog, rules, recording, shim);
        }
        let mut report = Report {
            thresholds: self.thresholds(),
            ..Report::default()
        };
        let mut comparison = match (self.files.as_slice(), &self.v1, &self.recorded) {
            ([old, new], ..) => self.files(catalog, old, new)?,
            ([one], ..) => bail!("{one}: give a second response to compare with"),
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
            thresholds: self.thresholds(),
            allow_writes: self.allow_writes,
            pause: Duration::from_secs(1) / self.rate,
            limit: self.time.map(Duration::from_secs),
            stop: super::interruption(),
        };
        replay.run(recording, self.resume.as_deref())
    }

    fn files(
        &self,
        catalog: &Catalog,
        old: &ResponseSource,
        new: &ResponseSource,
    ) -> anyhow::Result<Comparison> {
        if matches!((old, new), (ResponseSource::Input, ResponseSource::Input)) {
            bail!("standard input can only be one of the two responses");
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
            .with_context(|| format!("{} is not served from v2", operation.name))?;
        let answer = read(&redactor, v1)?;
        let mut answers = Vec::new();
        for given in &self.v2 {
            let (name, file) = match given.split_once('=') {
                Some((name, file)) if !Path::new(given).exists() => (Some(name.to_owned()), file),
                _ => (None, given.as_str()),
            };
            answers.push((name, file.to_owned(), read(&redactor, Path::new(file))?));
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
        compare_with_v2(catalog, operation, &exchange)
            .with_context(|| format!("{} is not served from v2", operation.name))
    }

    fn write(&self, report: &Report) -> anyhow::Result<()> {
        let is_side_by_side = match self.layout {
            Layout::Auto => {
                io::stdout().is_terminal() && self.output.width() >= MIN_SIDE_BY_SIDE_WIDTH
            }
            Layout::Side => true,
            Layout::Unified => false,
        };
        let text = Text {
            is_side_by_side,
            shows_same: self.all,
            ..Text::default()
        };
        let mut document = report.document();
        document.generated = super::generated();
        self.output.write(&output::Report {
            text,
            ..output::Report::new(document, report)
        })
    }
}

/// Parses a percentage from 0 to 100.
fn percent(text: &str) -> Result<f64, String> {
    let share = text
        .parse()
        .ok()
        .filter(|share| (0.0..=100.0).contains(share));
    share.ok_or_else(|| "must be a number from 0 to 100, as 99.9".to_owned())
}

fn find<'c>(catalog: &'c Catalog, name: &str) -> anyhow::Result<&'c Operation> {
    catalog
        .find(name)
        .with_context(|| format!("unknown operation {name}; `migrate explain` lists all"))
}

fn read(redactor: &Redactor, path: &Path) -> anyhow::Result<Value> {
    let text = plain_file::read_text(path)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    let mut value =
        serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))?;
    redactor.value(&mut value);
    Ok(value)
}
