//! `migrate completions`.

use std::io::{self, Write as _};

use clap::Command;
use clap_complete::Shell;

use crate::exit::Exit;

/// Generate shell completions.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    shell: Shell,
}

/// Prints the completion script for a shell.
pub(crate) fn run(args: &Args, program: &mut Command) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, program, "migrate", &mut script);
    io::stdout().write_all(&script)?;
    Ok(Exit::Clean)
}
