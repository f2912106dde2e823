//! Limits the number of allocations of the core. It is the same on every machine, so the budget is
//! exact. Lower the budget when a number falls; explain in the commit message why one rises. Lists
//! of 300 entries must not need more allocations than others.

#[path = "../benches/cases/mod.rs"]
mod cases;

use allocation_counter::measure;
use cases::Case;
use mappings::Catalog;

/// Maximum number of allocations by case.
const BUDGET: [(&str, u64); 5] = [
    // Leaves room for the catalog to grow.
    ("load_catalog", 80_000),
    ("checkemail", 26),
    ("get", 68),
    ("update_30", 273),
    ("list_300", 85),
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
fn allocations_stay_within_budget() {
    let counted = BUDGET.map(|(name, allowed)| (name, allocations(name), allowed));
    let over: Vec<_> = counted
        .iter()
        .filter(|(_, counted, allowed)| counted > allowed)
        .map(|(name, counted, allowed)| format!("{name}: {counted}, {allowed} allowed"))
        .collect();
    assert!(over.is_empty(), "allocations: {over:#?}");
}

/// Maximum memory of a translation in percent of v2's responses: each response is parsed once.
const PEAK: [(&str, u64); 3] = [
    ("meetings_300", 200),
    ("report_100_by_30", 200),
    ("recordings_24_months", 80),
];

#[test]
fn memory_is_proportional_to_v2_responses() {
    for (name, allowed) in PEAK {
        let case = Case::named(name).unwrap();
        let (input, answered) = (case.input(), case.answered() as u64);
        let peak = measure(|| drop(case.run(input))).bytes_max;
        let percent = peak * 100 / answered;
        assert!(
            percent <= allowed,
            "{name}: {peak} bytes beside the {answered} of v2, {percent} %, {allowed} % allowed"
        );
    }
}
