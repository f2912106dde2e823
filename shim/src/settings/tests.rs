mod reference;
mod state;

use super::*;

fn load(file: Option<&str>, environment: &[(&str, &str)], flags: Flags) -> Result<Config, String> {
    let get = |name: &str| {
        let found = environment.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let read = |path: &Path| match path.to_str() {
        Some("/run/secret") => Ok("from-a-file\n".to_owned()),
        Some("cert.der") => Err(std::io::ErrorKind::InvalidData.into()),
        Some("cert.pem") => Ok(certified().0),
        Some("key.pem") => Ok(certified().1),
        _ => Err(std::io::Error::from(std::io::ErrorKind::NotFound)),
    };
    let sources = Sources {
        file: file.map(|text| ("shim.toml", text)),
        environment: &get,
        flags,
        read: &read,
    };
    let catalog = Catalog::embedded().unwrap();
    Config::load(&sources, &catalog).map_err(|error| error.to_string())
}

/// What the command line gives.
fn given(flags: &[(&'static str, &str)]) -> Flags {
    let given = flags
        .iter()
        .map(|(flag, value)| (*flag, (*value).to_owned()));
    Flags {
        given: given.collect(),
        ..Flags::default()
    }
}

/// A certificate and its key.
fn certified() -> (String, String) {
    use std::sync::OnceLock;

    static MADE: OnceLock<(String, String)> = OnceLock::new();
    let make = || {
        let made = rcgen::generate_simple_self_signed(vec!["shim".to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    };
    MADE.get_or_init(make).clone()
}

fn mistakes(file: &str) -> String {
    load(Some(file), &[], Flags::default()).unwrap_err()
}

const ENVIRONMENT: [(&str, &str); 7] = [
    ("SHIM_API_KEY", "k"),
    ("SHIM_API_SECRET", "a-v1-secret"),
    ("SHIM_UPSTREAM_URL", "http://127.0.0.1:9000/v2/"),
    ("SHIM_OAUTH_URL", "http://127.0.0.1:9000/oauth"),
    ("SHIM_OAUTH_ACCOUNT_ID", "an-account"),
    ("SHIM_OAUTH_CLIENT_ID", "a-client"),
    ("SHIM_OAUTH_CLIENT_SECRET", "a-client-secret"),
];

fn v2(config: Config) -> V2Config {
    match config.source {
        Source::V2(v2) => v2,
        Source::Sandbox { .. } | Source::Replay => panic!("no v2"),
    }
}

fn token_url(config: Config) -> String {
    match &v2(config).tenants[0].access {
        Access::OAuth(oauth) => oauth.url.to_string(),
        Access::Token(_) => "a fixed token".to_owned(),
    }
}

#[test]
fn the_environment_is_enough() {
    let config = load(None, &ENVIRONMENT, Flags::default()).unwrap();
    assert_eq!(config.listen.as_deref(), Some(DEFAULT_LISTEN));
    let v2 = v2(config);
    assert_eq!(v2.tenants[0].account_id.as_deref(), Some("an-account"));
    assert_eq!(v2.base, BaseUrl::parse("http://127.0.0.1:9000/v2").unwrap());
}

#[test]
fn the_token_endpoint_is_named_with_or_without_its_end() {
    for url in [
        "http://127.0.0.1:9000/oauth",
        "http://127.0.0.1:9000/oauth/",
        "http://127.0.0.1:9000/oauth/token",
    ] {
        let mut environment = ENVIRONMENT;
        environment[3].1 = url;
        let config = load(None, &environment, Flags::default()).unwrap();
        assert_eq!(token_url(config), "http://127.0.0.1:9000/oauth/token");
    }
    let mut environment = ENVIRONMENT;
    environment[2].1 = "https://api.zoom.us/v2";
    environment[3].1 = "";
    let config = load(None, &environment, Flags::default()).unwrap();
    assert_eq!(token_url(config), "https://zoom.us/oauth/token");
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let file = r#"
        listen = "127.0.0.1:1"
        strict = true
        [upstream]
        url = "https://api.zoom.us/v2"
        [[tenant]]
        api_key = "file"
        api_secret_file = "/run/secret"
        token = "t"
        account_id = "of the file"
        [list]
        detail = "full"
        parallel = 3
        [options]
        zak = false
        [limits]
        request_seconds = 5
        [errors]
        upstream_status = 503
    "#;
    let config = load(Some(file), &[], Flags::default()).unwrap();
    assert_eq!(config.listen.as_deref(), Some("127.0.0.1:1"));
    assert_eq!(config.limits.list_calls, 3);
    assert_eq!(config.limits.request, Duration::from_secs(5));
    assert_eq!(config.site.upstream_status, StatusCode::SERVICE_UNAVAILABLE);
    let options: Vec<_> = config.site.options.iter().collect();
    insta::assert_snapshot!(format!("{options:?}"));

    let environment = [
        ("SHIM_LISTEN", "127.0.0.1:2"),
        ("SHIM_API_KEY", "environment"),
        ("SHIM_UPSTREAM_URL", "https://example.com/v2"),
    ];
    let flags = given(&[("--listen", "localhost:3")]);
    let config = load(Some(file), &environment, flags).unwrap();
    assert_eq!(config.listen.as_deref(), Some("localhost:3"));
    assert!(config.site.strict);
    let v2 = v2(config);
    assert_eq!(v2.base.host(), "example.com");
    assert_eq!(v2.tenants[0].api_key, "environment");
    assert_eq!(v2.tenants[0].account_id.as_deref(), Some("of the file"));
    // OAuth of the environment replaces the token of the file.
    let config = load(Some(file), &ENVIRONMENT, Flags::default()).unwrap();
    assert_eq!(token_url(config), "http://127.0.0.1:9000/oauth/token");
}

#[test]
fn the_example_shows_every_key_and_its_default() {
    let example = load(
        Some(include_str!("../../shim.example.toml")),
        &[],
        Flags::default(),
    );
    let example = example.unwrap();
    let bare = r#"
        [upstream]
        url = "https://api.zoom.us/v2"
        [[tenant]]
        api_key = "what-the-programs-send"
        api_secret = "and-its-secret"
        oauth = { account_id = "…", client_id = "…", client_secret = "…" }
    "#;
    let bare = load(Some(bare), &[], Flags::default()).unwrap();
    assert_eq!(example.ops, OpsListen::At(DEFAULT_OPS_LISTEN.to_owned()));
    let example = Config {
        ops: bare.ops.clone(),
        ..example
    };
    assert_eq!(format!("{example:?}"), format!("{bare:?}"));
    let catalog = Catalog::embedded().unwrap();
    for option in catalog
        .option_rules()
        .keys()
        .filter(|name| *name != "list_detail")
    {
        let key = format!("\n{option} = ");
        assert!(
            include_str!("../../shim.example.toml").contains(&key),
            "{option}"
        );
    }
}

#[test]
fn the_operations_address_can_be_elsewhere_or_nowhere() {
    let ops = |file: &str, environment: &[_], flag: Option<&str>| {
        let flag = flag.map(|address| ("--ops-listen", address));
        let flags = Flags {
            sandbox: Some(7),
            ..given(flag.as_slice())
        };
        load(Some(file), environment, flags).map(|config| config.ops)
    };
    let at = |address: &str| Ok(OpsListen::At(address.to_owned()));
    let file = "[ops]\nlisten = \"127.0.0.1:1\"";
    let environment = [("SHIM_OPS_LISTEN", "127.0.0.1:2")];
    assert_eq!(ops("", &[], None), Ok(OpsListen::Default));
    assert_eq!(ops(file, &[], None), at("127.0.0.1:1"));
    assert_eq!(ops(file, &environment, None), at("127.0.0.1:2"));
    assert_eq!(ops(file, &environment, Some("off")), Ok(OpsListen::Off));
    assert_eq!(ops(file, &[], Some("9091")), at("127.0.0.1:9091"));
    assert_eq!(ops(file, &[], Some(":9091")), at("0.0.0.0:9091"));
    let mistake = ops(file, &[], Some("ninety")).unwrap_err();
    assert!(
        mistake.contains("ops.listen = \"ninety\" is no address to listen on"),
        "{mistake}"
    );
}

#[test]
fn the_ledger_is_off_until_a_file_is_named() {
    let ledger = |file: &str, environment: &[_], flag: Option<&str>| {
        let flag = flag.map(|file| ("--ledger", file));
        let flags = Flags {
            sandbox: Some(7),
            ..given(flag.as_slice())
        };
        let ledger = load(Some(file), environment, flags).unwrap().ledger;
        ledger.map(|ledger| (ledger.place.to_string(), ledger.keep_days))
    };
    let at = |file: &str, keep_days| Some((file.to_owned(), keep_days));
    let file = "[ledger]\nfile = \"one\"\nkeep_days = 30";
    let environment = [("SHIM_LEDGER", "two")];
    assert_eq!(ledger("", &[], None), None);
    assert_eq!(ledger("[ledger]\nkeep_days = 30", &[], None), None);
    assert_eq!(ledger(file, &[], None), at("one", 30));
    assert_eq!(ledger(file, &environment, None), at("two", 30));
    assert_eq!(ledger("", &environment, Some("three")), at("three", 400));
}

#[test]
fn the_sandbox_needs_nothing() {
    let flags = Flags {
        sandbox: Some(7),
        ..Flags::default()
    };
    let config = load(None, &[], flags).unwrap();
    assert!(matches!(config.source, Source::Sandbox { users: 7 }));
}

#[test]
fn settings_without_effect_in_the_sandbox_are_reported() {
    let flags = || Flags {
        sandbox: Some(7),
        ..Flags::default()
    };
    let file = "[upstream]\nplan = \"pro\"\n[[tenant]]\napi_key = \"k\"\napi_secret = \"s\"\ntoken = \"t\"";
    let environment = [("SHIM_API_KEY", "k2"), ("SHIM_UPSTREAM_DNS", "192.0.2.53")];
    let warnings = |environment: &[_]| {
        let config = load(Some(file), environment, flags()).unwrap();
        config.warnings()
    };
    assert_eq!(
        warnings(&environment),
        [
            "no effect with --sandbox or --replay: SHIM_API_KEY, SHIM_UPSTREAM_DNS, [[tenant]], \
             upstream.plan; programs send api_key sandbox-key and api_secret sandbox-secret"
        ]
    );
    assert!(load(None, &[], flags()).unwrap().warnings().is_empty());
}

#[test]
fn missing_settings_are_listed() {
    insta::assert_snapshot!(load(None, &[], Flags::default()).unwrap_err());
}

#[test]
fn all_mistakes_are_reported_at_once() {
    insta::assert_snapshot!(mistakes(
        r#"
listen = "eight"
strict = "yes"
sandbox = true

[upstream]
url = "https://api.zoom.us"
oauth_url = "zoom.us"
call_seconds = 0

[[tenant]]
apikey = "k"
api_secret = 12345678
oauth = { account_id = "a", client-id = "c" }

[[tenant]]
api_key = "k2"
api_secret_file = "/nowhere"
token = "t"
oauth = { account_id = "a", client_id = "c", client_secret = "s" }

[[tenant]]
api_key = "k2"
api_secret = "s"

[list]
detail = "some"

[options]
zack = true

[errors]
upstream_status = 404

[ops]
listen = "on"

[log]
format = "jsonl"

[[tenant]]
api_key = "k3"
api_secret = "s"
token = "t"
plan = "gold"
list_detail = "some"
read_only = "no"
operations = ["user/gett", "x"]

[[tenant]]
api_key = "k4"
api_secret = "s"
api_secret_sha256 = "s"
token = "t"

[[tenant]]
api_key = "k5"
api_secret_sha256 = "s"
token = "t"
operations = "user/get"

[deprecation]
sunset = "30.6.2027"
link = "wiki"

[ui]
recent = -1
hosts = "shim.example.com"

[shadow]
url = "http://hush@127.0.0.1:8081"
answer = "both"
sample_percent = 0
concurency = 2
api_key = "k"

[ledger]
file = 7
keepdays = 30
keep_days = 0
max_consumers = 0
flush_seconds = "often"
"#
    ));
    let shadow = |text: &str| {
        let told = mistakes(&format!("[shadow]\n{text}"));
        told.lines().nth(1).unwrap().to_owned()
    };
    insta::assert_snapshot!(
        "mistakes_of_a_shadow",
        [
            shadow("answer = \"shadow\""),
            shadow("mappings = \"x\"\nanswer = \"shadow\""),
            shadow("url = \"http://127.0.0.1:8081/v1\""),
            shadow(
                "url = \"http://127.0.0.1:8081/v1\"\nforward_credentials = true\napi_key = \"k\""
            ),
        ]
        .join("\n")
    );
}

#[test]
fn rollout_mistakes_are_reported_at_once() {
    let file = r#"
        [[rollout]]
        [[rollout]]
        name = "two words"
        url = "http://user@127.0.0.1:8081/v1"
        keys = ["crm"]
        operations = ["user/gett"]
        percent = 101
        [[rollout]]
        name = "next"
        url = "http://127.0.0.1:8081/v1"
        forward_credentials = true
        by = "day"
        [[rollout]]
        name = "next"
        url = "http://127.0.0.1:8081/v1"
        api_key = "k"
    "#;
    let told = load(Some(file), &ENVIRONMENT, Flags::default()).unwrap_err();
    insta::assert_snapshot!(told);
}

#[test]
fn brownout_mistakes_are_reported_at_once() {
    let file = r#"
        [[brownout]]
        from = "March"
        operations = ["user/gett"]
        keys = ["crm"]
        [[brownout]]
        from = "2027-03-02"
        to = "2027-03-01"
        [[brownout]]
        from = "2019-03-02"
        to = "2019-03-03"
        minutes = [5]
        [[brownout]]
        from = "2019-03-02"
        to = "2019-03-03"
        every_hours = 1
        minutes = ["ten", 61]
        [[brownout]]
        from = "2019-03-02"
        to = "2019-03-03"
        every_hours = 1
        every = 2
    "#;
    let told = load(Some(file), &ENVIRONMENT, Flags::default()).unwrap_err();
    insta::assert_snapshot!(told);
}

#[test]
fn tls_and_address_mistakes_are_reported() {
    let told = [
        "[tls]\nlisten = \"eight\"\ncert = \"cert.pem\"",
        "[tls]\nlisten = \"127.0.0.1:1\"\ncert_file = \"no.pem\"\nkey_file = \"no.pem\"",
        "[tls]\nlisten = \"127.0.0.1:1\"\ncert_file = \"key.pem\"\nkey_file = \"key.pem\"",
        "[tls]\nlisten = \"127.0.0.1:1\"\ncert_file = \"cert.pem\"\nkey_file = \"cert.pem\"",
        "[tls]\nlisten = \"127.0.0.1:1\"\ncert_file = \"cert.der\"\nkey_file = \"key.pem\"",
        "listen = \"off\"",
        "trusted_proxies = [\"10.0.0.0/33\", \"proxy\"]",
        "trusted_proxies = \"10.0.0.0/8\"",
        "cors_origins = [\"https://app.example.com/\", \"*\", \"app.example.com\"]",
        "[upstream]\nresolve = [\"api.zoom.us\"]\ndns = [\"1.1.1\"]",
        "[limits]\nhandshakes = 0\nhandshake_seconds = 0",
    ];
    let flags = Flags {
        sandbox: Some(7),
        ..Flags::default()
    };
    let told = told.map(|file| load(Some(file), &ENVIRONMENT, flags.clone()).unwrap_err());
    insta::assert_snapshot!(told.join("\n\n"));
    // The sandbox is asked past all names; before v2 they must be right.
    let file = "[upstream]\nurl = \"https://api.zoom.us/v2\"\ndns = [\"localhost\"]";
    assert!(mistakes(file).contains("no address of a name server"));
}

#[test]
fn tls_is_set_in_all_three_places() {
    let file = "listen = \"off\"\n[tls]\nlisten = \"127.0.0.1:1\"\ncert_file = \"cert.pem\"\n\
                key_file = \"no.pem\"";
    let environment = [
        ("SHIM_TLS_LISTEN", "127.0.0.1:2"),
        ("SHIM_TLS_KEY_FILE", "cert.pem"),
        ("SHIM_TRUSTED_PROXIES", "10.0.0.5, 10.1.0.0/16"),
    ];
    let flags = Flags {
        sandbox: Some(7),
        ..given(&[("--tls-listen", "127.0.0.1:3"), ("--tls-key", "key.pem")])
    };
    let config = load(Some(file), &environment, flags.clone()).unwrap();
    let tls = config.tls.unwrap();
    assert_eq!((config.listen, tls.listen.as_str()), (None, "127.0.0.1:3"));
    assert_eq!(
        format!("{:?}", config.site.trusted_proxies),
        "[10.0.0.5/32, 10.1.0.0/16]"
    );
    let told = effective(file, &environment, flags);
    let told: Vec<_> = told
        .lines()
        .filter(|line| line.starts_with("tls.") || line.starts_with("trusted"))
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn v2_base_url_is_configurable() {
    let file = "[upstream]\nurl = \"https://api.zoom.us/v2\"\nresolve = [\"203.0.113.7\", \"2001:db8::7\"]\n\
                dns = [\"192.0.2.53\"]\n[[tenant]]\napi_key = \"k\"\napi_secret = \"s\"\ntoken = \"t\"";
    let names = |environment: &[_]| {
        let config = load(Some(file), environment, Flags::default()).unwrap();
        let names = v2(config).resolver;
        format!("{:?} {:?}", names.addresses, names.servers)
    };
    assert_eq!(names(&[]), "[203.0.113.7, 2001:db8::7] [192.0.2.53:53]");
    let environment = [
        ("SHIM_UPSTREAM_RESOLVE", "203.0.113.8"),
        ("SHIM_UPSTREAM_DNS", "127.0.0.1:5353,[::1]:53"),
    ];
    assert_eq!(
        names(&environment),
        "[203.0.113.8] [127.0.0.1:5353, [::1]:53]"
    );
}

#[test]
fn toml_errors_are_reported_by_line() {
    insta::assert_snapshot!(mistakes(
        "strict = true\nlisten = \n[[tenant]]\napi_secret = \"open\n"
    ));
}

#[test]
fn the_environment_is_for_one_tenant() {
    let file = "[[tenant]]\napi_key = \"a\"\n[[tenant]]\napi_key = \"b\"";
    let told = load(Some(file), &ENVIRONMENT, Flags::default()).unwrap_err();
    assert!(
        told.contains("SHIM_API_KEY is for a single tenant, and the file has 2"),
        "{told}"
    );
}

fn effective(file: &str, environment: &[(&str, &str)], flags: Flags) -> String {
    assert!(load(Some(file), environment, flags.clone()).is_ok());
    let get = |name: &str| {
        let found = environment.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let sources = Sources {
        file: Some(("shim.toml", file)),
        environment: &get,
        flags,
        read: &|_| unreachable!(),
    };
    Effective::of(&sources, &Catalog::embedded().unwrap()).to_string()
}

#[test]
fn effective_settings_are_listed_with_their_source() {
    let file = r#"
listen = "127.0.0.1:1"
[upstream]
url = "https://api.zoom.us/v2"
[limits]
requests = 7
[options]
token = true
[record]
file = "exchanges.jsonl"
pseudonym_key = "hush-hush-hush-hush"
[ledger]
file = "ledger.sqlite"
keep_days = 30
[shadow]
url = "http://127.0.0.1:8081/v1"
api_key = "three"
api_secret = "hush"
[[tenant]]
api_key = "one"
api_secret_file = "/run/secret"
token = "hush"
[[tenant]]
api_key = "two"
api_secret = "hush"
oauth = { account_id = "a", client_id = "c", client_secret = "hush" }
"#;
    let flags = given(&[("--listen", "127.0.0.1:3")]);
    let environment = [
        ("SHIM_LISTEN", "127.0.0.1:2"),
        ("SHIM_LOG_FORMAT", "json"),
        ("SHIM_LEDGER", "/var/lib/shim/ledger.sqlite"),
    ];
    let told = effective(file, &environment, flags);
    assert!(!told.contains("hush"), "{told}");
    insta::assert_snapshot!(told);
}

#[test]
fn overridden_file_values_are_not_validated() {
    let file = "[[tenant]]\napi_key = \"k\"\napi_secret_file = \"/run/secret\"\ntoken = \"hush\"";
    let told = effective(file, &ENVIRONMENT, Flags::default());
    let tenant: Vec<_> = told
        .lines()
        .filter(|line| line.starts_with("tenant"))
        .collect();
    insta::assert_snapshot!(tenant.join("\n"));
}

#[test]
fn a_digest_of_the_environment_replaces_the_secret_of_the_file() {
    let file = "[upstream]\nurl = \"https://api.zoom.us/v2\"\n[[tenant]]\napi_key = \"k\"\n\
                api_secret = \"of the file\"\ntoken = \"t\"";
    let digest = "02dfd9c87b89b7e098437f858a476a42987304dfdb424e6aaed7d34c74827756";
    let environment = [("SHIM_TENANT_API_SECRET_SHA256", digest)];
    let v2 = v2(load(Some(file), &environment, Flags::default()).unwrap());
    assert_eq!(v2.tenants[0].api_secret, SecretDigest::of("and-its-secret"));
}

#[test]
fn secrets_are_in_no_message() {
    let file = r#"
        [upstream]
        url = "https://ada:hunter2@api.zoom.us/v2"
        [[tenant]]
        api_key = "k"
        api_secret = ["hunter2"]
        token = "hunter2\u0001"
    "#;
    let told = mistakes(file);
    assert!(
        told.starts_with("shim.toml does not") && !told.contains("hunter2"),
        "{told}"
    );

    let config = load(None, &ENVIRONMENT, Flags::default()).unwrap();
    let shown = format!("{config:?}");
    assert!(shown.contains("127.0.0.1"));
    assert!(
        !shown.contains("a-v1-secret") && !shown.contains("a-client"),
        "{shown}"
    );
}

#[cfg(not(feature = "otel"))]
#[test]
fn traces_need_a_build_that_has_them() {
    let told = mistakes("[traces]\nendpoint = \"http://127.0.0.1:4318\"");
    assert!(told.contains("line 2: traces.endpoint is set"), "{told}");
    assert!(told.contains("--features otel"), "{told}");
}

#[cfg(feature = "otel")]
#[test]
fn traces_go_to_a_url() {
    let told = mistakes("[traces]\nendpoint = \"127.0.0.1:4318\"");
    assert!(
        told.contains("is no URL; write the collector's base"),
        "{told}"
    );
}

#[test]
fn chats_and_plan_writes_are_closed_unless_a_tenant_opens_them() {
    let opened = |keys: &str| {
        let file =
            format!("[[tenant]]\napi_key = \"k\"\napi_secret = \"s\"\ntoken = \"t\"\n{keys}");
        let url = [("SHIM_UPSTREAM_URL", "http://127.0.0.1:9000/v2")];
        let config = load(Some(&file), &url, Flags::default()).unwrap();
        let tenant = v2(config).tenants.remove(0);
        let plan_writes = tenant.options.get(read::PLAN_WRITES).cloned();
        let shown = format!("{:?}", tenant.tokens);
        (
            plan_writes == Some(OptionValue::Switch(true)),
            tenant.tokens.0.len(),
            shown,
        )
    };
    assert_eq!(opened(""), (false, 0, "{}".to_owned()));
    let keys = "plan_writes = true\nchat_token = \"c-h-a-t\"";
    assert_eq!(opened(keys), (true, 1, "{\"chat_token\"}".to_owned()));
}

#[test]
fn options_may_be_numbers() {
    let choose = |value: &str| {
        let file = format!("[options]\nrecording_months = {value}");
        load(Some(&file), &ENVIRONMENT, Flags::default())
    };
    let options = choose("36").unwrap().site.options;
    assert_eq!(
        options.get("recording_months"),
        Some(&OptionValue::Number(36))
    );
    assert!(
        choose("0")
            .unwrap_err()
            .contains("0 is not a number from 1 to 119")
    );
    assert!(
        choose("1.5")
            .unwrap_err()
            .contains("must be a switch, a whole number or a text")
    );
}
