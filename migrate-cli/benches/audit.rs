//! What the audit costs: time, and allocations, which are the same on every machine.
//!
//! `cargo bench -p migrate-cli`

mod cases;

use cases::{Case, audit};

#[global_allocator]
static ALLOCATIONS: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
}

/// Reading the rules and building the searches.
#[divan::bench]
fn start() -> usize {
    audit().run_text("a.txt", "").len()
}

#[divan::bench(args = ["prefilter", "project", "scan_php", "scan_js", "scan_json"])]
fn run(bencher: divan::Bencher<'_, '_>, name: &str) {
    let Some(case) = Case::named(name) else {
        return;
    };
    let audit = audit();
    bencher.bench_local(|| case.run(&audit));
}
