//! `migrate record`.

use std::{
    env, fs,
    io::{self, Write as _},
    path::PathBuf,
};

use anyhow::{Context as _, bail};
use migrate_report::words::count;
use recording::{PseudonymKey, Redactor};

use crate::{
    exit::Exit,
    record::import::{Imported, import},
    site_mappings::SiteMappings,
};

/// Create recordings of v1 traffic for `migrate diff`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Import(Import),
}

/// Convert existing traffic to a recording: HAR files (from browsers and mitmproxy), Postman
/// collections with examples, JSON lines, folders of request and response files.
///
/// Credentials, passwords and tokens are removed. With a pseudonym key in the environment,
/// addresses and names are replaced with pseudonyms.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Environment:\n  MIGRATE_PSEUDONYM_KEY  a key for pseudonyms, of at least 16 characters"
)]
struct Import {
    /// Files, or folders with NAME.request.* and NAME.response.* pairs
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Output file [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    site: SiteMappings,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let Command::Import(args) = &args.command;
    let catalog = args.site.catalog()?;
    let key = env::var("MIGRATE_PSEUDONYM_KEY").ok();
    let key = key.map(|key| PseudonymKey::new(&key)).transpose();
    let redactor = Redactor::new(&catalog, key.context("MIGRATE_PSEUDONYM_KEY")?);
    let mut imported = Imported::default();
    for path in &args.paths {
        import(&catalog, &redactor, path, &mut imported)?;
    }
    if imported.exchanges.is_empty() {
        bail!("no v1 exchange found; each request needs a JSON response");
    }
    let mut text = String::new();
    for exchange in &imported.exchanges {
        text.push_str(&exchange.write()?);
        text.push('\n');
    }
    match &args.output {
        Some(path) => fs::write(path, text)
            .with_context(|| format!("{} cannot be written", path.display()))?,
        None => io::stdout().write_all(text.as_bytes())?,
    }
    let Imported {
        exchanges,
        others,
        unreadable,
    } = &imported;
    let exchanges = count(exchanges.len(), "exchange", "exchanges");
    writeln!(
        io::stderr(),
        "{exchanges}; skipped: {others} not v1, {unreadable} without a JSON response"
    )?;
    Ok(Exit::Clean)
}
