//! OpenTelemetry traces: a server span per v1 request, and a client span per v2 call below it.
//!
//! The trace id is the request id, so an `X-Request-Id` finds the trace, and a trace finds its log
//! lines. Spans are built from observer events after the fact. Export is asynchronous; spans that
//! the collector does not take in time are dropped.

use std::{
    cell::Cell,
    time::{Duration, SystemTime},
};

use anyhow::Context as _;
use mappings::Outcome;
use opentelemetry::{
    Context, KeyValue, SpanId, TraceFlags, TraceId,
    trace::{
        Span as _, SpanBuilder, SpanContext, SpanKind, Status, TraceContextExt as _, TraceState,
        Tracer as _, TracerProvider as _,
    },
};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{IdGenerator, RandomIdGenerator, Sampler, SdkTracer, SdkTracerProvider},
};
use shim_upstream::{CallRecord, RequestId, install_tls};

use super::observer::{Ending, Observer, RequestRecord};
use crate::settings::TracesConfig;

/// Export timeout of one batch.
const EXPORT_TIME: Duration = Duration::from_secs(10);

/// Observer that exports traces to a collector.
#[derive(Debug)]
pub(crate) struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

impl Traces {
    /// Starts the exporter on a thread of its own. Must not be called from an async task.
    pub(crate) fn start(config: &TracesConfig) -> anyhow::Result<Self> {
        install_tls();
        let endpoint = format!(
            "{}/v1/traces",
            config.endpoint.as_str().trim_end_matches('/')
        );
        let client = reqwest::blocking::Client::builder()
            .timeout(EXPORT_TIME)
            .build()?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_endpoint(endpoint)
            .build()
            .context("traces.endpoint cannot be used")?;
        let resource = Resource::builder()
            .with_service_name(env!("CARGO_PKG_NAME"))
            .with_attribute(KeyValue::new("service.version", env!("BUILD_VERSION")));
        let provider = SdkTracerProvider::builder()
            .with_resource(resource.build())
            .with_batch_exporter(exporter)
            // Decided by trace id, so that a request is sampled with all of its calls or not at
            // all.
            .with_sampler(Sampler::TraceIdRatioBased(config.share))
            .with_id_generator(RequestIds)
            .build();
        let tracer = provider.tracer(env!("CARGO_PKG_NAME"));
        Ok(Self { provider, tracer })
    }

    /// Exports the remaining spans, for at most `grace`. Blocks.
    pub(crate) fn stop(&self, grace: Duration) {
        if let Err(error) = self.provider.shutdown_with_timeout(grace) {
            tracing::warn!(%error, "Stopped before all traces were sent");
        }
    }

    /// Exports a span that ended now.
    fn export(&self, builder: SpanBuilder, elapsed: Duration, status: Status, parent: &Context) {
        let end = SystemTime::now();
        let start = end.checked_sub(elapsed).unwrap_or(end);
        let builder = builder.with_start_time(start);
        let mut span = self.tracer.build_with_context(builder, parent);
        span.set_status(status);
        span.end_with_timestamp(end);
    }
}

impl Observer for Traces {
    fn served(&self, record: &RequestRecord<'_>) {
        let operation = record.operation.unwrap_or("(unknown operation)");
        let mut attributes = vec![
            KeyValue::new("http.request.method", record.method),
            KeyValue::new("http.route", format!("/v1/{operation}")),
            KeyValue::new("shim.outcome", record.ending.as_str()),
            KeyValue::new("shim.v2_calls", i64::from(record.calls)),
        ];
        attributes.extend(record.error.map(|code| KeyValue::new("shim.error", code)));
        let lossy = record.warnings.iter().map(|warning| warning.field.as_str());
        let lossy: Vec<_> = lossy.collect();
        if !lossy.is_empty() {
            attributes.push(KeyValue::new("shim.lossy", lossy.join(",")));
        }
        let builder = SpanBuilder::from_name(format!("{} /v1/{operation}", record.method))
            .with_kind(SpanKind::Server)
            .with_attributes(attributes);
        let status = match record.ending {
            Ending::Trouble => Status::error(record.ending.as_str()),
            _ => Status::Unset,
        };
        let _ids = UseIdsOf::request(record.id);
        self.export(builder, record.elapsed, status, &Context::new());
    }

    fn called(&self, call: &CallRecord<'_>) {
        let retries = call.retries.failure + call.retries.limit + call.retries.token;
        let mut attributes = vec![
            KeyValue::new("http.request.method", call.method.as_str()),
            KeyValue::new("url.template", call.template.to_owned()),
            KeyValue::new("shim.v2_label", call.label),
            KeyValue::new("http.request.resend_count", i64::from(retries)),
        ];
        let error = match call.outcome {
            Outcome::Answered { status, .. } => {
                attributes.push(status_code(*status));
                (*status >= 400).then(|| status.to_string())
            }
            Outcome::Unreadable { status } => {
                attributes.push(status_code(*status));
                Some("unreadable".to_owned())
            }
            Outcome::NoAnswer { .. } => Some("no_answer".to_owned()),
            Outcome::Refused => Some("refused".to_owned()),
            Outcome::Limited => Some("limited".to_owned()),
        };
        let status = match error {
            None => Status::Unset,
            Some(error) => {
                attributes.push(KeyValue::new("error.type", error.clone()));
                Status::error(error)
            }
        };
        let builder = SpanBuilder::from_name(format!("{} {}", call.method, call.template))
            .with_kind(SpanKind::Client)
            .with_attributes(attributes);
        let parent = SpanContext::new(
            trace_id(call.request),
            span_id(call.request),
            TraceFlags::SAMPLED,
            true,
            TraceState::NONE,
        );
        let parent = Context::new().with_remote_span_context(parent);
        self.export(builder, call.elapsed, status, &parent);
    }
}

fn status_code(status: u16) -> KeyValue {
    KeyValue::new("http.response.status_code", i64::from(status))
}

fn trace_id(request: RequestId) -> TraceId {
    TraceId::from(request.number())
}

/// Id of the request's own span. It is fixed, because its calls are exported first.
fn span_id(request: RequestId) -> SpanId {
    let number = request.number() & u128::from(u64::MAX);
    SpanId::from(u64::try_from(number).unwrap_or(u64::MAX))
}

thread_local! {
    /// Request whose span is being built on this thread.
    static REQUEST: Cell<Option<RequestId>> = const { Cell::new(None) };
}

/// While alive, new spans on this thread take the ids of a request. `IdGenerator` has no parameter
/// for it.
struct UseIdsOf;

impl UseIdsOf {
    fn request(request: RequestId) -> Self {
        REQUEST.set(Some(request));
        Self
    }
}

impl Drop for UseIdsOf {
    fn drop(&mut self) {
        REQUEST.set(None);
    }
}

/// Generates the ids of a request for its own span, random ones otherwise.
#[derive(Debug)]
struct RequestIds;

impl IdGenerator for RequestIds {
    fn new_trace_id(&self) -> TraceId {
        let request = REQUEST.get();
        request.map_or_else(|| RandomIdGenerator::default().new_trace_id(), trace_id)
    }

    fn new_span_id(&self) -> SpanId {
        let request = REQUEST.get();
        request.map_or_else(|| RandomIdGenerator::default().new_span_id(), span_id)
    }
}
