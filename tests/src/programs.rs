//! The built programs of the workspace.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::SystemTime,
};

const PROGRAMS: [&str; 2] = ["shim", "migrate"];

/// Source folders of the programs, and folders in them that do not affect the build.
const SOURCES: [&str; 3] = ["mappings", "shim", "migrate-cli"];
const ASIDE: [&str; 4] = ["benches", "docs", "snapshots", "tests"];

/// The folder with `shim` and `migrate`. Builds them if they are missing or outdated.
pub fn programs() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let test = std::env::current_exe().expect("a test has a path");
        // target/debug/deps/TEST
        let folder = test
            .ancestors()
            .nth(2)
            .expect("it is in a folder of target");
        // Cargo rebuilds them for each set of selected packages, because features differ. Binaries
        // newer than the sources are used as they are.
        if !PROGRAMS.iter().all(|name| is_current(folder, name)) {
            build();
        }
        folder.to_owned()
    })
}

/// A command that runs one of the programs.
pub fn program(name: &str) -> Command {
    Command::new(programs().join(name))
}

fn build() {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "-p", "shim", "-p", "migrate-cli"])
        .args(["--bin", "shim", "--bin", "migrate"])
        .status()
        .expect("cargo runs");
    assert!(built.success(), "the programs are not built");
}

/// True if the program is newer than its sources.
fn is_current(folder: &Path, name: &str) -> bool {
    let program = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut sources = SOURCES.iter().map(|source| workspace.join(source));
    changed(&program).is_some_and(|built| sources.all(|source| is_older(&source, built)))
}

/// True if no file in the folder is newer than the given time.
fn is_older(folder: &Path, than: SystemTime) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).all(|path| {
        let name = path.file_name().and_then(OsStr::to_str);
        if path.is_dir() {
            name.is_some_and(|name| ASIDE.contains(&name)) || is_older(&path, than)
        } else {
            changed(&path).is_some_and(|at| at <= than)
        }
    })
}

fn changed(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|found| found.modified()).ok()
}
