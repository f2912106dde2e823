//! Translations terminate for outcomes of any kind in any order.

use mappings::{Memory, Outcome, Translation, V2Request};
use proptest::prelude::*;
use serde_json::json;

use crate::{
    driver::{NOW, catalog, error, ok, site, success},
    plans::REQUESTS,
};

fn outcome(kind: u8, request: &V2Request) -> Outcome {
    match kind % 12 {
        0 => error(404, 1001, "User does not exist."),
        1 => error(409, 1005, "used"),
        2 => error(400, 1000, "pending"),
        3 => Outcome::NoAnswer { maybe_done: true },
        4 => Outcome::Limited,
        5 => Outcome::Unreadable { status: 200 },
        6 => ok(json!([null])),
        7 => Outcome::Answered {
            status: 200,
            body: None,
        },
        _ => success(request),
    }
}

proptest! {
    #[test]
    fn every_translation_ends(
        request in prop::sample::select(REQUESTS),
        kinds in prop::collection::vec(any::<u8>(), 64),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 64),
        strict in any::<bool>(),
    ) {
        let catalog = catalog();
        let site = mappings::Site { strict, ..site(catalog) };
        let (name, arguments) = request;
        let operation = catalog.find(name).unwrap();
        let arguments = arguments.iter().copied().collect();
        let begun = Translation::begin(catalog, operation, arguments, &site, NOW);
        let Ok(mut translation) = begun else {
            prop_assert!(strict);
            return Ok(());
        };
        translation.recall(Memory::default());
        let mut under_way = translation.ready();
        let mut steps = kinds.iter().zip(&picks).cycle();
        let mut made = 0;
        while !translation.is_done() {
            prop_assert!(!under_way.is_empty(), "{name}: nothing is under way and nothing is done");
            made += 1;
            prop_assert!(made < 200, "{name} goes on for ever");
            let Some((kind, pick)) = steps.next() else { unreachable!() };
            let call = under_way.swap_remove(pick.index(under_way.len()));
            translation.complete(call.id, outcome(*kind, &call.request));
            under_way.extend(translation.ready());
        }
        let writes = under_way.iter().filter(|call| !call.request.method.is_read());
        prop_assert_eq!(writes.count(), 0, "{} drops a write", name);
        translation.finish(0);
    }
}
