//! Progress line on standard error, if it is a terminal.

use std::{
    io::{self, IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

/// Delay before the line is first shown.
const DELAY: Duration = Duration::from_millis(400);

/// Minimum interval between two updates.
const INTERVAL: Duration = Duration::from_millis(200);

/// A line that is overwritten with each update, and cleared at the end.
pub(crate) struct ProgressLine {
    next: Instant,
    is_terminal: bool,
    is_shown: bool,
}

impl ProgressLine {
    pub(crate) fn new() -> Self {
        Self {
            next: Instant::now() + DELAY,
            is_terminal: io::stderr().is_terminal(),
            is_shown: false,
        }
    }

    /// Updates the line, unless the last update is too recent.
    pub(crate) fn show(&mut self, text: impl FnOnce() -> String) {
        if self.is_terminal && Instant::now() >= self.next {
            self.next = Instant::now() + INTERVAL;
            self.is_shown = true;
            // Standard error may be closed.
            let _ = write!(io::stderr(), "\r{} ", text());
        }
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        if self.is_shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
