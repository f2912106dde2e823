//! What the front door is measured with: requests that are answered without v2.

use std::{fmt::Write as _, io, net::Ipv4Addr, sync::Arc};

use axum::body::Body;
use hyper::{Request, header::CONTENT_TYPE};
use mappings::Catalog;
use shim::{
    Dependencies, Shim,
    front::server::{Handler as _, Peer},
    settings::{Config, Flags, Source, Sources},
};
use tokio::runtime::{self, Runtime};

/// A v2 that nobody asks.
const SETTINGS: &str = r#"
[upstream]
url = "http://127.0.0.1:9/v2"
[[tenant]]
api_key = "key"
api_secret = "secret"
account_id = "account"
token = "token"
"#;

/// A shim with a request of thirty parameters, of which the one that must be there is not: from
/// the request to v1's error.
pub(crate) struct FrontDoor {
    runtime: Runtime,
    shim: Shim,
    form: String,
    in_query: bool,
}

impl FrontDoor {
    /// `decode_form` has the parameters in a form, `decode_query` in the query string.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let in_query = match name {
            "decode_form" => false,
            "decode_query" => true,
            _ => return None,
        };
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .ok()?;
        let catalog = Arc::new(Catalog::embedded().ok()?);
        let form = form(&catalog)?;
        let door = Self {
            shim: shim(catalog)?,
            runtime,
            form,
            in_query,
        };
        // v1 answers errors with 200 too: 500 and 503 would be of the shim.
        assert_eq!(door.status(door.request()?), 200);
        Some(door)
    }

    pub(crate) fn request(&self) -> Option<Request<Body>> {
        let address = "/v1/user/update";
        let request = if self.in_query {
            Request::post(format!("{address}?{}", self.form)).body(Body::empty())
        } else {
            let form = "application/x-www-form-urlencoded";
            let request = Request::post(address).header(CONTENT_TYPE, form);
            request.body(Body::from(self.form.clone()))
        };
        request.ok()
    }

    /// The status of the answer.
    pub(crate) fn status(&self, request: Request<Body>) -> u16 {
        let peer = Peer::new(Ipv4Addr::LOCALHOST.into());
        let answer = self.runtime.block_on(self.shim.respond(request, peer));
        answer.status().as_u16()
    }
}

fn shim(catalog: Arc<Catalog>) -> Option<Shim> {
    shim::install_tls();
    let sources = Sources {
        file: Some(("bench.toml", SETTINGS)),
        environment: &|_| None,
        flags: Flags::default(),
        read: &|_| Err(io::Error::from(io::ErrorKind::NotFound)),
    };
    let config = Config::load(&sources, &catalog).ok()?;
    let Source::V2(v2) = config.source else {
        return None;
    };
    let dependencies = Dependencies::local(&config.limits).ok()?;
    Shim::new(catalog, v2, &config.site, &config.limits, dependencies).ok()
}

/// Thirty parameters of user/update, credentials included, the id not.
fn form(catalog: &Catalog) -> Option<String> {
    let mut form = "api_key=key&api_secret=secret&first_name=Ada+B%C3%A9b%C3%A9".to_owned();
    let names = catalog.find("user/update")?.parameters.iter();
    let names = names.map(|parameter| parameter.name.as_str());
    let switches = names.filter(|name| name.starts_with("enable_") || name.starts_with("disable_"));
    for name in switches.take(27) {
        write!(form, "&{name}=true").ok()?;
    }
    (form.split('&').count() == 30).then_some(form)
}
