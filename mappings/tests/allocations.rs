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
fn the_core_keeps_to_its_budget() {
    let counted = BUDGET.map(|(name, allowed)| (name, allocations(name), allowed));
    let over: Vec<_> = counted
        .iter()
        .filter(|(_, counted, allowed)| counted > allowed)
        .map(|(name, counted, allowed)| format!("{name}: {counted}, {allowed} allowed"))
        .collect();
    assert!(over.is_empty(), "allocations: {over:#?}");
}

/// The most memory that a translation holds at a time, in percent of what v2 answered: it reads each
/// answer once, and writes its own from there.
const PEAK: [(&str, u64); 3] = [
    ("meetings_300", 200),
    ("report_100_by_30", 200),
    ("recordings_24_months", 80),
];

#[test]
fn large_answers_take_memory_in_proportion_to_what_v2_answers() {
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
