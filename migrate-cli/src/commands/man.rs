//! `migrate man`.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Command;
use clap_mangen::Man;

use crate::exit::Exit;

/// Print the manual page, or write all manual pages into a folder.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder for migrate.1, migrate-audit.1, …
    dir: Option<PathBuf>,
}

/// Prints the main page, or writes all pages into a folder.
pub(crate) fn run(args: &Args, program: Command) -> anyhow::Result<Exit> {
    let mut command = program.disable_help_subcommand(true);
    command.build();
    match &args.dir {
        None => io::stdout().write_all(page(command)?.as_bytes())?,
        Some(dir) => write_pages(&command, dir)
            .with_context(|| format!("cannot write manual pages into {}", dir.display()))?,
    }
    Ok(Exit::Clean)
}

fn write_pages(command: &Command, dir: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(dir)?;
    for subcommand in command.get_subcommands() {
        write_pages(subcommand, dir)?;
    }
    let name = Man::new(command.clone()).get_filename();
    Ok(fs::write(dir.join(name), page(command.clone())?)?)
}

fn page(command: Command) -> anyhow::Result<String> {
    let mut page = Vec::new();
    Man::new(command)
        .manual("Zoom v1 to v2")
        .render(&mut page)?;
    // The text after the options is preformatted.
    let page = String::from_utf8(page)?
        .replace(".SH EXTRA\n", ".nf\n")
        .replace("Environment:\n", ".SH ENVIRONMENT\n")
        .replace("Examples:\n", ".SH EXAMPLES\n");
    Ok(page)
}
