//! What is sent to v2, in a shape that can be compared.

use serde_json::{Map, Value, json};

use crate::V2Exchange;

/// Requests by the name of their call, so that their order, which is that of v2's answers, is no
/// difference.
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

/// The media type of a file is read off its bytes, which are not recorded.
fn comparable(body: &Value) -> Value {
    let mut body = body.clone();
    if let Some(Value::Object(file)) = body.get_mut("file") {
        file.shift_remove("media_type");
    }
    body
}
