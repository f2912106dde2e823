//! How often the core asks for memory: the same number on every machine, so that a budget is exact.
//!
//! Who makes a number smaller makes its budget smaller. Who must make one larger says why in the
//! commit. That a list of 300 entries needs no more than others is what keeps it fast.

#[path = "../benches/cases/mod.rs"]
mod cases;

use allocation_counter::measure;
use cases::Case;
use mappings::Catalog;

/// What may be asked for, by case.
const BUDGET: [(&str, u64); 5] = [
    // With room for the catalog to grow.
    ("load_catalog", 80_000),
    ("checkemail", 24),
    ("get", 59),
    ("update_30", 233),
    ("list_300", 83),
];

fn allocations(name: &str) -> u64 {
    if name == "load_catalog" {
        return measure(|| drop(Catalog::embedded())).count_total;
    }
    Case::named(name).map_or(u64::MAX, |case| {
        let input = case.input();
        measure(|| drop(case.run(input))).count_total
    })
}

#[test]
fn the_core_keeps_to_its_budget() {
    let counted = BUDGET.map(|(name, allowed)| (name, allocations(name), allowed));
    let over: Vec<_> = counted
        .iter()
        .filter(|(_, counted, allowed)| counted > allowed)
        .map(|(name, counted, allowed)| format!("{name}: {counted}, {allowed} allowed"))
        .collect();
    assert!(over.is_empty(), "allocations: {over:#?}");
}
