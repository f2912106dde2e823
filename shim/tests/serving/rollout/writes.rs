//! Writes of moved callers.

use std::sync::atomic::AtomicUsize;

use super::*;

#[tokio::test]
async fn writes_go_to_one_side_only() {
    let is_write = |line: &&String| !line.starts_with("GET ");
    let writes = |v2: &ScriptedV2| v2.lines().iter().filter(is_write).count();
    // The other side performs the write, fails, returns no v1 answer, or disconnects.
    for (how, is_known) in [
        ("done", true),
        ("fails", false),
        ("html", false),
        ("array", false),
    ] {
        let v2 = ScriptedV2::with_users().await;
        let other = second_v1(move |_| {
            Some(match how {
                "fails" => Answer::status(500),
                "html" => Answer::new(200, &[("content-type", "text/html")], "<html>"),
                "array" => Answer::json(200, &json!([])),
                _ => Answer::json(200, &json!({ "id": "u1", "updated_at": "now" })),
            })
        })
        .await;
        let more = "percent = 100\nwrites = true\nmax_errors = 1000";
        let shim = Running::with(&v2, settings(&other.0.base(), more)).await;
        for caller in 0..5 {
            let (answer, is_moved, _) = ask(&shim, caller, "user/update").await;
            assert_eq!(is_moved, is_known, "{how}");
            if !is_known {
                let message = answer["error"]["message"].as_str().unwrap();
                assert!(
                    message.contains("nothing is known about the outcome"),
                    "{message}"
                );
            }
        }
        assert_eq!(other.operations(), ["user/update"; 5], "{how}");
        assert_eq!(writes(&v2), 0, "{how}");
        // After the rollback: on this side only.
        step(&shim, 0).await;
        ask(&shim, 1, "user/update").await;
        assert_eq!(other.operations().len(), 5);
        assert!(writes(&v2) > 0);
    }
}

#[tokio::test]
async fn unsent_write_runs_on_this_side() {
    let v2 = ScriptedV2::with_users().await;
    let (_, url) = listener().await;
    let shim = Running::with(&v2, settings(&url, "percent = 100\nwrites = true")).await;
    let (answer, is_moved, _) = ask(&shim, 1, "user/update").await;
    assert!(answer["error"].is_null(), "{answer}");
    assert!(!is_moved);
}

#[tokio::test]
async fn write_with_a_lost_reply_is_not_repeated() {
    let v2 = ScriptedV2::with_users().await;
    let (listener, url) = listener().await;
    let taken = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&taken);
    tokio::spawn(async move {
        // Accepts the request, then disconnects.
        while let Ok((stream, _)) = listener.accept().await {
            let mut some = [0; 1024];
            stream.readable().await.unwrap();
            let _ = stream.try_read(&mut some);
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    let shim = Running::with(&v2, settings(&url, "percent = 100\nwrites = true")).await;
    let (answer, _, _) = ask(&shim, 1, "user/update").await;
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("nothing is known about the outcome"),
        "{message}"
    );
    assert_eq!(taken.load(Ordering::SeqCst), 1);
    assert_eq!(v2.lines(), [""; 0]);
}
