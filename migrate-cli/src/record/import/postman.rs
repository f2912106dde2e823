//! Postman collections: items are requests, and their examples are exchanges.

use serde_json::Value;

use super::{Pair, form, text_at};

/// Examples of a collection; `None` if it is not a collection.
pub(super) fn pairs(file: &Value) -> Option<Vec<Pair>> {
    let mut pairs = Vec::new();
    each_item(file, &mut |item| {
        let examples = item.get("response").and_then(Value::as_array);
        for example in examples.into_iter().flatten() {
            let of_item = example.get("originalRequest").or(item.get("request"));
            pairs.extend(of_item.map(|of_item| Pair {
                answer: text_at(example, "/body"),
                ..request(of_item)
            }));
        }
    })?;
    Some(pairs)
}

/// Requests of a collection; `None` if it is not a collection.
pub(super) fn requests(file: &Value) -> Option<Vec<Pair>> {
    let mut requests = Vec::new();
    each_item(file, &mut |item| {
        requests.extend(item.get("request").map(request));
    })?;
    Some(requests)
}

/// Visits the items, including those in folders.
fn each_item(folder: &Value, visit: &mut dyn FnMut(&Value)) -> Option<()> {
    for item in folder.get("item")?.as_array()? {
        visit(item);
        each_item(item, visit);
    }
    Some(())
}

/// Converts a request.
pub(super) fn request(request: &Value) -> Pair {
    let url = match request.get("url") {
        Some(Value::String(url)) => url.clone(),
        Some(url) if url.get("raw").is_none() => in_parts(url),
        _ => text_at(request, "/url/raw"),
    };
    let body = match text_at(request, "/body/mode").as_str() {
        "urlencoded" => form(request.pointer("/body/urlencoded"), "key"),
        "formdata" => form(request.pointer("/body/formdata"), "key"),
        _ => text_at(request, "/body/raw"),
    };
    Pair {
        url,
        method: text_at(request, "/method"),
        body,
        ..Pair::default()
    }
}

/// Joins a URL given as host, path and query.
fn in_parts(url: &Value) -> String {
    let joined = |name: &str, between: &str| match url.get(name) {
        Some(Value::Array(parts)) => {
            let parts: Vec<_> = parts.iter().filter_map(Value::as_str).collect();
            parts.join(between)
        }
        Some(Value::String(text)) => text.clone(),
        _ => String::new(),
    };
    let query = form(url.get("query"), "key");
    let mark = if query.is_empty() { "" } else { "?" };
    format!(
        "{}/{}{mark}{query}",
        joined("host", "."),
        joined("path", "/")
    )
}
