//! The command line: arguments, commands, exit codes.

mod banner;
mod check_config;
mod dev_cert;
mod doctor;
mod healthcheck;
mod init;
mod listen;
mod manual;
mod notifications;
mod open_files;
mod replay;
mod run;
mod settings_help;
mod signals;
mod usage;
mod watchers;

use std::{ffi::OsString, io, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use recording::usage::day_of;
use shim_sandbox::{Faults, MAX_USERS};
use time::Date;

use crate::settings::DEFAULT_SANDBOX_USERS;
use dev_cert::authority::ServerName;
use settings_help::SettingFlags;

/// Default address of `shim sandbox`, which can run beside the shim.
const DEFAULT_SANDBOX_LISTEN: &str = "127.0.0.1:8081";

/// Zoom's REST API v1, served from v2.
///
/// Old programs keep calling /v1/…; the shim forwards each call to v2 and answers as v1 did.
#[derive(Debug, Parser)]
#[command(name = "shim", version = env!("BUILD_VERSION"), max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(after_long_help = settings_help::environment(SERVE_EXIT_CODES))]
    Serve(Serve),
    #[command(after_long_help = settings_help::environment(CHECK_EXIT_CODES))]
    CheckConfig(CheckConfig),
    #[command(after_long_help = settings_help::environment(doctor::EXIT_CODES))]
    Doctor(doctor::Doctor),
    #[command(after_long_help = settings_help::environment(healthcheck::EXIT_CODES))]
    Healthcheck(healthcheck::Healthcheck),
    #[command(after_long_help = init::EXIT_CODES)]
    Init(init::Init),
    Sandbox(SandboxArguments),
    Usage(Usage),
    Notifications(notifications::Notifications),
    /// Generate shell completions
    Completions {
        shell: Shell,
    },
    /// Print the manual page, or write all of them into a folder
    Man {
        /// Where to write shim.1, shim-serve.1, …
        dir: Option<PathBuf>,
    },
    DevCert(DevCert),
}

/// Serve v1.
///
/// Settings come from --config, then the environment, then flags; later ones win.
#[derive(Args, Clone, Debug)]
pub(crate) struct Serve {
    /// Serve from an in-process v2 with demo users instead of Zoom's
    #[arg(long)]
    sandbox: bool,
    /// Active users of the sandbox at its start
    #[arg(long, value_name = "N", default_value_t = DEFAULT_SANDBOX_USERS, requires = "sandbox", value_parser = users)]
    sandbox_users: usize,
    /// Faults of the sandbox: a file of [[fault]] sections (*.toml), or rules such as
    /// "method=PATCH,path=/users/*,status=503,times=1", with ; between them
    #[arg(long, value_name = "FILE|SPEC", requires = "sandbox", value_parser = Faults::read)]
    sandbox_faults: Option<Faults>,
    /// Serve from recorded v2 answers: a file of --record. Unrecorded calls fail
    #[arg(long, value_name = "FILE", conflicts_with = "sandbox")]
    replay: Option<PathBuf>,
    #[command(flatten)]
    settings: SettingFlags,
    /// Settings as TOML
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Mapping files (*.toml) that replace the built-in ones of the same name, or add to them
    #[arg(long, value_name = "DIR")]
    mappings: Option<PathBuf>,
}

const SERVE_EXIT_CODES: &str = "Exit codes:
  0  stopped by a signal
  1  could not listen, or another failure
  2  the command line or the settings are wrong; nothing was started";

const CHECK_EXIT_CODES: &str = "Exit codes:
  0  the settings are valid; there may be warnings
  1  with --online, a check failed
  2  the command line or the settings are wrong";

/// Show the effective settings and their sources.
///
/// Secrets are hidden, and nothing is started. Warnings come first; the last line confirms that the
/// settings are valid. An unknown SHIM_ variable is an error.
#[derive(Args, Clone, Debug)]
pub(crate) struct CheckConfig {
    /// Also run the checks of `doctor`
    #[arg(long)]
    online: bool,
    /// Show only settings that differ from the defaults
    #[arg(long)]
    changed: bool,
    #[command(flatten)]
    serve: Serve,
}

/// Serve the sandbox alone: a small v2 with demo users, in memory.
#[derive(Args, Clone, Debug)]
pub(crate) struct SandboxArguments {
    /// Where to listen
    #[arg(long, value_name = "ADDR", default_value = DEFAULT_SANDBOX_LISTEN)]
    listen: String,
    /// Active users at its start
    #[arg(long, value_name = "N", default_value_t = DEFAULT_SANDBOX_USERS, value_parser = users)]
    sandbox_users: usize,
}

/// Make a local authority and a certificate, for programs whose URL cannot be changed.
///
/// The certificate is for api.zoom.us and www.zoom.us, or the names given with --name, and for this
/// machine. If the folder has an authority, only the certificate is renewed: run this again before
/// it expires. The authority is valid for these names only. The output lists the next steps.
#[derive(Args, Clone, Debug)]
pub(crate) struct DevCert {
    /// Where the files are: ca.pem, ca-key.pem, cert.pem and key.pem
    #[arg(long, value_name = "DIR", default_value = "dev-cert")]
    dir: PathBuf,
    /// Name instead of api.zoom.us and www.zoom.us; may be repeated
    #[arg(long = "name", value_name = "NAME")]
    names: Vec<ServerName>,
}

/// Print usage ledgers in the format of GET /usage, for `migrate usage -`.
///
/// The output has one JSON object a line, and no shim needs to run. `SHIM_LEDGER_PASSWORD` is the
/// password for URLs without one.
#[derive(Args, Clone, Debug)]
pub(crate) struct Usage {
    /// SQLite files, or postgres:// URLs; they are only read
    #[arg(value_name = "LEDGER", required = true)]
    ledgers: Vec<String>,
    /// Only from this day on: 2026-11-22
    #[arg(long, value_name = "DAY", value_parser = day)]
    since: Option<Date>,
}

/// Exit code; clap also exits with 2 for a wrong command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    Stopped = 0,
    Failed = 1,
    Misconfigured = 2,
}

/// Reason for a failed command.
#[derive(Debug)]
enum Failure {
    /// The settings or arguments must be changed.
    Settings(anyhow::Error),
    /// It cannot run now.
    Running(anyhow::Error),
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    ExitCode::from(run_with(std::env::args_os()) as u8)
}

fn run_with(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // clap returns help and version as errors.
            let _ = error.print();
            return if error.use_stderr() {
                Exit::Misconfigured
            } else {
                Exit::Stopped
            };
        }
    };
    let ended = match cli.command {
        Command::Serve(serve) => run::serve(&serve),
        Command::CheckConfig(arguments) => check_config::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Healthcheck(arguments) => healthcheck::run(&arguments),
        Command::Init(arguments) => init::make(&arguments),
        Command::Sandbox(alone) => run::sandbox(&alone),
        Command::Usage(arguments) => usage::run(&arguments),
        Command::Notifications(arguments) => notifications::run(&arguments),
        Command::Completions { shell } => manual::completions(shell),
        Command::Man { dir } => manual::pages(dir.as_deref()),
        Command::DevCert(arguments) => dev_cert::make(&arguments),
    };
    let (error, exit) = match ended {
        Ok(()) => return Exit::Stopped,
        Err(Failure::Settings(error)) => (error, Exit::Misconfigured),
        Err(Failure::Running(error)) => (error, Exit::Failed),
    };
    // The exit code is set even if standard error is closed.
    let _ = print_error(&error, &mut io::stderr());
    exit
}

fn print_error(error: &anyhow::Error, output: &mut impl io::Write) -> io::Result<()> {
    writeln!(output, "error: {error}")?;
    for cause in error.chain().skip(1) {
        writeln!(output, "  because: {cause}")?;
    }
    Ok(())
}

fn day(text: &str) -> Result<Date, String> {
    let day = day_of(text).filter(|_| text.len() == 10);
    day.ok_or_else(|| "write a day as 2026-11-22".to_owned())
}

fn users(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(users) if (1..=MAX_USERS).contains(&users) => Ok(users),
        _ => Err(format!("a number from 1 to {MAX_USERS}")),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::settings::{DEFAULT_LISTEN, DEFAULT_OPS_LISTEN};

    fn help(path: &[&str]) -> String {
        let mut command = Cli::command().term_width(100);
        command.build();
        let mut at = &mut command;
        for name in path {
            at = at.find_subcommand_mut(name).unwrap();
        }
        at.render_long_help().to_string()
    }

    #[test]
    fn help_reads_well() {
        insta::assert_snapshot!("help", help(&[]));
        insta::assert_snapshot!("help_serve", help(&["serve"]));
        insta::assert_snapshot!("help_check_config", help(&["check-config"]));
        insta::assert_snapshot!("help_doctor", help(&["doctor"]));
        insta::assert_snapshot!("help_healthcheck", help(&["healthcheck"]));
        insta::assert_snapshot!("help_init", help(&["init"]));
        insta::assert_snapshot!("help_sandbox", help(&["sandbox"]));
        insta::assert_snapshot!("help_usage", help(&["usage"]));
        insta::assert_snapshot!("help_notifications", help(&["notifications"]));
        insta::assert_snapshot!("help_man", help(&["man"]));
        insta::assert_snapshot!("help_dev_cert", help(&["dev-cert"]));
    }

    #[test]
    fn help_shows_the_defaults() {
        for default in [DEFAULT_LISTEN, DEFAULT_OPS_LISTEN] {
            assert!(help(&["serve"]).contains(&format!("[default: {default}]")));
        }
    }

    #[test]
    fn a_wrong_command_line_exits_with_2() {
        let run = |line: &str| run_with(line.split(' ').map(OsString::from));
        assert_eq!(run("shim --version"), Exit::Stopped);
        assert_eq!(run("shim serve --no-such-flag"), Exit::Misconfigured);
        assert_eq!(run("shim serve --sandbox-users 7"), Exit::Misconfigured);
        assert_eq!(
            run("shim serve --sandbox --sandbox-users 0"),
            Exit::Misconfigured
        );
        assert_eq!(
            run("shim serve --config /no/such/shim.toml"),
            Exit::Misconfigured
        );
        assert_eq!(
            run("shim serve --mappings /no/such/folder"),
            Exit::Misconfigured
        );
    }
}
