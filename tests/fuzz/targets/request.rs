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

/// The wrappings of a body that are read, and any other.
fn wrapped(choice: u8, content_type: &str, body: &[u8]) -> (String, &'static str, Vec<u8>) {
    let with = |before: &[u8], after: &[u8]| [before, body, after].concat();
    match choice % 8 {
        0 => (FORM.to_owned(), "", body.to_vec()),
        1 => (FORM.to_owned() + "; charset=windows-1252", "", body.to_vec()),
        2 => ("application/json".to_owned(), "", with(b"\xef\xbb\xbf{\"id\":", b"}")),
        3 => ("multipart/form-data; boundary=b".to_owned(), "", with(b"--b\r\n", b"\r\n--b--\r\n")),
        4 => {
            let part = b"--b\r\nContent-Disposition: form-data; name=\"pic_file\"; filename=\"a\"\r\n";
            ("multipart/form-data; boundary=b".to_owned(), "", with(part, b"\r\n--b--\r\n"))
        }
        // Stored, so that the body is that of a compressed stream, up to its checksum.
        5 => (FORM.to_owned(), "gzip", with(b"\x1f\x8b\x08\0\0\0\0\0\0\x03", b"")),
        6 => (FORM.to_owned(), "deflate", body.to_vec()),
        _ => (content_type.to_owned(), "", body.to_vec()),
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

fuzz_target!(|input: (u8, u8, &str, &str, &[u8])| {
    let (choice, operation, query, content_type, body) = input;
    let operations = ["user/uploadpicture", "user/update", "meeting/create", "no/such"];
    let operation = operations[usize::from(operation) % operations.len()];
    let uri = format!("/v1/{operation}?api_key=k&api_secret=k&{query}");
    let (content_type, encoding, body) = wrapped(choice, content_type, body);
    let mut request = Request::post(uri).header("content-type", content_type);
    if !encoding.is_empty() {
        request = request.header("content-encoding", encoding);
    }
    let Ok(request) = request.body(Body::from(body)) else { return };
    RUNTIME.block_on(async {
        let answer = SHIM.respond(request, Peer::new(Ipv4Addr::LOCALHOST.into())).await;
        assert!(matches!(answer.status().as_u16(), 200 | 404 | 405), "{}", answer.status());
    });
});
