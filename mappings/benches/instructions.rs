//! Program whose instructions tests/bench/instructions.sh counts: `instructions CASE TIMES`.

mod cases;

use std::{env, hint::black_box, process::ExitCode};

use cases::Case;
use mappings::Catalog;

#[expect(clippy::disallowed_methods, reason = "this is a program, not the core")]
fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let times = arguments.next().and_then(|times| times.parse().ok());
    match times.and_then(|times| run(&name, times)) {
        Some(()) => ExitCode::SUCCESS,
        None => ExitCode::FAILURE,
    }
}

fn run(name: &str, times: usize) -> Option<()> {
    if name == "load_catalog" {
        for _ in 0..times {
            black_box(Catalog::embedded().ok()?);
        }
        return Some(());
    }
    let case = Case::named(name)?;
    // Prepared in advance, so that only the runs are measured; every prepared run is used.
    let inputs: Vec<_> = (0..times).map(|_| case.input()).collect();
    for input in inputs {
        black_box(case.run(input)?);
    }
    Some(())
}
