//! The `shim` binary.

use std::process::ExitCode;

/// A request is some hundred small allocations, which this one makes for half the instructions of
/// the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    shim::cli::main()
}
