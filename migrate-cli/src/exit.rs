//! Exit codes.

use std::process::ExitCode;

/// What a subcommand found out, as its exit code says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Nothing to act on: 0.
    Clean,
    /// Findings that fail: 1.
    Findings,
    /// The run itself failed, wholly or in part: 2.
    Failed,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Clean => 0,
            Exit::Findings => 1,
            Exit::Failed => 2,
        })
    }
}
