//! A site's mapping file of any content is taken or refused, and never more.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mappings::Catalog;

fuzz_target!(|text: &str| {
    let names = ["user/operations.toml", "user/fields.toml", "site.toml"];
    for name in names {
        if let Err(error) = Catalog::with_overrides([(name.to_owned(), text.to_owned())]) {
            assert!(!error.problems.is_empty());
        }
    }
});
