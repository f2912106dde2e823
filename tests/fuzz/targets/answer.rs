//! Whatever v2 answers, a translation comes to its end.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mappings::{Arguments, Catalog, Document, Outcome, Site, Translation};

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::embedded().expect("it is tested"));

fuzz_target!(|input: (u8, Vec<(u16, String)>)| {
    let (choice, answers) = input;
    let served: Vec<_> = CATALOG.operations().iter().filter(|each| each.plan().is_some()).collect();
    let operation = served[usize::from(choice) % served.len()];
    let arguments: Arguments = operation
        .parameters
        .iter()
        .map(|parameter| (parameter.name.as_str(), "1"))
        .collect();
    let site = Site::default();
    let Ok(mut translation) =
        Translation::begin(&CATALOG, operation, arguments, &site, 1_600_000_000)
    else {
        return;
    };
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
