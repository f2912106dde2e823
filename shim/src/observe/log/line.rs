//! Format of the text log: time, level, message, then ids, so that lines align and the message fits
//! a narrow terminal.

use std::{fmt, time::SystemTime};

use time::OffsetDateTime;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormattedFields,
        format::{FormatEvent, FormatFields, Writer},
    },
    registry::LookupSpan,
};

/// Formats one event as one line.
pub(super) struct Line;

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut line: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let now = OffsetDateTime::from(SystemTime::now());
        let (hour, minute, second, millisecond) = now.to_hms_milli();
        let date = now.date();
        write!(
            line,
            "{date}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z "
        )?;
        let level = *event.metadata().level();
        match (line.has_ansi_escapes(), colour(level)) {
            (true, Some(colour)) => write!(line, "\x1b[{colour}m{level:>5}\x1b[0m ")?,
            _ => write!(line, "{level:>5} ")?,
        }
        context.format_fields(line.by_ref(), event)?;
        for span in context.event_scope().into_iter().flatten() {
            if let Some(fields) = span.extensions().get::<FormattedFields<N>>() {
                write!(line, "  {fields}")?;
            }
        }
        writeln!(line)
    }
}

/// SGR colour code; `info` has none.
fn colour(level: Level) -> Option<u8> {
    match level {
        Level::ERROR => Some(31),
        Level::WARN => Some(33),
        Level::INFO => None,
        _ => Some(2),
    }
}
