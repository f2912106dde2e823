//! What tests/bench/instructions.sh counts the instructions of: `instructions CASE TIMES`.
//!
//! In one thread: what several do is not counted alike twice.

mod cases;

use std::{env, hint::black_box, process::ExitCode};

use cases::{Case, audit};

fn main() -> ExitCode {
    let one = rayon::ThreadPoolBuilder::new().num_threads(1);
    if one.build_global().is_err() {
        return ExitCode::FAILURE;
    }
    let mut arguments = env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let times = arguments.next().and_then(|times| times.parse().ok());
    match times.and_then(|times| run(&name, times)) {
        Some(()) => ExitCode::SUCCESS,
        None => ExitCode::FAILURE,
    }
}

fn run(name: &str, times: usize) -> Option<()> {
    if name == "start" {
        for _ in 0..times {
            black_box(audit());
        }
        return Some(());
    }
    let case = Case::named(name)?;
    let audit = audit();
    for _ in 0..times {
        black_box(case.run(&audit));
    }
    Some(())
}
