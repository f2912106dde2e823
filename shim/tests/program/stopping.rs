//! The program at SIGTERM, as a load balancer sees it.

use std::time::{Duration, Instant};

use crate::{Program, client, curl_ops};

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
