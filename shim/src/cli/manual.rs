//! Shell completions and manual pages.

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
};

use anyhow::Context as _;
use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;

use super::{Cli, Failure, settings_help};

pub(super) fn completions(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "shim", &mut script);
    print(&script).map_err(Failure::Running)
}

pub(super) fn pages(dir: Option<&Path>) -> Result<(), Failure> {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    match dir {
        None => page(command).and_then(|page| print(page.as_bytes())),
        Some(dir) => write_pages(&command, dir)
            .with_context(|| format!("cannot write manual pages into {}", dir.display())),
    }
    .map_err(Failure::Running)
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
    let settings = match command.get_name() {
        "serve" | "shim-serve" => settings_help::manual_section(),
        _ => String::new(),
    };
    let mut page = Vec::new();
    Man::new(command).manual("Zoom v1 shim").render(&mut page)?;
    // The text behind the options has columns and must not be filled.
    let page = String::from_utf8(page)?
        .replace(".SH EXTRA\n", ".nf\n")
        .replace("Environment:\n", ".SH ENVIRONMENT\n")
        .replace("Exit codes:\n", ".SH EXIT STATUS\n");
    Ok(page + &settings)
}

fn print(bytes: &[u8]) -> anyhow::Result<()> {
    match io::stdout().write_all(bytes) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(anyhow::Error::new(error).context("cannot write to standard output"))
        }
        _ => Ok(()),
    }
}
