//! The log on standard error.

mod line;
mod writer;

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    env, fmt,
    io::{self, IsTerminal as _},
    panic,
    sync::{Arc, OnceLock},
    time::Duration,
};

use mappings::{Outcome, Warning, WarningKind};
use recording::comparison::Verdict;
use shim_upstream::CallRecord;
use tracing::field::display;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

use super::observer::{
    DeliveryOutcome, DeliveryRecord, FailedCall, Observer, RequestRecord, RolloutRecord,
    ShadowRecord, WebhookRecord,
};
use crate::settings::{LogConfig, LogFormat, Side};
use line::Line;
use writer::LogWriter;

/// Timeout of the flush at exit.
const EXIT_FLUSH: Duration = Duration::from_secs(1);

/// Timeout of the flush after a panic.
const PANIC_FLUSH: Duration = Duration::from_millis(100);

/// Process-wide, like the `tracing` subscriber.
static LOG: OnceLock<Arc<LogWriter>> = OnceLock::new();

/// Writes records to the log.
#[derive(Clone, Copy, Debug, Default)]
pub struct Log(LogFormat);

impl Log {
    /// A log in a format. `Text` writes one line per request, `Json` separate fields.
    pub fn new(format: LogFormat) -> Self {
        Self(format)
    }
}

impl Observer for Log {
    fn served(&self, record: &RequestRecord<'_>) {
        let operation = record.operation.unwrap_or("(unknown operation)");
        // Calls without an answer of v2 were logged when they ended.
        let answered = |call: &&FailedCall<'_>| call.status.is_some();
        for call in record.failures.iter().filter(answered) {
            tracing::info!(
                operation,
                request = %format_args!("{} {}", call.method, call.template),
                status = call.status,
                code = call.code,
                reason = call.reason,
                scope = call.suspected_scope(),
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
                    tracing::warn!(operation, field, reason, "Not supported");
                }
                WarningKind::Unreadable => {
                    tracing::warn!(operation, field, reason, "Missing in the answer");
                }
                WarningKind::Guessed => {
                    tracing::warn!(operation, field, reason, "Assumed");
                }
                // A choice of the site; logging it per request would be noise.
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
                refusal = record.refusal,
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
                tracing::warn!(%method, template, status, ?elapsed, "The response is not of v2's API; check upstream.url");
            }
            Outcome::NoAnswer { maybe_done } => {
                let cause = call.cause;
                tracing::warn!(%method, template, cause, maybe_done, ?elapsed, "v2 did not answer");
            }
            Outcome::Refused => {
                tracing::error!(%method, template, "v2 refuses the shim's own credentials");
            }
            Outcome::Limited => {
                tracing::warn!(%method, template, ?elapsed, "v2's request limit is reached");
            }
        }
    }

    fn webhook(&self, record: &WebhookRecord<'_>) {
        let WebhookRecord { event, outcome } = record;
        match *outcome {
            "stored" | "repeat" | "validation" | "no_counterpart" => {
                tracing::debug!(event, outcome, "Webhook");
            }
            _ => tracing::warn!(event, outcome, "Webhook"),
        }
    }

    fn delivered(&self, record: &DeliveryRecord<'_>) {
        let DeliveryRecord {
            event,
            notification,
            receiver,
            attempt,
            ref failure,
            ..
        } = *record;
        match record.outcome {
            DeliveryOutcome::Delivered => {
                tracing::info!(
                    event,
                    notification,
                    receiver,
                    attempt,
                    "Notification pushed"
                );
            }
            DeliveryOutcome::Failed => {
                tracing::warn!(
                    event,
                    notification,
                    receiver,
                    attempt,
                    failure,
                    "Push failed"
                );
            }
            DeliveryOutcome::Dead => tracing::error!(
                event,
                notification,
                receiver,
                attempt,
                failure,
                "Notification given up; see `shim notifications list`"
            ),
        }
    }

    fn rollout(&self, record: &RolloutRecord<'_>) {
        match record {
            RolloutRecord::Left {
                rollout,
                percent,
                reason,
                ..
            } => tracing::error!(rollout, percent, "Left the other side: {reason}"),
            RolloutRecord::Step { rollout, percent } => {
                tracing::warn!(rollout, percent, "The operator changed the share");
            }
            RolloutRecord::Followed { rollout, percent } => {
                tracing::warn!(
                    rollout,
                    percent,
                    "The share was changed by another process, or before a restart"
                );
            }
            RolloutRecord::Compared {
                rollout,
                verdict: verdict @ Verdict::Unexpected,
                fields,
            } => tracing::warn!(rollout, %verdict, ?fields, "The sides differ"),
            RolloutRecord::Answered {
                rollout,
                side,
                is_failed: true,
                ..
            } => tracing::warn!(rollout, side = side.as_str(), "A side did not answer"),
            RolloutRecord::Compared { .. } | RolloutRecord::Answered { .. } => {}
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

/// Access log line.
impl fmt::Display for RequestRecord<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operation = self.operation.unwrap_or("(unknown operation)");
        write!(f, "{} /v1/{operation}  ", self.method)?;
        match self.error {
            None => f.write_str("200")?,
            Some(code) => write!(f, "error {code}")?,
        }
        if let Some(refusal) = self.refusal {
            write!(f, " ({})", refusal.replace('_', " "))?;
        }
        let plural = if self.calls == 1 { "" } else { "s" };
        let milliseconds = self.elapsed.as_secs_f64() * 1000.0;
        write!(f, "  {} v2 call{plural}  {milliseconds:.1} ms", self.calls)
    }
}

/// The log of this process. Flushed on drop.
#[must_use]
pub struct StartedLog(Arc<LogWriter>);

/// Starts the log on standard error, filtered by the configured level or `RUST_LOG`. Panics are
/// logged, too.
///
/// # Errors
///
/// If the system has no thread left.
pub fn start_log(config: &LogConfig) -> io::Result<StartedLog> {
    let writer = Arc::<LogWriter>::default();
    let wanted = env::var(EnvFilter::DEFAULT_ENV);
    let wanted = wanted.unwrap_or_else(|_| config.level.clone());
    let (filter, invalid) = filter(&wanted);
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Arc::clone(&writer))
        .with_ansi(is_coloured())
        .with_target(false)
        // Errors would be printed to standard error, which may be the failing sink.
        .log_internal_errors(false);
    let started = match config.format {
        LogFormat::Text => log.event_format(Line).try_init(),
        LogFormat::Json => log
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .try_init(),
    };
    // If this fails, a program that embeds the crate has a subscriber of its own.
    if started.is_ok() && LOG.set(Arc::clone(&writer)).is_ok() {
        writer.start(io::stderr())?;
        log_panics(Arc::clone(&writer));
    }
    for directive in invalid {
        tracing::warn!(directive, "Ignored in RUST_LOG: not a log filter");
    }
    Ok(StartedLog(writer))
}

/// Any non-empty value of `NO_COLOR` disables colours: <https://no-color.org>.
fn is_coloured() -> bool {
    let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !refused && io::stderr().is_terminal()
}

/// Log lines of this process that were dropped.
pub(crate) fn dropped_log_lines() -> u64 {
    LOG.get().map_or(0, |log| log.dropped())
}

/// Parses a filter; returns invalid directives. `parse_lossy` alone would print those to standard
/// error.
fn filter(text: &str) -> (EnvFilter, Vec<&str>) {
    let is_valid = |directive: &&str| EnvFilter::builder().parse(directive).is_ok();
    let (valid, invalid): (Vec<_>, Vec<_>) = text.split(',').partition(is_valid);
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into());
    (filter.parse_lossy(valid.join(",")), invalid)
}

/// Logs panics. The default hook writes to standard error synchronously.
fn log_panics(writer: Arc<LogWriter>) {
    panic::set_hook(Box::new(move |panic| {
        let backtrace = Backtrace::capture();
        let is_captured = backtrace.status() == BacktraceStatus::Captured;
        let backtrace = is_captured.then(|| display(backtrace));
        let panic = panic.to_string().replace('\n', " ");
        tracing::error!(backtrace, "{panic}");
        // The process may be about to abort.
        writer.flush(PANIC_FLUSH);
    }));
}

impl Drop for StartedLog {
    fn drop(&mut self) {
        self.0.flush(EXIT_FLUSH);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_directives_are_ignored_one_by_one() {
        for (text, expected, ignored) in [
            ("", "info", &[][..]),
            ("shim=debug,warn", "shim=debug,warn", &[]),
            ("shim=nonsense,warn", "warn", &["shim=nonsense"]),
            ("a=b=c", "info", &["a=b=c"]),
        ] {
            let (filter, invalid) = filter(text);
            assert_eq!(
                (filter.to_string().as_str(), &invalid[..]),
                (expected, ignored)
            );
        }
    }
}
