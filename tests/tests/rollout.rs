//! Runs the steps of `shim/docs/rollout.md` with the settings and commands of the page.
#![cfg(unix)]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test code outside of test functions"
)]

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration as Time,
};

use end_to_end::program;
use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use time::{Date, Duration, OffsetDateTime};

const PAGE: &str = include_str!("../../shim/docs/rollout.md");

/// Timeout for conditions that are expected to hold eventually.
const PATIENCE: Time = Time::from_secs(120);

/// A running program, killed at the end of the test.
struct Program {
    child: Child,
    /// Addresses it printed: v1 or v2 first, then the operations address.
    urls: Vec<String>,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Program {
    fn start(folder: &Path, arguments: &[&str], urls: usize) -> Self {
        let child = program("shim")
            .current_dir(folder)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it was started");
        let mut program = Self {
            child,
            urls: Vec::new(),
        };
        let output = program.child.stdout.take().expect("its output");
        for line in BufReader::new(output).lines() {
            let line = line.expect("text");
            let url = line
                .split_whitespace()
                .find(|word| word.starts_with("http://"));
            program.urls.extend(url.map(str::to_owned));
            if program.urls.len() == urls {
                return program;
            }
        }
        panic!("it ended: {:?}", program.urls);
    }

    fn signal(&self, signal: &str) {
        let kill = format!("kill -{signal} {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &kill]).status();
        assert!(sent.expect("a shell").success());
    }
}

/// Settings and command lines of a step.
struct Step {
    settings: String,
    commands: Vec<String>,
}

impl Step {
    fn of(number: usize) -> Self {
        let (_, step) = PAGE
            .split_once(&format!("\n## {number}. "))
            .expect("the step");
        let step = step.split("\n## ").next().expect("its text");
        let mut blocks = step.split("```");
        blocks.next();
        let (mut settings, mut commands) = (String::new(), Vec::new());
        while let Some(block) = blocks.next() {
            if let Some(toml) = block.strip_prefix("toml\n") {
                settings.push_str(toml);
            } else if let Some(text) = block.strip_prefix('\n') {
                commands.extend(text.lines().map(str::to_owned));
            }
            blocks.next();
        }
        Self { settings, commands }
    }
}

struct Site {
    folder: tempfile::TempDir,
    client: Client,
}

impl Site {
    fn new() -> Self {
        shim::install_tls();
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("crm.secret"), "s").expect("written");
        fs::write(folder.path().join("v2.token"), shim_sandbox::TOKEN).expect("written");
        let client = Client::builder().no_proxy().tls_certs_only([]).build();
        Self {
            folder,
            client: client.expect("a client"),
        }
    }

    /// Writes the settings of a shim: v2, the tenant of the page, and `more`.
    fn write(&self, name: &str, v2: &str, more: &str) {
        let text = format!(
            "listen = \"127.0.0.1:0\"\n[ops]\nlisten = \"127.0.0.1:0\"\n\
             [upstream]\nurl = \"{v2}\"\n{more}\n"
        );
        fs::write(self.folder.path().join(name), text).expect("written");
    }

    fn call(&self, shim: &Program) -> RequestBuilder {
        let form = [
            ("api_key", "crm"),
            ("api_secret", "s"),
            ("id", "ada.lovelace@example.com"),
        ];
        self.client
            .post(format!("{}/user/get", shim.urls[0]))
            .form(&form)
    }

    /// Header and body of the next response.
    async fn answer(&self, shim: &Program) -> (Option<String>, Value) {
        let response = self.call(shim).send().await.expect("an answer");
        let moved = response.headers().get("x-shim-rollout");
        let moved = moved.map(|name| name.to_str().expect("text").to_owned());
        if moved.is_some() {
            assert_eq!(response.headers()["x-shim-compared"], "same");
        }
        (moved, response.json().await.expect("JSON"))
    }

    async fn ops(&self, shim: &Program, path: &str) -> Value {
        let response = self
            .client
            .get(format!("{}{path}", shim.urls[1]))
            .send()
            .await;
        response.expect("an answer").json().await.expect("JSON")
    }

    /// Runs a command of the page with this shim.
    fn migrate(&self, shim: &Program, command: &str) -> (Option<i32>, String) {
        let command = command.replace("http://127.0.0.1:9090", &shim.urls[1]);
        let mut words = command.split_whitespace();
        assert_eq!(words.next(), Some("migrate"), "{command}");
        let output = program("migrate")
            .current_dir(self.folder.path())
            .args(words)
            .output();
        let output = output.expect("it ran");
        let text = String::from_utf8_lossy(&output.stdout);
        // Independent of line breaks.
        let words: Vec<_> = text.split_whitespace().collect();
        (output.status.code(), words.join(" "))
    }
}

/// Waits until a condition holds.
async fn until<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !holds().await {
            tokio::time::sleep(Time::from_millis(50)).await;
        }
    });
    assert!(waited.await.is_ok(), "{what}");
}

fn day(days: i64) -> Date {
    OffsetDateTime::now_utc().date() + Duration::days(days)
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "the steps of one page, in its order")]
async fn runs_every_step_of_the_page() {
    let site = Site::new();
    let folder = site.folder.path();
    let v2 = Program::start(folder, &["sandbox", "--listen", "127.0.0.1:0"], 1);
    let v2_base = v2.urls[0].clone();
    let owned = Step::of(3);
    let (ledger, tenant) = owned.settings.split_once("[[tenant]]").expect("a tenant");
    let tenant = format!("[[tenant]]{tenant}");

    site.write("other.toml", &v2_base, &tenant);
    let other = Program::start(folder, &["serve", "--config", "other.toml"], 2);
    let here = |text: &str| text.replace("http://127.0.0.1:8081/v1", &other.urls[0]);
    let write = |step: &str| site.write("shim.toml", &v2_base, &[step, ledger, &tenant].concat());

    // 1. Compare with a shadow.
    let step = Step::of(1);
    write(&here(&step.settings));
    let shim = Program::start(folder, &["serve", "--config", "shim.toml"], 2);
    assert_eq!(site.answer(&shim).await.0, None);
    let path = step.commands[0]
        .strip_prefix("curl http://127.0.0.1:9090")
        .expect("a path");
    until("compared", async || {
        site.ops(&shim, path).await["operations"]["user/get"]["compared"] == 1
    })
    .await;
    let found = site.ops(&shim, path).await;
    let verdicts = &found["operations"]["user/get"]["verdicts"];
    assert!(verdicts["unexpected"].is_null(), "{found}");

    // 2. Move callers by share.
    let step = Step::of(2);
    write(&here(&step.settings).replace("percent = 1 ", "percent = 100 "));
    shim.signal("HUP");
    until("moved", async || {
        site.answer(&shim).await.0.as_deref() == Some("new-build")
    })
    .await;
    // Independent of the speed of the machine.
    let watch = step.commands[1].replace("--max-p99 1500", "--max-p99 60000");
    let (code, told) = site.migrate(&shim, &watch);
    assert_eq!(code, Some(0), "{told}");
    for part in [
        "new-build",
        "100 % of the callers",
        "consistency 100.00 %",
        &other.urls[0],
    ] {
        assert!(told.contains(part), "{told}");
    }
    let (_, rest) = step.commands[0].split_once("-d '").expect("a body");
    let (body, url) = rest.split_once("' ").expect("its end");
    let url = url.replace("http://127.0.0.1:9090", &shim.urls[1]);
    let request = site
        .client
        .post(url)
        .header("content-type", "application/json");
    let response = request
        .body(body.to_owned())
        .send()
        .await
        .expect("an answer");
    assert_eq!(response.status(), 200);
    assert_eq!(
        site.answer(&shim).await.0,
        None,
        "taken back with the next request"
    );
    let (code, told) = site.migrate(&shim, &watch);
    assert!(
        code == Some(1) && told.contains("nothing was compared yet"),
        "{told}"
    );

    // 3. Write to the owners.
    let (_, mail) = site.migrate(&shim, &owned.commands[0]);
    for part in ["@billing", "user/get", "GET /users/{userId}"] {
        assert!(mail.contains(part), "{mail}");
    }

    // 4. Brownouts.
    let step = Step::of(4);
    let now = OffsetDateTime::now_utc();
    let from = format!("{} {:02}:{:02}", now.date(), now.hour(), now.minute());
    let sunset = day(200).to_string();
    let settings = step.settings.replace("2027-06-30", &sunset);
    let settings = settings.replace("2027-03-01 10:00", &from);
    write(&settings.replace("2027-05-31", &day(100).to_string()));
    shim.signal("HUP");
    until("off", async || {
        site.answer(&shim).await.1["error"]["code"] == 410
    })
    .await;
    let (_, answer) = site.answer(&shim).await;
    let message = answer["error"]["message"].as_str().expect("a text");
    assert!(
        message.contains(&sunset) && message.contains("GET /users/{userId}"),
        "{message}"
    );
    assert_eq!(
        site.ops(&shim, "/status").await["brownout"]["in_force"],
        true
    );

    // 5. Switch v1 off.
    let step = Step::of(5);
    let (code, told) = site.migrate(&shim, &step.commands[0]);
    assert_eq!(code, Some(1), "{told}");
    assert!(
        told.contains("1 brownout, ") && told.contains("hit: crm "),
        "{told}"
    );
    let settings = step.settings.replace("2027-06-30", &day(1).to_string());
    write(&settings.replace("2027-06-29", &day(-1).to_string()));
    shim.signal("HUP");
    let end = day(2).to_string();
    until("the end", async || {
        let (_, answer) = site.answer(&shim).await;
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        message.contains(&format!("off until {end}"))
    })
    .await;
    drop(shim);
    let output = program("shim")
        .current_dir(folder)
        .args(["usage", "ledger.sqlite"])
        .output();
    let text = String::from_utf8(output.expect("it ran").stdout).expect("text");
    let usage: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(usage["consumers"][0]["key"], "crm", "{usage}");
    assert!(
        usage["brownouts"]
            .as_array()
            .is_some_and(|windows| !windows.is_empty()),
        "{usage}"
    );
}
