//! Any text in any language is looked at without a panic, and what is found is inside it.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mappings::Catalog;
use migrate_audit::{Audit, Options};

static CATALOG: LazyLock<Catalog> =
    LazyLock::new(|| Catalog::embedded().expect("the embedded catalog is one"));
static AUDIT: LazyLock<Audit> =
    LazyLock::new(|| Audit::new(&CATALOG, Options::default()).expect("the embedded rules are rules"));

const NAMES: [&str; 16] = [
    "a.php", "a.py", "a.rb", "a.js", "a.ts", "a.go", "a.java", "a.cs", "a.swift", "a.m", "a.ps1",
    "a.sh", "a.html", "a.json", "a.md", "a.c",
];

fuzz_target!(|input: (u8, &str)| {
    let (choice, text) = input;
    let name = NAMES[usize::from(choice) % NAMES.len()];
    // A text without a trace of v1 says little.
    let text = format!("'https://api.zoom.us/v1/' {text} 'user/list'");
    let lines = text.split('\n').count();
    for found in AUDIT.run_text(name, &text) {
        assert!(found.line >= 1 && found.line <= lines);
    }
});
