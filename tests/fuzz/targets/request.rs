//! A request of any content type, query and body is answered; nothing of it reaches v2, because
//! nothing listens there.
#![no_main]

use std::{net::Ipv4Addr, path::Path, sync::{Arc, LazyLock}};

use axum::{body::Body, http::Request};
use libfuzzer_sys::fuzz_target;
use mappings::Catalog;
use shim::{
    Dependencies, Shim,
    front::server::{Handler as _, Peer},
    settings::{Config, Flags, Source, Sources},
};

static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
});

static SHIM: LazyLock<Shim> = LazyLock::new(|| {
    shim::install_tls();
    let catalog = Arc::new(Catalog::embedded().expect("it is tested"));
    let environment = |name: &str| match name {
        "SHIM_API_KEY" | "SHIM_API_SECRET" => Some("k".to_owned()),
        "SHIM_UPSTREAM_URL" => Some("http://127.0.0.1:9/v2".to_owned()),
        "SHIM_UPSTREAM_TOKEN" => Some("t".to_owned()),
        _ => None,
    };
    let read = |path: &Path| std::fs::read_to_string(path);
    let flags = Flags::default();
    let sources = Sources { file: None, environment: &environment, flags, read: &read };
    let config = Config::load(&sources, &catalog).expect("these settings are sound");
    let Source::V2(v2) = config.source else { unreachable!("no sandbox was asked for") };
    let dependencies = Dependencies::local(&config.limits).expect("state in memory");
    Shim::new(catalog, v2, &config.site, &config.limits, dependencies).expect("a client")
});

fuzz_target!(|input: (&str, &str, &[u8])| {
    let (query, content_type, body) = input;
    let uri = format!("/v1/user/uploadpicture?{query}");
    let request = Request::post(uri).header("content-type", content_type);
    let Ok(request) = request.body(Body::from(body.to_vec())) else { return };
    RUNTIME.block_on(async {
        let answer = SHIM.respond(request, Peer::new(Ipv4Addr::LOCALHOST.into())).await;
        assert!(matches!(answer.status().as_u16(), 200 | 404 | 405), "{}", answer.status());
    });
});
