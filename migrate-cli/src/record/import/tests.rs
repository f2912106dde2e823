//! Each format, with secrets wherever it can hold them.

use std::fs;

use base64::Engine as _;
use serde_json::json;

use super::*;

const SECRET: &str = "a-hush-secret";

fn imported(path: &Path) -> Imported {
    let catalog = Catalog::embedded().unwrap();
    let redactor = Redactor::new(&catalog, None);
    let mut imported = Imported::default();
    import(&catalog, &redactor, path, &mut imported).unwrap();
    for exchange in &imported.exchanges {
        assert!(!exchange.write().unwrap().contains("hush"), "{exchange:?}");
    }
    imported
}

fn of(text: &str) -> Imported {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, text).unwrap();
    imported(&path)
}

/// Operation, wrapping, id and department of each exchange.
fn shown(imported: &Imported) -> Vec<String> {
    let shown = imported.exchanges.iter().map(|exchange| {
        let V1Exchange {
            operation,
            wrapping,
            parameters,
            answer,
            ..
        } = &exchange.v1;
        format!(
            "{operation} {wrapping:?} {} {}",
            plain(parameters.get("id")),
            plain(answer.get("dept"))
        )
    });
    shown.collect()
}

fn form() -> String {
    format!("api_key=k-hush-k&api_secret={SECRET}&id=u1")
}

fn answer() -> String {
    json!({ "id": "u1", "dept": "R&D", "zak": "a-hush-zak", "token": "" }).to_string()
}

#[test]
fn imports_har_files() {
    let entry = |url: &str, body: Value, content: Value| {
        json!({
            "startedDateTime": "2026-01-01T00:00:00Z", "time": 12.5,
            "request": { "method": "POST", "url": url, "postData": body },
            "response": { "status": 200, "content": content },
        })
    };
    let text = |text: String| json!({ "text": text });
    let base64 = base64::engine::general_purpose::STANDARD.encode(answer());
    let entries = [
        entry(
            "https://api.zoom.us/v1/user/get",
            text(form()),
            text(answer()),
        ),
        entry(
            &format!("https://api.zoom.us/v1/user/get?{}", form()),
            Value::Null,
            text(answer()),
        ),
        entry(
            "https://proxy.example.com/zoom/v1/user/get",
            json!({ "params": [{ "name": "id", "value": "u1" }, { "name": "api_secret", "value": SECRET }] }),
            json!({ "text": base64, "encoding": "base64" }),
        ),
        entry(
            "https://api.zoom.us/v2/users/u1",
            Value::Null,
            text(answer()),
        ),
        entry(
            "https://api.zoom.us/v1/user/get",
            text(form()),
            text("<user/>".to_owned()),
        ),
    ];
    let found = of(&json!({ "log": { "entries": entries } }).to_string());
    assert_eq!(
        shown(&found),
        [
            "user/get Form u1 R&D",
            "user/get Query u1 R&D",
            "user/get Form u1 R&D"
        ]
    );
    assert_eq!((found.others, found.unreadable), (1, 1));
    let first = found.exchanges.first().unwrap();
    assert_eq!(
        (first.micros, first.at.as_str()),
        (12_500, "2026-01-01T00:00:00Z")
    );
    assert_eq!(first.v1.answer.get("zak").unwrap(), "[redacted]");
}

#[test]
fn imports_postman_examples() {
    let request = json!({
        "method": "POST", "url": { "raw": "{{base}}/user/get" },
        "body": { "mode": "urlencoded", "urlencoded": [
            { "key": "id", "value": "u1" }, { "key": "api_secret", "value": SECRET },
        ] },
    });
    let raw = json!({
        "method": "POST", "url": "https://api.zoom.us/v1/user/get",
        "body": { "mode": "raw", "raw": json!({ "id": "u1", "api_secret": SECRET }).to_string() },
    });
    let collection = json!({ "info": {}, "item": [{ "name": "users", "item": [
        { "name": "get", "request": request, "response": [
            { "body": answer() }, { "originalRequest": raw, "body": answer() },
        ] },
        { "name": "no example", "request": request, "response": [] },
    ] }] });
    let found = of(&collection.to_string());
    assert_eq!(
        shown(&found),
        ["user/get Form u1 R&D", "user/get Json u1 R&D"]
    );
}

#[test]
fn imports_json_lines() {
    let line = |request: Value| {
        let answer: Value = serde_json::from_str(&answer()).unwrap();
        json!({ "url": "/v1/user/get", "request": request, "response": answer }).to_string()
    };
    let found = of(&[line(form().into()), line(json!({ "id": "u1" }))].join("\n"));
    assert_eq!(
        shown(&found),
        ["user/get Form u1 R&D", "user/get Json u1 R&D"]
    );
    let again: Vec<_> = found
        .exchanges
        .iter()
        .map(|one| one.write().unwrap())
        .collect();
    assert_eq!(of(&again.join("\n")).exchanges, found.exchanges);
}

#[test]
fn imports_folders() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
    let head = "Host: api.zoom.us\r\nContent-Type: application/x-www-form-urlencoded";
    write(
        "a.request.http",
        format!("POST /v1/user/get HTTP/1.1\r\n{head}\r\n\r\n{}", form()),
    );
    write(
        "a.response.http",
        format!("HTTP/1.1 200 OK\r\n\r\n{}", answer()),
    );
    write("b.request.txt", format!("POST /v1/user/get?{}\n\n", form()));
    write("b.response.json", answer());
    write("c.request.txt", "POST /v1/user/get\n\n".to_owned());
    write("readme.md", SECRET.to_owned());
    assert_eq!(
        shown(&imported(folder.path())),
        ["user/get Form u1 R&D", "user/get Query u1 R&D"]
    );
}

#[test]
fn rejects_other_files() {
    let catalog = Catalog::embedded().unwrap();
    let redactor = Redactor::new(&catalog, None);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    for text in ["hello", "{\"a\":1}"] {
        fs::write(&path, text).unwrap();
        assert!(
            import(&catalog, &redactor, &path, &mut Imported::default()).is_err(),
            "{text}"
        );
    }
    assert!(
        import(
            &catalog,
            &redactor,
            Path::new("/no/such"),
            &mut Imported::default()
        )
        .is_err()
    );
}
