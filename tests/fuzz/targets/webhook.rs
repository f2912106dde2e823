//! A webhook of any headers and body is answered; only what is signed is stored, and of that only
//! what has a counterpart in v1 makes a notification.
#![no_main]

use hmac::{Hmac, KeyInit as _, Mac as _};
use libfuzzer_sys::fuzz_target;
use mappings::{Catalog, Site, notification::Event};
use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
    time::Duration,
};

use axum::{body::Body, http::Request};
use shim::{
    notifications::{Outbox, PATH, Webhooks, router, system_clock},
    observe::Log,
    settings::{BodyStyle, Limits, ReceiverConfig},
    state::{AnswerCache, State},
};

const TOKEN: &str = "token";

static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
});

static CATALOG: LazyLock<Arc<Catalog>> =
    LazyLock::new(|| Arc::new(Catalog::embedded().expect("it is tested")));

static ROUTER: LazyLock<axum::Router> = LazyLock::new(|| {
    let state = State::in_memory(AnswerCache::from(&Limits::default())).expect("memory");
    let outbox = Outbox::new(&[receiver()], &state);
    let catalog = Arc::clone(&CATALOG);
    let log = Arc::new(Log::default());
    router(Arc::new(Webhooks::new(catalog, vec![TOKEN.into()], outbox, log, system_clock())))
});

fn site() -> Site {
    let options = CATALOG.options(&BTreeMap::new()).expect("the defaults");
    Site { options, ..Site::default() }
}

fn receiver() -> ReceiverConfig {
    ReceiverConfig {
        url: "http://127.0.0.1:1/".parse().expect("a URL"),
        style: BodyStyle::Form,
        basic: None,
        accounts: Vec::new(),
        notifications: Vec::new(),
        attempts: 1,
        waits: Vec::new(),
        pause: Duration::ZERO,
        allows_private: false,
        site: site(),
    }
}

fn status(signature: &[u8], timestamp: &[u8], body: &[u8]) -> Option<u16> {
    let request = Request::post(PATH)
        .header("x-zm-signature", signature)
        .header("x-zm-request-timestamp", timestamp);
    let request = request.body(Body::from(body.to_vec())).ok()?;
    let mut router = ROUTER.clone();
    let answer = RUNTIME.block_on(tower_service::Service::call(&mut router, request));
    Some(answer.expect("an answer").status().as_u16())
}

fuzz_target!(|input: (&[u8], &[u8], &[u8])| {
    let (signature, timestamp, body) = input;
    assert!(status(signature, timestamp, body).is_none_or(|status| status == 401));

    let now = (system_clock()() / 1000).to_string();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(TOKEN.as_bytes()).expect("any length");
    mac.update(format!("v0:{now}:").as_bytes());
    mac.update(body);
    let digits = mac.finalize().into_bytes();
    let digits: String = digits.iter().map(|byte| format!("{byte:02x}")).collect();
    let signed = status(format!("v0={digits}").as_bytes(), now.as_bytes(), body);
    let is_sound = Event::read(&CATALOG, body).is_ok();
    // A validation that is sound JSON may still ask for what must not be signed; queues may be full.
    assert!(matches!(signed, Some(200 | 400 | 503)), "{signed:?}");
    assert!(is_sound || signed == Some(400));

    if let Ok(event) = Event::read(&CATALOG, body) {
        for push in event.pushes(&site(), 0) {
            let form = push.form();
            assert!(form.bytes().all(|byte| byte.is_ascii_graphic()), "{form}");
            assert!(serde_json::from_str::<serde_json::Value>(&push.json()).is_ok());
        }
    }
});
