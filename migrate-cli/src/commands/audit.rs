//! `migrate audit`.

use std::{io::Write, path::PathBuf};

use mappings::Catalog;

use crate::{
    audit::{Audit, Options},
    cli::Exit,
};

/// Find every use of v1 in a code base.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What to look through.
    #[arg(default_value = ".")]
    paths: Vec<PathBuf>,

    #[arg(long)]
    format: Option<String>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let catalog = Catalog::embedded()?;
    let audit = Audit::new(&catalog, Options::default())?;
    for path in &args.paths {
        let outcome = audit.run(path)?;
        let json = serde_json::json!({"schema":1,"findings":outcome.findings,"summary":{}});
        writeln!(std::io::stdout(), "{json}")?;
    }
    Ok(Exit::Clean)
}
