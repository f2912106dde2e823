//! Records a session, changes one mapping and replays the session: `migrate diff` reports that
//! difference only.
#![expect(clippy::expect_used, reason = "test code outside of test functions")]

use std::{path::Path, process::Output, sync::Arc, time::Duration};

use end_to_end::{API_KEY, API_SECRET, Stage, program};
use mappings::Catalog;
use serde_json::Value;
use shim::{observe::recorder::Recorder, settings::RecordConfig};
use shim_sandbox::SandboxConfig;

const FILE: &str = "user/fields.toml";

/// A typical session of a v1 program.
async fn session(stage: &Stage) {
    let id = stage.id_of("ada.lovelace@example.com").await;
    stage.ask("user/list", &[("page_size", "50")]).await;
    stage.ask("user/get", &[("id", &id)]).await;
    stage.ask_by_query("user/get", &[("id", "nobody")]).await;
    let chat = [
        ("id", id.as_str()),
        ("disable_private_chat", "true"),
        ("dept", "Sales"),
    ];
    stage.ask("user/update", &chat).await;
    let password = [("id", id.as_str()), ("password", "Hush-hush-1")];
    stage.ask("user/updatepassword", &password).await;
}

/// The built-in mappings without the negation of private chat.
fn changed() -> String {
    let mut files = Catalog::embedded_files();
    let (_, text) = files.find(|(name, _)| *name == FILE).expect("the file");
    let (before, after) = text
        .split_once("v1 = \"disable_private_chat\"")
        .expect("the field");
    let after = after.replacen("convert = \"negate\"\n", "", 1);
    format!("{before}v1 = \"disable_private_chat\"{after}")
}

async fn stage(catalog: Catalog, recorder: Option<Arc<Recorder>>) -> Stage {
    Stage::with_catalog(SandboxConfig::default(), "", Arc::new(catalog), recorder).await
}

async fn migrate(recording: &Path, shim: &str, more: &[&str]) -> Output {
    let mut command = program("migrate");
    command
        .args(["diff", "--format", "json"])
        .arg("--recorded")
        .arg(recording)
        .args(["--shim", shim, "--rate", "1000"])
        .args(more)
        .env("MIGRATE_API_KEY", API_KEY)
        .env("MIGRATE_API_SECRET", API_SECRET);
    let ended = tokio::task::spawn_blocking(move || command.output()).await;
    ended.expect("it ran").expect("it was started")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_mapping_is_the_only_difference() {
    let folder = tempfile::tempdir().expect("a folder");
    let recording = folder.path().join("session.jsonl");
    let embedded = || Catalog::embedded().expect("the embedded catalog");
    let config = RecordConfig::new(recording.clone());
    let recorder = Recorder::start(config, Arc::new(embedded()), None).expect("a recorder");
    let recorder = Arc::new(recorder);
    session(&stage(embedded(), Some(Arc::clone(&recorder))).await).await;
    assert!(recorder.stop(Duration::from_secs(20)));
    let text = std::fs::read_to_string(&recording).expect("the recording");
    assert!(!text.contains("Hush-hush") && !text.contains(API_SECRET));

    let same = stage(embedded(), None).await;
    let output = migrate(&recording, same.base(), &[]).await;
    let report = report(&output);
    assert_eq!(output.status.code(), Some(0), "{report}");
    let calls = same.wire().take();
    assert!(!calls.is_empty());
    assert!(
        calls.iter().all(|call| call.method.is_safe()),
        "a write was sent"
    );

    let overrides = [(FILE.to_owned(), changed())];
    let wrong = Catalog::with_overrides(overrides).expect("a catalog, though a wrong one");
    let wrong = stage(wrong, None).await;
    let output = migrate(&recording, wrong.base(), &[]).await;
    assert_eq!(
        unexpected(&self::report(&output)),
        [
            "user/get disable_private_chat",
            "user/getbyemail disable_private_chat"
        ]
    );
    assert_eq!(output.status.code(), Some(1));

    // The same mistake in the mappings of the comparison is found in the requests of writes.
    let site = folder.path().join("changed");
    let file = site.join(FILE);
    std::fs::create_dir_all(file.parent().expect("a folder's name")).expect("a folder");
    std::fs::write(file, changed()).expect("a file");
    let site = site.to_str().expect("a name");
    let output = migrate(&recording, same.base(), &["--mappings", site]).await;
    let report = self::report(&output);
    assert_eq!(
        unexpected(&report),
        ["user/update settings.body.in_meeting.private_chat"]
    );
}

fn report(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    serde_json::from_str(&text).unwrap_or_else(|_| Value::from(format!("{text}{error}")))
}

/// Fields with unexpected differences.
fn unexpected(report: &Value) -> Vec<&str> {
    let fields = report["fields"].as_object().into_iter().flatten();
    let unexpected = fields.filter(|(_, verdicts)| verdicts.get("unexpected").is_some());
    unexpected.map(|(field, _)| field.as_str()).collect()
}
