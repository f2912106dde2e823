//! The programs of the workspace, as somebody installs them.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The folder with `shim` and `migrate`, which are built if they are not there or old.
pub fn programs() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "-p", "shim", "-p", "migrate-cli"])
            .args(["--bin", "shim", "--bin", "migrate"])
            .status()
            .expect("cargo runs");
        assert!(built.success(), "the programs are not built");
        let test = std::env::current_exe().expect("a test has a path");
        // target/debug/deps/TEST
        let folder = test
            .ancestors()
            .nth(2)
            .expect("it is in a folder of target");
        folder.to_owned()
    })
}
