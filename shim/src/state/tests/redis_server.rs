//! A Redis server for a test, in a folder of its own, killed at the end.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// A server of a test.
pub(super) struct Server {
    process: Child,
    program: &'static str,
    options: Vec<String>,
    cli: Vec<String>,
    pub(super) port: u16,
    pub(super) folder: TempDir,
}

impl Server {
    pub(super) fn start() -> Option<Self> {
        Self::with(|_| Vec::new())
    }

    /// One that survives a kill.
    pub(super) fn durable() -> Option<Self> {
        Self::with(|_| words("--appendonly yes --appendfsync always"))
    }

    /// With options for a port.
    pub(super) fn with(options: impl Fn(u16) -> Vec<String>) -> Option<Self> {
        Self::of("redis-server", &[], |port| {
            let mut all = words("--bind 127.0.0.1");
            all.extend(["--port".to_owned(), port.to_string()]);
            all.extend(options(port));
            all
        })
    }

    /// With TLS alone, as the certificate and key of a folder.
    pub(super) fn with_tls(certificates: &TempDir) -> Option<Self> {
        let cli = words("--tls --insecure");
        Self::of("redis-server", &cli, |port| {
            let folder = certificates.path().display();
            let mut all = words("--bind 127.0.0.1 --port 0 --tls-auth-clients no");
            all.extend(words(&format!(
                "--tls-port {port} --tls-cert-file {folder}/cert.pem --tls-key-file {folder}/key.pem \
                 --tls-ca-cert-file {folder}/ca.pem"
            )));
            all
        })
    }

    /// A sentinel of the master `main`, and the folder of its file, which it writes to.
    pub(super) fn sentinel(master: u16) -> Option<(Self, TempDir)> {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("sentinel.conf");
        let server = Self::of("redis-sentinel", &[], |port| {
            let text = format!(
                "port {port}\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 {master} 1\n\
                 sentinel down-after-milliseconds main 500\nsentinel failover-timeout main 2000\n"
            );
            std::fs::write(&file, text).unwrap();
            vec![file.display().to_string()]
        })?;
        Some((server, folder))
    }

    /// `None`, loudly, where the program is not installed.
    fn of(
        program: &'static str,
        cli: &[String],
        options: impl Fn(u16) -> Vec<String>,
    ) -> Option<Self> {
        // Another test may take the port in between: then the next one is tried.
        for _ in 0..20 {
            let (port, folder) = (free_port(), TempDir::new().unwrap());
            let options = options(port);
            let Some(process) = spawn(program, &options, &folder) else {
                let required = std::env::var("TEST_SERVERS").unwrap_or_default();
                assert_ne!(required, "required", "{program} is not installed");
                eprintln!("SKIPPED: {program} is not installed");
                return None;
            };
            let mut server = Self {
                process,
                program,
                options,
                cli: cli.to_vec(),
                port,
                folder,
            };
            if server.answers() {
                return Some(server);
            }
        }
        panic!("{program} does not start");
    }

    fn answers(&mut self) -> bool {
        let since = Instant::now();
        while since.elapsed() < Duration::from_secs(10) {
            if self.cli(&["PING"]) == "PONG" {
                return true;
            }
            if self.process.try_wait().unwrap().is_some() {
                return false;
            }
        }
        false
    }

    pub(super) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// What `redis-cli` prints for a command.
    pub(super) fn cli(&self, words: &[&str]) -> String {
        let mut command = Command::new("redis-cli");
        command.args(["-p", &self.port.to_string()]);
        let output = command.args(&self.cli).args(words).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    pub(super) fn signal(&self, signal: &str) {
        let number = self.process.id().to_string();
        let sent = Command::new("kill").args([signal, &number]).status();
        assert!(sent.unwrap().success());
    }

    pub(super) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub(super) fn start_again(&mut self) {
        self.process = spawn(self.program, &self.options, &self.folder).unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Below the ports that a cluster adds ten thousand to.
fn free_port() -> u16 {
    loop {
        let free = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        if port < 55_000 {
            return port;
        }
    }
}

fn spawn(program: &str, options: &[String], folder: &TempDir) -> Option<Child> {
    Command::new(program)
        .args(options)
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()
}

pub(super) fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}
