//! Benchmarks of the core, `cargo bench -p mappings`: time and number of allocations.

mod cases;

use std::hint::black_box;

use cases::Case;
use mappings::Catalog;

#[global_allocator]
static ALLOCATIONS: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
}

#[divan::bench]
fn load_catalog() -> usize {
    Catalog::embedded().map_or(0, |catalog| catalog.operations().len())
}

#[divan::bench(args = ["checkemail", "get", "update_30", "list_300"])]
fn translate(bencher: divan::Bencher<'_, '_>, name: &str) {
    let Some(case) = Case::named(name) else {
        return;
    };
    bencher
        .with_inputs(|| case.input())
        .bench_local_values(|input| black_box(case.run(input)));
}
