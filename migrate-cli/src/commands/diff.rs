//! `migrate diff`.

use std::{
    fs,
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow, bail};
use mappings::{
    Catalog,
    catalog::operation::Operation,
    record::{Exchange, Redactor},
};
use serde_json::{Map, Value};

use crate::{
    cli::Exit,
    diff::{
        Comparison,
        documents::Documents,
        join::join,
        rehearse,
        show::{Format, Layout, Page, Report},
    },
    record::Recording,
    site_mappings::SiteMappings,
};

/// Compare old and new answers, through the mappings between v1 and v2.
///
/// Exit codes: 0 if all differences are explained, 1 if one is not, 2 if the comparison failed.
/// Secrets are removed from what is shown.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Two JSON files of the same shape, the old one first
    #[arg(num_args = 2, value_names = ["OLD", "NEW"], conflicts_with_all = ["v1", "recorded"])]
    files: Vec<PathBuf>,
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
    #[arg(long, value_name = "FILE", requires = "exchange")]
    recorded: Option<PathBuf>,
    /// The exchange of the recording whose v1 answer is shown beside the v2 answers it was made from
    #[arg(long, value_name = "ID", requires = "recorded")]
    exchange: Option<String>,
    /// How the report is written
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Where the report goes, if not to standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How text is laid out: side by side on terminals that are wide enough
    #[arg(long, value_enum, default_value = "auto")]
    layout: Layout,
    /// Columns of text [default: those of the terminal, or 100]
    #[arg(long, value_name = "N")]
    width: Option<usize>,
    /// Also show what is the same
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    site: SiteMappings,
}

const EXAMPLES: &str = "\
Examples:
  migrate diff before.json after.json
  migrate diff --operation user/get --v1 v1.json --v2 user.json --v2 settings.json
  migrate diff --recorded monday.jsonl --exchange 19ab3f7c2d1-1";

/// Where there is no terminal.
const WIDTH: usize = 100;

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let catalog = args.site.catalog()?;
    let report = args.report(&catalog)?;
    args.write(&report)?;
    Ok(if report.unexpected() > 0 {
        Exit::Findings
    } else {
        Exit::Clean
    })
}

impl Args {
    fn report(&self, catalog: &Catalog) -> anyhow::Result<Report> {
        let mut report = Report::default();
        let comparison = match (self.files.as_slice(), &self.v1, &self.recorded) {
            ([old, new], ..) => self.files(catalog, old, new)?,
            (_, Some(v1), _) => self.at_hand(catalog, v1)?,
            (.., Some(recording)) => self.exchange(catalog, recording)?,
            _ => bail!("nothing to compare: give two files, --v1 and --v2, or --recorded"),
        };
        report.add(comparison, None, true);
        Ok(report)
    }

    fn files(&self, catalog: &Catalog, old: &Path, new: &Path) -> anyhow::Result<Comparison> {
        let redactor = Redactor::new(catalog, None);
        let operation = self.operation.as_deref();
        let operation = operation.map(|name| find(catalog, name)).transpose()?;
        let (old_value, new_value) = (read(&redactor, old)?, read(&redactor, new)?);
        let (old_name, new_name) = (old.display().to_string(), new.display().to_string());
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
        rehearse::beside_v2(catalog, operation, &exchange)
            .with_context(|| format!("{} is not answered from v2", operation.name))
    }

    fn write(&self, report: &Report) -> anyhow::Result<()> {
        let terminal = terminal_size::terminal_size_of(io::stdout());
        let columns = terminal.map_or(WIDTH, |(width, _)| usize::from(width.0));
        let is_terminal = self.output.is_none() && io::stdout().is_terminal();
        let width = self.width.unwrap_or(columns);
        let page = Page::new(width, is_terminal, self.layout, self.all);
        let text = report.render(self.format, &page)?;
        if let Some(path) = &self.output {
            let plain = anstream::adapter::strip_str(&text).to_string();
            return fs::write(path, plain)
                .with_context(|| format!("{} cannot be written", path.display()));
        }
        let mut out = anstream::stdout();
        out.write_all(text.as_bytes())?;
        out.flush()?;
        Ok(())
    }
}

fn find<'c>(catalog: &'c Catalog, name: &str) -> anyhow::Result<&'c Operation> {
    catalog
        .find(name)
        .with_context(|| format!("v1 had no operation {name}; `migrate explain` names all"))
}

fn read(redactor: &Redactor, path: &Path) -> anyhow::Result<Value> {
    let text =
        fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let mut value =
        serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))?;
    redactor.value(&mut value);
    Ok(value)
}
