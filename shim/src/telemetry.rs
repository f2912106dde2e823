//! What the shim tells about its work: one record a request, and the log made of it.

mod metrics;
#[cfg_attr(not(feature = "otel"), path = "telemetry/no_traces.rs")]
mod traces;
mod traffic;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, io,
    sync::Arc,
    time::Duration,
};

use mappings::{Method, Outcome, Warning, WarningKind};
use recording::comparison::{Kind, Verdict};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

pub use metrics::Metrics;
pub(crate) use metrics::Readings;
pub use traffic::Traffic;
pub(crate) use traffic::{OperationTraffic, Seen};

pub(crate) use traces::Traces;

pub use shim_upstream::{CallRecord, RequestId, RetryCounts};

use crate::{config::LogFormat, shadow::Side};

/// One v1 request, served. Nothing in it comes from the client as it is: names are the catalog's.
#[derive(Debug)]
pub struct Record<'a> {
    /// The request's name.
    pub id: RequestId,
    /// The HTTP method, or `other`.
    pub method: &'static str,
    /// The operation; `None` if v1 had no such one.
    pub operation: Option<&'a str>,
    /// True if the shim serves the operation.
    pub is_served: bool,
    /// How it ended.
    pub ending: Ending,
    /// v1's error code; `None` for a success.
    pub error: Option<i64>,
    /// How many v2 calls were made.
    pub calls: u32,
    /// From the request's head to the answer.
    pub elapsed: Duration,
    /// How many parameters the operation does not know.
    pub unknown: usize,
    /// Those of them that some other operation knows.
    pub misplaced: BTreeSet<&'a str>,
    /// What could not be honoured.
    pub warnings: &'a [Warning],
    /// The v2 calls that failed.
    pub failures: Vec<FailedCall<'a>>,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ending {
    /// With what the client wanted.
    Answered,
    /// With an error that is the caller's: v2, or the rules of v1, say no.
    Error,
    /// With an error that says that the operation is not served.
    NotServed,
    /// Before it came to an operation: credentials, method, body, no such operation, too much load.
    Refused,
    /// With an error that is v2's or the shim's trouble.
    Trouble,
}

impl Ending {
    /// One word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Error => "error",
            Self::NotServed => "not_served",
            Self::Refused => "refused",
            Self::Trouble => "trouble",
        }
    }
}

/// A v2 call that failed, without what v2 said of it: that may quote an address.
#[derive(Debug)]
pub struct FailedCall<'a> {
    /// The method.
    pub method: Method,
    /// The path with its placeholders.
    pub template: &'a str,
    /// The OAuth scope that it needs.
    pub scope: &'a str,
    /// The HTTP status, if v2 answered.
    pub status: Option<u16>,
    /// v2's code, if it gave one.
    pub code: Option<i64>,
}

/// Something that a shadow showed. Nothing in it comes from an answer but names that the catalog
/// knows.
#[derive(Debug)]
pub enum ShadowRecord<'a> {
    /// A request was compared.
    Compared {
        /// The operation.
        operation: &'a str,
        /// The worst of all its fields.
        verdict: Verdict,
        /// Fields that differ, by verdict.
        differences: &'a BTreeMap<Verdict, u64>,
    },
    /// A request was not compared.
    NotCompared {
        /// The operation.
        operation: &'a str,
        /// Why, in one word.
        reason: &'static str,
    },
    /// A field differs for the first time, and nothing explains it.
    Found {
        /// The operation.
        operation: &'a str,
        /// The field.
        field: &'a str,
        /// How it differs.
        kind: Kind,
    },
    /// A client that was to have the shadow's answer got one.
    Answered {
        /// Whose it was.
        side: Side,
    },
}

/// Is told of every request. Must not block.
pub trait Observer: Send + Sync {
    /// A request was served.
    fn served(&self, record: &Record<'_>);

    /// A v2 call came to its end, as part of a request that is not served yet.
    fn called(&self, _call: &CallRecord<'_>) {}

    /// A shadow showed something.
    fn shadowed(&self, _record: &ShadowRecord<'_>) {}
}

/// Several observers, told one after the other.
pub struct Observers(pub Vec<Arc<dyn Observer>>);

impl Observer for Observers {
    fn served(&self, record: &Record<'_>) {
        self.0.iter().for_each(|observer| observer.served(record));
    }

    fn called(&self, call: &CallRecord<'_>) {
        self.0.iter().for_each(|observer| observer.called(call));
    }

    fn shadowed(&self, record: &ShadowRecord<'_>) {
        self.0.iter().for_each(|observer| observer.shadowed(record));
    }
}

/// Writes records to the log.
#[derive(Clone, Copy, Debug, Default)]
pub struct Log(LogFormat);

impl Log {
    /// A log in a format: what is one line for people are fields for programs.
    pub fn new(format: LogFormat) -> Self {
        Self(format)
    }
}

impl Observer for Log {
    fn served(&self, record: &Record<'_>) {
        let operation = record.operation.unwrap_or("(unknown operation)");
        for call in &record.failures {
            tracing::info!(
                operation,
                request = %format_args!("{} {}", call.method, call.template),
                status = call.status,
                code = call.code,
                scope = call.scope,
                "A v2 call failed"
            );
        }
        for Warning {
            kind,
            field,
            reason,
        } in record.warnings
        {
            match kind {
                WarningKind::NotHonoured => {
                    tracing::warn!(operation, field, reason, "Not honoured");
                }
                WarningKind::Unreadable => {
                    tracing::warn!(operation, field, reason, "Missing in the answer");
                }
                // The site chose so: once a request would be noise.
                WarningKind::LeftOut => {
                    tracing::debug!(operation, field, reason, "Left out of the answer");
                }
            }
        }
        if record.unknown > 0 {
            tracing::debug!(
                operation,
                count = record.unknown,
                known_elsewhere = ?record.misplaced,
                "Unknown parameters ignored"
            );
        }
        if record.operation.is_some() && !record.is_served {
            tracing::warn!(operation, "Called, but not served yet");
        }
        match self.0 {
            LogFormat::Text => tracing::info!("{record}"),
            LogFormat::Json => tracing::info!(
                method = record.method,
                operation,
                outcome = record.ending.as_str(),
                error = record.error,
                calls = record.calls,
                seconds = record.elapsed.as_secs_f64(),
                "Served"
            ),
        }
    }

    fn called(&self, call: &CallRecord<'_>) {
        let CallRecord {
            method,
            template,
            elapsed,
            ..
        } = call;
        match call.outcome {
            Outcome::Answered { status, .. } => {
                tracing::debug!(%method, template, status, ?elapsed, "v2 answered");
            }
            Outcome::Unreadable { status } => {
                tracing::warn!(%method, template, status, ?elapsed, "What answered is not v2's API; check upstream.url");
            }
            Outcome::NoAnswer { maybe_done } => {
                tracing::warn!(%method, template, maybe_done, ?elapsed, "v2 did not answer");
            }
            Outcome::Refused => {
                tracing::error!(%method, template, "v2 refuses the shim's own credentials");
            }
            Outcome::Limited => {
                tracing::warn!(%method, template, ?elapsed, "v2's request limit is reached");
            }
        }
    }

    fn shadowed(&self, record: &ShadowRecord<'_>) {
        match record {
            ShadowRecord::Found {
                operation,
                field,
                kind,
            } => tracing::warn!(operation, field, %kind, "The shadow differs; see /ui/differences"),
            ShadowRecord::NotCompared { operation, reason } => {
                tracing::debug!(operation, reason, "Not compared with the shadow");
            }
            ShadowRecord::Compared {
                operation, verdict, ..
            } => tracing::debug!(operation, %verdict, "Compared with the shadow"),
            ShadowRecord::Answered { side: Side::Shim } => {
                tracing::warn!("The shadow gave no answer; the client got the shim's");
            }
            ShadowRecord::Answered { side: Side::Shadow } => {}
        }
    }
}

/// The access line.
impl fmt::Display for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operation = self.operation.unwrap_or("(unknown operation)");
        write!(f, "{} /v1/{operation}  ", self.method)?;
        match self.error {
            None => f.write_str("200")?,
            Some(code) => write!(f, "error {code}")?,
        }
        let plural = if self.calls == 1 { "" } else { "s" };
        let milliseconds = self.elapsed.as_secs_f64() * 1000.0;
        write!(f, "  {} v2 call{plural}  {milliseconds:.1} ms", self.calls)
    }
}

/// Starts the log on standard error, at the level that `RUST_LOG` names, or `info`.
pub fn start_log(format: LogFormat) {
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .from_env_lossy();
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::IsTerminal::is_terminal(&io::stderr()))
        .with_target(false);
    // A log that is there already is another program's, which uses this one as a library.
    let _ = match format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .try_init(),
    };
}
