//! Tests over all pages.

use std::collections::BTreeSet;

use mappings::Catalog;
use migrate_report::{Printer, text::Text};
use serde_json::Value;

use super::{Topic, field, wording::conditions};

/// Every page renders as text and JSON, and no line is wider than the terminal.
#[test]
fn every_page_fits_the_terminal() {
    let catalog = Catalog::embedded().unwrap();
    let operations: BTreeSet<_> = catalog
        .operations()
        .iter()
        .map(|operation| operation.name.as_str())
        .collect();
    assert_eq!(operations.len(), 97);
    let names: BTreeSet<_> = field::names(&catalog)
        .chain(operations.iter().copied())
        .collect();
    for name in names {
        let topic = Topic::find(&catalog, name).unwrap();
        if operations.contains(name) {
            check_json(name, &serde_json::to_value(&topic).unwrap());
        }
        for (all, width) in [(false, 80), (true, 80), (false, 120)] {
            let printer = Text {
                width,
                ..Text::default()
            };
            let mut text = Vec::new();
            printer.print(&topic.document(all), &mut text).unwrap();
            for line in String::from_utf8(text).unwrap().lines() {
                assert!(line.chars().count() <= width, "{name}: {line}");
                assert_eq!(line.trim_end(), line, "{name}");
            }
        }
    }
}

fn check_json(name: &str, page: &Value) {
    assert_eq!(page["schema"], 1, "{name}");
    assert_eq!(page["kind"], "operation", "{name}");
    let place = page["catalog"].as_str();
    assert!(place.is_some_and(|at| at.contains(".toml:")), "{name}");
    for part in ["parameters", "errors"] {
        assert!(page[part].is_array(), "{name}");
    }
}

#[test]
fn every_condition_of_a_call_has_words() {
    let catalog = Catalog::embedded().unwrap();
    for operation in catalog.operations() {
        let calls = operation.plan().map_or(&[][..], |plan| &plan.calls);
        for call in calls {
            for words in conditions(&catalog, calls, call) {
                assert!(!words.is_empty(), "{}: {}", operation.name, call.name);
            }
        }
    }
}
