//! What tests/bench/instructions.sh counts the instructions of: `instructions CASE TIMES`.

mod cases;

use std::{env, hint::black_box, process::ExitCode};

use cases::FrontDoor;

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
    let door = FrontDoor::named(name)?;
    // Made before, so that each run costs what it costs.
    let requests: Vec<_> = (0..times).map(|_| door.request()).collect();
    for request in requests {
        black_box(door.status(request?));
    }
    Some(())
}
