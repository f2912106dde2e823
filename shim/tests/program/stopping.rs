//! The program at SIGTERM, as a load balancer sees it.

use std::time::{Duration, Instant};

use crate::{Program, client, curl_ops, ops_address, run};

#[tokio::test]
async fn readiness_fails_first_and_the_exit_code_is_0() {
    let environment = [("SHIM_DRAIN_SECONDS", "1"), ("SHIM_SHUTDOWN_SECONDS", "5")];
    let serve = ["serve", "--sandbox", "--listen", "127.0.0.1:0"];
    let mut program = Program::start(&serve, &environment);
    assert_eq!(curl_ops(&program, "/readyz").await, "ready\n");
    let signalled = Instant::now();
    program.signal("TERM");
    while curl_ops(&program, "/readyz").await != "draining\n" {
        assert!(signalled.elapsed() < Duration::from_millis(800));
    }
    let v1 = client().get(program.base()).send().await.unwrap();
    assert_eq!(v1.headers()["connection"], "close");
    assert_eq!(program.child.wait().unwrap().code(), Some(0));
    assert!(signalled.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_healthcheck_follows_readiness() {
    let environment = [("SHIM_DRAIN_SECONDS", "30")];
    let serve = ["serve", "--sandbox", "--listen", "127.0.0.1:0"];
    let program = Program::start(&serve, &environment);
    let ops = ops_address(&program);
    let check = |ops: &str| run(&["healthcheck", "--sandbox", "--ops-listen", ops], &[]);
    assert_eq!(check(&ops), (0, String::new()));
    program.signal("TERM");
    while curl_ops(&program, "/readyz").await != "draining\n" {}
    let (code, error) = check(&ops);
    assert_eq!(code, 1);
    assert!(error.contains("draining"), "{error}");
    drop(program);
    let (code, error) = check(&ops);
    assert_eq!(code, 1);
    assert!(error.contains("no shim answers at"), "{error}");
    assert_eq!(check("off").0, 2);
    let (code, error) = run(&["healthcheck", "--sandbox"], &[("SHIM_OPS_LISTEN", "")]);
    assert!(code == 2 && error.contains("--ops-listen"), "{error}");
}
