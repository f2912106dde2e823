//! Postman collections: their examples are exchanges.

use serde_json::Value;

use super::{Pair, form, text_at};

/// The examples of a collection; `None` if it is not a collection.
pub(super) fn pairs(file: &Value) -> Option<Vec<Pair>> {
    let items = file.get("item")?.as_array()?;
    let mut pairs = Vec::new();
    examples(items, &mut pairs);
    Some(pairs)
}

/// The examples of items, folders included.
fn examples(items: &[Value], pairs: &mut Vec<Pair>) {
    for item in items {
        if let Some(inner) = item.get("item").and_then(Value::as_array) {
            examples(inner, pairs);
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
