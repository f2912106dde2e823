//! Whatever v2 answers, a translation comes to its end, strict or not, and so does the same request
//! again, which takes up what the first one left unfinished.
#![no_main]

use std::{collections::BTreeMap, sync::LazyLock};

use libfuzzer_sys::fuzz_target;
use mappings::{
    Arguments, Catalog, Document, Memory, Outcome, Site, Translation,
    catalog::operation::Operation, translation::Finished,
};

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::embedded().expect("it is tested"));

const NOW: i64 = 1_600_000_000;

/// One of these is taken by almost every parameter.
const VALUES: [&str; 5] = ["1", "2026-01-31", "a@example.com", "{}", "a,b"];

fn run(
    operation: &Operation,
    arguments: &Arguments,
    site: &Site,
    memory: Memory,
    answers: &mut impl Iterator<Item = (u16, String)>,
) -> Option<Finished> {
    let arguments = arguments.clone();
    let begun = Translation::begin(&CATALOG, operation, arguments, site, NOW);
    let mut translation = begun.ok()?;
    translation.recall(memory);
    loop {
        let ready = translation.ready();
        if translation.is_done() {
            return Some(translation.finish(NOW));
        }
        assert!(!ready.is_empty(), "nothing is ready and nothing is done");
        for call in ready {
            let outcome = match answers.next() {
                Some((status, text)) => match Document::read(text.into_bytes()) {
                    Ok(body) => Outcome::Answered { status, body: Some(body) },
                    Err(_) => Outcome::Unreadable { status },
                },
                None => Outcome::NoAnswer { maybe_done: true },
            };
            translation.complete(call.id, outcome);
        }
    }
}

fuzz_target!(|input: (u8, u8, bool, Vec<(u16, String)>)| {
    let (choice, value, strict, answers) = input;
    let served: Vec<_> = CATALOG.operations().iter().filter(|each| each.plan().is_some()).collect();
    let operation = served[usize::from(choice) % served.len()];
    let parameters = operation.parameters.iter().enumerate();
    let arguments: Arguments = parameters
        .map(|(at, parameter)| {
            let value = VALUES[(usize::from(value) + at) % VALUES.len()];
            (parameter.name.as_str(), value)
        })
        .collect();
    let options = CATALOG.options(&BTreeMap::new()).expect("the defaults");
    let site = Site { strict, options, ..Site::default() };
    let mut answers = answers.into_iter();
    let mut memory = Memory::default();
    for _ in 0..2 {
        let Some(finished) = run(operation, &arguments, &site, memory, &mut answers) else {
            return;
        };
        if let Ok(object) = finished.answer.result {
            let members = serde_json::to_vec(&object.members());
            assert_eq!(members.ok().as_deref(), Some(&object.json()[..]));
        }
        memory = Memory { unfinished: finished.unfinished, call_time: 10, ..Memory::default() };
    }
});
