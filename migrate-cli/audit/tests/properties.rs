//! Nothing that a file may hold makes the audit panic, and what it says is always within the file.

use std::fs;

use mappings::Catalog;
use migrate_audit::{Audit, Options};
use proptest::prelude::*;

const NAMES: [&str; 16] = [
    "a.php", "a.py", "a.rb", "a.js", "a.ts", "a.go", "a.java", "a.cs", "a.swift", "a.m", "a.ps1",
    "a.sh", "a.html", "a.json", "a.md", "Gemfile",
];

/// Scraps from which code about v1 is made, so that most files have a trace.
fn scrap() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("https://api.zoom.us/v1/".to_owned()),
        Just("api.zoom.us".to_owned()),
        Just("/v1".to_owned()),
        Just("user/custcreate".to_owned()),
        Just("user".to_owned()),
        Just("custcreate".to_owned()),
        Just("zoomus".to_owned()),
        Just("Zoomus.new".to_owned()),
        Just("api_secret=".to_owned()),
        Just("lastLoginTime".to_owned()),
        Just("migrate-ignore: x".to_owned()),
        "[\\[\\]{}()<>\"'`$#@\\\\/=+.,:;!?&% \n\r\t-]{1,6}",
        "\\PC{0,6}",
        "[a-z_]{1,8}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read(name in prop::sample::select(&NAMES[..]), scraps in prop::collection::vec(scrap(), 0..60)) {
        let text = scraps.concat();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(name), &text).unwrap();
        let catalog = Catalog::embedded().unwrap();
        let outcome = Audit::new(&catalog, Options::default()).unwrap().run(folder.path()).unwrap();
        let lines = text.split('\n').count();
        for found in outcome.findings {
            prop_assert!(found.line >= 1 && found.line <= lines);
            prop_assert!(found.column >= 1 && found.end_column >= found.column);
            let line = text.split('\n').nth(found.line - 1).unwrap();
            prop_assert!(found.column <= line.chars().count() + 1);
        }
    }

    #[test]
    fn any_bytes_are_read(name in prop::sample::select(&NAMES[..]), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let folder = tempfile::tempdir().unwrap();
        let mut content = bytes.clone();
        content.extend(b" https://api.zoom.us/v1/user/get ");
        content.extend(bytes);
        fs::write(folder.path().join(name), &content).unwrap();
        let catalog = Catalog::embedded().unwrap();
        Audit::new(&catalog, Options::default()).unwrap().run(folder.path()).unwrap();
    }
}
