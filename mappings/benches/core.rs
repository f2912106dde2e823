//! What the core costs: time, and allocations, which are the same on every machine.
//!
//! `cargo bench -p mappings`

mod cases;
mod recording;

use std::hint::black_box;

use cases::{CATALOG, Case};
use mappings::{
    Catalog,
    record::{LineWriter, Redactor},
};

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

/// The line of an exchange.
#[divan::bench]
fn record(bencher: divan::Bencher<'_, '_>) {
    let exchange = recording::exchange();
    let mut writer = LineWriter::new(Redactor::new(&CATALOG, None));
    let mut line = Vec::new();
    bencher.bench_local(|| {
        line.clear();
        let written = writer.write(&CATALOG, &exchange, &["an.access-token"], &mut line);
        (written.is_ok(), line.len())
    });
}
