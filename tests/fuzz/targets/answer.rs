//! Whatever v2 answers, a translation comes to its end, strict or not, from the start or taken up.
#![no_main]

use std::{collections::BTreeMap, sync::LazyLock};

use libfuzzer_sys::fuzz_target;
use mappings::{
    Arguments, Catalog, Document, Memory, Outcome, Site, Translation, translation::Unfinished,
};

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::embedded().expect("it is tested"));

/// One of these is taken by almost every parameter.
const VALUES: [&str; 5] = ["1", "2026-01-31", "a@example.com", "{}", "a,b"];

fuzz_target!(|input: (u8, u8, bool, bool, Vec<(u16, String)>)| {
    let (choice, value, strict, is_taken_up, answers) = input;
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
    let Ok(mut translation) =
        Translation::begin(&CATALOG, operation, arguments, &site, 1_600_000_000)
    else {
        return;
    };
    if is_taken_up {
        let done = operation.plan().into_iter().flat_map(|plan| &plan.calls);
        let unfinished = Unfinished {
            done: done.map(|call| call.name.clone()).take(2).collect(),
            subject: Some("u1".to_owned()),
        };
        translation.recall(Memory { cursors: Vec::new(), unfinished: Some(unfinished) });
    }
    let mut answers = answers.into_iter();
    loop {
        let ready = translation.ready();
        if translation.is_done() {
            break;
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
    if let Ok(object) = translation.finish(0).answer.result {
        assert_eq!(serde_json::to_vec(&object.members()).ok().as_deref(), Some(&object.json()[..]));
    }
});
