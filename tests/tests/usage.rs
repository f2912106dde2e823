//! Calls v1 and checks the report of `migrate usage`, with the real programs.
#![cfg(unix)]
#![expect(clippy::expect_used, reason = "test code outside of test functions")]

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Output, Stdio},
};

use end_to_end::program;
use serde_json::Value;

/// A running shim with its sandbox, killed at the end of the test.
struct Shim {
    child: Child,
    v1: String,
    operations: String,
}

impl Drop for Shim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Shim {
    fn start(ledger: &Path) -> Self {
        let mut child = program("shim")
            .args(["serve", "--sandbox", "--listen", "127.0.0.1:0"])
            .args(["--ops-listen", "127.0.0.1:0", "--ledger"])
            .arg(ledger)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it was started");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        let mut urls = Vec::new();
        for line in output.lines() {
            let line = line.expect("text");
            let url = line
                .split_whitespace()
                .find(|word| word.starts_with("http://"));
            urls.extend(url.map(str::to_owned));
            if urls.len() == 2 {
                break;
            }
        }
        let [v1, operations] = urls.try_into().expect("two addresses");
        Self {
            child,
            v1,
            operations,
        }
    }

    async fn call(&self, operation: &str, parameters: &[(&str, &str)]) {
        let mut form = vec![("api_key", "sandbox-key"), ("api_secret", "sandbox-secret")];
        form.extend(parameters);
        let client = reqwest::Client::builder();
        let client = client.no_proxy().tls_certs_only([]).user_agent("nightly/1");
        let client = client.build().expect("a client");
        let request = client.post(format!("{}/{operation}", self.v1)).form(&form);
        request.send().await.expect("an answer");
    }
}

fn usage(arguments: &[&str]) -> (Output, Value) {
    let output = program("migrate")
        .args(["usage", "--format", "json"])
        .args(arguments)
        .output()
        .expect("it ran");
    let story = serde_json::from_slice(&output.stdout);
    let story = story.unwrap_or_else(|_| String::from_utf8_lossy(&output.stderr).into());
    (output, story)
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_callers_with_verdicts() {
    shim::install_tls();
    let folder = tempfile::tempdir().expect("a folder");
    let shim = Shim::start(&folder.path().join("ledger.sqlite"));
    shim.call("user/list", &[("page_size", "30")]).await;
    shim.call("user/get", &[("id", "nobody")]).await;

    let (output, story) = usage(&[&shim.operations]);
    assert_eq!(output.status.code(), Some(1), "{story}");
    let consumer = &story["consumers"][0];
    assert_eq!(consumer["verdict"], "live", "{story}");
    assert_eq!(consumer["key"], "sandbox-key");
    assert_eq!(consumer["user_agent"], "nightly/1");
    let operations: Vec<_> = ["user/get", "user/list"].into();
    let told: Vec<_> = consumer["operations"]
        .as_array()
        .into_iter()
        .flatten()
        .collect();
    let names: Vec<_> = told.iter().map(|used| used["operation"].clone()).collect();
    assert_eq!(names, operations);
    assert_eq!(told[0]["outcomes"]["error"], 1);
    assert_eq!(told[1]["parameters"][0]["name"], "page_size");
}
