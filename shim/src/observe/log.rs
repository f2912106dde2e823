//! The log on standard error.

use std::{fmt, io};

use mappings::{Outcome, Warning, WarningKind};
use shim_upstream::CallRecord;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

use super::observer::{Observer, RequestRecord, ShadowRecord};
use crate::settings::{LogFormat, Side};

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
    fn served(&self, record: &RequestRecord<'_>) {
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
impl fmt::Display for RequestRecord<'_> {
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
