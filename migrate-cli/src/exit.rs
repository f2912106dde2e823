//! Exit codes.

use std::process::ExitCode;

/// Result of a subcommand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Nothing to act on.
    Clean = 0,
    /// Failing findings.
    Findings = 1,
    /// The run failed, wholly or in part.
    Failed = 2,
}

impl Exit {
    /// `Clean` if there is nothing to act on, else `Findings`.
    pub(crate) fn clean_if(is_clean: bool) -> Self {
        if is_clean {
            Self::Clean
        } else {
            Self::Findings
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
