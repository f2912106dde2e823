//! What a request costs before v2 is asked: time, and allocations.
//!
//! `cargo bench -p shim`

mod cases;

use std::hint::black_box;

use cases::FrontDoor;

#[global_allocator]
static ALLOCATIONS: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
}

#[divan::bench(args = ["decode_form", "decode_query"])]
fn refuse(bencher: divan::Bencher<'_, '_>, name: &str) {
    let Some(door) = FrontDoor::named(name) else {
        return;
    };
    bencher
        .with_inputs(|| door.request())
        .bench_local_values(|request| Some(black_box(door.status(request?))));
}
