//! `shim doctor` and `check-config`, each with one thing that is wrong.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    process::Stdio,
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum::{Router, http::HeaderValue, middleware, response::Response};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use serde_json::Value;
use shim_sandbox::{Sandbox, SandboxConfig};
use tempfile::TempDir;
use tokio::{io::AsyncReadExt as _, net::TcpListener, task::spawn_blocking};
use tokio_rustls::{TlsAcceptor, rustls};

use super::{Program, command};

/// What `doctor` needs to know of a sandbox.
struct Account {
    environment: Vec<(&'static str, String)>,
}

impl Account {
    /// A sandbox at an address, with its own credentials.
    fn at(address: SocketAddr) -> Self {
        Self {
            environment: vec![
                ("SHIM_UPSTREAM_URL", Sandbox::v2_base(address)),
                ("SHIM_UPSTREAM_PLAN", "pro".to_owned()),
                ("SHIM_OAUTH_URL", Sandbox::token_url(address)),
                ("SHIM_OAUTH_ACCOUNT_ID", shim_sandbox::ACCOUNT_ID.to_owned()),
                ("SHIM_OAUTH_CLIENT_ID", shim_sandbox::CLIENT_ID.to_owned()),
                (
                    "SHIM_OAUTH_CLIENT_SECRET",
                    shim_sandbox::CLIENT_SECRET.to_owned(),
                ),
                ("SHIM_API_KEY", "crm".to_owned()),
                ("SHIM_API_SECRET", "a-secret-of-v1".to_owned()),
                ("SHIM_TENANT_OPERATIONS", "user/get,user/update".to_owned()),
            ],
        }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.retain(|(known, _)| *known != name);
        self.environment.push((name, value.into()));
        self
    }

    fn borrowed(&self) -> Vec<(&str, &str)> {
        let pairs = self.environment.iter();
        pairs.map(|(name, value)| (*name, value.as_str())).collect()
    }

    /// Runs a command: its exit code and what it prints.
    async fn run(&self, arguments: &[&str]) -> (i32, String) {
        let mut command = command(arguments, &self.borrowed());
        let output = spawn_blocking(move || command.output())
            .await
            .unwrap()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        for secret in [
            shim_sandbox::CLIENT_SECRET,
            "a-secret-of-v1",
            "a-wrong-secret",
        ] {
            assert!(!said.contains(secret), "{said}");
        }
        (output.status.code().unwrap(), said)
    }

    async fn doctor(&self) -> (i32, String) {
        self.run(&["doctor"]).await
    }
}

async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn sandbox(config: SandboxConfig) -> Account {
    Account::at(serve(Sandbox::new(config).router()).await)
}

fn lacks(scope: &str) -> SandboxConfig {
    SandboxConfig {
        missing_scopes: vec![scope.to_owned()],
        ..SandboxConfig::default()
    }
}

/// The line of a check, which there is only one of.
fn line<'t>(text: &'t str, check: &str) -> &'t str {
    let mut lines = text
        .lines()
        .filter(|line| line.split_whitespace().nth(1) == Some(check));
    let (first, further) = (lines.next(), lines.next());
    assert!(first.is_some() && further.is_none(), "{check}: {text}");
    first.unwrap_or_default()
}

#[tokio::test]
async fn passes_if_nothing_is_wrong() {
    let account = sandbox(SandboxConfig::default()).await;
    let (code, text) = account.doctor().await;
    assert_eq!(code, 0, "{text}");
    assert!(text.ends_with("0 warnings, 0 failures\n"), "{text}");
    for check in ["state", "clock", "token", "scopes", "limits", "read"] {
        assert!(line(&text, check).starts_with("pass"), "{text}");
    }
    let (code, text) = account.run(&["doctor", "--format", "json"]).await;
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &report["failed"]), (0, &0.into()), "{report}");
    let checks = report["checks"].as_array().unwrap();
    assert!(
        checks.iter().all(|check| check["status"] == "pass"),
        "{report}"
    );
}

#[tokio::test]
async fn names_a_wrong_client_secret() {
    let account = sandbox(SandboxConfig::default()).await;
    let account = account.with("SHIM_OAUTH_CLIENT_SECRET", "a-wrong-secret");
    let (code, text) = account.doctor().await;
    assert_eq!(code, 1, "{text}");
    let token = line(&text, "token");
    assert!(token.starts_with("fail  token     tenant crm: "), "{text}");
    assert!(
        token.contains("invalid_client: Invalid client_id or client_secret"),
        "{text}"
    );
    assert!(
        text.contains("client_secret with the app's credentials"),
        "{text}"
    );
    assert!(text.contains("error: 1 check failed"), "{text}");
}

#[tokio::test]
async fn names_a_missing_scope_and_what_needs_it() {
    let account = sandbox(lacks("user:update:settings:admin")).await;
    let (code, text) = account.doctor().await;
    assert_eq!(code, 0, "{text}");
    assert!(
        line(&text, "scopes").ends_with("the app lacks 1 scope"),
        "{text}"
    );
    let detail = "user:update:settings:admin (or user:write:admin): user/update";
    assert!(text.contains(detail), "{text}");
}

#[tokio::test]
async fn names_a_clock_that_is_off_by_an_hour() {
    let later = |mut response: Response| async move {
        let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(3600));
        let date = HeaderValue::from_str(&date).unwrap();
        response.headers_mut().insert("date", date);
        response
    };
    let router = Sandbox::new(SandboxConfig::default()).router();
    let address = serve(router.layer(middleware::map_response(later))).await;
    let (code, text) = Account::at(address).doctor().await;
    assert_eq!(code, 1, "{text}");
    let clock = line(&text, "clock");
    assert!(
        clock.starts_with("fail") && clock.contains("s behind this server's"),
        "{text}"
    );
    assert!(
        clock.contains(" 3600 s ") || clock.contains(" 3599 s "),
        "{text}"
    );
}

#[tokio::test]
async fn names_a_host_that_leads_back_to_the_shim() {
    let account = sandbox(SandboxConfig::default()).await;
    let account = account
        .with("SHIM_LISTEN", "127.0.0.1:8765")
        .with("SHIM_UPSTREAM_URL", "http://localhost:8765/v2");
    let (code, text) = account.doctor().await;
    assert_eq!(code, 1, "{text}");
    assert!(
        text.contains("leads back to this shim: localhost is 127.0.0.1"),
        "{text}"
    );
    assert!(text.contains("set upstream.dns to name servers"), "{text}");
}

#[tokio::test]
async fn names_a_shim_in_the_place_of_v2() {
    let other = Program::start(&["serve", "--sandbox", "--listen", "127.0.0.1:0"], &[]);
    let base = other.base().replace("/v1", "/v2");
    let account = sandbox(SandboxConfig::default()).await;
    let (code, text) = account.with("SHIM_UPSTREAM_URL", base).doctor().await;
    assert_eq!(code, 1, "{text}");
    assert!(
        text.contains("a shim answers there: upstream.url leads back here"),
        "{text}"
    );
}

#[tokio::test]
async fn names_an_expired_certificate() {
    let folder = TempDir::new().unwrap();
    let authority = folder.path().join("ca.pem");
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    fs::write(&authority, issuer.pem()).unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2021, 1, 1);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    shim::install_tls();
    let config = rustls::ServerConfig::builder().with_no_client_auth();
    let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = config
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let _ = stream.read(&mut [0; 64]).await;
            }
        }
    });
    let account = sandbox(SandboxConfig::default()).await;
    let account = account
        .with("SHIM_UPSTREAM_URL", format!("https://localhost:{port}/v2"))
        .with("SSL_CERT_FILE", authority.to_str().unwrap());
    let (code, text) = account.doctor().await;
    assert_eq!(code, 1, "{text}");
    let tls = line(&text, "tls");
    assert!(
        tls.starts_with("fail") && tls.to_lowercase().contains("expired"),
        "{text}"
    );
    assert!(
        text.contains("the server's certificate has expired: renew it"),
        "{text}"
    );
}

#[tokio::test]
async fn names_a_name_that_does_not_exist_and_a_port_where_nothing_listens() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let account = sandbox(SandboxConfig::default()).await;
    let account = account
        .with("SHIM_UPSTREAM_URL", format!("http://{closed}/v2"))
        .with("SHIM_TENANT_OPERATIONS", "user/get,meeting/list,group/list");
    let (code, text) = account.doctor().await;
    assert_eq!(code, 1, "{text}");
    assert!(
        text.contains("nothing listens there: check host and port in upstream.url"),
        "{text}"
    );
    assert_eq!(text.matches("fail  read").count(), 1, "{text}");
    let account = account.with("SHIM_OAUTH_URL", format!("http://{closed}/oauth/token"));
    let (code, text) = account.doctor().await;
    assert_eq!(code, 1, "{text}");
    assert!(
        text.contains("→ check the host and port of oauth_url"),
        "{text}"
    );
    let account = account.with("SHIM_UPSTREAM_URL", "http://v2.invalid/v2");
    let (code, text) = account.doctor().await;
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("fail  dns       v2.invalid: "), "{text}");
}

#[tokio::test]
async fn names_redis_if_it_is_down() {
    let folder = TempDir::new().unwrap();
    let key = folder.path().join("state.key");
    fs::write(&key, [7; 32]).unwrap();
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let account = sandbox(SandboxConfig::default()).await;
    let account = account
        .with(
            "SHIM_STATE_URL",
            format!("redis://:a-wrong-secret@{closed}"),
        )
        .with("SHIM_STATE_KEY_FILE", key.to_str().unwrap());
    let (code, text) = account.doctor().await;
    assert_eq!(code, 1, "{text}");
    let told = format!("fail  state     Redis at {closed}: cannot be reached");
    assert_eq!(line(&text, "state"), told, "{text}");
    assert!(
        text.contains("→ start Redis, or correct state.url"),
        "{text}"
    );

    fs::remove_file(&key).unwrap();
    let (code, text) = account.doctor().await;
    assert_eq!(code, 1, "{text}");
    assert!(
        text.contains("cannot be used: No such file") && text.contains("→ check [state]"),
        "{text}"
    );
}

#[tokio::test]
async fn warns_of_a_webhook_secret_that_is_none() {
    let account = sandbox(SandboxConfig::default()).await;
    let account = account
        .with("SHIM_WEBHOOKS_LISTEN", "127.0.0.1:0")
        .with("SHIM_WEBHOOKS_SECRET_TOKEN", "short");
    let (code, text) = account.doctor().await;
    assert_eq!(code, 0, "{text}");
    assert!(line(&text, "webhooks").starts_with("warn"), "{text}");
    assert!(
        line(&text, "settings").contains("no [[receiver]]"),
        "{text}"
    );
}

#[tokio::test]
async fn check_config_online_makes_the_same_checks() {
    let account = sandbox(lacks("user:update:settings:admin")).await;
    let (code, text) = account
        .run(&["check-config", "--changed", "--online"])
        .await;
    assert_eq!(code, 0, "{text}");
    let (settings, checks) = text.split_once("\n# valid\n").unwrap();
    assert!(
        settings.contains("SHIM_UPSTREAM_URL") && !settings.contains("default"),
        "{text}"
    );
    assert!(line(checks, "scopes").starts_with("warn"), "{text}");
}

#[tokio::test]
async fn check_config_ends_with_its_verdict() {
    let account = sandbox(SandboxConfig::default()).await;
    let (code, text) = account.run(&["check-config"]).await;
    assert!(code == 0 && text.ends_with("\n# valid\n"), "{text}");
    let exposed = account
        .with("SHIM_UPSTREAM_URL", "http://v2.example.com/v2")
        .with("SHIM_OAUTH_URL", "http://v2.example.com/oauth/token");
    let (code, text) = exposed.run(&["check-config"]).await;
    assert!(
        code == 0 && text.ends_with("# valid, with 2 warnings\n"),
        "{text}"
    );
    assert!(text.contains("# warning: upstream.url is http"), "{text}");
    assert!(text.contains("# warning: oauth_url is http"), "{text}");
    let misspelt = exposed
        .with("SHIM_LISTN", "127.0.0.1:0")
        .with("SHIM_SERVICE_HOST", "10.0.0.1");
    let (code, text) = misspelt.run(&["check-config"]).await;
    assert_eq!(code, 2, "{text}");
    assert!(
        text.contains("SHIM_LISTN sets nothing; did you mean SHIM_LISTEN?"),
        "{text}"
    );
    assert!(!text.contains("SERVICE_HOST"), "{text}");
}

/// The start logs what a customer would find first otherwise, and a log in JSON has no other lines.
#[tokio::test(flavor = "multi_thread")]
async fn the_start_logs_missing_scopes_and_wrong_secrets_as_json_lines() {
    let lacking = sandbox(lacks("user:update:settings:admin")).await;
    let wrong = sandbox(SandboxConfig::default()).await;
    let wrong = wrong.with("SHIM_OAUTH_CLIENT_SECRET", "a-wrong-secret");
    for (account, told) in [
        (
            lacking,
            "lacks the scope user:update:settings:admin, needed by user/update",
        ),
        (
            wrong,
            "Tenant crm has no v2 token: no token is given for these credentials",
        ),
    ] {
        let account = account
            .with("SHIM_LISTEN", "127.0.0.1:0")
            .with("SHIM_LOG_FORMAT", "json")
            .with("SHIM_LISTN", "a typo");
        let mut command = command(&["serve"], &account.borrowed());
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (output, log) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let mut seen = String::new();
        let mut lines = BufReader::new(log).lines();
        while !(seen.contains(told) && seen.contains("SHIM_LISTN")) {
            let line = lines.next().unwrap_or_else(|| panic!("{seen}")).unwrap();
            let json: Value = serde_json::from_str(&line).unwrap();
            seen.push_str(&json.to_string());
        }
        let mut output = BufReader::new(output);
        let mut banner = String::new();
        output.read_line(&mut banner).unwrap();
        let banner: Value = serde_json::from_str(&banner).unwrap();
        assert_eq!(banner["message"], "Listening", "{banner}");
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(std::io::read_to_string(output).unwrap(), "");
    }
}
