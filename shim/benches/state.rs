//! What remembering a write of three v2 calls costs: its lease, two notes and its end. SQLite's
//! time above that of memory is what a file adds.
//!
//! `cargo bench -p shim --bench state`

use std::time::Duration;

use divan::Bencher;
use shim::{
    settings::{StateConfig, StateUrl},
    state::{
        AnswerCache, Name, State,
        engine::{Begun, Ending, Write},
    },
};
use tempfile::TempDir;
use tokio::runtime::Builder;

const LEASE: Duration = Duration::from_secs(15);

/// As large as the sealed journal of a create.
const JOURNAL: &[u8] = &[7; 600];

fn main() {
    divan::main();
}

fn write(bencher: Bencher<'_, '_>, url: StateUrl) {
    let cache = AnswerCache {
        time: LEASE,
        bytes: 1 << 20,
    };
    let (Ok(state), Ok(runtime)) = (
        State::open(&StateConfig::new(url, None), cache),
        Builder::new_current_thread().enable_all().build(),
    ) else {
        return;
    };
    let engine = state.engine();
    let mut number = 0_u64;
    bencher.bench_local(|| {
        number += 1;
        runtime.block_on(async {
            let write = Write {
                account: Name::default(),
                name: format!("{number:x}").parse().unwrap_or_default(),
            };
            let (run, journal) = (u128::from(number), JOURNAL.into());
            let begun = engine.begin(write, run, LEASE, journal).await;
            assert!(matches!(begun, Ok(Begun::Leased(None))));
            for _ in 0..2 {
                let stepped = engine.step(write, run, LEASE, Some(JOURNAL.into())).await;
                assert!(stepped.is_ok_and(|stepped| stepped));
            }
            let ending = Ending::Finished(JOURNAL.into());
            let ended = engine.end(write, run, ending).await;
            assert!(ended.is_ok_and(|ended| ended));
        });
    });
}

#[divan::bench]
fn in_memory(bencher: Bencher<'_, '_>) {
    write(bencher, StateUrl::Memory);
}

#[divan::bench]
fn in_a_file(bencher: Bencher<'_, '_>) {
    if let Ok(folder) = TempDir::new() {
        write(
            bencher,
            StateUrl::Sqlite(folder.path().join("state.sqlite")),
        );
    }
}
