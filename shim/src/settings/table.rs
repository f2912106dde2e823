//! Every setting, once: name, type, range, default, variable, flag and documentation.
//!
//! The doc comments are the documentation for operators, too: in the example file,
//! `shim/docs/settings.md`, the help and the manual page. Values are in the notation of variables.
//! To add a setting, add an entry, use its value, and run the test `reference` with
//! `UPDATE_SETTINGS=1`.

use std::time::Duration;

use secrecy::SecretString;

use super::{
    BodyStyle, CallerIdentity, DEFAULT_LISTEN, DEFAULT_OPS_LISTEN, LogFormat, OnOutage, Side,
    V2_DOCUMENTS,
    key::{Key, Kind, Section},
    origin::Placed,
    read::{SectionReader, SectionState, TableReader},
};

/// Defines the table: a struct per section, with a field per key.
macro_rules! table {
    ($table:ident: $(
        $(#[doc = $about:literal])+
        [$path:literal] $section:ident: $name:ident { $(
            $(#[doc = $doc:literal])+
            $key:ident: $type:ty = $made:expr;
        )+ }
    )+) => {
        pub(super) struct $table { $(pub(super) $section: $name),+ }

        $(pub(super) struct $name {
            #[allow(dead_code, reason = "not every section is validated as a whole")]
            pub(super) section: SectionState,
            $(pub(super) $key: Placed<$type>,)+
        })+

        impl $table {
            pub(super) const SECTIONS: &[Section] = &[$(Section {
                name: $path,
                about: concat!($($about),+).trim_ascii(),
                keys: &[$($made.named(($path, stringify!($key)), concat!($($doc),+))),+],
            }),+];

            pub(super) fn read(table: &TableReader<'_>) -> Self {
                Self { $($section: {
                    let mut section = SectionReader::new(table, $path);
                    $name {
                        $($key: section.read(const {
                            &$made.named(($path, stringify!($key)), concat!($($doc),+))
                        }),)+
                        // The last: it knows the mistakes.
                        section: section.finish(),
                    }
                }),+ }
            }
        }
    };
}

table! { Site:
    /// The shim itself.
    [""] main: Main {
        /// Address for plain HTTP, or "off", with TLS.
        listen: String = text().default(DEFAULT_LISTEN).listed("SHIM_LISTEN")
            .flag("--listen", "ADDR");
        /// Reject what v2 does not support, before anything is written, instead of warning.
        strict: bool = switch().default("false").flag("--strict", "").reloaded();
        /// Reverse proxies in front, whose X-Forwarded-For gives the client address.
        trusted_proxies: Vec<Placed<String>> = texts().default("").example("10.0.0.5, 10.1.0.0/16")
            .listed("SHIM_TRUSTED_PROXIES").reloaded();
        /// Origins whose browser programs may call v1. Everyone who opens such a page can read the
        /// api_secret in it.
        cors_origins: Vec<Placed<String>> = texts().default("").example("https://app.example.com")
            .listed("SHIM_CORS_ORIGINS").reloaded();
    }

    /// v2, and how to reach it.
    ["upstream"] upstream: Upstream {
        /// Base URL of v2, with its path; not needed with --sandbox.
        url: Option<String> = text().required("https://api.zoom.us/v2")
            .listed("SHIM_UPSTREAM_URL");
        /// Token endpoint of server-to-server OAuth, if v2 is not at api.zoom.us.
        oauth_url: Option<String> = text().example("https://zoom.us/oauth/token")
            .listed("SHIM_OAUTH_URL").reloaded();
        /// v2 price plan, for the rate budget: free, pro, business (and above) or unlimited.
        plan: String = text().default("unlimited").listed("SHIM_UPSTREAM_PLAN").reloaded();
        /// Addresses of v2's host, instead of the system's DNS.
        resolve: Vec<Placed<String>> = texts().default("").example("203.0.113.7")
            .listed("SHIM_UPSTREAM_RESOLVE");
        /// DNS servers for v2's host, bypassing the hosts file.
        dns: Vec<Placed<String>> = texts().default("").example("192.0.2.53")
            .listed("SHIM_UPSTREAM_DNS");
        /// Timeout of a connection to v2.
        connect_seconds: Duration = seconds(1, 12).default("3");
        /// Timeout of one v2 call.
        call_seconds: Duration = seconds(1, 120).default("10");
        /// Largest v2 response; a page of 300 users is under one megabyte.
        answer_bytes: usize = bytes(1 << 30).default("8388608");
    }

    /// HTTP/1.1 and HTTP/2 over TLS 1.2 and 1.3; off unless all three are set.
    ["tls"] tls: Tls {
        /// Address for TLS, in addition to plain HTTP.
        listen: Option<String> = text().example("0.0.0.0:8443").listed("SHIM_TLS_LISTEN")
            .flag("--tls-listen", "ADDR");
        /// TLS certificate, then its chain, as PEM; reloaded on SIGHUP, as is the key.
        cert_file: Option<String> = file().example("cert.pem").listed("SHIM_TLS_CERT_FILE")
            .flag("--tls-cert", "FILE").reloaded();
        /// TLS private key, as PEM, not encrypted; readable by the shim's user only.
        key_file: Option<String> = file().example("key.pem").listed("SHIM_TLS_KEY_FILE")
            .flag("--tls-key", "FILE").reloaded();
    }

    /// The operations address, without a password; loopback only by default.
    ["ops"] ops: Ops {
        /// Address of /ui, /metrics, /status, /healthz, /readyz, or "off".
        listen: String = text().default(DEFAULT_OPS_LISTEN).listed("SHIM_OPS_LISTEN")
            .flag("--ops-listen", "ADDR");
    }

    /// The log, on standard error.
    ["log"] log: Log {
        /// Lowest log level: error, warn, info, debug or trace. RUST_LOG takes precedence.
        level: String = choice(&["error", "warn", "info", "debug", "trace"]).default("info")
            .listed("SHIM_LOG_LEVEL").flag("--log-level", "LEVEL");
        /// Log format: "text" for people, or "json", one object a line.
        format: LogFormat = choice(&["text", "json"]).default("text").listed("SHIM_LOG_FORMAT");
    }

    /// OpenTelemetry, in builds with `--features otel`; off without an endpoint.
    ["traces"] traces: Traces {
        /// Base URL of a collector that takes traces by OTLP over HTTP.
        endpoint: Option<String> = text().example("http://127.0.0.1:4318")
            .listed("SHIM_TRACES_ENDPOINT");
        /// Share of the requests that are traced.
        sample_percent: u8 = percent().default("100");
    }

    /// The Deprecation, Sunset and Link headers of every response.
    ["deprecation"] deprecation: Deprecation {
        /// Send these headers.
        headers: bool = switch().default("true").reloaded();
        /// The day Zoom switched v1 off, or the day you will.
        sunset: String = text().default("2020-05-31").reloaded();
        /// Where maintainers read what to do instead.
        link: String = text().default(V2_DOCUMENTS).reloaded();
    }

    /// Lists of users.
    ["list"] list: List {
        /// Settings in list entries, a v2 call each: full, profile (none), auto (full up to 30
        /// entries).
        detail: String = text().default("auto").reloaded();
        /// Concurrent v2 calls for the entries of one list.
        parallel: usize = count().default("10");
    }

    /// Entries read for lists; a write through the shim clears them.
    ["cache"] cache: Cache {
        /// Time to live of what was read of a user.
        seconds: Duration = seconds(0, 3600).default("10");
        /// Size of the cache.
        bytes: u64 = number(0, 1 << 40, "bytes").default("67108864");
    }

    /// What a request may take.
    ["limits"] limits: Limits {
        /// Timeout of a whole v1 request; v1 clients time out after 15 s.
        request_seconds: Duration = seconds(1, 600).default("13");
        /// Largest request body; a picture has up to 2 MiB, three times as much percent-encoded.
        body_bytes: usize = bytes(1 << 30).default("7340032");
        /// Timeout of a request body.
        body_seconds: Duration = seconds(1, 600).default("10");
        /// Timeout of the request line and the headers.
        header_seconds: Duration = seconds(1, 600).default("10");
        /// Concurrent requests; more get v1's rate limit error.
        requests: usize = count().default("256");
        /// Concurrent connections; beyond, the connection idle longest is closed.
        connections: usize = count().default("1024");
        /// Concurrent TLS handshakes; beyond, the oldest is dropped.
        handshakes: usize = count().default("256");
        /// Timeout of a TLS handshake.
        handshake_seconds: Duration = seconds(1, 600).default("10");
        /// Failed logins a minute for one key and address; further attempts are rejected; 0: no
        /// limit.
        failed_attempts: u32 = number(0, 1_000_000, "").default("30");
        /// After SIGTERM: how long /readyz fails while connections are still accepted, until load
        /// balancers have noticed.
        drain_seconds: Duration = seconds(0, 600).default("0").listed("SHIM_DRAIN_SECONDS");
        /// After that: time for running requests to finish; as long as a request may take by
        /// default (body_seconds + request_seconds).
        shutdown_seconds: Option<Duration> = seconds(0, 600).example("23")
            .listed("SHIM_SHUTDOWN_SECONDS");
    }

    /// Recorded exchanges; off without a file.
    ["record"] record: Record {
        /// Record exchanges in this file, without secrets, for `migrate diff`.
        file: Option<String> = file().example("exchanges.jsonl").flag("--record", "FILE");
        /// Size at which the file is rotated: it becomes `exchanges.jsonl.1`, and so on.
        max_bytes: u64 = bytes(1 << 40).default("67108864");
        /// Files kept, including the current one.
        files: usize = count().default("5");
        /// Share of the exchanges that are kept.
        sample_percent: u8 = percent().default("100");
        /// Near-equal exchanges kept, which differ only in values; the further ones are left out.
        alike: Option<usize> = number(1, 1_000_000, "").example("3");
        /// At least 16 characters: replaces addresses and names by pseudonyms.
        pseudonym_key: Option<SecretString> = secret().example("a-long-random-text");
    }

    /// The operator's pages: /ui on the operations address.
    ["ui"] ui: Ui {
        /// Exchanges kept in memory for the pages, without secrets; 100 while recording, otherwise
        /// none.
        recent: Option<usize> = number(0, 10_000, "").example("100");
        /// Host names of the operations address, besides localhost and IP addresses.
        hosts: Vec<Placed<String>> = texts().default("").example("shim.example.com");
    }

    /// Compares responses with a second v1; off without url or mappings.
    ["shadow"] shadow: Shadow {
        /// Another shim, or a private v1; receives reads only.
        url: Option<String> = text().example("http://127.0.0.1:8081/v1");
        /// The credential that the shadow takes.
        api_key: Option<String> = text().example("what-the-shadow-takes");
        /// The secret of that credential.
        api_secret: Option<SecretString> = secret().example("and-its-secret");
        /// Instead of a credential: send the client's.
        forward_credentials: bool = switch().default("false");
        /// A folder of other mappings, compared offline: instead of a url, or in addition for
        /// writes.
        mappings: Option<String> = file().example("changed");
        /// Whose response clients get, "shim" or "shadow".
        answer: Side = choice(&["shim", "shadow"]).default("shim");
        /// Share of the requests that are compared.
        sample_percent: u8 = percent().default("100");
        /// Requests compared in a second at most, whatever the share is.
        per_second: Option<u32> = number(1, 100_000, "requests").example("20");
        /// Concurrent requests to the shadow; 16 times as many wait.
        concurrency: usize = count().default("4");
        /// Timeout of the shadow, its queue included.
        timeout_seconds: Duration = seconds(1, 120).default("10");
    }

    /// What is remembered between requests: unfinished writes, page cursors, queued notifications.
    ["state"] state: State {
        /// "memory:" ends with the process, "sqlite:FILE" survives it, "redis://HOST:6379/0" (also
        /// rediss, redis+sentinel, redis+cluster) is shared by replicas; under systemd, the default
        /// is a file in the state directory.
        url: Option<String> = text().example("sqlite:state.sqlite").listed("SHIM_STATE_URL");
        /// The password of Redis, unless the URL has it.
        password: Option<SecretString> = secret().example("a-long-random-text");
        /// PEM certificates of the authority that issued Redis's, for rediss; by default, the
        /// system's.
        ca_file: Option<String> = file().example("redis-ca.pem");
        /// 32 random bytes that seal all state; created as state.key beside a SQLite file.
        key_file: Option<String> = file().example("state.key").listed("SHIM_STATE_KEY_FILE");
        /// The key before the current one, for a day after it was replaced.
        previous_key_file: Option<String> = file().example("previous.key");
        /// Writes while the state cannot be reached: "local" remembers them in this process,
        /// "refuse-writes" rejects them.
        on_outage: OnOutage = choice(&["local", "refuse-writes"]).default("local")
            .listed("SHIM_STATE_ON_OUTAGE");
        /// Replicas among which the rate budget is divided while Redis cannot be reached and never
        /// counted them.
        replicas: u32 = number(1, 1000, "replicas").default("4");
        /// Replicas of Redis that must have stored the start of a write before its first v2 call,
        /// for at most 50 ms; 0: none.
        wait_replicas: u32 = number(0, 10, "replicas").default("0");
    }

    /// v2's webhooks, which become v1's push notifications; off without an address.
    ["webhooks"] webhooks: Webhooks {
        /// Address for v2's webhooks, path /webhooks/zoom; v2 wants TLS, so a proxy is in front.
        listen: Option<String> = text().example("127.0.0.1:8082").listed("SHIM_WEBHOOKS_LISTEN");
        /// Secret token of the v2 app that signs webhooks; several with commas or line ends
        /// between, for several apps, or while one is replaced.
        secret_token: Option<SecretString> = secret().example("…")
            .listed("SHIM_WEBHOOKS_SECRET_TOKEN").reloaded();
    }

    /// The usage ledger; off without a file.
    ["ledger"] ledger: Ledger {
        /// Record the callers of v1 in this SQLite file, for /usage and `migrate usage`; or in a
        /// database, as postgres://user@host/name (in builds with `--features postgres`).
        file: Option<String> = file().example("ledger.sqlite").listed("SHIM_LEDGER")
            .flag("--ledger", "FILE");
        /// The password of that database.
        password: Option<SecretString> = secret().example("a-long-random-text");
        /// Older calls are deleted; at least the interval of the rarest job.
        keep_days: u32 = number(1, 3660, "days").default("400");
        /// Callers told apart; beyond, those of a key are merged.
        max_consumers: usize = count().default("5000");
        /// Interval of writes; a crash loses at most this much.
        flush_seconds: Duration = seconds(1, 300).default("5");
    }

    /// Downloads of recordings through the shim, for options.recording_downloads = "relay".
    ["relay"] relay: Relay {
        /// URL by which the old programs reach the shim: the links are below it.
        url: Option<String> = text().example("https://shim.example.com").listed("SHIM_RELAY_URL");
        /// At least 32 characters: signs the links. Without one, a key is derived from
        /// state.key_file, or made at every start if state is in memory; older links end then.
        key: Option<SecretString> = secret().example("a-long-random-text");
        /// How long a link is good.
        link_seconds: Duration = seconds(1, 604_800).default("86400");
        /// Timeout of a whole download.
        download_seconds: Duration = seconds(10, 86_400).default("3600");
        /// Concurrent downloads; more get status 503.
        downloads: usize = count().default("16");
        /// Domains that files are fetched from over TLS, besides v2's own host.
        domains: Vec<Placed<String>> = texts().default("zoom.us, zoomgov.com");
    }

    /// Error responses.
    ["errors"] errors: Errors {
        /// HTTP status of errors caused by v2: 200, as in v1, or 500 to 599.
        upstream_status: u16 = number(200, 599, "").default("200").reloaded();
    }
}

table! { Tenant:
    /// One section for each v1 credential. Variables are for a single one.
    ["tenant"] own: OwnKeys {
        /// v1 API key, as the old programs send it.
        api_key: Option<String> = text().required("what-the-programs-send")
            .listed("SHIM_API_KEY").reloaded();
        /// v1 API secret, as the old programs send it.
        api_secret: Option<SecretString> = secret().required("and-its-secret")
            .listed("SHIM_API_SECRET").replaces("tenant.api_secret").reloaded();
        /// Instead of the v1 API secret: `printf %s "$SECRET" | sha256sum`.
        api_secret_sha256: Option<String> = digest().example("…").replaces("tenant.api_secret")
            .reloaded();
        /// Shown in v1 responses; the account of OAuth by default.
        account_id: Option<String> = text().example("…").reloaded();
        /// A fixed v2 access token, instead of OAuth.
        token: Option<SecretString> = secret().example("…").listed("SHIM_UPSTREAM_TOKEN")
            .replaces("tenant.oauth.").reloaded();
        /// Who maintains the programs with this key: for /usage and `migrate usage --by owner`.
        owner: Option<String> = text().example("billing@example.com").reloaded();
        /// Overrides upstream.plan.
        plan: Option<String> = text().example("pro").reloaded();
        /// Overrides the general setting.
        strict: Option<bool> = switch().example("true").reloaded();
        /// Overrides list.detail.
        list_detail: Option<String> = text().example("profile").reloaded();
        /// Overrides options.plan_writes: allow the operations that spend money.
        plan_writes: Option<bool> = switch().example("true").reloaded();
        /// The access_token that opens chat/list and chat/get, which show what everybody in the
        /// account wrote; without one they are rejected.
        chat_token: Option<SecretString> = secret().example("a-long-random-text").reloaded();
        /// Reject writes.
        read_only: bool = switch().example("true").reloaded();
        /// Allow only these operations.
        operations: Option<Vec<Placed<String>>> = texts().example("user/get").reloaded();
    }

    /// Server-to-server OAuth: all three keys, or a token instead.
    ["tenant.oauth"] oauth: OAuth {
        /// Account id of the server-to-server OAuth app.
        account_id: Option<String> = text().required("…").listed("SHIM_OAUTH_ACCOUNT_ID")
            .replaces("tenant.token").reloaded();
        /// Client id of the server-to-server OAuth app.
        client_id: Option<String> = text().required("…").listed("SHIM_OAUTH_CLIENT_ID")
            .replaces("tenant.token").reloaded();
        /// Client secret of the server-to-server OAuth app.
        client_secret: Option<SecretString> = secret().required("…")
            .listed("SHIM_OAUTH_CLIENT_SECRET").replaces("tenant.token").reloaded();
    }
}

table! { Receiver:
    /// A program that receives v1's push notifications; several of them are allowed.
    ["receiver"] own: ReceiverKeys {
        /// Where notifications are posted; its query may be a secret. A private address is accepted
        /// only as the host of the URL, or with allow_private.
        url: Option<SecretString> = secret().required("https://example.com/zoom")
            .listed("SHIM_RECEIVER_URL").reloaded();
        /// Notifications that it gets, or all.
        notifications: Vec<Placed<String>> = texts().default("").example("STARTED, ENDED").reloaded();
        /// Body as a form, as v1 sent it, or as JSON.
        body_style: BodyStyle = choice(&["form", "json"]).default("form").reloaded();
        /// User and password of HTTP Basic, as user:password.
        basic: Option<SecretString> = secret().example("user:password")
            .listed("SHIM_RECEIVER_BASIC").reloaded();
        /// v2 account ids that it hears about, or all.
        accounts: Vec<Placed<String>> = texts().default("").example("aC7kPq2XT1eWm9dF0sLbNg").reloaded();
        /// Attempts to deliver a notification; then it is a dead letter.
        attempts: u32 = number(1, 10_000, "").default("3").reloaded();
        /// Seconds between attempts; the last one repeats.
        waits: Vec<Placed<String>> = texts().default("10, 60").reloaded();
        /// The host may resolve to private, loopback and link-local addresses.
        allow_private: bool = switch().default("false").reloaded();
        /// Link to a recording: the option recording_downloads for this receiver.
        recording_downloads: Option<String> = text().example("plain").reloaded();
        /// Form of RECORDING_MEETING_COMPLETED: the option recording_form for this receiver.
        recording_form: Option<String> = text().example("status").reloaded();
        /// Seconds between v2's event and the push of RECORDING_MEETING_COMPLETED, for programs
        /// that ask v1 for the recording at once. Later notifications of the meeting wait behind
        /// it.
        recording_pause: u64 = number(0, 3600, "seconds").default("0").reloaded();
        /// JBH and JOIN once for a meeting: the option jbh_once for this receiver.
        jbh_once: Option<bool> = switch().example("true").reloaded();
        /// STARTED and ENDED of webinars: the option push_webinars for this receiver.
        push_webinars: Option<bool> = switch().example("true").reloaded();
    }
}

table! { Brownout:
    /// Announced windows in which v1 answers an error, so that its last callers are found before it
    /// ends; several sections are allowed.
    ["brownout"] own: BrownoutKeys {
        /// First moment in UTC: a day, or a day and a time.
        from: Option<String> = text().required("2027-03-01 10:00").reloaded();
        /// Last moment in UTC; a day counts to its end. Not after deprecation.sunset, the day that
        /// the error names.
        to: Option<String> = text().required("2027-04-30").reloaded();
        /// Hours from the beginning of one window to that of the next; without it, there is one
        /// window, from `from` to `to`.
        every_hours: Option<u64> = number(1, 8784, "hours").example("168").reloaded();
        /// With every_hours: minutes of the first window, the second and so on; the last one
        /// repeats.
        minutes: Vec<Placed<String>> = texts().default("").example("5, 15, 60, 240").reloaded();
        /// v1 keys concerned, or all.
        keys: Vec<Placed<String>> = texts().default("").example("what-the-programs-send")
            .reloaded();
        /// Operations concerned, or all.
        operations: Vec<Placed<String>> = texts().default("").example("user/list").reloaded();
    }
}

table! { Rollout:
    /// Moves callers, by share, to a second v1: another build of the shim, other mappings, a
    /// private v1, or a gateway of your own; several sections are allowed, and the first that
    /// concerns a request decides.
    ["rollout"] own: RolloutKeys {
        /// Name in logs, metrics, headers and pages. It also selects who is moved first.
        name: Option<String> = text().required("new-build").reloaded();
        /// The other side: a base URL that answers v1 requests.
        url: Option<String> = text().example("http://127.0.0.1:8081/v1").reloaded();
        /// Or a folder of other mappings, with which this shim serves the callers that are moved.
        mappings: Option<String> = file().example("changed").reloaded();
        /// The credential that the other side takes.
        api_key: Option<String> = text().example("what-the-other-takes").reloaded();
        /// The secret of that credential.
        api_secret: Option<SecretString> = secret().example("and-its-secret").reloaded();
        /// Instead of a credential: send the client's.
        forward_credentials: bool = switch().default("false").reloaded();
        /// Share of the callers that the other side answers; who is moved at 5 stays moved at 25.
        percent: u8 = number(0, 100, "percent").default("0").reloaded();
        /// What a caller is: a v1 key, or a key and the client's address.
        by: CallerIdentity = choice(&["key", "address"]).default("key").reloaded();
        /// v1 keys concerned, or all.
        keys: Vec<Placed<String>> = texts().default("").example("what-the-programs-send").reloaded();
        /// Operations concerned, or all.
        operations: Vec<Placed<String>> = texts().default("").example("user/list").reloaded();
        /// Move writes, too: those of a moved caller go to the other side and nowhere else.
        writes: bool = switch().default("false").reloaded();
        /// Share of the moved reads that both sides answer, to be compared.
        compare_percent: u8 = number(0, 100, "percent").default("100").reloaded();
        /// Timeout of the other side; a read is answered here after that.
        timeout_seconds: Duration = seconds(1, 120).default("5").reloaded();
        /// Last answers of the other side that the limits below are about.
        window: usize = number(1, 100_000, "answers").default("200").reloaded();
        /// Unexpected differences allowed among them; with one more, all callers go back.
        max_unexpected: usize = number(0, 100_000, "answers").default("3").reloaded();
        /// Failures of the other side allowed among them.
        max_errors: usize = number(0, 100_000, "answers").default("3").reloaded();
        /// Highest 99th percentile of their time allowed.
        max_p99_ms: Option<u64> = number(1, 120_000, "milliseconds").example("1500").reloaded();
    }
}

/// All sections in reading order. Those of options come from the catalog.
pub(crate) fn sections() -> impl Iterator<Item = &'static Section> {
    const FIRST: usize = 2;
    let (site, tenant) = (Site::SECTIONS.iter(), Tenant::SECTIONS.iter());
    let receiver = Receiver::SECTIONS.iter().chain(Rollout::SECTIONS);
    let brownout = Brownout::SECTIONS.iter();
    site.clone()
        .take(FIRST)
        .chain(tenant)
        .chain(site.skip(FIRST))
        .chain(receiver)
        .chain(brownout)
}

/// All keys, in the same order.
pub(crate) fn keys() -> impl Iterator<Item = &'static Key> {
    sections().flat_map(|section| section.keys)
}

const fn switch() -> Key {
    Key::new(Kind::Switch)
}

const fn number(first: u64, last: u64, unit: &'static str) -> Key {
    Key::new(Kind::Number(first, last, unit))
}

/// At least one.
const fn count() -> Key {
    number(1, 1_000_000, "")
}

const fn percent() -> Key {
    number(1, 100, "percent")
}

const fn seconds(first: u64, last: u64) -> Key {
    number(first, last, "seconds")
}

/// At least 1 KB.
const fn bytes(last: u64) -> Key {
    number(1024, last, "bytes")
}

const fn text() -> Key {
    Key::new(Kind::Text)
}

const fn choice(choices: &'static [&'static str]) -> Key {
    Key::new(Kind::Choice(choices))
}

const fn texts() -> Key {
    Key::new(Kind::Texts)
}

const fn file() -> Key {
    Key::new(Kind::File)
}

const fn digest() -> Key {
    Key::new(Kind::Digest)
}

const fn secret() -> Key {
    Key::new(Kind::Secret)
}
