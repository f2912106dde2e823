//! Other mappings of the same process as the other side.

use super::*;
use crate::shadow::{FIELDS_FILE, changed_fields, users};

fn with_mappings(folder: &std::path::Path, more: &str) -> Setup {
    let file = format!(
        "[[rollout]]\nname = \"next\"\nmappings = {:?}\npercent = 100\n{more}\n",
        folder.display()
    );
    Setup {
        file,
        ..Setup::default()
    }
}

#[tokio::test]
async fn other_mappings_can_be_the_other_side() {
    let v2 = users().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("user")).unwrap();
    let fields = folder.path().join(FIELDS_FILE);
    std::fs::write(&fields, changed_fields()).unwrap();
    let plain = Running::before(&v2).await;
    let (before, ..) = ask(&plain, 1, "user/get").await;
    let is_off = before["disable_private_chat"].as_bool().unwrap();
    let shim = Running::with(&v2, with_mappings(folder.path(), "max_unexpected = 1")).await;
    for _ in 0..2 {
        let (answer, is_moved, verdict) = ask(&shim, 1, "user/get").await;
        assert!(is_moved);
        assert_eq!(answer["disable_private_chat"], !is_off, "{answer}");
        let verdict = verdict.unwrap();
        assert_eq!(verdict, "unexpected; fields=disable_private_chat");
    }
    let (answer, is_moved, _) = ask(&shim, 1, "user/get").await;
    assert!(!is_moved, "it was left");
    assert_eq!(answer["disable_private_chat"], is_off);
    assert_eq!(
        figures(&shim).await["other"],
        folder.path().to_str().unwrap()
    );

    // Uncompared reads call v2 once; writes run once, on the caller's side.
    let more = "compare_percent = 0\nwrites = true";
    let shim = Running::with(&v2, with_mappings(folder.path(), more)).await;
    v2.forget();
    ask(&plain, 1, "user/get").await;
    let calls = v2.lines().len();
    v2.forget();
    assert!(ask(&shim, 1, "user/get").await.1);
    assert_eq!(v2.lines().len(), calls);
    v2.forget();
    let update = async |shim: &Running| {
        let chat = [("id", "u1"), ("disable_private_chat", "true")];
        let response = shim.form("user/update", &chat).send().await.unwrap();
        let is_moved = response.headers().contains_key("x-shim-rollout");
        let answer: Value = response.json().await.unwrap();
        assert!(answer["error"].is_null(), "{answer}");
        let sent = v2
            .seen()
            .into_iter()
            .map(|seen| (seen.line(), seen.body.to_vec()));
        let sent = sent.filter(|(line, _)| !line.starts_with("GET "));
        let bodies: Vec<_> = sent
            .map(|(_, body)| String::from_utf8(body).unwrap())
            .collect();
        v2.forget();
        (is_moved, bodies.join(" "))
    };
    let (is_moved, there) = update(&shim).await;
    assert!(
        is_moved && there.contains("\"private_chat\":true"),
        "{there}"
    );
    assert_eq!(there.matches("private_chat").count(), 1, "{there}");
    step(&shim, 0).await;
    let (is_moved, here) = update(&shim).await;
    assert!(
        !is_moved && here.contains("\"private_chat\":false"),
        "{here}"
    );
    assert_eq!(here.matches("private_chat").count(), 1, "{here}");

    // A reload reads the files again; changed mappings are another section.
    std::fs::remove_file(&fields).unwrap();
    let shim = Running::with(&v2, with_mappings(folder.path(), "max_unexpected = 1")).await;
    assert_eq!(ask(&shim, 1, "user/get").await.2.as_deref(), Some("same"));
}
