//! The `shim` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    shim::cli::main()
}
