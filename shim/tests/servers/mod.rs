//! External servers that tests start: found in `PATH`, on loopback, with temporary folders.

pub(crate) mod nginx;

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

/// User and group for servers that refuse to run as root.
#[cfg(unix)]
const UNPRIVILEGED: u32 = 65534;

/// Finds a program in `PATH`. Without it, the test is skipped with a message, or fails if
/// `TEST_SERVERS=required`.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&folders).map(|folder| folder.join(name));
    let found = found.into_iter().find(|path| path.is_file());
    if found.is_none() {
        let is_required = std::env::var("TEST_SERVERS").is_ok_and(|value| value == "required");
        assert!(
            !is_required,
            "{name} is not installed, and TEST_SERVERS=required"
        );
        eprintln!("NOT TESTED: {name} is not installed");
    }
    found
}

/// A `PostgreSQL` server with the user `shim` and the database `postgres`; killed on drop.
pub(crate) struct Postgres {
    folder: TempDir,
    port: u16,
    options: Vec<String>,
    child: Option<Child>,
}

pub(crate) const PASSWORD: &str = "a-database-hush";

impl Postgres {
    /// `None` if `PostgreSQL` is not installed.
    pub(crate) fn start() -> Option<Self> {
        let mut server = Self::stopped()?;
        server.resume();
        Some(server)
    }

    /// A server that is not running yet.
    pub(crate) fn stopped() -> Option<Self> {
        let (initdb, _) = (program("initdb")?, program("postgres")?);
        let folder = tempfile::tempdir().unwrap();
        let password = folder.path().join("password");
        std::fs::write(&password, PASSWORD).unwrap();
        for path in [folder.path(), &password] {
            give_away(path);
        }
        let made = unprivileged(&initdb)
            .args([
                "--no-sync",
                "--locale=C",
                "--encoding=UTF8",
                "--username=shim",
            ])
            .args(["--auth=scram-sha-256", "--pwfile"])
            .arg(&password)
            .arg(folder.path().join("data"))
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        Some(Self {
            folder,
            port: nginx::free_port().unwrap(),
            options: Vec::new(),
            child: None,
        })
    }

    /// Enables TLS from the next start, with certificate and key from a folder.
    pub(crate) fn offer_tls(&mut self, from: &Path) {
        self.options.push("-cssl=on".to_owned());
        for (option, name) in [("cert", "cert.pem"), ("key", "key.pem")] {
            let file = self.folder.path().join(name);
            std::fs::copy(from.join(name), &file).unwrap();
            give_away(&file);
            self.options
                .push(format!("-cssl_{option}_file={}", file.display()));
        }
    }

    /// Starts the server and waits until it is ready.
    pub(crate) fn resume(&mut self) {
        let child = unprivileged(&program("postgres").unwrap())
            .arg("-D")
            .arg(self.folder.path().join("data"))
            .args(["-p", &self.port.to_string()])
            .args([
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "unix_socket_directories=",
            ])
            .args(["-c", "fsync=off"])
            .args(&self.options)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.child = Some(child);
        let pid_file = self.folder.path().join("data/postmaster.pid");
        let is_ready = || {
            let status = std::fs::read_to_string(&pid_file).unwrap_or_default();
            status
                .lines()
                .nth(7)
                .is_some_and(|line| line.trim() == "ready")
        };
        while !is_ready() {
            let ended = self.child.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none(), "{ended:?}");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    /// Kills the server and its connections.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            signal("QUIT", child.id());
            child.wait().unwrap();
        }
    }

    /// Sends a signal to all server processes.
    pub(crate) fn signal_all(&self, name: &str) {
        let server = self.child.as_ref().unwrap().id();
        let children = Command::new("ps")
            .args(["-o", "pid=", "--ppid", &server.to_string()])
            .output()
            .unwrap();
        let children = String::from_utf8(children.stdout).unwrap();
        let children = children.split_whitespace().map(|pid| pid.parse().unwrap());
        for pid in std::iter::once(server).chain(children) {
            signal(name, pid);
        }
    }

    /// URL without password.
    pub(crate) fn url(&self) -> String {
        format!(
            "postgres://shim@127.0.0.1:{}/postgres?sslmode=disable",
            self.port
        )
    }

    pub(crate) fn url_with(&self, password: &str) -> String {
        self.url().replace("shim@", &format!("shim:{password}@"))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.signal_all("CONT");
        }
        self.kill();
    }
}

pub(crate) fn signal(name: &str, pid: u32) {
    let sent = Command::new("kill")
        .args([format!("-{name}"), pid.to_string()])
        .status();
    assert!(sent.unwrap().success());
}

fn unprivileged(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/");
    #[cfg(unix)]
    if is_root() {
        use std::os::unix::process::CommandExt as _;
        command.uid(UNPRIVILEGED).gid(UNPRIVILEGED);
    }
    command
}

fn give_away(path: &Path) {
    #[cfg(unix)]
    if is_root() {
        std::os::unix::fs::chown(path, Some(UNPRIVILEGED), Some(UNPRIVILEGED)).unwrap();
    }
}

#[cfg(unix)]
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}
