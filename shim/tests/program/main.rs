//! The binary as its users start it.
#![cfg(unix)]
#![expect(
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "test code outside of test functions; a missing server is named"
)]

mod doctor;
mod init;
mod kill;
mod log_sinks;
mod replay;
#[expect(dead_code, reason = "the other test programs use the rest")]
#[path = "../servers/mod.rs"]
mod servers;
mod stopping;

use std::{
    io::{BufRead as _, BufReader, Read as _},
    net::TcpListener,
    process::{Child, Command, Output, Stdio},
};

use reqwest::Client;
use serde_json::Value;
use shim_sandbox::{Faults, Sandbox, SandboxConfig};

/// A started program; stopped at the end of the test.
struct Program {
    child: Child,
    /// What it says on standard output when it is ready.
    banner: String,
}

impl Program {
    fn start(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = command(arguments, environment);
        command.stderr(Stdio::null());
        Self::spawn(command)
    }

    /// Starts a command, and waits until it is ready.
    fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut banner = String::new();
        while !is_complete(&banner) {
            assert!(output.read_line(&mut banner).unwrap() > 0, "{banner}");
        }
        Self { child, banner }
    }

    fn base(&self) -> &str {
        // Words in text, and texts in JSON.
        let mut words = self.banner.split([' ', '\n', '"']);
        words.find(|word| word.starts_with("http://")).unwrap()
    }

    fn signal(&self, signal: &str) {
        let kill = format!("kill -{signal} {}", self.child.id());
        assert!(
            Command::new("sh")
                .args(["-c", &kill])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Tells it to stop and waits for it to end.
    fn stop(mut self, signal: &str) -> i32 {
        self.signal(signal);
        self.child.wait().unwrap().code().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

/// A banner in JSON is a line. One in text ends with an empty line after the commands to try, if
/// there are any.
fn is_complete(banner: &str) -> bool {
    if banner.starts_with('{') {
        return banner.ends_with('\n');
    }
    match banner.split_once("try:") {
        Some((_, commands)) => commands.ends_with("\n\n"),
        None => banner.contains("operations served") && !banner.contains("sandbox v2"),
    }
}

fn command(arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shim"));
    command.args(arguments);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SHIM_")) {
        command.env_remove(name);
    }
    // Any port will do: tests run side by side.
    command.env("SHIM_OPS_LISTEN", "127.0.0.1:0");
    // Where proxies are set, nothing leads back by itself.
    for name in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    command.envs(environment.iter().copied());
    command
}

fn run(arguments: &[&str], environment: &[(&str, &str)]) -> (i32, String) {
    let Output { status, stderr, .. } = command(arguments, environment).output().unwrap();
    (status.code().unwrap(), String::from_utf8(stderr).unwrap())
}

fn client() -> Client {
    shim::install_tls();
    Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .build()
        .unwrap()
}

/// The commands of a banner, each as its words.
fn commands(banner: &str) -> Vec<Vec<String>> {
    let (_, commands) = banner.split_once("try:\n").unwrap();
    let commands = commands.replace("\\\n", " ");
    let words = |line: &str| {
        let mut words = Vec::new();
        for (at, part) in line.split('\'').enumerate() {
            match at % 2 {
                0 => words.extend(part.split_whitespace().map(str::to_owned)),
                _ => words.push(part.to_owned()),
            }
        }
        words
    };
    let lines = commands.lines().filter(|line| !line.trim().is_empty());
    lines.map(words).collect()
}

/// Does what curl does with the words of a command line.
async fn curl(words: &[String]) -> String {
    let mut words = words.iter();
    assert_eq!(words.next().unwrap(), "curl");
    let (mut form, mut headers, mut url) = (Vec::new(), Vec::new(), None);
    while let Some(word) = words.next() {
        match word.as_str() {
            "-i" => {}
            "-d" => form.push(words.next().unwrap().clone()),
            "--data-urlencode" => {
                let (name, value) = words.next().unwrap().split_once('=').unwrap();
                form.push(serde_urlencoded::to_string([(name, value)]).unwrap());
            }
            "-H" => headers.push(words.next().unwrap().split_once(": ").unwrap()),
            word => assert!(url.replace(word).is_none(), "{word}"),
        }
    }
    let mut request = match form.as_slice() {
        [] => client().get(url.unwrap()),
        form => client()
            .post(url.unwrap())
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.join("&")),
    };
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn the_first_minute() {
    let shim = Program::start(&["serve", "--sandbox", "--listen", "127.0.0.1:0"], &[]);
    let commands = commands(&shim.banner);
    assert_eq!(commands.len(), 3);
    let user: Value = serde_json::from_str(&curl(&commands[0]).await).unwrap();
    assert_eq!(user["first_name"], "Ada", "{user}");
    assert_eq!(user["disable_chat"], false, "{user}");
    let list = curl(&commands[1]).await;
    assert!(list.contains("<total_records>40</total_records>"), "{list}");
    let updated: Value = serde_json::from_str(&curl(&commands[2]).await).unwrap();
    assert!(updated["updated_at"].is_string(), "{updated}");
    let user: Value = serde_json::from_str(&curl(&commands[0]).await).unwrap();
    assert_eq!(
        (&user["dept"], &user["disable_chat"]),
        (&"R&D".into(), &true.into())
    );
    assert_eq!(shim.stop("TERM"), 0);
}

#[tokio::test]
async fn a_shim_before_a_sandbox_of_its_own() {
    let arguments = ["sandbox", "--listen", "127.0.0.1:0", "--sandbox-users", "7"];
    let sandbox = Program::start(&arguments, &[]);
    let commands = commands(&sandbox.banner);
    assert!(curl(&commands[0]).await.contains("Lovelace"));

    let oauth_url = sandbox.base().replace("/v2", "/oauth/token");
    let credentials = [
        ("SHIM_API_KEY", "k"),
        ("SHIM_API_SECRET", "s"),
        ("SHIM_UPSTREAM_URL", sandbox.base()),
        ("SHIM_LISTEN", "127.0.0.1:0"),
    ];
    let oauth = [
        ("SHIM_OAUTH_URL", oauth_url.as_str()),
        ("SHIM_OAUTH_ACCOUNT_ID", shim_sandbox::ACCOUNT_ID),
        ("SHIM_OAUTH_CLIENT_ID", shim_sandbox::CLIENT_ID),
        ("SHIM_OAUTH_CLIENT_SECRET", shim_sandbox::CLIENT_SECRET),
    ];
    for access in [&oauth[..], &[("SHIM_UPSTREAM_TOKEN", shim_sandbox::TOKEN)]] {
        let environment = [&credentials, access].concat();
        let shim = Program::start(&["serve"], &environment);
        let url = format!("{}/user/list", shim.base());
        let words = ["curl", "-d", "api_key=k", "-d", "api_secret=s", &url];
        let list = curl(&words.map(str::to_owned)).await;
        let list: Value = serde_json::from_str(&list).unwrap();
        assert_eq!(list["total_records"], 7, "{list}");
        assert_eq!(shim.stop("INT"), 0);
    }
    assert_eq!(sandbox.stop("TERM"), 0);
}

/// The SQLite file of a ledger in a folder of its own.
fn ledger_file(test: &str) -> String {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder.join("ledger.sqlite").to_str().unwrap().to_owned()
}

/// What `shim usage` prints.
fn usage(file: &str) -> Value {
    let output = command(&["usage", file], &[]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn the_ledger_outlives_the_process() {
    let file = ledger_file("outlives");
    let serve = ["serve", "--sandbox", "--listen", "127.0.0.1:0"];
    let environment = [("SHIM_LEDGER", file.as_str())];
    let answered = |usage: &Value| {
        let used = &usage["consumers"][0]["operations"][0];
        assert_eq!(used["operation"], "user/getbyemail", "{usage}");
        used["outcomes"]["answered"].clone()
    };

    // Told to stop, it writes all down first.
    let shim = Program::start(&serve, &environment);
    curl(&commands(&shim.banner)[0]).await;
    assert_eq!(shim.stop("TERM"), 0);
    assert_eq!(answered(&usage(&file)), 1);

    // Killed, it loses what was not written: here nothing, because somebody asked.
    let shim = Program::start(&serve, &environment);
    curl(&commands(&shim.banner)[0]).await;
    let told = curl_ops(&shim, "/usage").await;
    assert_eq!(answered(&serde_json::from_str(&told).unwrap()), 2);
    drop(shim);
    assert_eq!(answered(&usage(&file)), 2);

    let shim = Program::start(&[&serve[..], &["--ledger", &file]].concat(), &[]);
    curl(&commands(&shim.banner)[0]).await;
    assert_eq!(shim.stop("INT"), 0);
    assert_eq!(answered(&usage(&file)), 3);
}

/// The operations address, as `127.0.0.1:9090`.
fn ops_address(shim: &Program) -> String {
    let mut words = shim.banner.split([' ', '\n', '"']);
    words.find(|word| *word == "operations");
    let mut addresses = words.filter_map(|word| word.strip_prefix("http://"));
    addresses.next().unwrap().to_owned()
}

async fn curl_ops(shim: &Program, path: &str) -> String {
    let url = format!("http://{}{path}", ops_address(shim));
    client()
        .get(url)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap()
}

#[test]
fn the_level_of_the_log_is_a_setting() {
    let log = |arguments: &[&str], environment: &[(&str, &str)]| {
        let mut command = command(arguments, environment);
        command.env_remove("RUST_LOG").stderr(Stdio::piped());
        let mut program = Program::spawn(command);
        program.signal("TERM");
        let mut log = String::new();
        let mut error = program.child.stderr.take().unwrap();
        error.read_to_string(&mut log).unwrap();
        log
    };
    let serve = ["serve", "--sandbox", "--listen", "127.0.0.1:0"];
    let usual = log(&serve, &[]);
    assert!(usual.contains("Z  INFO Stopping: "), "{usual}");
    assert_eq!(log(&serve, &[("SHIM_LOG_LEVEL", "warn")]), "");
    let flag = [&serve[..], &["--log-level", "error"]].concat();
    assert_eq!(log(&flag, &[("SHIM_LOG_LEVEL", "info")]), "");
    let wrong = run(&serve, &[("SHIM_LOG_LEVEL", "loud")]);
    assert_eq!(wrong.0, 2);
    assert!(
        wrong.1.contains("error, warn, info, debug, trace"),
        "{}",
        wrong.1
    );
}

#[test]
fn ledger_errors_are_reported_at_startup() {
    let file = ledger_file("refused");
    std::fs::write(&file, "not a ledger, but long enough to be looked at").unwrap();
    let serve = [
        "serve",
        "--sandbox",
        "--listen",
        "127.0.0.1:0",
        "--ledger",
        &file,
    ];
    let (code, told) = run(&serve, &[]);
    assert_eq!(code, 1);
    assert!(
        told.contains("cannot be used") && told.contains("not a database"),
        "{told}"
    );
    let (code, told) = run(&["usage", &file], &[]);
    assert_eq!(code, 1);
    assert!(told.contains("cannot be read"), "{told}");
    let (code, told) = run(&["usage", &format!("{file}.none")], &[]);
    assert_eq!(code, 1);
    assert!(told.contains("No such file"), "{told}");
}

/// What a shim logs at its start with limits of open files, soft and hard.
fn log_with_files(soft: u32, hard: u32) -> String {
    let binary = env!("CARGO_BIN_EXE_shim");
    let script = format!(
        "ulimit -Sn {soft}; ulimit -Hn {hard}; exec {binary} serve --sandbox --listen 127.0.0.1:0"
    );
    let mut command = Command::new("sh");
    command.args(["-c", &script]).stderr(Stdio::piped());
    let mut shim = Program::spawn(command);
    let mut log = shim.child.stderr.take().unwrap();
    shim.stop("TERM");
    let mut text = String::new();
    log.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn connections_fit_into_the_open_files() {
    let low = log_with_files(600, 600);
    assert!(low.contains("limits.connections is 300, not 1024"), "{low}");
    let raised = log_with_files(600, 4096);
    assert!(!raised.contains("limits.connections"), "{raised}");
}

#[test]
fn missing_upstream_settings_are_listed() {
    let (code, told) = run(&["serve"], &[]);
    assert_eq!(code, 2);
    for name in [
        "SHIM_UPSTREAM_URL",
        "SHIM_API_KEY",
        "--sandbox",
        "nothing was started",
    ] {
        assert!(told.contains(name), "{told}");
    }
    for command in ["serve", "check-config"] {
        let misspelt = [("SHIM_UPSTREM_URL", "https://api.zoom.us/v2")];
        let (code, told) = run(&[command], &misspelt);
        assert_eq!(code, 2);
        assert!(told.contains("did you mean SHIM_UPSTREAM_URL?"), "{told}");
    }
}

#[test]
fn mistakes_in_settings_and_mappings_are_reported_by_line() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("mistakes");
    std::fs::create_dir_all(&folder).unwrap();
    let settings = folder.join("shim.config");
    std::fs::write(&settings, "strict = true\n[upstream]\nuri = \"x\"\n").unwrap();
    let (code, told) = run(&["serve", "--config", settings.to_str().unwrap()], &[]);
    assert_eq!(code, 2);
    assert!(
        told.contains("line 3: unknown key `uri` in [upstream]; did you mean `url`?"),
        "{told}"
    );

    std::fs::write(
        folder.join("site.toml"),
        "\n[operation.\"user/x\"]\nsumary = 1\n",
    )
    .unwrap();
    let arguments = ["serve", "--sandbox", "--mappings", folder.to_str().unwrap()];
    let (code, told) = run(&arguments, &[]);
    assert_eq!(code, 2);
    assert!(told.contains("site.toml:"), "{told}");
}

#[test]
fn settings_can_be_checked_without_starting() {
    let output = command(&["check-config", "--sandbox", "--strict"], &[])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    let told = String::from_utf8(output.stdout).unwrap();
    let line = |part: &str| told.lines().find(|line| line.starts_with(part)).unwrap();
    assert!(line("strict = true ").ends_with("# --strict"), "{told}");
    assert!(
        line("ops.listen = ").ends_with("# SHIM_OPS_LISTEN"),
        "{told}"
    );
    assert!(line("listen = ").ends_with("# default"), "{told}");

    let environment = [("SHIM_STRICT", "true")];
    let output = command(
        &["check-config", "--sandbox", "--strict=false"],
        &environment,
    )
    .output()
    .unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let strict = told
        .lines()
        .find(|line| line.starts_with("strict = false "));
    assert!(
        strict.is_some_and(|line| line.ends_with("# --strict")),
        "{told}"
    );

    let (code, told) = run(&["check-config"], &[]);
    assert_eq!(code, 2);
    assert!(told.contains("nothing was started"), "{told}");
}

#[test]
fn address_in_use_is_reported() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, told) = run(&["serve", "--sandbox", "--listen", &address], &[]);
    assert_eq!(code, 1);
    assert_eq!(
        told,
        format!(
            "error: {address} is in use; stop what listens there, or choose another port with --listen\n"
        )
    );
}

#[test]
fn operations_address_in_use_is_reported_and_does_not_stop_the_sandbox() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let arguments = ["serve", "--sandbox", "--listen", "127.0.0.1:0"];
    let (code, told) = run(&[&arguments[..], &["--ops-listen", &address]].concat(), &[]);
    assert_eq!(code, 1);
    assert!(
        told.contains("choose another port with --ops-listen\n"),
        "{told}"
    );

    let usual = TcpListener::bind(shim::settings::DEFAULT_OPS_LISTEN);
    let shim = Program::start(&arguments, &[("SHIM_OPS_LISTEN", "")]);
    assert!(shim.banner.contains("operations on http://127.0.0.1:"));
    drop(usual);
    assert_eq!(shim.stop("TERM"), 0);

    let shim = Program::start(&arguments, &[("SHIM_OPS_LISTEN", "off")]);
    assert!(!shim.banner.contains("for the operator"), "{}", shim.banner);
    assert_eq!(shim.stop("TERM"), 0);
}

#[test]
fn a_reload_takes_what_is_right_and_leaves_what_is_wrong() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("reload");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("shim.config");
    std::fs::write(&file, "").unwrap();
    let arguments = ["serve", "--sandbox", "--listen", "127.0.0.1:0", "--config"];
    let arguments = [&arguments[..], &[file.to_str().unwrap()]].concat();
    let mut child = command(&arguments, &[])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    output.read_line(&mut first).unwrap();
    let mut words = first.split([' ', '\n', '"']);
    let base = words.find(|word| word.starts_with("http://"));
    let url = format!("{}/user/get", base.unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let sunset = || {
        let answer = runtime.block_on(client().post(&url).send()).unwrap();
        answer.headers()["sunset"].to_str().unwrap().to_owned()
    };
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let mut reload = |text: &str, expected: &str| {
        std::fs::write(&file, text).unwrap();
        let hangup = format!("kill -HUP {}", child.id());
        let sent = Command::new("sh").args(["-c", &hangup]).status().unwrap();
        assert!(sent.success());
        let mut told = String::new();
        while !told.contains(expected) {
            assert!(log.read_line(&mut told).unwrap() > 0, "{told}");
        }
    };
    let before = sunset();
    reload("[deprecation]\nsunset = \"2027-06-30\"", "Reloaded");
    assert_eq!(sunset(), "Wed, 30 Jun 2027 00:00:00 GMT");
    assert_ne!(before, sunset());
    reload(
        "[deprecation]\nsunset = \"soon\"",
        "line 2: deprecation.sunset",
    );
    assert_eq!(sunset(), "Wed, 30 Jun 2027 00:00:00 GMT");
    child.kill().unwrap();
    child.wait().unwrap();
}

/// A started shim whose log is read.
struct Logged {
    child: Child,
    /// Of TLS.
    base: String,
    log: BufReader<std::process::ChildStderr>,
}

impl Logged {
    fn start(arguments: &[&str]) -> Self {
        let mut child = command(arguments, &[])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut first).unwrap();
        let mut words = first.split_whitespace();
        let base = words.find(|word| word.starts_with("https://"));
        let base = base.unwrap().to_owned();
        let log = BufReader::new(child.stderr.take().unwrap());
        Self { child, base, log }
    }

    /// Sends SIGHUP and reads the log until a line has this text.
    fn reload(&mut self, expected: &str) -> String {
        let hangup = format!("kill -HUP {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &hangup]).status().unwrap();
        assert!(sent.success());
        let mut told = String::new();
        while !told.contains(expected) {
            assert!(self.log.read_line(&mut told).unwrap() > 0, "{told}");
        }
        told
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// With its files in a folder that is new.
fn dev_cert(name: &str, arguments: &[&str]) -> (std::path::PathBuf, String) {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    let told = dev_cert_again(&folder, arguments);
    (folder, told)
}

fn dev_cert_again(folder: &std::path::Path, arguments: &[&str]) -> String {
    let usual = ["dev-cert", "--dir", folder.to_str().unwrap()];
    let output = command(&[&usual[..], arguments].concat(), &[]).output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Asks the shim as a program does that calls `host`, and trusts the authority of the folder.
async fn ask_as(host: &str, base: &str, folder: &std::path::Path) -> reqwest::Result<String> {
    shim::install_tls();
    let authority = std::fs::read(folder.join("ca.pem")).unwrap();
    let authority = reqwest::Certificate::from_pem(&authority).unwrap();
    let address = base.strip_prefix("https://").unwrap();
    let address = address.strip_suffix("/v1").unwrap();
    let address: std::net::SocketAddr = address.parse().unwrap();
    let client = Client::builder()
        .no_proxy()
        .tls_certs_only([authority])
        .resolve(host, address);
    let url = format!("https://{host}:{}/v1/user/getbyemail", address.port());
    let form = [
        ("api_key", "sandbox-key"),
        ("api_secret", "sandbox-secret"),
        ("email", "ada.lovelace@example.com"),
        ("login_type", "100"),
    ];
    let client = client.build().unwrap();
    client.post(url).form(&form).send().await?.text().await
}

#[tokio::test]
async fn a_program_whose_url_cannot_be_changed() {
    let (folder, told) = dev_cert("dev-cert", &[]);
    for step in [
        "cert_file = ",
        "127.0.0.1  api.zoom.us",
        "REQUESTS_CA_BUNDLE=",
    ] {
        assert!(told.contains(step), "{told}");
    }
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (cert, key) = (file("cert.pem"), file("key.pem"));
    let arguments = ["serve", "--sandbox", "--listen", "off"];
    let tls = [
        "--tls-listen",
        "127.0.0.1:0",
        "--tls-cert",
        &cert,
        "--tls-key",
        &key,
    ];
    let mut shim = Logged::start(&[&arguments[..], &tls].concat());
    for host in ["api.zoom.us", "www.zoom.us", "localhost"] {
        let answer = ask_as(host, &shim.base, &folder).await.unwrap();
        assert!(answer.contains("Lovelace"), "{answer}");
    }

    // A new certificate of the same authority, while it runs.
    let before = std::fs::read(&cert).unwrap();
    dev_cert_again(&folder, &[]);
    assert_ne!(std::fs::read(&cert).unwrap(), before);
    shim.reload("Reloaded");
    assert!(ask_as("api.zoom.us", &shim.base, &folder).await.is_ok());

    // A broken key is reported, and the previous one stays in use.
    let good = std::fs::read(&key).unwrap();
    std::fs::write(&key, "none").unwrap();
    let told = shim.reload("has no private key in it");
    assert!(
        told.contains("Reload failed") && told.contains("tls.key_file"),
        "{told}"
    );
    assert!(ask_as("api.zoom.us", &shim.base, &folder).await.is_ok());
    std::fs::write(&key, good).unwrap();

    // One of an authority that nobody trusts yet.
    let (other, _) = dev_cert("dev-cert-other", &["--name", "api.zoom.us"]);
    for name in ["cert.pem", "key.pem"] {
        std::fs::copy(other.join(name), folder.join(name)).unwrap();
    }
    shim.reload("Reloaded");
    assert!(ask_as("api.zoom.us", &shim.base, &folder).await.is_err());
    assert!(ask_as("api.zoom.us", &shim.base, &other).await.is_ok());
    assert!(ask_as("www.zoom.us", &shim.base, &other).await.is_err());
}

#[test]
fn a_key_that_others_can_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt as _;

    let (folder, _) = dev_cert("dev-cert-open", &[]);
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (cert, key) = (file("cert.pem"), file("key.pem"));
    let arguments = [
        "check-config",
        "--sandbox",
        "--tls-listen",
        "127.0.0.1:0",
        "--tls-cert",
        &cert,
        "--tls-key",
        &key,
    ];
    let told = || {
        let output = command(&arguments, &[]).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(!told().contains("warning"), "{}", told());
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let lines = format!(
        "# warning: tls: {key} can be read by every user of this machine; chmod 600 it\n\
         # valid, with 1 warning\n"
    );
    assert!(told().ends_with(&lines), "{}", told());
}

#[test]
fn a_shim_that_would_call_itself_does_not_start() {
    let free = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let base = format!("http://localhost:{port}/v2");
    let environment = [
        ("SHIM_API_KEY", "k"),
        ("SHIM_API_SECRET", "s"),
        ("SHIM_UPSTREAM_URL", base.as_str()),
        ("SHIM_UPSTREAM_TOKEN", "t"),
        ("SHIM_LISTEN", &format!("127.0.0.1:{port}")),
    ];
    let (code, told) = run(&["serve"], &environment);
    assert_eq!(code, 1);
    assert!(
        told.starts_with("error: upstream.url leads back to this shim: localhost is 127.0.0.1"),
        "{told}"
    );
    assert!(told.contains("set upstream.dns"), "{told}");
}

/// What the shim knew is gone, and v2 is not: nothing is made twice, and the client is told.
#[tokio::test]
async fn killed_between_the_calls_of_a_create() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let address = listener.local_addr().unwrap();
    let spec = "path=/users/*/settings,method=PATCH,delay_ms=600000,times=1";
    let faults = Faults::read(spec).unwrap();
    let router = Sandbox::new(SandboxConfig::default()).router();
    tokio::spawn(async move {
        shim_sandbox::serve_faulty(listener, router, &faults, std::future::pending()).await
    });
    let base = Sandbox::v2_base(address);
    let environment = [
        ("SHIM_API_KEY", "k"),
        ("SHIM_API_SECRET", "s"),
        ("SHIM_UPSTREAM_URL", &base),
        ("SHIM_UPSTREAM_TOKEN", shim_sandbox::TOKEN),
        ("SHIM_LISTEN", "127.0.0.1:0"),
    ];
    let create = |shim: &Program| {
        let body = "api_key=k&api_secret=s&email=a.new.user@example.com&type=1&disable_chat=true";
        let request = client().post(format!("{}/user/custcreate", shim.base()));
        let form = "application/x-www-form-urlencoded";
        request.header("content-type", form).body(body).send()
    };
    let shim = Program::start(&["serve"], &environment);
    let first = tokio::spawn(create(&shim));
    let user = format!("{base}/users/a.new.user@example.com");
    while client()
        .get(&user)
        .bearer_auth(shim_sandbox::TOKEN)
        .send()
        .await
        .unwrap()
        .status()
        != 200
    {
        tokio::task::yield_now().await;
    }
    drop(shim);
    assert!(first.await.unwrap().is_err(), "the client gets no answer");

    let shim = Program::start(&["serve"], &environment);
    let again = create(&shim).await.unwrap().text().await.unwrap();
    assert!(again.contains("User already in the account"), "{again}");
}

#[test]
fn access_line_contains_operation_and_outcome() {
    let (id, line) = first_log_line("text", "sandbox-secret");
    assert!(
        line.contains("Z  INFO POST /v1/user/list  200  31 v2 calls  "),
        "{line}"
    );
    assert!(line.trim_end().ends_with(&format!("  id={id}")), "{line}");
    let (_, line) = first_log_line("text", "another-secret");
    assert!(
        line.contains("POST /v1/user/list  error 200 (credentials wrong)  0 v2 calls"),
        "{line}"
    );
}

#[test]
fn a_json_log_names_the_request_as_its_answer_does() {
    let (id, line) = first_log_line("json", "sandbox-secret");
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["span"]["id"], id, "{line}");
    assert_eq!(
        (&line["operation"], &line["outcome"], &line["calls"]),
        (&"user/list".into(), &"answered".into(), &31.into()),
        "{line}"
    );
}

/// The request id in the answer to a request, and the first line that is logged.
fn first_log_line(format: &str, secret: &str) -> (String, String) {
    let environment = [("SHIM_LOG_FORMAT", format)];
    let mut child = command(
        &["serve", "--sandbox", "--listen", "127.0.0.1:0"],
        &environment,
    )
    .stdout(Stdio::piped())
    .stderr(Stdio::piped())
    .spawn()
    .unwrap();
    let mut first = String::new();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    output.read_line(&mut first).unwrap();
    let mut words = first.split([' ', '\n', '"']);
    let base = words.find(|word| word.starts_with("http://"));
    let url = format!(
        "{}/user/list?api_key=sandbox-key&api_secret={secret}",
        base.unwrap()
    );
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let sent = runtime.block_on(client().post(url).send()).unwrap();
    assert_eq!(sent.status(), 200);

    let mut line = String::new();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    log.read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let _ = log.read_to_string(&mut String::new());
    let id = sent.headers()["x-request-id"].to_str().unwrap();
    (id.to_owned(), line)
}
