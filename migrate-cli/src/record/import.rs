//! Recordings out of what teams already have: HAR files, Postman collections with examples, JSON
//! lines, and folders of request and response files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use base64::Engine as _;
use mappings::{
    Arguments, Catalog, V1Answer,
    record::{Exchange, FORMAT, Redactor, V1Exchange, Wrapping},
};
use serde_json::{Map, Value};
use url::{Url, form_urlencoded};

/// A request and its answer, from wherever they come.
#[derive(Debug, Default)]
struct Pair {
    /// The whole URL, or the operation.
    url: String,
    content_type: String,
    body: String,
    answer: String,
    at: String,
    millis: f64,
}

/// What came of an import.
#[derive(Debug, Default)]
pub(crate) struct Imported {
    pub(crate) exchanges: Vec<Exchange>,
    /// Requests that are not v1's.
    pub(crate) others: usize,
    /// Answers that are no JSON object.
    pub(crate) unreadable: usize,
}

/// Reads a file or folder; nothing that is secret is left in the result.
pub(crate) fn import(
    catalog: &Catalog,
    redactor: &Redactor,
    path: &Path,
    imported: &mut Imported,
) -> anyhow::Result<()> {
    let place = || path.display().to_string();
    if path.is_dir() {
        for pair in folder(path).with_context(place)? {
            add(catalog, redactor, &pair, imported);
        }
        return Ok(());
    }
    let text = fs::read_to_string(path).with_context(place)?;
    if let Ok(value) = serde_json::from_str::<Value>(&text) {
        if let Some(entries) = value.pointer("/log/entries").and_then(Value::as_array) {
            for entry in entries {
                add(catalog, redactor, &har(entry), imported);
            }
            return Ok(());
        }
        if let Some(items) = value.get("item").and_then(Value::as_array) {
            let mut pairs = Vec::new();
            postman(items, &mut pairs);
            for pair in pairs {
                add(catalog, redactor, &pair, imported);
            }
            return Ok(());
        }
    }
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        if let Ok(mut exchange) = Exchange::read(line) {
            redactor.exchange(catalog, &mut exchange, &[]);
            imported.exchanges.push(exchange);
            continue;
        }
        let place = || format!("{}, line {}", path.display(), number + 1);
        let value: Value = serde_json::from_str(line)
            .context("neither a HAR file, a Postman collection nor JSON lines")
            .with_context(place)?;
        let url = text_at(&value, "/url");
        if url.is_empty() {
            bail!("{}: no url; a line has url, request and response", place());
        }
        let pair = Pair {
            url,
            body: plain(value.get("request")),
            answer: plain(value.get("response")),
            at: text_at(&value, "/at"),
            ..Pair::default()
        };
        add(catalog, redactor, &pair, imported);
    }
    Ok(())
}

fn add(catalog: &Catalog, redactor: &Redactor, pair: &Pair, imported: &mut Imported) {
    let Some((operation, query)) = operation(catalog, &pair.url) else {
        imported.others += 1;
        return;
    };
    let Ok(Value::Object(answer)) = serde_json::from_str(&pair.answer) else {
        imported.unreadable += 1;
        return;
    };
    let (wrapping, arguments) = arguments(&query, pair);
    let answer = V1Answer {
        result: Ok(answer),
        warnings: Vec::new(),
    };
    let mut exchange = Exchange {
        format: FORMAT,
        id: format!("import-{}", imported.exchanges.len() + 1),
        at: pair.at.clone(),
        micros: micros(pair.millis),
        site: None,
        v1: V1Exchange::new(&operation, wrapping, &arguments, &answer),
        v2: Vec::new(),
    };
    redactor.exchange(catalog, &mut exchange, &[]);
    imported.exchanges.push(exchange);
}

/// The operation of a URL and its query; `None` if it is none of v1's.
fn operation(catalog: &Catalog, url: &str) -> Option<(String, String)> {
    let (path, query) = if let Ok(url) = Url::parse(url) {
        let query = url.query().unwrap_or_default();
        (url.path().to_owned(), query.to_owned())
    } else {
        // A path alone, or one behind a variable of a collection: `{{base}}/user/get?id=1`.
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        (path.to_owned(), query.to_owned())
    };
    let prefix = format!("/{}/", catalog.protocol().prefix);
    let below = path.split_once(&prefix).map(|(_, below)| below.to_owned());
    let last_two = || {
        let mut parts = path.trim_matches('/').rsplitn(3, '/');
        let (name, resource) = (parts.next()?, parts.next()?);
        Some(format!("{resource}/{name}"))
    };
    let operation = catalog.find(&below.or_else(last_two)?)?;
    Some((operation.name.clone(), query))
}

fn arguments(query: &str, pair: &Pair) -> (Wrapping, Arguments) {
    let body = pair.body.trim();
    let decoded = |text: &str| -> Vec<(String, String)> {
        form_urlencoded::parse(text.as_bytes())
            .into_owned()
            .collect()
    };
    let mut all = decoded(query);
    let wrapping = match serde_json::from_str::<Map<String, Value>>(body) {
        _ if body.is_empty() => Wrapping::Query,
        Ok(members) => {
            all.extend(
                members
                    .into_iter()
                    .map(|(name, value)| (name, plain(Some(&value)))),
            );
            Wrapping::Json
        }
        Err(_) if pair.content_type.starts_with("multipart/") => Wrapping::Multipart,
        Err(_) => {
            all.extend(decoded(body));
            Wrapping::Form
        }
    };
    (wrapping, all.into_iter().collect())
}

fn har(entry: &Value) -> Pair {
    let body = match entry
        .pointer("/request/postData/text")
        .and_then(Value::as_str)
    {
        Some(text) => text.to_owned(),
        None => form(entry.pointer("/request/postData/params"), "name"),
    };
    let mut answer = text_at(entry, "/response/content/text");
    if text_at(entry, "/response/content/encoding") == "base64" {
        let bytes = base64::engine::general_purpose::STANDARD.decode(&answer);
        answer = String::from_utf8(bytes.unwrap_or_default()).unwrap_or_default();
    }
    Pair {
        url: text_at(entry, "/request/url"),
        content_type: text_at(entry, "/request/postData/mimeType"),
        body,
        answer,
        at: text_at(entry, "/startedDateTime"),
        millis: entry
            .get("time")
            .and_then(Value::as_f64)
            .unwrap_or_default(),
    }
}

/// The examples of a collection, folders included.
fn postman(items: &[Value], pairs: &mut Vec<Pair>) {
    for item in items {
        if let Some(inner) = item.get("item").and_then(Value::as_array) {
            postman(inner, pairs);
        }
        let examples = item.get("response").and_then(Value::as_array);
        for example in examples.into_iter().flatten() {
            let request = example.get("originalRequest").or(item.get("request"));
            let Some(request) = request else { continue };
            let url = match request.get("url") {
                Some(Value::String(url)) => url.clone(),
                _ => text_at(request, "/url/raw"),
            };
            let body = match text_at(request, "/body/mode").as_str() {
                "urlencoded" => form(request.pointer("/body/urlencoded"), "key"),
                "formdata" => form(request.pointer("/body/formdata"), "key"),
                _ => text_at(request, "/body/raw"),
            };
            pairs.push(Pair {
                url,
                body,
                answer: text_at(example, "/body"),
                ..Pair::default()
            });
        }
    }
}

/// A list of names and values as a form.
fn form(list: Option<&Value>, name: &str) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for member in list.and_then(Value::as_array).into_iter().flatten() {
        form.append_pair(&plain(member.get(name)), &plain(member.get("value")));
    }
    form.finish()
}

/// Pairs of `NAME.request.*`, as it went over the wire, and `NAME.response.*`, as it came or its
/// body alone.
fn folder(path: &Path) -> anyhow::Result<Vec<Pair>> {
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(path)? {
        files.push(entry?.path());
    }
    files.sort();
    let name = |path: &Path| {
        path.file_name()
            .and_then(|name| name.to_str())
            .unwrap_or("")
            .to_owned()
    };
    let mut pairs = Vec::new();
    for request in &files {
        let Some((stem, _)) = name(request)
            .split_once(".request")
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
        else {
            continue;
        };
        let response = format!("{stem}.response");
        let Some(response) = files.iter().find(|path| name(path).starts_with(&response)) else {
            continue;
        };
        let (head, body) = message(&fs::read_to_string(request)?);
        let mut lines = head.lines();
        let url = lines
            .next()
            .and_then(|line| line.split(' ').nth(1))
            .unwrap_or_default();
        let content_type = lines.find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-type")
                .then(|| value.trim().to_owned())
        });
        let answer = fs::read_to_string(response)?;
        let answer = if answer.starts_with("HTTP/") {
            message(&answer).1
        } else {
            answer
        };
        pairs.push(Pair {
            url: url.to_owned(),
            content_type: content_type.unwrap_or_default(),
            body,
            answer,
            ..Pair::default()
        });
    }
    Ok(pairs)
}

/// The head and the body of an HTTP message.
fn message(text: &str) -> (String, String) {
    let text = text.replace("\r\n", "\n");
    let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
    (head.to_owned(), body.to_owned())
}

fn text_at(value: &Value, pointer: &str) -> String {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn plain(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float that is no time becomes the nearest one, which `as` does"
)]
fn micros(millis: f64) -> u64 {
    (millis * 1000.0) as u64
}

#[cfg(test)]
mod tests {
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

    /// Operation, wrapping and id of each exchange.
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
    fn har_files() {
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
    fn postman_examples() {
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
    fn json_lines() {
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
    fn folders_of_pairs() {
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
    fn what_is_nothing_of_it_is_refused() {
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
}
