//! The `migrate` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    migrate_cli::run()
}
