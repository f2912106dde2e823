//! The programs of the workspace, as somebody installs them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// Their names.
const PROGRAMS: [&str; 2] = ["shim", "migrate"];

/// The folder with `shim` and `migrate`, which are built if they are not there or old.
pub fn programs() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let test = std::env::current_exe().expect("a test has a path");
        // target/debug/deps/TEST
        let folder = test
            .ancestors()
            .nth(2)
            .expect("it is in a folder of target");
        // Cargo builds them again for every other set of packages that a build is of, because
        // features differ: what is new enough is used as it is.
        if !PROGRAMS.iter().all(|name| is_current(folder, name)) {
            build();
        }
        folder.to_owned()
    })
}

/// A command of one of the programs.
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

/// True if no source is newer than the program. Cargo lists the sources beside it: `shim: a.rs b.rs`.
fn is_current(folder: &Path, name: &str) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|found| found.modified()).ok();
    let built = changed(&folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)));
    let Ok(listed) = fs::read_to_string(folder.join(format!("{name}.d"))) else {
        return false;
    };
    let Some((_, sources)) = listed.split_once(": ") else {
        return false;
    };
    // A space that belongs to a path is escaped.
    let sources = sources.trim_end().replace("\\ ", "\0");
    let mut sources = sources.split(' ').map(|path| path.replace('\0', " "));
    built.is_some()
        && sources.all(|path| changed(Path::new(&path)).is_some_and(|at| Some(at) <= built))
}
