//! A webhook of any headers and body is answered; only what is signed is stored, and of that only
//! what has a counterpart in v1 makes a notification.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mappings::{Catalog, Site, notification::Event};
use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use axum::{body::Body, http::Request};
use shim::{
    notifications::{Outbox, PATH, Webhooks, router, system_clock},
    observe::Log,
    settings::Limits,
    state::{AnswerCache, State},
};

static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
});

static CATALOG: LazyLock<Arc<Catalog>> =
    LazyLock::new(|| Arc::new(Catalog::embedded().expect("it is tested")));

static ROUTER: LazyLock<axum::Router> = LazyLock::new(|| {
    let state = State::in_memory(AnswerCache::from(&Limits::default())).expect("memory");
    let outbox = Outbox::new(&[], &state);
    let catalog = Arc::clone(&CATALOG);
    let log = Arc::new(Log::default());
    router(Arc::new(Webhooks::new(catalog, vec!["token".into()], outbox, log, system_clock())))
});

fuzz_target!(|input: (&[u8], &[u8], &[u8])| {
    let (signature, timestamp, body) = input;
    let request = Request::post(PATH)
        .header("x-zm-signature", signature)
        .header("x-zm-request-timestamp", timestamp);
    if let Ok(request) = request.body(Body::from(body.to_vec())) {
        let mut router = ROUTER.clone();
        let answer = RUNTIME.block_on(tower_service::Service::call(&mut router, request));
        assert_eq!(answer.expect("an answer").status(), 401);
    }
    // As if it were signed.
    if let Ok(event) = Event::read(&CATALOG, body) {
        let options = CATALOG.options(&BTreeMap::new()).expect("the defaults");
        for push in event.pushes(&Site { options, ..Site::default() }, 0) {
            let form = push.form();
            assert!(form.bytes().all(|byte| byte.is_ascii_graphic()), "{form}");
            assert!(serde_json::from_str::<serde_json::Value>(&push.json()).is_ok());
        }
    }
});
