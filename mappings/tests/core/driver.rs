//! Test driver that runs translations against a scripted v2.

use std::sync::LazyLock;

use mappings::{
    Arguments, Body, Catalog, Memory, Outcome, Site, Translation, V2Request, translation::Finished,
};
use serde_json::{Value, json};

pub(crate) const NOW: i64 = 1_600_000_000; // 2020-09-13T12:26:40Z

pub(crate) fn catalog() -> &'static Catalog {
    static CATALOG: LazyLock<Catalog> =
        LazyLock::new(|| Catalog::embedded().unwrap_or_else(|error| panic!("{error}")));
    &CATALOG
}

pub(crate) fn site(catalog: &Catalog) -> Site {
    Site {
        account_id: Some("account-1".to_owned()),
        options: catalog.options(&std::collections::BTreeMap::new()).unwrap(),
        ..Site::default()
    }
}

/// A site with one option set.
pub(crate) fn site_with_option(option: &str, value: impl Into<toml::Value>) -> Site {
    site_with_options(&[(option, value.into())])
}

pub(crate) fn site_with_options(options: &[(&str, toml::Value)]) -> Site {
    let options = options.iter().cloned();
    let options = options.map(|(name, value)| (name.to_owned(), value));
    Site {
        options: catalog().options(&options.collect()).unwrap(),
        ..site(catalog())
    }
}

pub(crate) fn strict_site() -> Site {
    Site {
        strict: true,
        ..site(catalog())
    }
}

/// Query parameter; empty if absent.
pub(crate) fn of<'r>(request: &'r V2Request, name: &str) -> &'r str {
    let mut query = request.query.iter();
    let found = query.find(|(known, _)| known == name);
    found.map_or("", |(_, value)| value)
}

/// Requests grouped by readiness, and the result.
pub(crate) struct Run {
    pub(crate) sent: Vec<Vec<String>>,
    pub(crate) finished: Finished,
}

/// Runs a translation; `v2` responds to each request.
pub(crate) fn run(
    operation: &str,
    arguments: &[(&str, &str)],
    v2: impl Fn(&V2Request) -> Outcome,
) -> Result<Run, String> {
    run_at(&site(catalog()), operation, arguments, v2)
}

/// Runs a translation at a site.
pub(crate) fn run_at(
    site: &Site,
    operation: &str,
    arguments: &[(&str, &str)],
    v2: impl Fn(&V2Request) -> Outcome,
) -> Result<Run, String> {
    run_with(catalog(), site, Memory::default(), operation, arguments, v2)
}

pub(crate) fn run_with(
    catalog: &Catalog,
    site: &Site,
    memory: Memory,
    operation: &str,
    arguments: &[(&str, &str)],
    v2: impl Fn(&V2Request) -> Outcome,
) -> Result<Run, String> {
    let operation = catalog.find(operation).expect("the operation exists");
    let arguments: Arguments = arguments.iter().copied().collect();
    let mut translation = Translation::begin(catalog, operation, arguments, site, NOW)
        .map_err(|error| format!("{} {}", error.code, error.message))?;
    translation.recall(memory);
    let mut sent = Vec::new();
    loop {
        let ready = translation.ready();
        if translation.is_done() {
            break;
        }
        assert!(!ready.is_empty(), "nothing is ready and nothing is done");
        sent.push(ready.iter().map(|call| shown(&call.request)).collect());
        for call in ready {
            translation.complete(call.id, v2(&call.request));
        }
    }
    Ok(Run {
        sent,
        finished: translation.finish(NOW),
    })
}

pub(crate) fn shown(request: &V2Request) -> String {
    let query: Vec<_> = request
        .query
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let mut text = format!("{} {}", request.method, request.path);
    if !query.is_empty() {
        text = format!("{text}?{}", query.join("&"));
    }
    match &request.body {
        Body::None => text,
        Body::Json(body) => format!("{text} {body}"),
        Body::File {
            part,
            media_type,
            file,
        } => {
            format!("{text} {part}: {media_type}, {} bytes", file.bytes.len())
        }
    }
}

pub(crate) fn ok(body: Value) -> Outcome {
    Outcome::Answered {
        status: 200,
        body: Some(body.into()),
    }
}

pub(crate) fn created(body: Value) -> Outcome {
    Outcome::Answered {
        status: 201,
        body: Some(body.into()),
    }
}

pub(crate) fn no_content() -> Outcome {
    Outcome::Answered {
        status: 204,
        body: None,
    }
}

pub(crate) fn error(status: u16, code: i64, message: &str) -> Outcome {
    Outcome::Answered {
        status,
        body: Some(json!({ "code": code, "message": message }).into()),
    }
}

pub(crate) fn user() -> Value {
    json!({
        "id": "kdc1", "email": "ada@example.com", "first_name": "Ada", "last_name": "Lovelace",
        "type": 2, "pmi": 2_035_134_243_i64, "verified": 1, "dept": "R&D", "status": "active",
        "timezone": "Europe/London", "created_at": "2018-10-31T04:32:37.123Z",
        "user_created_at": "2017-01-02T03:04:05+01:00", "last_login_time": "2026-01-01T00:00:00Z",
        "last_client_version": "5.9.1", "login_types": [100], "account_id": "acc",
        "vanity_url": "https://example.com/my/ada"
    })
}

/// The user that a path refers to by id or address.
pub(crate) fn user_at(path: &str) -> Value {
    let mut user = user();
    let key = path.rsplit('/').next().unwrap();
    match key.split_once("%40") {
        Some((name, domain)) => user["email"] = format!("{name}@{domain}").to_lowercase().into(),
        None => user["id"] = key.into(),
    }
    user
}

pub(crate) fn settings() -> Value {
    json!({
        "in_meeting": { "chat": true, "private_chat": false, "entry_exit_chime": "host",
                        "e2e_encryption": true, "waiting_room": false },
        "recording": { "auto_recording": "cloud", "local_recording": true, "cloud_recording": true,
                       "auto_delete_cmr_days": 60 },
        "feature": { "meeting_capacity": 100, "webinar": false },
        "email_notification": { "jbh_reminder": true },
        "schedule_meeting": {}
    })
}

/// A v2 on which all requests succeed.
pub(crate) fn success(request: &V2Request) -> Outcome {
    match (request.method.as_str(), &*request.template) {
        ("GET", "/users/{userId}") => ok(user_at(&request.path)),
        ("GET", "/users/{userId}/settings") => ok(settings()),
        ("GET", "/users/{userId}/token") => ok(json!({ "token": "zak.of.ada" })),
        ("POST", "/users") => {
            created(json!({ "id": "new1", "email": "new@example.com", "type": 1 }))
        }
        ("GET", "/users/{userId}/assistants") => ok(json!({ "assistants": [
            { "id": "a1", "email": "Alan@example.com" }, { "id": "a2", "email": "grace@example.com" },
        ] })),
        ("GET", "/users/{userId}/schedulers") => ok(json!({ "schedulers": [] })),
        ("GET", "/users/email") => ok(json!({ "existed_email": true })),
        ("GET", "/users") => ok(json!({
            "page_count": 1, "page_number": 1, "page_size": 30, "total_records": 2,
            "users": [user(), { "id": "kdc2", "email": "grace@example.com", "type": 99, "status": "active" }],
        })),
        ("POST", "/users/{userId}/assistants") => {
            created(json!({ "ids": "a1", "add_at": "2026-02-03T04:05:06Z" }))
        }
        ("POST", "/groups/{groupId}/members" | "/im/groups/{groupId}/members") => {
            created(json!({ "ids": "new1", "added_at": "2026-02-03T04:05:06Z" }))
        }
        _ => no_content(),
    }
}

impl Run {
    /// The response.
    pub(crate) fn answer(self) -> Value {
        match self.finished.answer.result {
            Ok(answer) => Value::Object(answer.members()),
            Err(error) => panic!("{} {}", error.code, error.message),
        }
    }

    /// The error as `code message`.
    pub(crate) fn error(&self) -> String {
        match &self.finished.answer.result {
            Ok(answer) => panic!("no error but {}", Value::Object(answer.members())),
            Err(error) => format!("{} {}", error.code, error.message),
        }
    }

    /// All requests in sending order.
    pub(crate) fn requests(&self) -> Vec<&str> {
        self.sent.iter().flatten().map(String::as_str).collect()
    }

    /// Fields with warnings.
    pub(crate) fn warned(&self) -> Vec<&str> {
        self.finished
            .answer
            .warnings
            .iter()
            .map(|warning| warning.field.as_str())
            .collect()
    }
}
