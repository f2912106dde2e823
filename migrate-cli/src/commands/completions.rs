//! `migrate completions`.

use std::io::{self, Write as _};

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::cli::{Cli, Exit};

/// Print what makes a shell complete `migrate` commands.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    shell: Shell,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "migrate", &mut script);
    io::stdout().write_all(&script)?;
    Ok(Exit::Clean)
}
