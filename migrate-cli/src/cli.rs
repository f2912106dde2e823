//! Command line entry point: parses arguments, runs the subcommand and maps its result to an exit
//! code.
//!
//! Each subcommand has a file in [`crate::commands`].

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand, builder::StyledStr};
use migrate_audit::isolated;

use crate::{
    commands::{
        audit, completions, diff, explain, man, plan, record, rules, status, translate, usage,
    },
    exit::Exit,
    settings::{self, CommandLine},
};

/// Find uses of Zoom API v1 in a code base and migrate them to v2
#[derive(Debug, Parser)]
#[command(name = "migrate", version = env!("BUILD_VERSION"), about, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Audit(audit::Args),
    Completions(completions::Args),
    Diff(Box<diff::Args>),
    Explain(explain::Args),
    Man(man::Args),
    Plan(plan::Args),
    Record(record::Args),
    Rules(rules::Args),
    Status(status::Args),
    Translate(translate::Args),
    Usage(usage::Args),
}

/// Runs the program.
///
/// Exit codes: 0 nothing to act on, 1 findings that fail, 2 an error. A closed pipe is not an
/// error.
pub fn run() -> ExitCode {
    if std::env::args_os()
        .nth(1)
        .is_some_and(|name| name == isolated::ARGUMENT)
    {
        let parsed = isolated::serve();
        return if parsed.is_ok() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        };
    }
    let words = settings::with_settings(std::env::args_os().collect(), &command());
    let result = words.and_then(|words| dispatch(parse(&words)));
    match result {
        Ok(exit) => exit.into(),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be closed, too.
            let _ = writeln!(io::stderr(), "error: {error:#}");
            Exit::Failed.into()
        }
    }
}

/// Parses the command line. Prints help or the error and exits if that is all there is to do.
fn parse(line: &CommandLine) -> Cli {
    let matches = command().try_get_matches_from(&line.words);
    let cli = matches.and_then(|matches| Cli::from_arg_matches(&matches));
    cli.unwrap_or_else(|error| {
        if let Some(path) = line.blamed(&error) {
            let _ = writeln!(io::stderr(), "in {}:", path.display());
        }
        error.exit()
    })
}

fn command() -> clap::Command {
    as_plain_text(Cli::command())
}

/// Removes the backticks of doc comments from help, which is plain text.
fn as_plain_text(mut command: clap::Command) -> clap::Command {
    let plain = |text: &StyledStr| text.to_string().replace('`', "");
    if let Some(about) = command.get_about().map(plain) {
        command = command.about(about);
    }
    if let Some(about) = command.get_long_about().map(plain) {
        command = command.long_about(about);
    }
    command
        .mut_args(|mut argument| {
            if let Some(help) = argument.get_help().map(plain) {
                argument = argument.help(help);
            }
            if let Some(help) = argument.get_long_help().map(plain) {
                argument = argument.long_help(help);
            }
            argument
        })
        .mut_subcommands(as_plain_text)
}

fn dispatch(cli: Cli) -> anyhow::Result<Exit> {
    match cli.command {
        Command::Audit(args) => audit::run(&args),
        Command::Completions(args) => completions::run(&args, &mut command()),
        Command::Diff(args) => diff::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Man(args) => man::run(&args, command()),
        Command::Plan(args) => plan::run(&args),
        Command::Record(args) => record::run(&args),
        Command::Rules(args) => rules::run(&args),
        Command::Status(args) => status::run(&args),
        Command::Translate(args) => translate::run(&args),
        Command::Usage(args) => usage::run(&args),
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}
