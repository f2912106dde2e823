//! Files that only their owner can read.

use std::fs::OpenOptions;

/// Creates a missing file with mode 0600, on systems that have modes.
pub(crate) fn owner_only(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}
