//! Normalizes v2 requests for comparison.

use serde_json::{Map, Value, json};

use crate::V2Exchange;

/// Requests by call name, because their order depends on v2's response times.
pub fn requests(calls: &[V2Exchange]) -> Value {
    let mut requests: Map<String, Value> = Map::new();
    for call in calls {
        let query = call.query.iter().cloned();
        let query: Map<_, _> = query
            .map(|(name, value)| (name, Value::from(value)))
            .collect();
        let request = json!({
            "request": format!("{} {}", call.method, call.path),
            "query": query,
            "body": call.body.as_ref().map(comparable),
        });
        let mut name = call.call.clone();
        for number in 2.. {
            if !requests.contains_key(&name) {
                break;
            }
            name = format!("{}#{number}", call.call);
        }
        requests.insert(name, request);
    }
    Value::Object(requests)
}

/// Removes the media type of a file, which depends on the unrecorded content.
fn comparable(body: &Value) -> Value {
    let mut body = body.clone();
    if let Some(Value::Object(file)) = body.get_mut("file") {
        file.shift_remove("media_type");
    }
    body
}
