//! Sinks of the log that fail or stall: every request is answered in time, and lost lines are counted.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use futures_util::future::{join, join_all};
use reqwest::Client;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::{Program, client, command, curl_ops};

const SERVE: [&str; 4] = ["serve", "--sandbox", "--listen", "127.0.0.1:0"];
const FORMATS: [&str; 2] = ["text", "json"];
const USER: &str = "ada.lovelace@example.com";
/// Of the line that reports what was lost.
const REPORT: &str = "Log lines are missing";
/// For one answer on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A shim that logs to a sink, and a client of it.
struct Logging {
    program: Program,
    client: Client,
}

impl Logging {
    fn start(format: &str, sink: impl Into<Stdio>) -> Self {
        let environment = [
            ("SHIM_LOG_FORMAT", format),
            ("SHIM_UPSTREAM_PLAN", "unlimited"),
            ("RUST_LOG", "debug"),
        ];
        let mut command = command(&SERVE, &environment);
        command.stderr(sink);
        Self::spawn(command)
    }

    fn spawn(command: Command) -> Self {
        Self {
            program: Program::spawn(command),
            client: client(),
        }
    }

    /// Sends reads and writes, some at a time, each of which must be answered.
    async fn use_it(&self, pairs: usize) {
        for _ in 0..pairs.div_ceil(8) {
            join_all((0..8).map(|_| async {
                let user = self.call("user/getbyemail", &[("email", USER), ("login_type", "100")]);
                assert_eq!(user.await.get("email").unwrap(), USER);
                let updated = self.call("user/update", &[("id", USER), ("dept", "R&D")]);
                assert!(updated.await.get("updated_at").is_some());
            }))
            .await;
        }
    }

    /// Has a line logged for each of so many requests, as fast as it can be.
    async fn log_lines(&self, count: usize) {
        let address = self.program.base().trim_start_matches("http://");
        let (address, _) = address.split_once('/').unwrap();
        let mut stream = TcpStream::connect(address).await.unwrap();
        let (mut reader, mut writer) = stream.split();
        let request = "GET / HTTP/1.1\r\nhost: shim\r\n\r\n";
        let last = request.replace("shim", "shim\r\nconnection: close");
        let requests = request.repeat(count - 1) + &last;
        let mut answers = String::new();
        let (written, read) = join(
            writer.write_all(requests.as_bytes()),
            timeout(PATIENCE, reader.read_to_string(&mut answers)),
        )
        .await;
        written.unwrap();
        read.unwrap().unwrap();
        assert_eq!(answers.matches("HTTP/1.1 404").count(), count);
    }

    async fn call(&self, operation: &str, parameters: &[(&str, &str)]) -> Value {
        let credentials = [("api_key", "sandbox-key"), ("api_secret", "sandbox-secret")];
        let form = [&credentials, parameters].concat();
        let url = format!("{}/{operation}", self.program.base());
        let answer = async {
            let response = self.client.post(url).form(&form).send().await.unwrap();
            response.json().await.unwrap()
        };
        timeout(PATIENCE, answer).await.unwrap()
    }

    async fn dropped_lines(&self) -> u64 {
        self.metric("shim_log_lines_dropped_total").await
    }

    async fn metric(&self, name: &str) -> u64 {
        let metrics = self.operations("/metrics").await;
        let mut lines = metrics.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)).unwrap();
        value.trim().parse().unwrap()
    }

    async fn operations(&self, path: &str) -> String {
        timeout(PATIENCE, curl_ops(&self.program, path))
            .await
            .unwrap()
    }

    /// Megabytes in memory; 0 where that cannot be read.
    fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.program.child.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next());
        kilobytes.map_or(0, |kilobytes| kilobytes.parse::<u64>().unwrap() / 1024)
    }

    async fn assert_healthy_and_stop(self) {
        assert_eq!(self.operations("/healthz").await, "alive\n");
        assert_eq!(self.program.stop("TERM"), 0);
    }
}

fn is_log_line(format: &str, line: &str) -> bool {
    match format {
        "json" => serde_json::from_str::<Value>(line).is_ok_and(|line| line.is_object()),
        _ => line.contains(" INFO ") || line.contains(" WARN ") || line.contains("DEBUG "),
    }
}

#[tokio::test]
async fn a_full_device_costs_no_answer() {
    for format in FORMATS {
        // Standard error fails from the first line on.
        let shim = Logging::start(format, File::create("/dev/full").unwrap());
        shim.use_it(200).await;
        // Two lines a pair, and one for each v2 call.
        assert!(shim.dropped_lines().await >= 400, "{format}");
        shim.assert_healthy_and_stop().await;
    }
}

#[tokio::test]
async fn a_closed_pipe_costs_no_answer() {
    for format in FORMATS {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let shim = Logging::start(format, writer);
        shim.use_it(200).await;
        assert!(shim.dropped_lines().await >= 400, "{format}");
        shim.assert_healthy_and_stop().await;
    }
}

#[tokio::test]
async fn an_unread_pipe_blocks_no_request_and_goes_on_when_it_is_read() {
    for format in FORMATS {
        let (mut reader, writer) = io::pipe().unwrap();
        let shim = Logging::start(format, writer);
        shim.use_it(200).await;
        let memory = shim.memory();
        // More than the pipe and the queue hold.
        while shim.dropped_lines().await == 0 {
            shim.log_lines(2000).await;
        }
        shim.use_it(200).await;
        let grown = shim.memory().saturating_sub(memory);
        assert!(grown < 16, "{format}: {grown} MB");
        assert_eq!(shim.operations("/healthz").await, "alive\n");

        let read = tokio::task::spawn_blocking(move || {
            let mut log = String::new();
            reader.read_to_string(&mut log).unwrap();
            log
        });
        shim.assert_healthy_and_stop().await;
        let log = read.await.unwrap();
        let broken = log.lines().find(|line| !is_log_line(format, line));
        assert_eq!(broken, None, "{format}");
        assert_eq!(log.matches(REPORT).count(), 1, "{format}");
    }
}

/// A file system of 64 kB; unmounted when dropped.
struct Tmpfs(PathBuf);

impl Tmpfs {
    /// `None` for who may not mount it.
    fn mount(name: &str) -> Option<Self> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder).unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"])
            .arg(&folder)
            .output();
        mount
            .is_ok_and(|mount| mount.status.success())
            .then(|| Self(folder))
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test]
async fn a_full_file_system_costs_no_answer_and_is_used_again_when_there_is_room() {
    for format in FORMATS {
        let Some(tmpfs) = Tmpfs::mount(&format!("full-{format}")) else {
            eprintln!("SKIPPED: only root may mount the file system that this test fills");
            return;
        };
        let file = tmpfs.0.join("shim.log");
        let append = || OpenOptions::new().create(true).append(true).open(&file);
        let shim = Logging::start(format, append().unwrap());
        while shim.dropped_lines().await == 0 {
            shim.use_it(100).await;
        }
        shim.use_it(100).await;
        assert_eq!(shim.operations("/healthz").await, "alive\n");

        append().unwrap().set_len(0).unwrap();
        let reported = async {
            loop {
                shim.use_it(1).await;
                let log = fs::read_to_string(&file).unwrap();
                if log.contains(REPORT) {
                    return log;
                }
            }
        };
        let log = timeout(PATIENCE, reported).await.unwrap();
        // The file may end within a line, and begin with the end of one that was cut.
        let broken = log
            .lines()
            .skip(1)
            .filter(|line| !is_log_line(format, line));
        assert!(broken.count() <= 1, "{format}: {log}");
        shim.assert_healthy_and_stop().await;
    }
}

/// `ulimit -f` sends SIGXFSZ, which ends a process that does not expect it.
#[tokio::test]
async fn a_file_size_limit_costs_no_answer() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("file-size-limit");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let record = folder.join("exchanges.jsonl");
    let command = command(&[], &[("SHIM_UPSTREAM_PLAN", "unlimited")]);
    let program = command.get_program().to_owned();
    let mut limited = Command::new("sh");
    // In units of 512 or 1,024 bytes, as the shell has it.
    limited.args(["-c", "ulimit -f 32 && exec \"$0\" \"$@\""]);
    limited
        .arg(program)
        .args(SERVE)
        .arg("--record")
        .arg(&record);
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    limited.stderr(File::create(folder.join("shim.log")).unwrap());

    let shim = Logging::spawn(limited);
    while shim
        .metric("shim_recorded_exchanges_total{outcome=\"dropped\"}")
        .await
        == 0
        || shim.dropped_lines().await == 0
    {
        shim.use_it(50).await;
    }
    shim.use_it(50).await;
    shim.assert_healthy_and_stop().await;
    assert!(fs::metadata(&record).unwrap().len() <= 32 * 1024);
}
