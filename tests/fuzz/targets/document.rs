//! A text is a document if and only if it is JSON for `serde_json`, and then says the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mappings::Document;
use serde_json::Value;

fuzz_target!(|text: &[u8]| {
    let document = Document::read(text.to_vec());
    let value: Result<Value, _> = serde_json::from_slice(text);
    match (document, value) {
        (Ok(document), Ok(value)) => assert_eq!(document.json().to_value(), value),
        (Err(_), Err(_)) => {}
        (document, value) => panic!("{:?} {:?}", document.is_ok(), value),
    }
});
