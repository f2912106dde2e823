//! OpenTelemetry traces as a collector receives them; needs the feature `otel-test`.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "test code outside of test functions")]

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, routing::post};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::any_value::Value,
    trace::v1::{Span, span::SpanKind, status::StatusCode},
};
use prost::Message as _;
use tokio::net::TcpListener;

/// A collector that stores what it receives.
struct Collector {
    endpoint: String,
    bodies: Arc<Mutex<Vec<Bytes>>>,
}

impl Collector {
    async fn start() -> Self {
        let bodies = Arc::<Mutex<Vec<Bytes>>>::default();
        let kept = Arc::clone(&bodies);
        let router = Router::new().route(
            "/v1/traces",
            post(async move |body: Bytes| kept.lock().unwrap().push(body)),
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { endpoint, bodies }
    }

    fn spans(&self) -> Vec<Span> {
        let bodies = self.bodies.lock().unwrap();
        let requests = bodies
            .iter()
            .map(|body| ExportTraceServiceRequest::decode(body.clone()).unwrap());
        let resources = requests.flat_map(|request| request.resource_spans);
        let scopes = resources.flat_map(|resource| resource.scope_spans);
        scopes.flat_map(|scope| scope.spans).collect()
    }
}

/// A shim with its sandbox.
struct Program(Child, String);

impl Program {
    fn start(collector: &Collector, faults: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shim"));
        command
            .args(["serve", "--sandbox", "--listen", "127.0.0.1:0"])
            .args(["--ops-listen", "off"])
            .env("SHIM_TRACES_ENDPOINT", &collector.endpoint)
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        if !faults.is_empty() {
            command.args(["--sandbox-faults", faults]);
        }
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let first = output.lines().next().unwrap().unwrap();
        let base = first
            .split_whitespace()
            .find(|word| word.starts_with("http://"));
        Self(child, base.unwrap().to_owned())
    }

    /// Calls an operation; returns the request id.
    async fn ask(&self, operation: &str) -> String {
        let form = [
            ("api_key", "sandbox-key"),
            ("api_secret", "sandbox-secret"),
            ("email", "ada.lovelace@example.com"),
            ("login_type", "100"),
        ];
        shim::install_tls();
        let url = format!("{}/{operation}", self.1);
        let answer = reqwest::Client::new().post(url).form(&form).send().await;
        let answer = answer.unwrap();
        answer.headers()["x-request-id"]
            .to_str()
            .unwrap()
            .to_owned()
    }

    /// Stops the program, which flushes all spans.
    fn stop(mut self) {
        let kill = format!("kill -TERM {}", self.0.id());
        let killed = Command::new("sh").args(["-c", &kill]).status();
        assert!(killed.unwrap().success());
        assert_eq!(self.0.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;

    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn attribute(span: &Span, key: &str) -> Option<String> {
    let found = span
        .attributes
        .iter()
        .find(|attribute| attribute.key == key);
    match found?.value.clone()?.value? {
        Value::StringValue(text) => Some(text),
        Value::IntValue(number) => Some(number.to_string()),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn request_and_calls_share_a_trace_id() {
    let collector = Collector::start().await;
    let program = Program::start(&collector, "");
    let id = program.ask("user/getbyemail").await;
    program.stop();

    let spans = collector.spans();
    let (servers, calls): (Vec<_>, Vec<_>) = spans
        .iter()
        .partition(|span| span.kind() == SpanKind::Server);
    let [server] = servers.as_slice() else {
        panic!("{servers:?}");
    };
    assert_eq!(hex(&server.trace_id), id);
    assert!(server.parent_span_id.is_empty());
    assert_eq!(server.name, "POST /v1/user/getbyemail");
    assert_eq!(
        attribute(server, "shim.outcome").as_deref(),
        Some("answered")
    );
    assert_eq!(attribute(server, "shim.v2_calls").as_deref(), Some("3"));

    assert_eq!(calls.len(), 3, "{calls:?}");
    for call in calls {
        assert_eq!(call.trace_id, server.trace_id);
        assert_eq!(call.parent_span_id, server.span_id);
        assert_ne!(call.span_id, server.span_id);
        assert!(call.start_time_unix_nano >= server.start_time_unix_nano);
        assert!(call.end_time_unix_nano <= server.end_time_unix_nano);
        let template = attribute(call, "url.template").unwrap();
        assert!(template.starts_with("/users/{userId}"), "{template}");
        assert_eq!(
            attribute(call, "http.response.status_code").as_deref(),
            Some("200")
        );
    }
    let bytes = collector.bodies.lock().unwrap().concat();
    let text = String::from_utf8_lossy(&bytes);
    for secret in ["sandbox-key", "sandbox-secret", "sandbox-token", "lovelace"] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_is_an_error_span_with_its_type() {
    let collector = Collector::start().await;
    let program = Program::start(&collector, "path=/users/*,answer=html");
    program.ask("user/checkemail").await;
    program.ask("user/getbyemail").await;
    program.stop();

    let spans = collector.spans();
    let failed = |span: &&Span| {
        let status = span.status.as_ref();
        status.is_some_and(|status| status.code() == StatusCode::Error)
    };
    let call = spans
        .iter()
        .find(|span| span.kind() == SpanKind::Client && failed(span));
    let kind = attribute(call.unwrap(), "error.type");
    assert_eq!(kind.as_deref(), Some("unreadable"));
    let server = spans
        .iter()
        .find(|span| span.kind() == SpanKind::Server && failed(span));
    assert_eq!(
        attribute(server.unwrap(), "shim.outcome").as_deref(),
        Some("trouble")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn unreachable_collector_does_not_affect_responses() {
    let gone = Collector {
        // The listener is dropped, so nothing listens on its port.
        endpoint: format!("http://{}", {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            listener.local_addr().unwrap()
        }),
        bodies: Arc::default(),
    };
    let program = Program::start(&gone, "");
    assert_eq!(program.ask("user/checkemail").await.len(), 32);
    program.stop();
}
