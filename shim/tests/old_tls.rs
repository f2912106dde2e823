//! TLS 1.0 clients reach the shim through packaging/haproxy.cfg.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "test code outside of test functions")]
#![expect(clippy::print_stderr, reason = "a test that is left out says so")]

#[expect(dead_code, reason = "other tests use more of it")]
mod servers;

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use servers::{nginx::free_port, program};

/// A process that is killed on drop.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A shim with its sandbox, and its v1 address.
fn sandbox() -> (Killed, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shim"));
    command.args(["serve", "--sandbox", "--listen", "127.0.0.1:0"]);
    command.env("SHIM_OPS_LISTEN", "127.0.0.1:0");
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let shim = Killed(child);
    let banner = output.lines().next().unwrap().unwrap();
    let (_, rest) = banner.split_once("http://").unwrap();
    (shim, rest.split('/').next().unwrap().to_owned())
}

fn haproxy(haproxy: &Path, folder: &Path, shim: &str) -> (Killed, u16) {
    let made = Command::new(env!("CARGO_BIN_EXE_shim"))
        .args(["dev-cert", "--dir"])
        .arg(folder)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let of = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let certificate = folder.join("shim.pem");
    fs::write(&certificate, of("cert.pem") + &of("key.pem")).unwrap();
    let port = free_port().unwrap();
    let configuration = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/haproxy.cfg");
    let child = Command::new(haproxy)
        .args(["-db", "-f", configuration])
        .env("LISTEN", format!("127.0.0.1:{port}"))
        .env("CERTIFICATE", certificate)
        .env("SHIM", shim)
        .spawn()
        .unwrap();
    let mut proxy = Killed(child);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert_eq!(proxy.0.try_wait().unwrap(), None, "haproxy has ended");
        thread::sleep(Duration::from_millis(2));
    }
    (proxy, port)
}

/// Output of `openssl s_client` with the given protocol versions, for one request.
fn ask(openssl: &Path, port: u16, authority: &Path, version: &str) -> (String, String) {
    let form = "api_key=sandbox-key&api_secret=sandbox-secret&login_type=100&email=ada.lovelace@example.com";
    let request = format!(
        "POST /v1/user/getbyemail HTTP/1.1\r\nHost: api.zoom.us\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    );
    let mut client = Command::new(openssl)
        .args(["s_client", version, "-cipher", "DEFAULT:@SECLEVEL=0"])
        .args([
            "-connect",
            &format!("127.0.0.1:{port}"),
            "-servername",
            "api.zoom.us",
        ])
        .args(["-verify_return_error", "-ign_eof", "-CAfile"])
        .arg(authority)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _ = client.stdin.take().unwrap().write_all(request.as_bytes());
    let output = client.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (text(output.stdout), text(output.stderr))
}

#[test]
fn serves_tls_1_0_clients_through_haproxy() {
    let (Some(proxy), Some(openssl)) = (program("haproxy"), program("openssl")) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (_shim, address) = sandbox();
    let (_haproxy, port) = haproxy(&proxy, folder.path(), &address);
    let authority = folder.path().join("ca.pem");
    for (version, shown) in [
        ("-tls1", "TLSv1"),
        ("-tls1_1", "TLSv1.1"),
        ("-tls1_2", "TLSv1.2"),
    ] {
        let (answer, said) = ask(&openssl, port, &authority, version);
        assert!(
            answer.contains(&format!("New, {shown}"))
                || answer.contains(&format!("Protocol  : {shown}")),
            "{version}: {answer} {said}"
        );
        assert!(
            answer.contains("\"first_name\":\"Ada\""),
            "{version}: {answer} {said}"
        );
    }
}
