//! Import of existing traffic. Each format has a module that produces [`Pair`]s; [`import`] selects
//! it.

mod folder;
mod har;
mod lines;
mod postman;
#[cfg(test)]
mod tests;

use std::path::Path;

use anyhow::Context as _;
use lines::Line;
use mappings::{Arguments, Catalog, V1Answer};
use migrate_audit::plain_file;
use recording::{Exchange, FORMAT, Redactor, V1Exchange, Wrapping};
use serde_json::{Map, Value};
use url::{Url, form_urlencoded};

/// A request and its response.
#[derive(Debug, Default)]
pub(crate) struct Pair {
    /// URL, path or operation.
    pub(crate) url: String,
    /// Method; empty if unknown.
    pub(crate) method: String,
    pub(crate) content_type: String,
    pub(crate) body: String,
    answer: String,
    at: String,
    millis: f64,
}

/// Result of an import.
#[derive(Debug, Default)]
pub(crate) struct Imported {
    pub(crate) exchanges: Vec<Exchange>,
    /// Number of requests that are not v1 requests.
    pub(crate) others: usize,
    /// Number of responses that are not JSON objects.
    pub(crate) unreadable: usize,
}

/// Imports a file or folder and removes secrets.
pub(crate) fn import(
    catalog: &Catalog,
    redactor: &Redactor,
    path: &Path,
    imported: &mut Imported,
) -> anyhow::Result<()> {
    let place = || path.display().to_string();
    if path.is_dir() {
        for pair in folder::pairs(path).with_context(place)? {
            add(catalog, redactor, &pair, imported);
        }
        return Ok(());
    }
    let text = plain_file::read_text(path).with_context(place)?;
    if let Ok(file) = serde_json::from_str::<Value>(&text)
        && let Some(pairs) = har::pairs(&file).or_else(|| postman::pairs(&file))
    {
        for pair in pairs {
            add(catalog, redactor, &pair, imported);
        }
        return Ok(());
    }
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let place = || format!("{}, line {}", path.display(), number + 1);
        match lines::read(line).with_context(place)? {
            Line::Exchange(mut exchange) => {
                redactor.exchange(catalog, &mut exchange, &[]);
                imported.exchanges.push(*exchange);
            }
            Line::Pair(pair) => add(catalog, redactor, &pair, imported),
        }
    }
    Ok(())
}

/// Requests of a HAR file, a Postman collection or one of their entries; `None` for other files.
pub(crate) fn requests(file: &Value) -> Option<Vec<Pair>> {
    har::pairs(file)
        .or_else(|| postman::requests(file))
        .or_else(|| {
            let entry = file
                .get("request")
                .filter(|request| request.get("method").is_some())?;
            let is_har = entry.get("httpVersion").is_some() || entry.get("postData").is_some();
            Some(vec![if is_har {
                har::pair(file)
            } else {
                postman::request(entry)
            }])
        })
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
        result: Ok((&answer).into()),
        warnings: Vec::new(),
    };
    let mut exchange = Exchange {
        format: FORMAT,
        id: format!("import-{}", imported.exchanges.len() + 1),
        request: None,
        at: pair.at.clone(),
        micros: micros(pair.millis),
        site: None,
        incomplete: None,
        v1: V1Exchange::new(&operation, wrapping, &arguments, &answer),
        v2: Vec::new(),
    };
    redactor.exchange(catalog, &mut exchange, &[]);
    imported.exchanges.push(exchange);
}

/// Operation and query of a URL; `None` if it is not a v1 URL.
fn operation(catalog: &Catalog, url: &str) -> Option<(String, String)> {
    let (path, query) = if let Ok(url) = Url::parse(url) {
        let query = url.query().unwrap_or_default();
        (url.path().to_owned(), query.to_owned())
    } else {
        // A path, possibly after a variable of a collection: `{{base}}/user/get?id=1`.
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

/// Encodes a list of names and values as a form.
fn form(list: Option<&Value>, name: &str) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for member in list.and_then(Value::as_array).into_iter().flatten() {
        form.append_pair(&plain(member.get(name)), &plain(member.get("value")));
    }
    form.finish()
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
